"""`waymark search` and its like: courses, with the reasons why each was found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.amounts import day_query
from services.cli.call import Call, calls, enum
from services.cli.search_options import (
    AllCourses,
    AsOf,
    CollapseSame,
    Country,
    EqfFrom,
    EqfTo,
    Facet,
    Facets,
    From,
    Groups,
    Kinds,
    Languages,
    MaxPrice,
    Mode,
    Modes,
    Occupations,
    OnlyOnline,
    OnlyShort,
    OnlyVoucher,
    Order,
    OrderBy,
    Place,
    Providers,
    Radius,
    Region,
    Sectors,
    ShortageRegion,
    Territories,
    To,
    enums,
    given,
    price_query,
)

PAGE = 100  # hits of one answer
MOST = 1000  # hits that a search goes down to


def register(app: typer.Typer) -> None:
    """Adds `search`, `suggest`, `similar` and `recommend` to the command line `app`."""
    for command, example in (
        (search, "search welding --shortage --voucher --region BE2 --count provider --count month"),
        (suggest, "suggest weldi"),
        (similar, "similar courses/4f1c6f0e-0b5c-5f6e-9d2e-1d1f4c9a7b11"),
        (recommend, "recommend http://data.europa.eu/esco/skill/4c75d05c4388 --region BE2"),
    ):
        app.command(epilog=f"Example:  waymark {example}")(command)


@calls()
def search(
    call: Call,
    words: Annotated[list[str] | None, typer.Argument(help="Words; none: all courses.")] = None,
    language: Annotated[str, typer.Option(help="Language of the words, nl; default: any.")] = "",
    occupation: Occupations = None,
    region: Region = "",
    place: Place = "",
    country: Country = "",
    radius: Radius = 25,
    shortage: OnlyShort = False,
    voucher: OnlyVoucher = False,
    all_courses: AllCourses = False,
    collapse_same: CollapseSame = False,
    kind: Kinds = None,
    sector: Sectors = None,
    group: Groups = None,
    territory: Territories = None,
    provider: Providers = None,
    mode: Modes = None,
    online: OnlyOnline = False,
    taught_in: Languages = None,
    eqf_from: EqfFrom = 0,
    eqf_to: EqfTo = 0,
    max_price: MaxPrice = "",
    start: From = "",
    end: To = "",
    shortage_region: ShortageRegion = "",
    facet: Facets = None,
    order: OrderBy = Order.RELEVANCE,
    as_of: AsOf = "",
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Show at most so many.")] = 10,
) -> None:
    """Search courses; every hit says why it was found."""
    taught = [*(mode or []), *([Mode.ONLINE] if online else [])]
    wanted = given(
        query=" ".join(words or ()), language=language, occupations=occupation, organisations=provider
    )
    wanted |= given(nuts_code=region, kinds=kind, target_groups=group, territories=territory)
    wanted |= given(shortage=shortage, shortage_nuts_code=shortage_region, voucher_eligible=voucher)
    wanted |= given(include_not_bookable=all_courses, collapse_same=collapse_same)
    wanted |= given(sectors=enums("SECTOR", sector), modes=enums("COURSE_MODE", taught))
    wanted |= given(instruction_languages=taught_in, eqf_level_from=eqf_from, eqf_level_to=eqf_to)
    wanted |= given(facets=enums("FACET", facet), order_by=enum("SEARCH_ORDER", order))
    wanted |= given(place=place, place_country=country, radius_km=radius) if place else {}
    wanted |= day_query("start_from", start) | day_query("start_to", end) | day_query("as_of", as_of)
    _print(call, _found(call, limit, **wanted, **price_query(max_price)), partial(show, language=language))


def _found(call: Call, limit: int, **wanted: Any) -> dict[str, Any]:
    """The answer to a search with up to `limit` hits, however many pages these are."""
    answer = call.get("courses:search", **wanted, page_size=min(limit, PAGE))
    hits, token = answer.setdefault("hits", []), answer.get("nextPageToken")
    while token and (left := limit - len(hits)) > 0:
        page = call.get("courses:search", **wanted, page_size=min(left, PAGE), page_token=token)
        hits += page.get("hits", [])
        token = answer["nextPageToken"] = page.get("nextPageToken", "")
    return answer


@calls()
def suggest(
    call: Call,
    words: Annotated[list[str], typer.Argument(help="What was typed so far.")],
    language: Annotated[str, typer.Option(help="Only in this language, en; default: any.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=20, help="At most so many of each kind.")] = 5,
) -> None:
    """Offer what may be meant: occupations, skills, organisations and titles of courses."""
    answer = call.get("courses:suggest", query=" ".join(words), language=language, page_size=limit)
    _print(call, answer, show_suggestions)


@calls()
def similar(
    call: Call,
    course: Annotated[str, typer.Argument(help="Course to find others like.")],
    region: Region = "",
    limit: Annotated[int, typer.Option(min=1, max=50, help="Show at most so many.")] = 10,
) -> None:
    """Find courses like one, with what they have in common."""
    among = {"among.nuts_code": region} if region else {}
    _print(call, call.get(f"{course}:similar", page_size=limit, **among), show)


@calls()
def recommend(
    call: Call,
    skills: Annotated[list[str], typer.Argument(help="Concept URIs of the skills that are missing.")],
    region: Region = "",
    language: Annotated[str, typer.Option(help="Language of the skills' names, en.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=50, help="Show at most so many.")] = 10,
) -> None:
    """Recommend courses for a gap in skills, each with the skills it is for."""
    among = {"nutsCode": region, "language": language}
    body = {"skills": skills, "among": {key: v for key, v in among.items() if v}, "pageSize": limit}
    _print(call, call.post("courses:recommend", body), show_recommended)


def _print(call: Call, answer: dict[str, Any], show_it: Callable[[dict[str, Any]], None]) -> None:
    if call.as_json:
        output.as_json(answer)
    else:
        show_it(answer)


def show_suggestions(answer: dict[str, Any]) -> None:
    """Prints what may be meant, kind by kind."""
    columns = {name: name for name in ("kind", "text", "language", "resource", "corrected")}
    rows = [{**each, "kind": short(each["kind"])} for each in answer.get("suggestions", [])]
    output.table(rows, columns, empty="nothing begins so")


def show_recommended(answer: dict[str, Any]) -> None:
    """Prints the courses with the skills they are for, and the skills that none is for."""
    rows = [
        {**row(each["hit"]), "for": "\n".join(skill["label"] for skill in each.get("coveredSkills", []))}
        for each in answer.get("recommendations", [])
    ]
    columns = {"course": "course", "title": "titles", "provider": "organisationDisplayName", "for": "for"}
    output.table(rows, columns, empty="no course is for any of these skills")
    for skill in answer.get("uncoveredSkills", []):
        typer.echo(f"no course for {skill}")


def short(name: str) -> str:
    """A kind, for people."""
    return name.removeprefix("KIND_").lower().replace("_", " ")


def show(answer: dict[str, Any], language: str = "") -> None:
    """Prints the hits with their reasons, and how many there are in all; titles in a language where there is
    one."""
    columns = {
        "course": "course",
        "title": "titles",
        "provider": "organisationDisplayName",
        "marks": "qualityMarks",
        "starts": "starts",
        "price": "nextSession.price",
        "because": "because",
    }
    hits = [row(hit) for hit in answer.get("hits", [])]
    for hit in hits:
        hit["titles"] = hit.get("titles", {}).get(language) or hit.get("titles", {})
    output.table(hits, columns, empty="no course found; try fewer words or --all")
    if "asOf" in answer:  # a search, which counts
        typer.echo(f"{answer.get('totalSize', 0)} in all")
    for facet in answer.get("facets", []):
        name = str(Facet[facet["facet"].removeprefix("FACET_")])
        output.table(facet.get("values", []), {name: "value", "courses": "count"}, empty=f"{name}: none")


def row(hit: dict[str, Any]) -> dict[str, Any]:
    """A hit with its reasons and its next start as short texts."""
    reasons = (
        f"{short(reason['kind'])}: {reason.get('label') or reason.get('evidence', '')}"
        for reason in hit.get("reasons", [])
    )
    session = hit.get("nextSession")
    starts = session.get("startDate", "any day") if session else "no session to come"
    return {**hit, "because": "\n".join(reasons), "starts": starts}
