"""What `calls` makes of a command: its own parameters first, then who calls which stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from buf.validate import validate_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from typer.testing import CliRunner

from services.cli import call as module
from services.cli.call import Call, calls, listed
from services.platform.edge.contract import Contract


def test_a_command_keeps_its_own_parameters_and_gets_the_shared_ones() -> None:
    app = typer.Typer()

    @app.command()
    @calls("auditor:maker")
    def look(call: Call, name: str, limit: int = 3) -> None:
        """Look."""

    shown = CliRunner().invoke(app, ["--help"]).output
    for text in ("NAME", "--limit", "--as", "auditor:maker", "--org", "--token", "--home", "--json", "Look."):
        assert text in shown
    assert "call" not in shown


class Pages:
    """Answers a list of `total` numbers; what is asked is noted."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.asked: list[int] = []

    def rest(self, _method: str, _path: str, *, page_size: int, page_token: str, **_query: Any) -> Any:
        start = int(page_token or 0)
        end = min(start + page_size, self.total)
        self.asked.append(page_size)
        return {"notes": [*range(start, end)], "nextPageToken": str(end) if end < self.total else ""}


@pytest.mark.parametrize(
    ("total", "limit", "asked", "more"),
    [
        (0, 2, [3], False),
        (2, 2, [3], False),
        (3, 2, [3], True),
        (9, 3, [2, 2], True),
        (4, 4, [2, 2], False),
    ],
)
def test_a_list_is_read_to_the_limit_and_one_further_to_know_of_more(
    total: int, limit: int, asked: list[int], more: bool, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(module, "PAGE", 3 if limit == 2 else 2)
    pages: Any = Pages(total)
    assert listed(pages, "things/notes", limit) == [*range(min(total, limit))]
    assert pages.asked == asked
    assert ("--limit shows more" in capsys.readouterr().err) == more


class Sparse(Pages):
    """Answers of each page the numbers that ten divides, as lists do that leave things out by their words."""

    def rest(self, *args: Any, **query: Any) -> Any:
        answer = super().rest(*args, **query)
        return answer | {"notes": [each for each in answer["notes"] if each % 10 == 0]}


def test_a_list_whose_pages_have_fewer_is_read_on() -> None:
    assert listed(Sparse(1000), "things/notes", 3) == [0, 10, 20]  # type: ignore[arg-type]


@pytest.mark.parametrize(("as_json", "said"), [(False, "0"), (True, "[]\n")])
def test_what_a_page_says_beside_its_list_is_a_line_for_people(as_json: bool, said: str, capsys: Any) -> None:
    call = Call(Pages(0), as_json)  # type: ignore[arg-type]
    call.many_and_line("notes", {"note": "name"}, 5, lambda page: str(len(page["notes"])))
    assert capsys.readouterr().out == (said if as_json else f"none\n{said}\n")


@pytest.mark.parametrize(("as_json", "said"), [(False, "{out}: 2 bytes\n"), (True, '"bytes": 2')])
def test_a_file_is_written_and_told(tmp_path: Path, capsys: Any, as_json: bool, said: str) -> None:
    out = tmp_path / "a.pdf"
    Call(Pages(0), as_json).file(out, b"ab")  # type: ignore[arg-type]
    assert out.read_bytes() == b"ab"
    assert said.format(out=out) in capsys.readouterr().out


# What no command reads page by page, or with a size of its own.
OTHERWISE = ("CheckProgrammes", "CheckSkillGap", "SearchConcepts", "SearchCourses", "SuggestTerms")
ANSWERS = ("FindSimilarCourses", "RecommendCourses", "RecommendOccupations")


def test_every_list_answers_a_page_of_the_size_that_is_asked_for() -> None:
    contract, refusing = Contract(), {}
    pool = descriptor_pool.DescriptorPool()
    for file in contract.files:
        pool.Add(file)
    for rpc in contract.rpcs:
        size = pool.FindMessageTypeByName(rpc.request).fields_by_name.get("page_size")
        if size is not None and rpc.name not in OTHERWISE + ANSWERS:
            options = descriptor_pb2.FieldOptions.FromString(size.GetOptions().SerializeToString())
            if most := options.Extensions[validate_pb2.field].int32.lte:  # others answer less, and go on
                refusing[rpc.name] = most
    assert len(refusing) > 40
    assert [name for name, most in refusing.items() if most < module.PAGE] == []
