"""Partners deliver as they can: a European format, or record by record; nobody has us call inside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from google.type.date_pb2 import Date
from google.type.money_pb2 import Money
from waymark.catalogue.v1 import course_pb2, course_push_pb2_grpc, feed_run_pb2
from waymark.catalogue.v1 import course_push_pb2 as pb

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.data import PLACE
from services.cli.demo.journey import Journey, Step, expect, refused

Run = feed_run_pb2.FeedRun
INSIDE = "http://169.254.169.254/latest/meta-data"


def deliver(journey: Journey) -> str:
    """gRPC and REST: courses go out as ELM and come in again on trial; others are pushed; a page reports."""
    caller = journey.person(catalogue.ROLE, "Mila")
    partner = catalogue.onboard(journey, caller, "bakery", "Bakery School")
    tried = european(journey, catalogue.new_source(caller, partner, "FEED_FORMAT_ELM_LOQ_3_1"))
    expect(tried.courses_created > 0, "nothing that was exported could be read again")
    expect(tried.error_count == 0, f"{tried.error_count} errors in what was exported")

    name = push(journey, catalogue.new_source(caller, partner, "FEED_FORMAT_PUSH"))
    run = catalogue.ended(journey, name, "run of what was pushed")
    expect(run.courses_created == 2, f"{run.courses_created} of two pushed courses were created")
    page = caller.rest_bytes("GET", f"/v1/{name}:page")
    expect(b"</html>" in page, "the report of the run is no page")

    fetched = {"organisation": partner, "displayName": "inside", "format": "FEED_FORMAT_LHEO"}
    fetched["pull"] = {"url": INSIDE, "interval": "3600s"}  # type: ignore[assignment]
    with refused("FEED_URL_REFUSED"):
        caller.rest("POST", "/v1/sources", {"source": fetched, "requestId": request_id()})
    return f"{tried.courses_created} sessions as ELM and back, 2 courses pushed; {INSIDE} is not called"


def european(journey: Journey, source: str) -> Any:
    """Writes the partner's courses as ELM and tries to import them; returns the run."""
    caller = journey.person(catalogue.ROLE, "Mila")
    query = {"format": "COURSE_EXPORT_FORMAT_ELM_LOQ_3_1", "organisation": journey.facts.partner}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "courses.xml"
        caller.rest_to_file("/v1/courseExports", file, **query)
        return catalogue.run_feed(journey, source, file, dry=True)


def push(journey: Journey, source: str) -> str:
    """Pushes two courses; returns the name of the run."""
    service = journey.person(catalogue.ROLE, "Mila").stub(course_push_pb2_grpc.CoursePushServiceStub)
    answers = list(service.PushCourses(parts(source), timeout=60))
    return str(answers[-1].feed_run)


def parts(source: str) -> Iterator[pb.PushCoursesRequest]:
    """The stream: a start, two courses, an end."""
    yield pb.PushCoursesRequest(start=pb.PushStart(source=source))
    for key, title in (("B1", "Sourdough for beginners"), ("B2", "Puff pastry")):
        session = pb.PushedSession(
            external_id="1",
            mode=course_pb2.COURSE_MODE_ON_SITE,
            start_date=Date(year=2099, month=3, day=1),
            price=Money(currency_code="EUR", units=120),
            town="Antwerpen",
            nuts_code=PLACE,
        )
        yield pb.PushCoursesRequest(
            course=pb.PushedCourse(external_id=key, titles={"en": title}, sessions=[session])
        )
    yield pb.PushCoursesRequest(end=pb.PushEnd(course_count=2))


STEP = Step("formats", "Partners deliver in European formats and record by record", ("C7",), deliver)
