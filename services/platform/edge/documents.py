"""Writes the documents that follow from the contracts: OpenAPI, events, errors and the policy table.

`python -m services.platform.edge.documents FOLDER`; `proto.generate` runs it with freshly generated code.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from google.rpc import code_pb2
from waymark.errors.v1 import reason_pb2
from waymark.options.v1 import options_pb2

from services.platform.edge import openapi
from services.platform.edge.contract import Contract, Field, Message, service_of
from services.platform.edge.contract_rules import faults
from services.platform.edge.errors import HTTP_STATUS
from services.platform.rpc.body import MAX_RECEIVED

_MADE = "<!-- Made from the contracts by `make proto`; edit the .proto files instead. -->\n\n"


def events(contract: Contract) -> str:
    """The event catalogue: topic, key, type, payload, who emits, who reacts."""
    by_topic: dict[str, list[Message]] = defaultdict(list)
    for message in contract.messages.values():
        if message.descriptor.options.HasExtension(options_pb2.event):
            by_topic[message.descriptor.options.Extensions[options_pb2.event].topic].append(message)
    parts = [
        "# Events\n\n"
        + _MADE
        + "Each event is a Kafka record: the value is the protobuf message, the headers are those of "
        "CloudEvents 1.0 in binary mode (`ce_type` is the full name of the message, `ce_id` is unique), and "
        "the key is the id of the aggregate, so that one aggregate's events keep their order. Ids are "
        "opaque; no event holds personal data. Readers must bear a repeated event and unknown fields.\n\n"
        "An event that is of no use after some minutes is not told to webhooks after them, and what they "
        "were to be told is erased. A field that is **not shown** is left out wherever people look at "
        "events, as in `waymark events`; who reads the topic or is told by webhook has it.\n"
    ]
    for topic in sorted(by_topic):
        parts.append(f"\n## `{topic}`\n")
        parts += [_event(message) for message in by_topic[topic]]
    return "".join(parts)


def _event(message: Message) -> str:
    option = message.descriptor.options.Extensions[options_pb2.event]
    emitter = service_of(message.name.rpartition(".")[0])
    reacting = ", ".join(option.consumers) or "nobody yet; others may subscribe"
    if option.keep_minutes:
        reacting += f" · of no use after {option.keep_minutes} minutes"
    rows = [
        (f"`{field.descriptor.name}`", _type(field.descriptor), _meaning(field)) for field in message.fields
    ]
    return (
        f"\n### {message.name.rpartition('.')[2]}\n\n{message.comment}\n\n"
        f"Type `{message.name}` · key `{option.key_field}` · emitted by {emitter} · reacts: {reacting}\n\n"
        + _table(("field", "type", "meaning"), rows)
    )


def _meaning(field: Field) -> str:
    return _line(field.comment) + (" **Not shown.**" if field.descriptor.options.debug_redact else "")


def _type(descriptor: object) -> str:
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

    assert isinstance(descriptor, F)
    name = descriptor.type_name.lstrip(".").removeprefix("google.protobuf.")
    name = name.rpartition(".")[2] if name.startswith("waymark.") else name
    base = name or F.Type.Name(descriptor.type).removeprefix("TYPE_").lower()
    return f"repeated {base}" if descriptor.label == F.LABEL_REPEATED else base


def errors(contract: Contract) -> str:
    """Every reason with code, HTTP status, text, remedy, and the RPCs that name it."""
    users: dict[str, list[str]] = defaultdict(list)
    for rpc in contract.rpcs:
        for reason in rpc.reasons:
            users[reason].append(f"{rpc.interface.rpartition('.')[2]}.{rpc.name}")
    rows = []
    for value in reason_pb2.Reason.DESCRIPTOR.values:
        if not value.number:
            continue
        info = value.GetOptions().Extensions[reason_pb2.info]
        name = value.name.removeprefix("REASON_")
        named = ", ".join(users[name]) if len(users[name]) <= 6 else f"{len(users[name])} calls"
        http = str(HTTP_STATUS[info.code])
        rows.append(
            (f"`{name}`", code_pb2.Code.Name(info.code), http, info.text, info.remedy, named or "any call")
        )
    return (
        "# Errors\n\n"
        + _MADE
        + "Every refused call carries a `google.rpc.ErrorInfo` with domain `waymark` and one of these "
        "reasons. Branch on the reason, never on the message. `BadRequest` lists the fields that are wrong, "
        "`RetryInfo` says when to try again.\n\n"
        f"One refusal carries none: a message of more than {MAX_RECEIVED >> 20} MiB that a service is "
        "sent by gRPC itself, or in a stream, ends in `RESOURCE_EXHAUSTED` while it is read, before anything "
        "is looked at. Without an `ErrorInfo` that code asks for smaller messages, not for another try.\n\n"
        + _table(("reason", "gRPC code", "HTTP", "what", "what to do", "named by"), rows)
    )


def policy(contract: Contract) -> str:
    """Who may call what: a row per RPC, a column per role."""
    roles = [(name, number) for name, number in options_pb2.Role.items() if number]
    heads = ["RPC", *(name.removeprefix("ROLE_").lower().replace("_", " ") for name, _ in roles)]
    parts = [
        "# Who may call what\n\n"
        + _MADE
        + "`yes`: the role suffices. A name in a cell: the role and that relationship to the "
        "resource are needed. Empty: refused. `anybody`: no token is needed.\n"
    ]
    for interface in contract.interfaces:
        rows = []
        for rpc in contract.rpcs:
            if rpc.interface != interface:
                continue
            cells: dict[int, list[str]] = defaultdict(list)
            for allow in rpc.policy.allow if rpc.policy else ():
                cells[allow.role].append(f"`{allow.relationship}`" if allow.relationship else "yes")
            anybody = bool(rpc.policy and rpc.policy.public)
            rows.append(
                (rpc.name, *("anybody" if anybody else " or ".join(cells[number]) for _, number in roles))
            )
        parts.append(f"\n## {interface.removeprefix('waymark.')}\n\n{_table(heads, rows)}")
    return "".join(parts)


DOCUMENTS: dict[str, Callable[[Contract], str]] = {
    "openapi.json": openapi.document,
    "events.md": events,
    "errors.md": errors,
    "policy.md": policy,
}


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _line(comment: str) -> str:
    return " ".join(comment.split())


def main(arguments: Sequence[str]) -> int:
    """Checks the contract and writes every document into the folder given; returns the exit code."""
    (folder,) = map(Path, arguments)
    contract = Contract()
    if found := faults(contract):
        sys.stderr.write("the contracts break rules of their own:\n  " + "\n  ".join(found) + "\n")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in DOCUMENTS.items():
        (folder / name).write_text(make(contract))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
