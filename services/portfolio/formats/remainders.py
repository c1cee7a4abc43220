"""What a document says and a portfolio has no place for: set aside when it is read, put back when the same
format is written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from waymark.portfolio.v1.remainder_pb2 import Remainder, RemainderPart

from services.portfolio.domain import quotas
from services.portfolio.formats.format import Read
from services.portfolio.formats.texts import cleaned
from services.portfolio.formats.trees import Rest, said

MOST = quotas.REMAINDERS  # parts of a document
ROOM = 256 << 10  # bytes of all of them together
_PATH = 300  # characters of a path
Parts = dict[str, Any]


class AsItWas(dict[str, Any]):
    """An object that was set aside, with what is empty in it."""


class Laid(NamedTuple):
    """A document as a tree, and (resource name, path) of what was set aside and is not in it."""

    tree: Parts
    left_out: list[tuple[str, str]]


# Where entries stand, by their names, and what belongs to none, by "": an object, and its path.
Placed = dict[str, tuple[Parts, str]]
Alike = Callable[[str, Any, Any], bool]  # whether at a path both say the same


def set_aside(rests: Iterable[Rest]) -> list[Remainder]:
    """Returns what is kept, one for each entry and each thing beside; `entry` is the name in the document.
    Where it is too much, the largest are left out: pictures and files."""
    items = (item for rest in rests for item in _items(rest))
    parts = [(item, part) for item in items if (part := _part(item))]
    sizes, size = sorted((len(part.content.encode()), number) for number, (_, part) in enumerate(parts)), 0
    kept: set[int] = set()
    for more, number in sizes[:MOST]:
        size += more
        if size > ROOM:
            break
        kept.add(number)
    made: list[Remainder] = []
    of: dict[tuple[str, str], Remainder] = {}
    for item, part in (each for number, each in enumerate(parts) if number in kept):
        key = item.owner, item.thing
        if not any(key) or key not in of:
            of[key] = Remainder(entry=item.owner)
            made.append(of[key])
        of[key].parts.append(part)
    return made


def keep_of(rests: Collection[Rest], found: Read) -> None:
    """Sets aside what of a document is not written of what was found, and tells what is too much."""
    found.remainders = set_aside(rests)
    kept = told(found.remainders)
    for path, count in Counter(f"{each.path}{each.key}" for each in rests).items():
        if kept[path] < count:
            found.left[path] = max(found.left[path], count)


def _items(rest: Rest) -> Iterator[Rest]:
    """Yields each object of a list as a list of one, so that one can be without the others."""
    if isinstance(rest.value, list) and all(isinstance(each, dict) for each in rest.value):
        yield from (rest._replace(value=[each]) for each in rest.value)
    else:
        yield rest


def _part(rest: Rest) -> RemainderPart | None:
    path = f"{rest.path}{rest.key}"
    if "." in rest.key or len(path) > _PATH or not said(rest.value, path):
        return None
    content = json.dumps(cleaned(rest.value), ensure_ascii=False, separators=(",", ":"))
    return RemainderPart(path=path, content=content, beside=rest.beside)


def placed(made: Iterable[Remainder], here: Mapping[str, str], files: Container[str]) -> list[Remainder]:
    """Returns what belongs to something that is here, by its name here, or to nothing. `here`: names, by
    those in the document; `files`: names in the document of files. What is said of a file belongs to nothing,
    and is the whole of it while the file is not here."""
    found = []
    for each in made:
        name = here.get(each.entry, "")
        whole = all("." not in part.path for part in each.parts)
        if (whole != bool(name)) if each.entry in files else (name or not each.entry):
            each.entry = (
                "" if each.entry in files else here.get(name, name)
            )  # the second of two alike is the first
            found.append(each)
    return found


def told(remainders: Iterable[Remainder]) -> Counter[str]:
    """Returns how often each path says something, as `Read.left` does."""
    found: Counter[str] = Counter()
    for part in (part for each in remainders for part in each.parts):
        found.update(said(json.loads(part.content), part.path))
    return found


def put_all_back(
    remainders: Iterable[Remainder],
    placed: Placed,
    alike: Alike = lambda *_: False,
    may: Callable[[RemainderPart], bool] = lambda _: True,
) -> list[tuple[str, str]]:
    """Puts back what `may` be; returns (resource name, path) of what stays out."""
    return [
        (each.name, part.path)
        for each in remainders
        for part in each.parts
        if not (each.entry in placed and may(part) and _put_back(*placed[each.entry], part, alike))
    ]


def _put_back(tree: Parts, section: str, part: RemainderPart, alike: Alike) -> bool:
    """Puts a part where it stood in a tree that is written, of which `section` is the path. False, and
    nothing is done: what it goes with is gone, or the portfolio says something else there."""
    if not part.path.startswith(section):
        return False
    *way, key = part.path.removeprefix(section).split(".")
    node: Parts | None = tree
    for step in way:
        node = _below(node, step, part.beside) if node is not None else None
    if node is None or not _has(node, part.beside):
        return False
    value = json.loads(part.content, object_hook=AsItWas)
    if not _fits(node.get(key), value, part.path, alike):
        return False
    _put(node, key, value)
    return True


def filled(value: Any) -> Any:
    """Returns a tree without what is empty in it. Items of lists stay: each stands for something."""
    if isinstance(value, dict) and not isinstance(value, AsItWas):
        below = {key: filled(each) for key, each in value.items()}
        return {key: each for key, each in below.items() if each not in (None, "", {}, [])}
    return [filled(each) for each in value] if isinstance(value, list) else value


def _below(node: Parts, step: str, beside: Mapping[str, str]) -> Parts | None:
    below = node.get(step)
    if isinstance(below, list) and beside:  # which of them says what it goes with
        return next((each for each in below if isinstance(each, dict) and _has(each, beside)), None)
    if not below and not beside:
        below = node[step] = below if isinstance(below, dict) else {}
    return below if isinstance(below, dict) else None


def _has(node: Parts, beside: Mapping[str, str]) -> bool:
    return all(node.get(key) == text for key, text in beside.items())


def _fits(own: Any, value: Any, path: str, alike: Alike) -> bool:
    if isinstance(own, list) or not filled(own):
        return True
    if isinstance(own, dict) and isinstance(value, dict):
        return all(_fits(own.get(key), each, f"{path}.{key}", alike) for key, each in value.items())
    return bool(own == value) or alike(path, own, value)


def _put(node: Parts, key: str, value: Any) -> None:
    own = node.get(key)
    if isinstance(own, list) and own:
        node[key] = [*own, *(value if isinstance(value, list) else [value])]
    elif isinstance(own, dict) and isinstance(value, dict) and filled(own):
        for each, below in value.items():
            _put(own, each, below)
    else:
        node[key] = value
