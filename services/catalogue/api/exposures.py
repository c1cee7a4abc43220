"""ExposureService."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from waymark.catalogue.v1 import exposure_pb2_grpc
from waymark.catalogue.v1.exposure_pb2 import Exposure, ListExposuresRequest, ListExposuresResponse

from services.catalogue.api.messages import day, last, only_own
from services.catalogue.app import CatalogueApp
from services.catalogue.search import exposure
from services.platform.errors import invalid
from services.platform.rpc.handlers import mark

SIZE = 100
LONGEST = timedelta(days=92)


class ExposureApi(exposure_pb2_grpc.ExposureServiceServicer):
    """How often search showed whose courses."""

    def __init__(self, app: CatalogueApp) -> None:
        self.app = app

    def ListExposures(self, request: ListExposuresRequest, call: Any) -> ListExposuresResponse:
        first, until = day(request.start_date, "start_date"), day(request.end_date, "end_date")
        if not timedelta(0) <= until - first <= LONGEST:
            raise invalid("end_date", f"must be from the first day to {LONGEST.days} days after it")
        own, wanted = only_own(call.principal), last(request.organisation)
        binding = f"ListExposures\x1f{call.principal.subject}\x1f{first}\x1f{until}\x1f{wanted}"
        after = self.app.signer.read(binding, request.page_token) if request.page_token else ["", 0]
        chosen = [
            (key, shown)
            for key, shown in sorted(exposure.read(self.app.objects, first, until).items())
            if own in ("", last(key.organisation))
            and wanted in ("", last(key.organisation))
            and [*key] > [*after]
        ]
        size = request.page_size or SIZE
        answer = ListExposuresResponse(
            exposures=[
                Exposure(
                    organisation=key.organisation,
                    kind=key.kind,  # type: ignore[arg-type]
                    shown_count=shown.hits,
                    first_count=shown.first,
                )
                for key, shown in chosen[:size]
            ]
        )
        if len(chosen) > size:
            answer.next_page_token = self.app.signer.sign(binding, [*chosen[size - 1][0]])
        return answer


mark(ExposureApi.ListExposures)  # by role alone; of providers only their own is shown
