"""`waymark page`: pages of chosen things, and collections of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.call import Call, calls, enum, with_etag
from services.cli.exits import ExitCode, Failure
from services.cli.holder import LEARNER, Etag, HolderName, own
from services.cli.options import Limit
from services.cli.share import PageFormat

page = typer.Typer(help="Pages of chosen things, and collections of them: make, order, write down.")
PAGE = {
    "page": "name",
    "title": "title",
    "template": "template",
    "language": "languageCode",
    "changed": "updateTime",
    "etag": "etag",
}
ROW = {key: PAGE[key] for key in ("page", "title", "template", "changed")}
BLOCK = {"block": "kind", "what": "what"}
COLLECTION = {"collection": "name", "title": "title", "pages": "pages", "etag": "etag"}
COLLECTION_ROW = {key: COLLECTION[key] for key in ("collection", "title")}
# Fields of a block, by the part of the name that says what is named.
_FIELDS = {
    "entries": "entry",
    "skillClaims": "skillClaim",
    "evidence": "evidence",
    "credentials": "credential",
}


class Template(StrEnum):
    """How a page is laid out."""

    STORY = "story"
    OVERVIEW = "overview"


Name = Annotated[str, typer.Argument(metavar="PAGE", help="holders/{id}/pages/{id}")]
CollectionName = Annotated[
    str, typer.Argument(metavar="COLLECTION", help="holders/{id}/pageCollections/{id}")
]
Blocks = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[BLOCK]...",
        help="In order: name of an entry, skill claim, file or credential; @FILE with a text; or a text.",
    ),
]
Pages = Annotated[
    list[str] | None, typer.Argument(metavar="[PAGE]...", help="holders/{id}/pages/{id}, in order.")
]
Title = Annotated[str, typer.Option(help="What it is called.")]
Language = Annotated[str, typer.Option(help="Language of texts and headings, such as nl.")]
Layout = Annotated[
    Template | None, typer.Option("--template", help="`story` keeps your order, `overview` goes by kind.")
]
Format = Annotated[PageFormat, typer.Option("--format", help="A page of the web, or PDF.")]
Out = Annotated[Path, typer.Option(help="Where to write it.")]


def register(app: typer.Typer) -> None:
    """Adds `page` to the command line `app`."""
    app.add_typer(page, name="page", no_args_is_help=True)


@page.command(epilog="Example:  waymark page create 'My seams' @about.txt holders/0198…/entries/0198…")
@calls(LEARNER)
def create(
    call: Call,
    title: Annotated[str, typer.Argument(help="What it is called.")],
    blocks: Blocks = None,
    template: Layout = None,
    language: Language = "",
) -> None:
    """Make a page. In texts `# ` begins a heading and `- ` an item of a list."""
    _show(call, call.post(f"{own(call, '')}/pages", _page(title, blocks, template, language)))


@page.command("list", epilog="Example:  waymark page list")
@calls(LEARNER)
def list_(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List pages, newest first; a counsellor's look is written to the access log."""
    call.many(f"{own(call, holder)}/pages", ROW, limit, empty="no page yet")


@page.command(epilog="Example:  waymark page show holders/0198…/pages/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show a page with its blocks; a counsellor's look is written to the access log."""
    _show(call, call.get(name))


@page.command(epilog="Example:  waymark page update holders/0198…/pages/0198… --template overview")
@calls(LEARNER)
def update(
    call: Call,
    name: Name,
    blocks: Blocks = None,
    title: Title = "",
    template: Layout = None,
    language: Language = "",
    etag: Etag = "",
) -> None:
    """Change what is given; blocks replace all blocks. What was handed in stays as it was."""
    _show(call, call.patch(name, with_etag(_page(title, blocks, template, language), etag)))


@page.command(epilog="Example:  waymark page delete holders/0198…/pages/0198…")
@calls(LEARNER)
def delete(call: Call, name: Name, etag: Etag = "") -> None:
    """Remove a page with its invitations and comments; what it shows stays in the portfolio."""
    call.delete(name, etag=etag)


@page.command(epilog="Example:  waymark page render holders/0198…/pages/0198… --format pdf --out seams.pdf")
@calls(LEARNER)
def render(call: Call, name: Name, out: Out, format_: Format = PageFormat.HTML) -> None:
    """Write a page down with its published comments, for the web or for print."""
    call.save(f"{name}:render", out, format=enum("PAGE_FORMAT", format_))


@page.command(epilog="Example:  waymark page collect 'All of me' holders/…/pages/… holders/…/pages/…")
@calls(LEARNER)
def collect(
    call: Call, title: Annotated[str, typer.Argument(help="What it is called.")], pages: Pages = None
) -> None:
    """Put pages together in a collection."""
    call.one(
        call.post(f"{own(call, '')}/pageCollections", {"title": title, "pages": pages or []}), COLLECTION
    )


@page.command(epilog="Example:  waymark page collections")
@calls(LEARNER)
def collections(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List collections, newest first; a counsellor's look is written to the access log."""
    call.many(f"{own(call, holder)}/pageCollections", COLLECTION_ROW, limit, empty="no collection yet")


@page.command(epilog="Example:  waymark page collection holders/0198…/pageCollections/0198…")
@calls(LEARNER)
def collection(call: Call, name: CollectionName) -> None:
    """Show a collection; a counsellor's look is written to the access log."""
    call.one(call.get(name), COLLECTION)


@page.command(epilog="Example:  waymark page arrange holders/0198…/pageCollections/0198… holders/…/pages/…")
@calls(LEARNER)
def arrange(
    call: Call, name: CollectionName, pages: Pages = None, title: Title = "", etag: Etag = ""
) -> None:
    """Change the pages of a collection and their order, or its title."""
    body = {field: value for field, value in (("pages", pages), ("title", title)) if value}
    call.one(call.patch(name, with_etag(body, etag)), COLLECTION)


@page.command(
    "delete-collection", epilog="Example:  waymark page delete-collection holders/…/pageCollections/…"
)
@calls(LEARNER)
def delete_collection(call: Call, name: CollectionName, etag: Etag = "") -> None:
    """Remove a collection; its pages stay."""
    call.delete(name, etag=etag)


@page.command(
    "render-collection",
    epilog="Example:  waymark page render-collection holders/0198…/pageCollections/0198… --out all.html",
)
@calls(LEARNER)
def render_collection(call: Call, name: CollectionName, out: Out, format_: Format = PageFormat.HTML) -> None:
    """Write the pages of a collection down in their order, for the web or for print."""
    call.save(f"{name}:render", out, format=enum("PAGE_FORMAT", format_))


def _page(title: str, blocks: list[str] | None, template: Template | None, language: str) -> dict[str, Any]:
    said = {
        "title": title,
        "blocks": [_block(each) for each in blocks or []],
        "template": enum("PAGE_TEMPLATE", template),
        "languageCode": language,
    }
    return {field: value for field, value in said.items() if value}


def _block(typed: str) -> dict[str, str]:
    parts = typed.split("/")
    if len(parts) == 4 and parts[0] == "holders" and parts[2] in _FIELDS:
        return {_FIELDS[parts[2]]: typed}
    if not typed.startswith("@"):
        return {"text": typed}
    try:
        return {"text": Path(typed[1:]).read_text(encoding="utf-8")}
    except (OSError, ValueError) as error:
        raise Failure(
            ExitCode.USAGE, f"{typed[1:]} cannot be read as text.", remedy="Give a file in UTF-8."
        ) from error


def _show(call: Call, found: dict[str, Any]) -> None:
    call.one(found, PAGE)
    blocks = [
        {"kind": kind, "what": said} for block in found.get("blocks", []) for kind, said in block.items()
    ]
    call.part(blocks, BLOCK, empty="nothing on it yet")
