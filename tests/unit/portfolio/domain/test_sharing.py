"""Share links: exactly the listed fields, whatever the list and whatever the portfolio."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio, ShareLink

from services.platform.errors import Refusal
from services.portfolio.domain import sharing
from services.portfolio.domain.secrets import LinkSecrets


def is_map(field: Any) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def paths(descriptor: Descriptor, prefix: str = "") -> Iterator[str]:
    for field in descriptor.fields:
        yield prefix + field.name
        if field.message_type is not None and not is_map(field):
            yield from paths(field.message_type, f"{prefix}{field.name}.")


PATHS = sorted(paths(SharedPortfolio.DESCRIPTOR))


def filled(message: Any, data: st.DataObject) -> Any:
    """A message with every field set, so that there is something to leak everywhere."""
    oneofs: set[str] = set()
    for field in message.DESCRIPTOR.fields:
        if field.containing_oneof and not field.has_presence:
            continue
        if field.containing_oneof:
            if field.containing_oneof.name in oneofs:
                continue
            if not data.draw(st.booleans()):
                continue
            oneofs.add(field.containing_oneof.name)
        target = getattr(message, field.name)
        if is_map(field):
            target["nl"] = "canary"
        elif field.message_type is not None:
            filled(target.add() if field.is_repeated else target, data)
            if not field.is_repeated:
                target.SetInParent()
        elif field.is_repeated:
            target.append("canary")
        else:
            value = {9: "canary", 8: True, 14: 1}.get(field.type, 1)
            setattr(message, field.name, value)
    return message


def leaves(message: Message, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Oracle: every value in a message with its path, found without the code under test."""
    for field, value in message.ListFields():
        path = prefix + field.name
        if field.message_type is None or is_map(field):
            yield path, str(value)
        else:
            for item in value if field.is_repeated else [value]:
                yield from leaves(item, f"{path}.")


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PATHS), min_size=1, max_size=12, unique=True), st.data())
def test_exactly_the_listed_fields_are_shown(fields: list[str], data: st.DataObject) -> None:
    whole = filled(SharedPortfolio(), data)
    sharing.check_fields(fields, "share_link.fields")
    shown = list(leaves(sharing.project(whole, fields)))
    wanted = [
        (path, value)
        for path, value in leaves(whole)
        if any(path == field or path.startswith(f"{field}.") for field in fields)
    ]
    assert shown == wanted


def test_without_the_field_list_everything_would_be_shown(monkeypatch) -> None:
    """Control: the projection is what holds fields back."""
    portfolio = SharedPortfolio()
    portfolio.holder.given_name = "Ada"
    portfolio.holder.family_name = "Canary"
    assert "Canary" not in str(sharing.project(portfolio, ["holder.given_name"]))
    monkeypatch.setattr(sharing, "_tree", lambda fields: {"holder": {}})
    assert "Canary" in str(sharing.project(portfolio, ["holder.given_name"]))


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "holder.",
        "holder.password",
        "nothing",
        "holder.given_name.x",
        "holder.summary.nl",
        "entries[0]",
        "*",
    ],
)
def test_unknown_paths_are_refused(path: str) -> None:
    with pytest.raises(Refusal) as caught:
        sharing.check_fields(["holder", path], "share_link.fields")
    assert caught.value.reason == reason_pb2.REASON_SHARE_FIELD_UNKNOWN
    assert caught.value.violations[0].field == "share_link.fields[1]"


def test_only_touched_parts_are_read() -> None:
    assert sharing.roots(["holder.given_name", "entries"]) == {"holder", "entries"}


NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "STATE_ACTIVE"),
        ({"expires_at": NOW}, "STATE_EXPIRED"),
        ({"revoked_at": NOW}, "STATE_REVOKED"),
        ({"uses": 3}, "STATE_EXHAUSTED"),
        ({"failures": 5}, "STATE_LOCKED"),
        ({"failures": 4}, "STATE_ACTIVE"),
        ({"failures": 5, "revoked_at": NOW, "uses": 3}, "STATE_REVOKED"),
    ],
)
def test_the_state_of_a_link(change: dict[str, Any], state: str) -> None:
    facts: dict[str, Any] = {
        "now": NOW,
        "expires_at": NOW + timedelta(seconds=1),
        "revoked_at": None,
        "uses": 2,
        "max_uses": 3,
        "failures": 0,
    }
    found = sharing.state_of(**(facts | change))
    assert ShareLink.State.Name(found) == state
    if state == "STATE_ACTIVE":
        sharing.require_active(found)
    else:
        with pytest.raises(Refusal):
            sharing.require_active(found)


def test_secrets_are_kept_as_keyed_hashes() -> None:
    secrets, other = LinkSecrets(b"k" * 32), LinkSecrets(b"o" * 32)
    token = secrets.new_token()
    assert len(token) >= 32
    assert token != secrets.new_token()
    assert secrets.token_hash(token) == secrets.token_hash(token) != other.token_hash(token)
    stored = secrets.pin_hash("2468")
    assert stored.startswith("$argon2id$")
    assert secrets.pin_matches(stored, "2468")
    assert not secrets.pin_matches(stored, "2469")
    assert not other.pin_matches(stored, "2468")
    assert not secrets.pin_matches("", "2468")


def test_a_token_is_typed_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter(["-option", "--flag", "a-word", "never"])
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: next(made))
    assert LinkSecrets(bytes(32)).new_token() == "a-word"
