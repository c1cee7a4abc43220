"""PlaceService."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from waymark.catalogue.v1 import place_pb2 as pb
from waymark.catalogue.v1 import place_pb2_grpc

from services.catalogue.api.messages import last
from services.catalogue.app import CatalogueApp
from services.catalogue.domain.labels import words
from services.catalogue.gazetteer import lookup
from services.catalogue.imports.place_csv import read_places
from services.catalogue.store import places, uploads
from services.catalogue.store.place_tables import place_versions
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import invalid
from services.platform.rpc.handlers import mutation, query

MOST = 50


class PlaceApi(place_pb2_grpc.PlaceServiceServicer):
    """Where places are."""

    def __init__(self, app: CatalogueApp) -> None:
        self.app = app

    @mutation
    def ImportPlaces(self, tx: Transaction, request: pb.ImportPlacesRequest) -> pb.PlaceVersion:
        upload = uploads.read_ready(tx, last(request.upload))
        with self.app.objects.open(uploads.BUCKET, upload.id, sha256=upload.sha256) as opened:
            found = read_places(cast(BinaryIO, opened))
            return _version(places.add_version(tx, request.country, request.version, found))

    @query
    def ListPlaceVersions(
        self, tx: Transaction, request: pb.ListPlaceVersionsRequest
    ) -> pb.ListPlaceVersionsResponse:
        row = place_versions.c
        order = [row.import_time.desc(), row.country.desc(), row.version.desc()]
        found = page(tx, self.app.signer, places.listing(), order_by=order, request=request)
        return pb.ListPlaceVersionsResponse(
            place_versions=map(_version, found.rows), next_page_token=found.next_page_token
        )

    @query
    def FindPlaces(self, tx: Transaction, request: pb.FindPlacesRequest) -> pb.FindPlacesResponse:
        if not words(request.query):
            raise invalid("query", "must hold a letter or a digit")
        tables = places.in_use(tx.connection)
        found = lookup.find(tx.connection, tables, request.query, request.country)
        if not found:
            raise lookup.unknown(request.query)
        return pb.FindPlacesResponse(places=map(_place, found[:MOST]))


def _version(row: Any) -> pb.PlaceVersion:
    answer = pb.PlaceVersion(
        name=f"places/{row.country}/versions/{row.version}",
        country=row.country,
        version=row.version,
        place_count=row.place_count,
    )
    answer.import_time.FromDatetime(row.import_time)
    return answer


def _place(place: Any) -> pb.Place:
    answer = pb.Place(kind=int(place.kind), name=place.name, country=place.country, code=place.code)  # type: ignore[arg-type]
    answer.location.latitude, answer.location.longitude = place.latitude, place.longitude
    return answer
