"""What a Candidate document says beyond what is written of it: found by writing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from lxml import etree
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.formats import candidate
from services.portfolio.formats.candidate_places import (
    BOUND,
    LICENCE,
    ONCE,
    PROFILE,
    SUMMARY,
    category,
    children,
    companion,
    place,
    told,
    way,
    with_note,
)
from services.portfolio.formats.candidate_values import Made
from services.portfolio.formats.elements import form, says, words
from services.portfolio.formats.format import Cv, Read
from services.portfolio.formats.markup import local
from services.portfolio.formats.remainders import MOST, keep_of
from services.portfolio.formats.trees import Rest

# Which program made a document when, and of whom it has it: the one that writes it says it of its own.
OF_THE_FILE = ("DocumentID", "AlternateDocumentID", "CandidateSupplier")
_NO_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_LOOKED_AT = 4 * MOST  # of what is not written: no more is kept of it, and the rest is told as it is
_HEAD, _HEADING = 5, 2000  # elements, and characters, that say what a group is, beside its items


def keep(root: Any, made: list[Made], found: Read, language: str) -> None:
    """Sets aside what of a document is not in one of what was found, and tells what is too much."""
    own = candidate.laid(Cv(found.portfolio, language, _NO_MOMENT))
    keep_of(list(islice(_Aside(root, made, own).rests(), _LOOKED_AT)), found)


class _Aside:
    """A document beside the one that is written of it."""

    def __init__(self, root: Any, made: list[Made], own: candidate.Laid) -> None:
        self._root, self._own = root, own.root
        self._made: dict[Any, list[Made]] = {}
        self._groups = {root}  # what has items in it
        for each in made:
            if each.item is not None:
                self._made.setdefault(each.item, []).append(each)
                for above in each.item.iterancestors():
                    if above in self._groups:
                        break
                    self._groups.add(above)
        self._written: dict[tuple[str, str], Any] = {}
        for name, element in own.items:
            self._written.setdefault((name, category(element)), element)
        self._heads: dict[Any, list[Any]] = {}
        self._common: dict[Any, list[Any]] = {}  # what an item says, but for the positions of an employer

    def rests(self) -> Iterator[Rest]:
        """Yields what is not written of it."""
        profiles = [each for each in children(self._root) if local(each) == PROFILE]
        said = [each for each in children(self._root) if local(each) not in (PROFILE, *OF_THE_FILE)]
        yield from differing(said, [each for each in children(self._own) if local(each) != PROFILE], "", {})
        for profile in profiles[:1]:
            own = self._own.find(f"{{*}}{PROFILE}")
            texts = [each for each in children(own) if local(each) == SUMMARY]
            sections = {local(each): each for each in children(own) if each not in texts}
            beyond = [each for each in children(profile) if each not in self._groups]
            said = [each for each in beyond if local(each) not in ("ID", *sections)]
            yield from differing(said, texts, f"{PROFILE}.", {})
            for section in (each for each in children(profile) if each in self._groups):
                yield from self._section(section, sections.get(local(section)))

    def _section(self, section: Any, own: Any) -> Iterator[Rest]:
        """Yields what is not written of a section or group, `own` being where it is written."""
        others = []
        for element in children(section):
            if element in self._made:
                for made in self._made[element]:
                    yield from self._item(made)
            elif element in self._groups:
                yield from self._section(element, None)
            else:
                others.append(element)
        if own is not None:
            yield from differing(others, (), f"{way(section)}.", {})

    def _item(self, made: Made) -> Iterator[Rest]:
        own = self._written.get((made.part.name, category(made.item)))
        if own is None:
            return
        at, of = way(own), made.part.name
        skill = isinstance(made.part, SkillClaim)
        rest = Rest("", "", "", {}, "" if skill else of, of if skill else "")
        if way(made.item) != at or made.item.find("{*}Activity") is not None:
            chain, depth = self._chain(made.item)
            value = with_note(chain, depth)
            yield rest._replace(path=f"{PROFILE}.", key=local(chain), value=value, beside={at: told(own)})
            return
        known = {at: told(own)} if skill else {LICENCE: of_} if (of_ := category(own)) else {}
        said = [*self._said(made), *(() if made.position is None else (made.position,))]
        for each in differing(said, list(children(own)), "", known):
            yield each._replace(path=f"{at}.{each.path}", owner=rest.owner, thing=rest.thing)

    def _said(self, made: Made) -> list[Any]:
        if made.item not in self._common:
            name = "" if made.position is None else local(made.position)
            said = [each for each in children(made.item) if local(each) != name and says(each)]
            self._common[made.item] = said
        return self._common[made.item]

    def _chain(self, item: Any) -> tuple[Any, int]:
        """Returns an item in its section and groups, with what these are called; and how many these are."""
        element, groups = deepcopy(item), [*item.iterancestors()][:-2]
        for above in groups:
            within = etree.Element(above.tag, above.attrib)
            within.extend(map(deepcopy, self._head(above)))
            within.append(element)
            element = within
        return element, len(groups)

    def _head(self, group: Any) -> list[Any]:
        if group not in self._heads:
            said = [each for each in children(group) if each not in self._made and each not in self._groups]
            few = len(said) <= _HEAD and sum(len(words(each)) for each in said) <= _HEADING
            self._heads[group] = said if few else []
        return self._heads[group]


def differing(
    said: Collection[Any], own: Collection[Any], at: str, goes_with: dict[str, str]
) -> Iterator[Rest]:
    """Yields what is not written as it was said, with what it takes the place of, and goes with; `at`: the
    names that lead there."""
    left, free = _unlike(said, own)
    names = Counter(local(each) for each in (*said, *own))
    by_place: dict[tuple[str, str], list[Any]] = {}
    for each in reversed(free):
        by_place.setdefault(place(each), []).append(each)
    for element in left:
        name = local(element)
        known = {f"{at}{key}": text for key, text in companion(element, own).items()} | goes_with
        written = by_place.get(place(element))
        if not written and name in ONCE and names[name] > 1:
            continue
        if not written:
            alone = {f"{at}{name}": ""} if names[name] == 1 else {}
            yield _rest(at, element, alone | known)
            continue
        other = written.pop()
        if len(element) and len(other):
            bound = {f"{at}{name}": told(other)} if name in BOUND else {}
            yield from _attributes(element, other, f"{at}{name}.", bound | known)
            yield from differing(
                list(children(element)), list(children(other)), f"{at}{name}.", bound | known
            )
        else:
            yield _rest(at, element, {f"{at}{name}": told(other)} | known)


def _unlike(said: Iterable[Any], own: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """Returns of two lists of elements what is in one of them alone."""
    free: dict[Any, list[Any]] = {}
    for each in own:
        free.setdefault(form(each), []).append(each)
    left = []
    for each in filter(says, said):
        if alike := free.get(form(each)):
            alike.pop()
        else:
            left.append(each)
    return left, [each for several in free.values() for each in several]


def _rest(at: str, element: Any, beside: Mapping[str, str]) -> Rest:
    after = next((local(each) for each in element.itersiblings(preceding=True) if local(each)), "")
    return Rest(at, local(element), with_note(element, after), beside, "")


def _attributes(element: Any, own: Any, at: str, beside: Mapping[str, str]) -> Iterator[Rest]:
    """Yields attributes that are not written; those of a namespace are about the document."""
    for name, value in element.items():
        if not name.startswith("{") and own.get(name) != value:
            yield Rest(at, name, [value], beside, "")
