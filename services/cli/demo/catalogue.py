"""Chapter 1: what the labour market needs, and who teaches it."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

from google.type import date_pb2
from waymark.catalogue.v1 import (
    feed_run_pb2,
    feed_run_pb2_grpc,
    search_pb2,
    search_pb2_grpc,
    shortage_list_pb2,
    shortage_list_pb2_grpc,
)

from services.cli.amounts import json_day
from services.cli.client import Caller, request_id
from services.cli.demo import versions
from services.cli.demo.data import OCCUPATION, PLACE, REGION, SAMPLES
from services.cli.demo.dating import dated
from services.cli.demo.journey import Journey, Step, expect
from services.cli.exits import Failure
from services.cli.legal_day import legal_day
from services.cli.uploads import upload_to_catalogue

ROLE = "catalogue_manager"
GROUPS, OCCUPATIONS = "isco-08", "esco-occupations"
Run = feed_run_pb2.FeedRun
ENDED = {Run.STATE_HELD, Run.STATE_SUCCEEDED, Run.STATE_FAILED, Run.STATE_REJECTED}
HARBOUR, IBAN = "Harbour Crafts Academy", "BE48001123456727"
ACCREDITED_UNTIL = "2035-12-31"


def import_taxonomy(journey: Journey) -> str:
    """REST: brings the classification in, unless this very version is in use already."""
    caller = journey.person(ROLE, "Mila")
    files = journey.data.taxonomy
    present = caller.rest("GET", "/v1/taxonomyVersions", page_size=500).get("taxonomyVersions", [])
    in_use = {scheme: _in_use(present, scheme) for scheme in (GROUPS, OCCUPATIONS)}
    if all(each and each["version"].split("-run-")[0] == files.version for each in in_use.values()):
        newest = in_use[OCCUPATIONS] or {}
        return f"version {newest['version']} is there: {newest['conceptCount']} occupations"
    names = {each["version"] for each in present}
    version = files.version if files.version not in names else f"{files.version}-run-{journey.run}"
    imports = [
        (files.groups, "TAXONOMY_SCHEME_ISCO_08", "TAXONOMY_FORMAT_ISCO_GROUPS_CSV"),
        (files.occupations, "TAXONOMY_SCHEME_ESCO_OCCUPATIONS", "TAXONOMY_FORMAT_ESCO_OCCUPATIONS_CSV"),
    ]
    if files.labels:
        imports.append((files.labels, "TAXONOMY_SCHEME_ISCO_08", "TAXONOMY_FORMAT_LABELS_CSV"))
    told = []
    for path, scheme, columns in imports:
        journey.tell(path.name)
        answer = caller.rest(
            "POST",
            "/v1/taxonomies:import",
            {
                "upload": upload_to_catalogue(caller, path),
                "scheme": scheme,
                "format": columns,
                "version": version,
                "language": "en",
                "requestId": request_id(),
            },
        )
        told.append(f"{answer['conceptCount']} concepts, {answer['labelCount']} labels")
    for scheme, other in in_use.items():
        if other:  # beside which ours changes nothing yet
            change = versions.propose(journey, f"taxonomies/{scheme}/versions/{version}")
            versions.apply(journey, change["name"])
    return f"version {version}: " + "; ".join(told)


def _in_use(versions_: list[dict[str, Any]], scheme: str) -> dict[str, Any] | None:
    """The version of a scheme that was put in use last."""
    used = [each for each in versions_ if each["name"].split("/")[1] == scheme and "inUseTime" in each]
    return max(used, key=lambda each: str(each["inUseTime"]), default=None)


def draft_shortage_list(journey: Journey) -> str:
    """gRPC: a list and a draft of it from a file; what is wrong with the file is said by line and column."""
    caller = journey.person(ROLE, "Mila")
    lists = caller.stub(shortage_list_pb2_grpc.ShortageListServiceStub)
    created = lists.CreateShortageList(
        shortage_list_pb2.CreateShortageListRequest(
            shortage_list_id=f"shortage-{journey.run}",
            display_names={"en": "Occupations in shortage"},
            nuts_code=REGION,
            request_id=request_id(),
        )
    )
    journey.facts.shortage_list = created.name
    version = draft(journey, caller, journey.data.shortage_draft)
    findings = lists.ListShortageFindings(
        shortage_list_pb2.ListShortageFindingsRequest(parent=version.name)
    ).findings
    expect(bool(findings), "the file has mistakes, but no finding was reported")
    expect(
        version.row_count == version.entry_count + version.rejected_row_count,
        f"{version.row_count} rows in, {version.entry_count} + {version.rejected_row_count} accounted for",
    )
    journey.facts.shortage_version = version.name
    first = findings[0]
    return (
        f"{version.entry_count} of {version.row_count} rows are entries; first finding: line {first.line}, "
        f"{first.path} {first.value!r}: {first.message}"
    )


def publish_shortage_list(journey: Journey) -> str:
    """gRPC: a second person publishes; the list then answers for a day, with version and entry."""
    journey.tell("draft of the mended file")
    names_only = journey.data.names_only
    if not names_only:
        mended = draft(journey, journey.person(ROLE, "Mila"), journey.data.shortage_list)
        expect(mended.error_count == 0, f"the mended file still has {mended.error_count} errors")
        journey.facts.shortage_version = mended.name
    lists = journey.person(ROLE, "Joris").stub(shortage_list_pb2_grpc.ShortageListServiceStub)
    published = lists.PublishShortageListVersion(
        shortage_list_pb2.PublishShortageListVersionRequest(
            name=journey.facts.shortage_version, accept_findings=names_only, request_id=request_id()
        )
    )
    answer = lists.CheckShortage(
        shortage_list_pb2.CheckShortageRequest(
            occupation=OCCUPATION, nuts_code=PLACE, shortage_list=journey.facts.shortage_list
        )
    )
    expect(answer.short, f"occupation {OCCUPATION} should be short in {PLACE}")
    expect(answer.version == published.name, f"answered by {answer.version}, not by {published.name}")
    return (
        f"{published.entry_count} entries in force; {answer.entry.label} is short in {PLACE}, "
        f"severity {answer.entry.severity}, by line {answer.entry.line}"
    )


def draft(journey: Journey, caller: Caller, file: Path) -> Any:
    """Drafts a version of this walk's list from `file`, in force since the first of January."""
    columns = "NAMES" if journey.data.names_only else "TEMPLATE"
    return caller.stub(shortage_list_pb2_grpc.ShortageListServiceStub).CreateShortageListVersion(
        shortage_list_pb2.CreateShortageListVersionRequest(
            parent=journey.facts.shortage_list,
            upload=upload_to_catalogue(caller, file),
            format=shortage_list_pb2.ShortageFormat.Value(f"SHORTAGE_FORMAT_{columns}_CSV"),
            valid_from=date_pb2.Date(year=legal_day().year, month=1, day=1),
            method="employers' survey and vacancies",
            request_id=request_id(),
        )
    )


def onboard_partners(journey: Journey) -> str:
    """REST: an accredited partner with site and bank account, one without accreditation; their sources."""
    caller = journey.person(ROLE, "Mila")
    partner = onboard(journey, caller, "harbour", HARBOUR)
    site = {"displayName": "Dock 3", "town": "Antwerpen", "postalCode": "2030", "nutsCode": PLACE}
    site["location"] = {"latitude": 51.24, "longitude": 4.41}  # type: ignore[assignment]
    caller.rest("POST", f"/v1/{partner}/sites", {"site": site, "requestId": request_id()})
    accredit(caller, partner)
    bank_account(journey, partner, journey.person("provider", "Sanne", partner), HARBOUR, IBAN)
    other = onboard(journey, caller, "quayside", "Quayside Evening School")
    journey.facts.partner, journey.facts.other = partner, other
    journey.facts.feeds = [
        (new_source(caller, partner, "FEED_FORMAT_CSV_TEMPLATE"), journey.data.partner_feed),
        (new_source(caller, other, "FEED_FORMAT_XCRI_CAP_1_2"), journey.data.other_feed),
    ]
    if journey.data.large_feed:
        large = onboard(journey, caller, "national", "National Distance University")
        source = new_source(caller, large, "FEED_FORMAT_XCRI_CAP_1_2")
        journey.facts.feeds.append((source, journey.data.large_feed))
        journey.facts.large = large
    held = caller.rest("GET", f"/v1/{partner}")
    expect(bool(held.get("accredited")), f"{partner} should be accredited")
    return (
        f"{held['displayName']} accredited until {ACCREDITED_UNTIL}, account confirmed by a second person; "
        f"{len(journey.facts.feeds)} sources"
    )


def accredit(caller: Caller, organisation: str) -> None:
    """Accredits an organisation until ACCREDITED_UNTIL."""
    accreditation = {"validTo": json_day(ACCREDITED_UNTIL), "scheme": "Regional quality mark"}
    caller.rest("POST", f"/v1/{organisation}/accreditations", {**accreditation, "requestId": request_id()})


def bank_account(journey: Journey, payee: str, staff: Caller, holder: str, iban: str) -> None:
    """The payee's own staff names its account, finance confirms it."""
    account = {"holderName": holder, "iban": iban}
    proposed = staff.rest("POST", f"/v1/{payee}/bankAccounts", account)
    confirmed = journey.person("finance", "Eline").rest(
        "POST", f"/v1/{proposed['name']}:confirm", {"requestId": request_id()}
    )
    expect(confirmed["state"] == "STATE_CONFIRMED", f"the account is {confirmed['state']}")


def onboard(journey: Journey, caller: Caller, short: str, name: str) -> str:
    """Creates an organisation of this walk; returns its resource name."""
    body = {
        "organisation": {"displayName": name, "sector": "SECTOR_PRIVATE"},
        "organisationId": f"{short}-{journey.run}",
        "requestId": request_id(),
    }
    created: str = caller.rest("POST", "/v1/organisations", body)["name"]
    return created


def new_source(caller: Caller, organisation: str, feed_format: str, **changes: Any) -> str:
    """Gives an organisation a source; returns its resource name. `changes`: fields in JSON that differ."""
    source = {
        "organisation": organisation,
        "displayName": "course feed",
        "format": feed_format,
        "defaultNutsCode": PLACE,
        **changes,
    }
    created: str = caller.rest("POST", "/v1/sources", {"source": source, "requestId": request_id()})["name"]
    return created


def dry_run(journey: Journey) -> str:
    """gRPC: what an import would do; nothing is taken over."""
    runs = [run_feed(journey, source, file, dry=True) for source, file in journey.facts.feeds]
    expect(all(run.state == Run.STATE_SUCCEEDED for run in runs), f"runs ended {states(runs)}")
    caller = journey.person(ROLE, "Mila")
    served = caller.rest("GET", "/v1/courses", organisation=journey.facts.partner).get("courses", [])
    expect(not served, f"a dry run took {len(served)} courses over")
    return "would create " + ", ".join(f"{run.courses_created} of {run.records_in}" for run in runs)


def import_feeds(journey: Journey) -> str:
    """gRPC: the same path for good; every record is accounted for."""
    runs = [run_feed(journey, source, file, dry=False) for source, file in journey.facts.feeds]
    expect(all(run.state == Run.STATE_SUCCEEDED for run in runs), f"runs ended {states(runs)}")
    for run in runs:
        parts = run.records_accepted + run.records_rejected + run.records_held
        expect(run.records_in == parts, f"{run.records_in} records in, {parts} accounted for")
    return "; ".join(
        f"{run.courses_created} courses of {run.records_in} records, {run.records_rejected} rejected, "
        f"{run.warning_count} warnings"
        for run in runs
    )


def run_feed(journey: Journey, source: str, file: Path, *, dry: bool) -> Any:
    """Uploads a feed and runs it; returns the run once it has ended or is held."""
    caller = journey.person(ROLE, "Mila")
    runs = caller.stub(feed_run_pb2_grpc.FeedRunServiceStub)
    journey.tell(f"uploading {file.name}")
    with dated(file, legal_day()) if file.is_relative_to(SAMPLES) else nullcontext(file) as feed:
        upload = upload_to_catalogue(caller, feed)
    started = runs.StartFeedRun(
        feed_run_pb2.StartFeedRunRequest(source=source, upload=upload, dry_run=dry, request_id=request_id())
    )

    return ended(journey, started.name, f"run of {file.name}")


def ended(journey: Journey, name: str, what: str) -> Any:
    """Waits until a run has ended or is held; returns it."""
    runs = journey.person(ROLE, "Mila").stub(feed_run_pb2_grpc.FeedRunServiceStub)

    def found() -> Any:
        run = runs.GetFeedRun(feed_run_pb2.GetFeedRunRequest(name=name))
        return run if run.state in ENDED else None

    return journey.wait_for(what, found, times=10)


def states(runs: list[Any]) -> str:
    """States of runs, in words."""
    return ", ".join(Run.State.Name(run.state) for run in runs)


def search_course(journey: Journey) -> str:
    """gRPC: a course for the occupation in shortage, of an accredited provider, near by, with the reasons."""
    search = journey.client.anonymous().stub(search_pb2_grpc.SearchServiceStub)
    request = search_pb2.SearchCoursesRequest(
        query="welding",
        language="en",
        occupations=[OCCUPATION],
        organisations=[journey.facts.partner],
        shortage=True,
        shortage_nuts_code=PLACE,
        voucher_eligible=True,
        facets=[search_pb2.FACET_MODE, search_pb2.FACET_SHORTAGE],
    )
    request.near.latitude, request.near.longitude, request.radius_km = 51.22, 4.40, 25

    def found() -> Any:
        try:
            answer = search.SearchCourses(request)
        except Failure as failure:
            if failure.reason == "SEARCH_NOT_READY":
                return None
            raise
        return answer if answer.hits else None

    answer = journey.wait_for("index follows the import", found)
    hit = answer.hits[0]
    journey.facts.course, journey.facts.session = hit.course, hit.next_session.name
    reasons = {search_pb2.SearchReason.Kind.Name(reason.kind) for reason in hit.reasons}
    wanted = {"KIND_OCCUPATION", "KIND_SHORTAGE", "KIND_VOUCHER_ELIGIBLE", "KIND_NEAR"}
    expect(wanted <= reasons, f"reasons that are missing: {', '.join(sorted(wanted - reasons))}")
    told = ", ".join(sorted(reason.removeprefix("KIND_").lower() for reason in reasons))
    return f"{hit.titles['en']!r}, {hit.distance_km:.1f} km away; found for: {told}{large_hits(journey)}"


def large_hits(journey: Journey) -> str:
    """On real data: how many courses of the large feed the index serves, its day set back to the feed's."""
    if not journey.data.large_feed:
        return ""
    search = journey.client.anonymous().stub(search_pb2_grpc.SearchServiceStub)
    day = date(2012, 9, 1)
    request = search_pb2.SearchCoursesRequest(organisations=[journey.facts.large])
    request.as_of.year, request.as_of.month, request.as_of.day = day.year, day.month, day.day

    def indexed() -> Any:
        return search.SearchCourses(request).total_size or None

    total = journey.wait_for("index follows the large feed", indexed)
    return f"; {total} courses of the large feed could be booked as of {day}"


TAXONOMY = Step("taxonomy-imported", "The classification of occupations comes in", ("C7",), import_taxonomy)
SHORTAGE_DRAFT = Step(
    "shortage-list-drafted", "A shortage list is drafted from a file", ("V3", "C1"), draft_shortage_list
)
SHORTAGE_PUBLISHED = Step(
    "shortage-list-published", "A second person publishes it", ("V3", "C4"), publish_shortage_list
)
PARTNER = Step("partner-onboarded", "Partners come on board", ("C12", "C21"), onboard_partners)
DRY_RUN = Step("feed-dry-run", "Their feeds are tried out", ("C7",), dry_run)
IMPORT = Step("feed-imported", "Their feeds are imported", ("C7", "C12"), import_feeds)
SEARCH = Step("course-found", "A course for the shortage is found", ("C4", "C18"), search_course)
