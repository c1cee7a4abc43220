"""What a person may be about to type: titles, occupations, skills and organisations that begin so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tantivy import Searcher
from waymark.catalogue.v1.search_pb2 import CourseHit, Suggestion, SuggestTermsRequest

from services.catalogue.domain.labels import normal
from services.catalogue.search import label_index, words
from services.catalogue.search.directory import Snapshot
from services.catalogue.search.documents import EPOCH
from services.catalogue.search.filters import not_held, over
from services.catalogue.search.label_index import Labels
from services.catalogue.search.market import View

SIZE = 5
LOOKED_AT = 64  # titles or labels, of which the best are offered
SHORTEST_SIMILAR = 4  # letters
LABELLED = {
    Suggestion.KIND_OCCUPATION: label_index.OCCUPATION,
    Suggestion.KIND_SKILL: label_index.SKILL,
}
KINDS = (*LABELLED, Suggestion.KIND_ORGANISATION, Suggestion.KIND_COURSE)


def suggest(
    request: SuggestTermsRequest, snapshot: Snapshot, labels: Labels | None, view: View
) -> Iterator[Suggestion]:
    """Yields suggestions kind by kind; raises IndexDamaged."""
    text, size = request.query, request.page_size or SIZE

    def named(kind: int, *, mistaken: bool) -> Iterable[Suggestion]:
        if kind == Suggestion.KIND_ORGANISATION:
            return _organisations(text, view, mistaken=mistaken)
        if kind == Suggestion.KIND_COURSE:
            return _titles(text, snapshot.searcher, view, mistaken=mistaken)
        return _concepts(text, labels, kind, mistaken=mistaken) if labels else ()

    for kind in request.kinds or KINDS:
        found = _best(named(kind, mistaken=False), request, size)
        if not found:
            found = _best(named(kind, mistaken=True), request, size)
            for each in found:
                each.corrected = True
        yield from found


def _best(found: Iterable[Suggestion], request: SuggestTermsRequest, size: int) -> list[Suggestion]:
    """Returns what begins as typed before the rest, the shorter first, each text and each thing once."""
    begins = normal(request.query)
    kept: dict[str, Suggestion] = {}
    taken: set[str] = set()

    def order(each: Suggestion) -> tuple[bool, int, str]:
        return not normal(each.text).startswith(begins), len(each.text), each.text

    for each in sorted(found, key=order):
        fits = not request.language or each.language in ("", request.language)
        if fits and each.text.lower() not in kept and each.resource not in taken and len(kept) < size:
            kept[each.text.lower()] = each
            taken.add(each.resource)
    return list(kept.values())


def _concepts(text: str, labels: Labels, kind: int, *, mistaken: bool) -> Iterator[Suggestion]:
    for row in labels.beginning(text, LABELLED[kind], LOOKED_AT, similar=mistaken):  # type: ignore[index]
        yield Suggestion(kind=kind, text=row.label, language=row.language, resource=row.uri)  # type: ignore[arg-type]


def _titles(text: str, searcher: Searcher, view: View, *, mistaken: bool) -> Iterator[Suggestion]:
    query = words.beginning(text, mistaken=mistaken)
    if query is None:
        return
    today = view.today.toordinal() - EPOCH
    known = words.filtered([query], [], [over(today), *not_held(view)])
    for _, address in searcher.search(known, LOOKED_AT, count=False).hits:
        hit = CourseHit.FromString(bytes(searcher.doc(address).get_first("hit") or b""))
        for language, title in hit.titles.items():
            yield Suggestion(kind=Suggestion.KIND_COURSE, text=title, language=language, resource=hit.course)


def _organisations(text: str, view: View, *, mistaken: bool) -> Iterator[Suggestion]:
    alike: Callable[[str, str], bool] = begins_nearly if mistaken else str.startswith
    found: set[str] | None = None
    for part in normal(text).split():
        having = {each for word, those in view.names.items() if alike(word, part) for each in those}
        having -= view.held_organisations
        found = having if found is None else found & having
    for organisation in found or ():
        yield Suggestion(
            kind=Suggestion.KIND_ORGANISATION,
            text=view.shown[organisation].display_name,
            resource=f"organisations/{organisation}",
        )


def begins_nearly(word: str, typed: str) -> bool:
    """True when `word` begins as typed but for one letter wrong, missing, added or swapped."""
    if word.startswith(typed):
        return True
    if len(typed) < SHORTEST_SIMILAR or not _starts_alike(word[:2], typed):
        return False
    same = next((at for at, pair in enumerate(zip(word, typed, strict=False)) if pair[0] != pair[1]), None)
    if same is None:  # the word is shorter than what was typed
        return len(typed) == len(word) + 1
    rest, left = word[same:], typed[same:]
    return (
        rest[1:].startswith(left[1:])
        or rest[1:].startswith(left)
        or rest.startswith(left[1:])
        or (rest[1::-1] == left[:2] and rest[2:].startswith(left[2:]))
    )


def _starts_alike(word: str, typed: str) -> bool:
    """False where both of the first two letters differ: quickly seen, and nearly always so."""
    return typed[0] in word or typed[1] in word
