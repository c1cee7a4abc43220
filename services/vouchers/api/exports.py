"""ExportService: rows in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from google.api import httpbody_pb2
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import export_pb2 as pb
from waymark.vouchers.v1 import export_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import query_stream
from services.vouchers import esf_figures
from services.vouchers.api.convert import date_of
from services.vouchers.app import VouchersApp
from services.vouchers.domain.exports import Column, Rows, as_csv, as_parquet
from services.vouchers.domain.statements import period
from services.vouchers.store import exports, names

FORMATS = {
    pb.EXPORT_FORMAT_UNSPECIFIED: (as_csv, "text/csv; charset=utf-8"),
    pb.EXPORT_FORMAT_CSV: (as_csv, "text/csv; charset=utf-8"),
    pb.EXPORT_FORMAT_PARQUET: (as_parquet, "application/vnd.apache.parquet"),
}


class ExportApi(export_pb2_grpc.ExportServiceServicer):
    """Hands out rows."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query_stream
    def GetExport(self, tx: Transaction, request: pb.GetExportRequest) -> Iterator[httpbody_pb2.HttpBody]:
        first = date_of(request.start_date, "start_date")
        last = date_of(request.end_date, "end_date")
        write, content_type = FORMATS[request.format]
        for part in write(*self._read(tx, request, first, last)):
            yield httpbody_pb2.HttpBody(content_type=content_type, data=part)

    def _read(
        self, tx: Transaction, request: pb.GetExportRequest, first: date, last: date
    ) -> tuple[Sequence[Column], Rows]:
        """Returns the columns and rows of what is asked for; raises Refusal(INVALID_ARGUMENT)."""
        times = period(first, last)
        if request.dataset == pb.EXPORT_DATASET_ESF_INDICATORS:
            found = esf_figures.published(tx, first, last, request.programme)
            return esf_figures.COLUMNS, [[esf_figures.row(each) for each in found]]
        source = exports.SOURCES[exports.Dataset(request.dataset)]
        if request.programme and source.programme is None:
            violation = Violation("programme", "must be empty: what is exported belongs to no programme")
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
        return source.columns, exports.stream(tx, source, *times, names.last(request.programme))
