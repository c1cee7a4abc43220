"""Field lists of share links: which fields of SharedPortfolio a link shows, and nothing beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio, ShareLink

from services.platform.errors import Refusal, Violation
from services.portfolio.domain.secrets import PIN_TRIES
from services.portfolio.domain.states import word

State: TypeAlias = ShareLink.State.ValueType
Tree = dict[str, "Tree"]  # field → what is shown below it; nothing named below: all of it


def check_fields(fields: Sequence[str], where: str) -> None:
    """Raises Refusal(SHARE_FIELD_UNKNOWN) naming the paths that are no fields of SharedPortfolio.

    `where`: field of the request that lists them.
    """
    unknown = [
        Violation(f"{where}[{index}]", "is no field of SharedPortfolio")
        for index, path in enumerate(fields)
        if not _exists(SharedPortfolio.DESCRIPTOR, path.split("."))
    ]
    if unknown:
        raise Refusal(reason_pb2.REASON_SHARE_FIELD_UNKNOWN, violations=unknown)


def roots(fields: Iterable[str]) -> frozenset[str]:
    """Returns the parts of a portfolio that a field list touches; the others need not even be read."""
    return frozenset(path.split(".")[0] for path in fields)


def project(portfolio: SharedPortfolio, fields: Iterable[str]) -> SharedPortfolio:
    """Returns a copy that holds the listed fields only: what is not listed is never copied."""
    shown = SharedPortfolio()
    _copy(portfolio, shown, _tree(fields))
    return shown


def state_of(
    *,
    now: datetime,
    expires_at: datetime,
    revoked_at: datetime | None,
    uses: int,
    max_uses: int,
    failures: int,
) -> State:
    """Returns the state of a link at `now` (UTC, the database's clock)."""
    if revoked_at is not None:
        return ShareLink.STATE_REVOKED
    if now >= expires_at:
        return ShareLink.STATE_EXPIRED
    if uses >= max_uses:
        return ShareLink.STATE_EXHAUSTED
    return ShareLink.STATE_LOCKED if failures >= PIN_TRIES else ShareLink.STATE_ACTIVE


def require_active(state: State) -> None:
    """Raises Refusal(SHARE_LINK_LOCKED or SHARE_LINK_ENDED) unless the link can be opened."""
    if state == ShareLink.STATE_LOCKED:
        raise Refusal(reason_pb2.REASON_SHARE_LINK_LOCKED)
    require_usable(state, ShareLink.STATE_ACTIVE, ShareLink.State)


def require_usable(state: int, usable: int, states: Any) -> None:
    """Raises Refusal(SHARE_LINK_ENDED) unless a link is in the state in which it can be used; `states` is the
    enum of both."""
    if state != usable:
        ended = word(states, state)
        raise Refusal(reason_pb2.REASON_SHARE_LINK_ENDED, metadata={"state": ended})


def _exists(descriptor: Descriptor, path: Sequence[str]) -> bool:
    field = descriptor.fields_by_name.get(path[0])
    if field is None or len(path) == 1:
        return field is not None
    # The entries of a map are data, not fields of the contract.
    below = field.message_type
    return below is not None and not below.GetOptions().map_entry and _exists(below, path[1:])


def _tree(fields: Iterable[str]) -> Tree:
    tree: Tree = {}
    # Shortest first, so that a path that covers another is there before it.
    for path in sorted((path.split(".") for path in fields), key=len):
        node, parts = tree, list(path)
        while parts:
            known = parts[0] in node
            below = node.setdefault(parts.pop(0), {})
            if known and not below:
                break  # covered whole already
            node = below
    return tree


def _copy(source: Message, target: Message, tree: Tree) -> None:
    for field, value in source.ListFields():
        if field.name not in tree:
            continue
        below = tree[field.name]
        if not below:
            _assign(target, field, value)
        elif field.is_repeated:
            for item in value:
                _copy(item, getattr(target, field.name).add(), below)
        else:
            getattr(target, field.name).SetInParent()
            _copy(value, getattr(target, field.name), below)


def _assign(target: Message, field: FieldDescriptor, value: Any) -> None:
    if field.is_repeated:  # maps too
        getattr(target, field.name).MergeFrom(value)
    elif field.message_type is not None:
        getattr(target, field.name).CopyFrom(value)
    else:
        setattr(target, field.name, value)
