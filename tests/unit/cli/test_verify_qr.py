"""`waymark voucher verify-qr` and `waymark programme verify-draw` on files: no stack, no network."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from services.cli.exits import Failure
from services.cli.main import app
from services.platform.signing import SigningKey, jwk
from services.vouchers.domain import draw, qr

KEY = SigningKey(Ed25519PrivateKey.generate())
STRANGE = SigningKey(Ed25519PrivateKey.generate())


def token(key: SigningKey, days: int = 1) -> str:
    expires = datetime.now(UTC) + timedelta(days=days)
    return qr.voucher_token(key, "vouchers/1", "programmes/p", expires, 2)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [jwk(KEY.public)]}))
    return file


@pytest.mark.parametrize(
    ("make", "code", "outcome"),
    [
        (lambda: token(KEY), 0, "VALID"),
        (lambda: token(KEY, -1), 4, "EXPIRED"),
        (lambda: token(STRANGE), 5, "UNKNOWN_KEY"),
        (lambda: token(KEY)[:-2] + "QQ", 1, "FORGED"),  # a last byte that no signature has
        (lambda: "no qr", 1, "MALFORMED"),
    ],
)
def test_the_exit_code_says_how_it_came_out(
    keys: Path, make: Callable[[], str], code: int, outcome: str
) -> None:
    said = make()
    result = CliRunner().invoke(app, ["voucher", "verify-qr", said, str(keys), "--json"])
    assert result.exit_code == code
    found = json.loads(result.output)
    assert found["outcome"] == outcome
    if code in (0, 4):
        assert (found["voucher"], found["programme"], found["issueNumber"]) == (
            "vouchers/1",
            "programmes/p",
            "2",
        )
    read = CliRunner().invoke(app, ["voucher", "verify-qr", "-", str(keys)], input=said + "\n")
    assert read.exit_code == code
    assert outcome in read.output


def test_a_file_without_keys_says_how_to_get_one(keys: Path) -> None:
    keys.write_text("{}")
    result = CliRunner().invoke(app, ["voucher", "verify-qr", token(KEY), str(keys)])
    assert isinstance(result.exception, Failure)
    assert "keys --json" in result.exception.remedy


def published() -> dict[str, Any]:
    seed = draw.new_seed()
    names = draw.order(seed, [f"applications/{number}" for number in range(5)])
    opening = {
        "name": "programmes/p/openings/1",
        "seed": seed.hex(),
        "seedSha256": draw.commitment(seed).hex(),
        "applicationCount": 5,
    }
    return {
        "opening": opening,
        "applications": [{"application": name, "rank": rank} for rank, name in enumerate(names, 1)],
    }


def verified(tmp_path: Path, found: dict[str, Any]) -> Any:
    file = tmp_path / "draw.json"
    file.write_text(json.dumps(found))
    return CliRunner().invoke(app, ["programme", "verify-draw", str(file)])


def test_a_published_draw_is_computed_again_from_a_file(tmp_path: Path) -> None:
    found = published()
    assert verified(tmp_path, found).exit_code == 0
    found["applications"][0]["rank"], found["applications"][1]["rank"] = 2, 1
    wrong = verified(tmp_path, found)
    assert isinstance(wrong.exception, Failure)
    assert (int(wrong.exception.code), "the seed says" in wrong.exception.text) == (1, True)
    undrawn = published()
    del undrawn["opening"]["seed"]
    refused = verified(tmp_path, undrawn)
    assert isinstance(refused.exception, Failure)
    assert int(refused.exception.code) == 4
    for applications in ([{"rank": 1}], [{"application": "applications/1", "rank": None}], ["x"]):
        broken = verified(tmp_path, {**published(), "applications": applications})
        assert isinstance(broken.exception, Failure)
        assert int(broken.exception.code) == 2
    broken = verified(tmp_path, {"opening": {}})
    assert isinstance(broken.exception, Failure)
    assert int(broken.exception.code) == 2
