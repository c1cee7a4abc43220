"""A running catalogue for tests: real server, database and object store; calls made short."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy
from google.type.date_pb2 import Date
from waymark.catalogue.v1 import (
    course_pb2_grpc,
    feed_run_pb2,
    feed_run_pb2_grpc,
    observation_pb2,
    observation_pb2_grpc,
    organisation_pb2,
    organisation_pb2_grpc,
    search_pb2,
    search_pb2_grpc,
    shortage_list_pb2,
    shortage_list_pb2_grpc,
    source_pb2,
    source_pb2_grpc,
    taxonomy_pb2,
    taxonomy_pb2_grpc,
    upload_pb2,
    upload_pb2_grpc,
)

from services.catalogue.imports.observations import KIND, take_in
from services.catalogue.service import DEFINITION
from services.catalogue.store import feed_runs
from services.platform.db.horizon import HORIZON
from services.platform.db.transaction import transaction
from services.platform.operations.runner import run_chunk
from tests.support.databases import Databases
from tests.support.parts import S3Address
from tests.support.servers import Serve, Served, token
from tests.support.uploads import put
from tests.support.waiting import eventually

MANAGER = str(uuid.uuid4())
SECOND = str(uuid.uuid4())
CSV, XML, JSON = "text/csv", "application/xml", "application/json"


def day(iso: str) -> Date:
    """Returns the message of an ISO 8601 date."""
    year, month, number = map(int, iso.split("-"))
    return Date(year=year, month=month, day=number)


def until_settled(engine: sqlalchemy.Engine) -> None:
    """Waits until who reads up to the horizon sees all that is committed by now: what other tests write on
    the same server, in databases of their own, holds it up as well."""
    with transaction(engine) as tx:
        written = int(tx.execute(sqlalchemy.text("SELECT pg_current_xact_id()::text::bigint")).scalar_one())

    def horizon() -> int:
        with engine.connect() as connection:
            return int(connection.execute(sqlalchemy.select(HORIZON)).scalar_one())

    eventually(lambda: horizon() > written)


def run_waiting(app: Any) -> None:
    """Works on every waiting feed run in this thread, one after the other."""
    with transaction(app, read_only=True) as tx:
        waiting = feed_runs.waiting(tx.connection)
    for row in waiting:
        app.importer.work(row)


class Catalogue:
    """Calls as a catalogue manager, unless another token is given."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.app = served.app
        self.manager = token("catalogue_manager", subject=MANAGER)
        self.second = token("catalogue_manager", subject=SECOND)

    def stub(self, make: Callable[[Any], Any], access: str | None = None) -> Any:
        return self.served.stub(make, self.manager if access is None else access)

    def uploads(self, access: str | None = None) -> Any:
        return self.stub(upload_pb2_grpc.UploadServiceStub, access)

    def organisations(self, access: str | None = None) -> Any:
        return self.stub(organisation_pb2_grpc.OrganisationServiceStub, access)

    def taxonomies(self, access: str | None = None) -> Any:
        return self.stub(taxonomy_pb2_grpc.TaxonomyServiceStub, access)

    def shortages(self, access: str | None = None) -> Any:
        return self.stub(shortage_list_pb2_grpc.ShortageListServiceStub, access)

    def sources(self, access: str | None = None) -> Any:
        return self.stub(source_pb2_grpc.SourceServiceStub, access)

    def feed_runs(self, access: str | None = None) -> Any:
        return self.stub(feed_run_pb2_grpc.FeedRunServiceStub, access)

    def courses(self, access: str | None = None) -> Any:
        return self.stub(course_pb2_grpc.CourseServiceStub, access)

    def searches(self, access: str | None = None) -> Any:
        return self.stub(search_pb2_grpc.SearchServiceStub, access)

    def observations(self, access: str | None = None) -> Any:
        return self.stub(observation_pb2_grpc.ObservationServiceStub, access)

    def observation_source(self, name: str, suppress_below: int = 5, **values: Any) -> str:
        given = {"publisher": "PES", "method": "register", "coverage": "all", "licence": "CC BY 4.0"} | values
        source = observation_pb2.ObservationSource(suppress_below=suppress_below, **given)
        made = self.observations().CreateObservationSource(
            observation_pb2.CreateObservationSourceRequest(
                observation_source=source, observation_source_id=name
            )
        )
        return str(made.name)

    def take_in(self, source: str, data: bytes, form: str = "CSV", **values: Any) -> Any:
        """Takes a file of figures in, to its end."""
        started = self.observations().StartObservationImport(
            observation_pb2.StartObservationImportRequest(
                source=source,
                upload=self.upload(data),
                format=observation_pb2.ObservationFormat.Value(f"OBSERVATION_FORMAT_{form}"),
                **values,
            )
        )
        while run_chunk(self.app, {KIND: take_in}):
            pass
        request = observation_pb2.GetObservationImportRequest(name=started.name)
        return self.observations().GetObservationImport(request)

    def figures(self, **wanted: Any) -> Any:
        """Figures that fit, with their sources, asked for by nobody in particular."""
        request = observation_pb2.ListObservationsRequest(filter=observation_pb2.ObservationFilter(**wanted))
        return self.observations("").ListObservations(request)

    def upload(self, data: bytes, content_type: str = CSV, access: str | None = None) -> str:
        """Uploads bytes by ticket and finalizes them; returns the upload's name."""
        made = self.uploads(access).CreateUpload(
            upload_pb2.CreateUploadRequest(
                size_bytes=len(data), content_type=content_type, sha256=hashlib.sha256(data).hexdigest()
            )
        )
        put(made.upload_url, made.upload_headers, data).raise_for_status()
        ready = self.uploads(access).FinalizeUpload(upload_pb2.FinalizeUploadRequest(name=made.name))
        return str(ready.name)

    def import_taxonomy(self, data: bytes, scheme: str, form: str, version: str, language: str = "en") -> Any:
        return self.taxonomies().ImportTaxonomy(
            taxonomy_pb2.ImportTaxonomyRequest(
                upload=self.upload(data),
                scheme=taxonomy_pb2.TaxonomyScheme.Value(f"TAXONOMY_SCHEME_{scheme}"),
                format=taxonomy_pb2.TaxonomyFormat.Value(f"TAXONOMY_FORMAT_{form}_CSV"),
                version=version,
                language=language,
            )
        )

    def organisation(self, name: str) -> str:
        made = self.organisations().CreateOrganisation(
            organisation_pb2.CreateOrganisationRequest(
                organisation=organisation_pb2.Organisation(display_name=name.upper()), organisation_id=name
            )
        )
        return str(made.name)

    def source(self, organisation: str, form: str = "CSV_TEMPLATE", **values: Any) -> str:
        given = source_pb2.Source(
            organisation=organisation,
            display_name="Feed",
            format=source_pb2.FeedFormat.Value(f"FEED_FORMAT_{form}"),
            **values,
        )
        made = self.sources().CreateSource(source_pb2.CreateSourceRequest(source=given))
        return str(made.name)

    def feed(self, source: str, data: bytes, content_type: str = CSV, **values: Any) -> feed_run_pb2.FeedRun:
        """Runs a feed as far as it gets."""
        request = feed_run_pb2.StartFeedRunRequest(
            source=source, upload=self.upload(data, content_type), **values
        )
        started = self.feed_runs().StartFeedRun(request)
        run_waiting(self.app)
        return self.run(started.name)

    def run(self, name: str) -> feed_run_pb2.FeedRun:
        found: feed_run_pb2.FeedRun = self.feed_runs().GetFeedRun(feed_run_pb2.GetFeedRunRequest(name=name))
        return found

    def findings(self, run: str) -> list[Any]:
        answer = self.feed_runs().ListFeedFindings(feed_run_pb2.ListFeedFindingsRequest(parent=run))
        return list(answer.findings)

    def shortage_list(self, name: str = "flanders", nuts: str = "BE2") -> str:
        made = self.shortages().CreateShortageList(
            shortage_list_pb2.CreateShortageListRequest(
                shortage_list_id=name, display_names={"en": name}, nuts_code=nuts
            )
        )
        return str(made.name)

    def draft(self, parent: str, data: bytes, form: str = "TEMPLATE", **values: Any) -> Any:
        values.setdefault("valid_from", day("2012-01-01"))
        request = shortage_list_pb2.CreateShortageListVersionRequest(
            parent=parent,
            upload=self.upload(data),
            format=shortage_list_pb2.ShortageFormat.Value(f"SHORTAGE_FORMAT_{form}_CSV"),
            **values,
        )
        return self.shortages().CreateShortageListVersion(request)

    def publish(self, name: str, access: str | None = None, **values: Any) -> Any:
        request = shortage_list_pb2.PublishShortageListVersionRequest(name=name, **values)
        return self.shortages(access or self.second).PublishShortageListVersion(request)

    def search(self, query: str = "", **values: Any) -> search_pb2.SearchCoursesResponse:
        request = search_pb2.SearchCoursesRequest(query=query, **values)
        found: search_pb2.SearchCoursesResponse = self.searches("").SearchCourses(request)
        return found

    def wait_for(self, condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Returns the first true answer, also of an index that is still being built; fails when there is none
        in time."""

        def answered() -> Any:
            try:
                return condition()
            except Exception as error:
                if "SEARCH_NOT_READY" not in str(error) and "index" not in str(error):
                    raise
                return None

        return eventually(answered, seconds)


@pytest.fixture
def catalogue(serve: Serve, database: Databases, s3: S3Address) -> Catalogue:
    """A running catalogue with an empty database."""
    environ = {
        "WAYMARK_S3_ENDPOINT": s3.endpoint,
        "WAYMARK_S3_ACCESS_KEY": s3.access_key,
        "WAYMARK_S3_SECRET_KEY": s3.secret_key,
        "WAYMARK_S3_PUBLIC_ENDPOINT": s3.endpoint,
    }
    return Catalogue(serve(DEFINITION, database("catalogue").url, environ=environ))


ESCO = b"""conceptUri,iscoGroup,preferredLabel,altLabels,description,code
http://data.europa.eu/esco/occupation/dev,2512,software developer,"programmer
software engineer",Writes programs.,2512.4
http://data.europa.eu/esco/occupation/nurse,2221,nurse responsible for general care,"general nurse
nurse",Cares.,2221.1
http://data.europa.eu/esco/occupation/baker,7512,baker,bread maker,Bakes bread.,7512.1
"""
ISCO = b"""conceptUri,code,preferredLabel,altLabels,description
http://data.europa.eu/esco/isco/C2,2,Professionals,,
http://data.europa.eu/esco/isco/C25,25,Information and communications technology professionals,,
http://data.europa.eu/esco/isco/C251,251,Software and applications developers and analysts,,
http://data.europa.eu/esco/isco/C2512,2512,Software developers,,
http://data.europa.eu/esco/isco/C2221,2221,Nursing professionals,,
http://data.europa.eu/esco/isco/C7512,7512,"Bakers, pastry-cooks and confectionery makers",,
"""
DEVELOPER = "http://data.europa.eu/esco/occupation/dev"
NURSE = "http://data.europa.eu/esco/occupation/nurse"


def with_taxonomy(catalogue: Catalogue) -> Catalogue:
    """Imports the small taxonomy above."""
    catalogue.import_taxonomy(ESCO, "ESCO_OCCUPATIONS", "ESCO_OCCUPATIONS", "1.1.1")
    catalogue.import_taxonomy(ISCO, "ISCO_08", "ISCO_GROUPS", "08")
    return catalogue


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Runs `work` in `count` threads at once; returns what each returned or raised."""
    results: list[Any] = [None] * count
    barrier = threading.Barrier(count)

    def run(index: int) -> None:
        barrier.wait()
        try:
            results[index] = work(index)
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
