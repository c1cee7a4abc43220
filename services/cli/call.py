"""What commands that call the stack share: options for who calls which stack, lists over pages, printing."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import typer

from services.cli import output
from services.cli.options import ActAs, AsJson, Home, Organisation, Token, calling

if TYPE_CHECKING:
    from services.cli.client import Caller

PAGE = 200  # every list answers so many at once
P = ParamSpec("P")


class Call:
    """One run of a command: the caller it acts as, and how its answer is printed."""

    def __init__(self, caller: Caller, as_json: bool) -> None:
        self.caller = caller
        self.as_json = as_json

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """GETs a path below `/v1/`; raises Failure."""
        return self.caller.rest("GET", f"/v1/{path}", **query)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """GETs a list below `/v1/` page by page, as it is asked for; raises Failure."""
        return _pages(self.caller, path, None, query)

    def each(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yields all that a list below `/v1/` holds, as it is asked for; raises Failure."""
        for page in self.pages(path, **query):
            yield from page.get(_key(path), [])

    def post(self, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        """POSTs to a path below `/v1/`; raises Failure."""
        return self.caller.rest("POST", f"/v1/{path}", body or {}, **query)

    def posted(self, path: str, body: Mapping[str, Any], key: str, limit: int) -> list[dict[str, Any]]:
        """Reads a list that is asked for by POST, page by page as the service sizes them, until `limit` items
        are there, as `listed` does. `key`: the field of the answer that holds the items. Raises Failure."""
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            answer = self.post(path, {**body, "pageToken": token})
            found += answer.get(key, [])
            token = answer.get("nextPageToken", "")
            if not token or len(found) > limit:
                return _first(found, limit)

    def save(self, path: str, out: Path, **query: Any) -> None:
        """Writes a file below `/v1/` to `out`, as it comes, and says how large it is; raises Failure."""
        size = self.caller.rest_to_file(f"/v1/{path}", out, **query)
        typer.echo(f"{out}: {size} bytes")

    def one(self, answer: output.Row, fields: Mapping[str, str]) -> None:
        """Prints one resource: JSON as it came, or the named fields."""
        output.one(answer, fields, self.as_json)

    def patch(
        self, path: str, body: Mapping[str, Any], cleared: Sequence[str] = (), **query: Any
    ) -> dict[str, Any]:
        """PATCHes a resource below `/v1/`: sets what `body` holds, empties the fields in `cleared` (their
        names in JSON); raises Failure."""
        named = [*(name for name in body if name != "etag"), *cleared]
        mask = {"update_mask": ",".join(named)} if cleared else {}
        return self.caller.rest("PATCH", f"/v1/{path}", body, **mask, **query)

    def replace(self, path: str, body: Mapping[str, Any], **query: Any) -> dict[str, Any]:
        """PATCHes all of a resource below `/v1/`: what `body` does not hold is emptied; raises Failure."""
        return self.caller.rest("PATCH", f"/v1/{path}", body, update_mask="*", **query)

    def delete(self, path: str, **query: Any) -> None:
        """DELETEs a resource below `/v1/` and says so; raises Failure."""
        answer = self.caller.rest("DELETE", f"/v1/{path}", **query)
        output.as_json(answer) if self.as_json else typer.echo(f"{path} is gone")

    def file(self, out: Path, content: bytes) -> None:
        """Writes a file and says so: where and how large."""
        out.write_bytes(content)
        self.wrote(out, len(content))

    def wrote(self, out: Path, size: int) -> None:
        """Says where a file was written and how large it is, in bytes."""
        if self.as_json:
            output.as_json({"file": str(out), "bytes": size})
        else:
            typer.echo(f"{out}: {size} bytes")

    def part(self, rows: Sequence[output.Row], columns: Mapping[str, str], *, empty: str = "none") -> None:
        """Prints a table that belongs to the resource above it, which for programs is in that one's JSON."""
        if not self.as_json:
            output.table(rows, columns, empty=empty)

    def rows(self, rows: Sequence[output.Row], columns: Mapping[str, str], *, empty: str = "none") -> None:
        """Prints a list: JSON as it came, or a table with the named columns."""
        output.many(rows, columns, self.as_json, empty=empty)

    def many(
        self,
        path: str,
        columns: Mapping[str, str],
        limit: int,
        *,
        key: str = "",
        empty: str = "none",
        **query: Any,
    ) -> None:
        """Prints what a list holds, at most `limit`; see `listed`."""
        self.rows(listed(self.caller, path, limit, key=key, **query), columns, empty=empty)

    def many_and_line(
        self,
        path: str,
        columns: Mapping[str, str],
        limit: int,
        line: Callable[[output.Row], str],
        *,
        empty: str = "none",
    ) -> None:
        """Prints what a list holds, as `many` does, and for people a line on what its last page says."""
        pages = list(_pages(self.caller, path, limit, {}, _key(path)))
        self.rows(_items(pages, _key(path), limit), columns, empty=empty)
        if not self.as_json:
            typer.echo(line(pages[-1]))


def listed(caller: Caller, path: str, limit: int, *, key: str = "", **query: Any) -> list[dict[str, Any]]:
    """Reads a list below `/v1/` page by page until `limit` items are there; says so when there are more.

    `key` is the field of the answer that holds the items; default: the last part of the path. Raises Failure.
    """
    key = key or _key(path)
    return _items(_pages(caller, path, limit, query, key), key, limit)


def _items(pages: Iterable[Mapping[str, Any]], key: str, limit: int) -> list[dict[str, Any]]:
    return _first([each for page in pages for each in page.get(key, [])], limit)


def _first(found: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """The first `limit`; says so when there are more."""
    if len(found) > limit:
        typer.echo(f"the first {limit} of more; --limit shows more", err=True)
    return found[:limit]


def _key(path: str) -> str:
    """The field of a list's answer that holds the items."""
    return path.rpartition("/")[2]


def _pages(
    caller: Caller, path: str, limit: int | None, query: Mapping[str, Any], key: str = ""
) -> Iterator[dict[str, Any]]:
    """Pages that hold under `key` at least one item more than `limit`, where there is one; None: all pages.

    A page may hold fewer than was asked for, and be followed by others (AIP-158).
    """
    wanted, token = math.inf if limit is None else limit + 1, ""
    while wanted > 0:
        size = int(min(wanted, PAGE))
        answer = caller.rest("GET", f"/v1/{path}", page_size=size, page_token=token, **query)
        yield answer
        wanted, token = wanted - len(answer.get(key, [])), answer.get("nextPageToken", "")
        if not token:
            return


def enum(prefix: str, choice: StrEnum | None) -> str:
    """A choice in the words of the contracts: `enum("STATE", State.DRAFT)` is `STATE_DRAFT`; "" for none."""
    return f"{prefix}_{choice.name}" if choice is not None else ""


def with_etag(body: dict[str, Any], etag: str) -> dict[str, Any]:
    """The body with the etag, where one is given."""
    return body | ({"etag": etag} if etag else {})


def calls(act_as: str = "") -> Callable[[Callable[Concatenate[Call, P], None]], Callable[..., None]]:
    """Makes a command of `run(call, …)`: adds `--as` (default `act_as`), `--org`, `--token`, `--home` and
    `--json` to its own parameters, and hands it the call they describe."""

    def decorate(run: Callable[Concatenate[Call, P], None]) -> Callable[..., None]:
        @wraps(run)
        def command(*, act_as: str, org: str, token: str, home: Any, as_json: bool, **given: Any) -> None:
            with calling(home, act_as, token=token, organisation=org) as caller:
                run(Call(caller, as_json), **given)  # type: ignore[call-arg]

        _, *own = inspect.signature(run, eval_str=True).parameters.values()
        shared = dict(inspect.signature(_shared, eval_str=True).parameters)
        shared["act_as"] = shared["act_as"].replace(default=act_as)
        parameters = [*own, *shared.values()]
        del command.__wrapped__  # it would hide the signature
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        return command

    return decorate


def _shared(
    act_as: ActAs = "", org: Organisation = "", token: Token = "", home: Home = None, as_json: AsJson = False
) -> None:
    """The options that `calls` adds."""
