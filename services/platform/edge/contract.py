"""Reads the descriptor set: every RPC with its policy, HTTP mapping and comment, and every message and enum.

The edge configuration, the OpenAPI document, the documents under `docs/` and the contract tests all stand
on this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from waymark.options.v1 import options_pb2

_ERRORS_LINE = re.compile(r"^Errors:(.*)\Z", re.MULTILINE | re.DOTALL)  # to the end, over several lines
_PACKAGE = re.compile(r"waymark\.([a-z]+)\.v\d+")
_VERBS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True)
class Binding:
    """One HTTP address of an RPC: `verb` in lower case, path `template`, and the `body` field ("*": all)."""

    verb: str
    template: str
    body: str


@dataclass(frozen=True)
class Rpc:
    """One method of the contract. `service` is the process that serves it (`vouchers`)."""

    service: str
    interface: str
    name: str
    policy: options_pb2.Policy | None
    bindings: tuple[Binding, ...]
    request: str
    response: str
    client_streaming: bool
    server_streaming: bool
    comment: str

    @property
    def path(self) -> str:
        """Path on the wire: `/waymark.vouchers.v1.VoucherService/GetVoucher`."""
        return f"/{self.interface}/{self.name}"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Error reasons that the comment names (`Errors: WRONG_STATE, VOUCHER_SPENT.`), without `REASON_`."""
        match = _ERRORS_LINE.search(self.comment)
        return tuple(re.findall(r"[A-Z][A-Z0-9_]+", match.group(1))) if match else ()

    @property
    def description(self) -> str:
        """The comment without its `Errors:` line."""
        return _ERRORS_LINE.sub("", self.comment).strip()


@dataclass(frozen=True)
class Field:
    """A field with its comment. `descriptor.type_name` starts with a dot, as in the descriptor set."""

    descriptor: FieldDescriptorProto
    comment: str


@dataclass(frozen=True)
class Message:
    """A message of the set: full name, comment, fields, and the nested map entries by full name."""

    name: str
    file: str
    descriptor: DescriptorProto
    comment: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Enum:
    """An enum of the set with a comment for each value that has one."""

    name: str
    descriptor: EnumDescriptorProto
    comment: str
    value_comments: dict[str, str] = field(default_factory=dict)


class Contract:
    """Everything the descriptor set says. Raises google.protobuf.message.DecodeError for bytes that are
    none.
    """

    def __init__(self, descriptors: bytes | None = None) -> None:
        """Reads `descriptors`, by default those that come with the generated code."""
        self.descriptors = (
            files("waymark").joinpath("descriptors.binpb").read_bytes()
            if descriptors is None
            else descriptors
        )
        self.files = tuple(FileDescriptorSet.FromString(self.descriptors).file)

    @cached_property
    def rpcs(self) -> tuple[Rpc, ...]:
        """Every RPC of every `waymark.<service>.vN` package, in the order of the files."""
        return tuple(rpc for file in self.files for rpc in _rpcs(file))

    @cached_property
    def messages(self) -> dict[str, Message]:
        """Messages by full name, nested ones and map entries included."""
        return {message.name: message for file in self.files for message in _messages(file)}

    @cached_property
    def enums(self) -> dict[str, Enum]:
        """Enums by full name."""
        return {enum.name: enum for file in self.files for enum in _enums(file)}

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Full names of the gRPC services, in the order of the files."""
        return tuple(dict.fromkeys(rpc.interface for rpc in self.rpcs))


def service_of(package: str) -> str:
    """The process that owns a package: `waymark.vouchers.v1` → `vouchers`; "" for packages of nobody."""
    match = _PACKAGE.fullmatch(package)
    return match.group(1) if match else ""


def _rpcs(file: FileDescriptorProto) -> Iterator[Rpc]:
    owner = service_of(file.package)
    if not owner:
        return
    comments = _comments(file)
    for number, service in enumerate(file.service):
        for position, method in enumerate(service.method):
            yield Rpc(
                service=owner,
                interface=f"{file.package}.{service.name}",
                name=method.name,
                policy=_policy(method),
                bindings=tuple(_bindings(method)),
                request=method.input_type.lstrip("."),
                response=method.output_type.lstrip("."),
                client_streaming=method.client_streaming,
                server_streaming=method.server_streaming,
                comment=comments.get((6, number, 2, position), ""),
            )


def _policy(method: MethodDescriptorProto) -> options_pb2.Policy | None:
    if not method.options.HasExtension(options_pb2.policy):
        return None
    return method.options.Extensions[options_pb2.policy]


def _bindings(method: MethodDescriptorProto) -> Iterator[Binding]:
    if not method.options.HasExtension(annotations_pb2.http):
        return
    rule: http_pb2.HttpRule = method.options.Extensions[annotations_pb2.http]
    for one in (rule, *rule.additional_bindings):
        verb = one.WhichOneof("pattern")
        if verb in _VERBS:
            yield Binding(verb, getattr(one, verb), one.body)


def _messages(file: FileDescriptorProto) -> Iterator[Message]:
    comments = _comments(file)

    def walk(descriptor: DescriptorProto, scope: str, path: tuple[int, ...]) -> Iterator[Message]:
        name = f"{scope}.{descriptor.name}" if scope else descriptor.name
        fields = tuple(
            Field(one, comments.get((*path, 2, number), "")) for number, one in enumerate(descriptor.field)
        )
        yield Message(name, file.name, descriptor, comments.get(path, ""), fields)
        for number, nested in enumerate(descriptor.nested_type):
            yield from walk(nested, name, (*path, 3, number))

    for number, descriptor in enumerate(file.message_type):
        yield from walk(descriptor, file.package, (4, number))


def _enums(file: FileDescriptorProto) -> Iterator[Enum]:
    comments = _comments(file)

    def read(descriptor: EnumDescriptorProto, scope: str, path: tuple[int, ...]) -> Enum:
        values = {
            value.name: comments[(*path, 2, number)]
            for number, value in enumerate(descriptor.value)
            if comments.get((*path, 2, number))
        }
        return Enum(f"{scope}.{descriptor.name}", descriptor, comments.get(path, ""), values)

    def nested(messages: Sequence[DescriptorProto], scope: str, path: tuple[int, ...]) -> Iterator[Enum]:
        for number, message in enumerate(messages):
            name, here = f"{scope}.{message.name}", (*path, number)
            for position, descriptor in enumerate(message.enum_type):
                yield read(descriptor, name, (*here, 4, position))
            yield from nested(message.nested_type, name, (*here, 3))

    for number, descriptor in enumerate(file.enum_type):
        yield read(descriptor, file.package, (5, number))
    yield from nested(file.message_type, file.package, (4,))


def _comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """Leading comments by source path, each line stripped of the blank after `//`."""
    return {
        tuple(location.path): "\n".join(
            line.removeprefix(" ").rstrip() for line in location.leading_comments.splitlines()
        ).strip()
        for location in file.source_code_info.location
        if location.leading_comments
    }
