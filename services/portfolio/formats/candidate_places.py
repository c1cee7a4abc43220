"""Where what stands in a Candidate document, and what goes with what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from services.portfolio.formats.elements import as_text, brief, words
from services.portfolio.formats.markup import local

PROFILE = "CandidateProfile"
COMPETENCY = f"{PROFILE}.PersonQualifications.PersonCompetency"
SUMMARY = "ExecutiveSummary"
LICENCE = "LicenseTypeCode"
_NOTE = "waymark"
# What says nothing, or something false, once a part of it is another.
BOUND = frozenset(
    {
        *("PersonName", "Communication", "Address", "CompetencyDimension", "ProficiencyLevel"),
        *("EmploymentPeriod", "AttendancePeriod", "Date", "FreeFormPeriod", "FreeFormEffectivePeriod"),
        *("EducationLevelCode", "FieldOfStudy"),
    }
)
# What is not read where there are several.
ONCE = frozenset({"CandidatePerson", "PersonName"})
# What goes with something beside it.
_WITH = {"Country": "City", "DOI": "Link"}


def children(element: Any) -> Iterator[Any]:
    """Yields the elements in an element."""
    return (each for each in element if local(each))


def way(element: Any) -> str:
    """Returns the names that lead to an element, from below the root on."""
    names = [local(each) for each in (element, *element.iterancestors())]
    return ".".join(names[-2::-1])


def told(element: Any) -> str:
    """Returns what an element says, with its attributes, as it is compared; "" for nothing."""
    said = ((*each.values(), each.text or "") for each in element.iter() if local(each))
    return brief(" ".join(text for texts in said for text in texts))


def place(element: Any) -> tuple[str, str]:
    """Returns what is the same of two elements of which their parent has one: their name, and of several of a
    name what they are for."""
    name = local(element)
    if name == "CompetencyDimension":
        return name, _text(element, "CompetencyDimensionTypeCode")
    if name == "Section":  # that is to be shown
        return name, told(element)
    if name != "Communication":
        return name, ""
    for below in ("Address", "DialNumber"):
        if element.find(f"{{*}}{below}") is not None:
            return name, below
    return name, _text(element, "ChannelCode").casefold()


def companion(element: Any, own: Iterable[Any]) -> dict[str, str]:
    """Returns what an element goes with of those that are written beside it: its name, and what it says."""
    web = any(place(each)[1] == "web" for each in element.iter("{*}Communication"))
    name = _WITH.get(local(element)) or ("Link" if web and local(element) == "OrganizationContact" else "")
    if not name:
        return {}
    return {name: next((told(each) for each in own if local(each) == name), "")}


def category(item: Any) -> str:
    """Returns which of several items of one entry an item is: of a driving licence, its category."""
    return _text(item, LICENCE)


def with_note(element: Any, note: object) -> str:
    """Returns an element as XML with an instruction before it: behind which other it stood, or in how many
    groups."""
    return f"<?{_NOTE} {note}?>{as_text(element)}"


def noted(element: Any) -> str:
    """Returns what `with_note` noted."""
    before = element.getprevious()
    return str(before.text or "") if before is not None else ""


def _text(element: Any, name: str) -> str:
    found = element.find(f"{{*}}{name}")
    return "" if found is None else words(found).strip()
