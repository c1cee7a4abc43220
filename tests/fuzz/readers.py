"""Every reader of what comes from outside, as a function of bytes, with what it may refuse with."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.json_format import MessageToDict
from waymark.catalogue.v1.shortage_list_pb2 import ShortageFormat
from waymark.portfolio.v1 import credential_pb2
from waymark.portfolio.v1 import document_pb2 as pb

from services.catalogue.domain.findings import Findings
from services.catalogue.imports import shortage_csv, taxonomy_csv
from services.catalogue.imports.csv_template import CsvTemplate
from services.catalogue.imports.elm import Elm
from services.catalogue.imports.emg import Emg
from services.catalogue.imports.feed import Bounded, Context, FeedBroken, FeedReader, Occupation
from services.catalogue.imports.lheo import Lheo
from services.catalogue.imports.ooapi import Ooapi
from services.catalogue.imports.pushed import Pushed
from services.catalogue.imports.schema_org import SchemaOrg
from services.catalogue.imports.xcri_cap import XcriCap
from services.catalogue.store.taxonomies import LabelRow
from services.platform.errors import Refusal
from services.platform.objects import sniff
from services.platform.rpc.interceptors.validation import violations_of
from services.platform.rpc.status import answer_of
from services.platform.signing import SigningKey, base64url, keys_of
from services.portfolio.domain import films, images
from services.portfolio.domain.credentials import (
    checking,
    controllers,
    reading,
    revocation,
    status_list,
    strict_json,
    vc_jwt,
)
from services.portfolio.formats import (
    carried_reading,
    html_linked,
    markup,
    pdf_attached,
    smart_evidence,
)
from services.portfolio.formats.format import Cv, DocumentBrokenError, Format, no_files
from services.portfolio.formats.formats import FORMATS
from services.vouchers.domain import allocation_file, bank_files, codes, fact_file, levies, qr
from services.vouchers.domain.row_files import Rows
from tests.support.credentials import DID, HOME, NOW, Internet, award_example

SIGNING = SigningKey(Ed25519PrivateKey.from_private_bytes(b"k" * 32))
KEYS = {SIGNING.id: SIGNING.public}
COURSE = "00000000-0000-4000-8000-000000000001"
TODAY = date(2026, 6, 1)
WELDER = "http://data.europa.eu/esco/occupation/welder"
CONTEXT = Context(default_nuts_code="BE2", occupations={WELDER: Occupation(WELDER, "7212", "welder")})
MAX_STATUS_BYTES = 8000  # what a header block carries to the caller
MAX_CENTS = 2**63 - 1
SEED = b"k" * 32
LIST = "https://award.example/status/1"  # a status or revocation list
BADGE = "urn:uuid:0198c0de-0000-7000-8000-000000000001"
ENTRIES = {  # how a credential names each kind of list
    "status": {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": LIST,
    },
    "revocation": {"id": LIST, "type": "1EdTechRevocationList"},
}


class UnfitError(ValueError):
    """A reader that answers instead of refusing found nothing to answer."""


@dataclass(frozen=True)
class Reader:
    """A reader: `read` returns what it read, or raises one of `refuses`."""

    read: Callable[[bytes], object]
    refuses: tuple[type[Exception], ...] = (Refusal,)


def examine(reader: Reader, data: bytes) -> bool:
    """Reads; True when it was read. Raises whatever the reader may not raise, and AssertionError for a result
    or a refusal that could not be stored or told."""
    try:
        found = reader.read(data)
    except reader.refuses as error:
        check_tellable(error)
        return False
    check_storable(found)
    return True


def check_tellable(error: Exception) -> None:
    """Raises AssertionError where nobody could be told of a refusal."""
    if isinstance(error, Refusal):
        assert len(answer_of(error).trailing_metadata[0][1]) <= MAX_STATUS_BYTES
    check_storable([getattr(error, "finding", ()), getattr(error, "key_id", "")])


def check_storable(value: object) -> None:
    """Raises AssertionError where the database could not take a value: a NUL or half a character in a text, a
    number beyond eight bytes."""
    if isinstance(value, str):
        assert "\0" not in value, f"NUL in {value[:80]!r}"
        value.encode()
    elif isinstance(value, float):
        json.dumps(value, allow_nan=False)
    elif isinstance(value, int):
        assert abs(value) <= MAX_CENTS
    elif isinstance(value, dict):
        check_storable([*value, *value.values()])
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        for each in value:
            check_storable(each)
    elif is_dataclass(value):
        check_storable([getattr(value, field.name) for field in fields(value)])


def _text(data: bytes) -> str:
    """Text as a request can bring it: whatever it says, it is UTF-8."""
    return data.decode(errors="replace")


def _code(data: bytes) -> object:
    code = codes.normalise(_text(data))
    assert codes.normalise(codes.grouped(code).lower()) == code
    return code


def _token(data: bytes) -> object:
    return qr.read_token(_text(data), KEYS)


def _signed(data: bytes) -> object:
    """Header and claims, a line each, signed with a good key: whoever holds one is still not trusted."""
    header, _, claims = data.partition(b"\n")
    signed = ".".join(base64url(part) for part in (header.strip(), claims.strip()))
    return qr.read_token(f"{signed}.{base64url(SIGNING.private.sign(signed.encode()))}", KEYS)


def _credential(data: bytes) -> object:
    """What a file says and what checking it comes to, with an internet in which its issuer answers."""
    found = checking.check(reading.read(data), AWARD_EXAMPLE, lambda _: True, NOW)
    texts = [value for _, value in found.summary.ListFields() if isinstance(value, str)]
    return [*texts, found.verdict.SerializeToString(), found.summary.SerializeToString()]


def _controller(data: bytes) -> object:
    """The keys that an issuer's address names, each of which has a type."""
    serve = {HOME: data}.__getitem__
    found = [controllers.find(f"{DID}#k", serve).key, *controllers.keys_of(DID, serve)]
    return [str(key.key_type) for key in found]


def _list(kind: str, data: bytes) -> object:
    """What a list at an issuer's address says of a credential; no list that cannot be used ends the check."""
    award = {"id": BADGE, "issuer": DID, "credentialStatus": ENTRIES[kind]}
    internet = Internet({**AWARD_EXAMPLE.pages, LIST: data})
    found = revocation.check(award, internet, NOW)
    if found.outcome == credential_pb2.CHECK_OUTCOME_UNKNOWN:
        raise UnfitError
    return found.SerializeToString()


def _signed_list(data: bytes) -> object:
    """A status list as JSON that the issuer did sign, whatever it says."""
    try:
        claims = strict_json.parsed(data)
    except strict_json.UnreadableError as error:
        raise UnfitError from error
    return _list("status", vc_jwt.sign_token(claims, SEED, f"{DID}#k").encode())


def _image(content_type: str, data: bytes) -> object:
    size = images.size_of(content_type, data)
    if size is None:
        raise UnfitError
    return size


def _type(data: bytes) -> object:
    """A type, a line, and whether the first bytes after it fit it; nothing that a browser runs is a text."""
    claimed, _, head = data.partition(b"\n")
    if not sniff.fits(_text(claimed), head):
        raise UnfitError
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")) and b"<script" in head[: sniff.HEAD].lower():
        assert _text(claimed).partition(";")[0].strip().lower() not in sniff.TEXTS
    return True


def _document(format_: Format, data: bytes) -> object:
    """What a document says, which the service would take, and which can be written in every format again."""
    found = format_.read(io.BytesIO(data), "en")
    portfolio = found.portfolio
    journal, plans = found.journal, found.plans
    for part in (portfolio.holder, *portfolio.entries, *portfolio.skill_claims, *journal, *plans):
        assert not violations_of(part)
    made = Cv(portfolio, "en", NOW, journal=tuple(journal), plans=tuple(plans))
    for each in FORMATS.values():
        if each is not FORMATS[pb.DOCUMENT_FORMAT_PDF]:  # made of the page, and slow
            list(each.write(made, no_files))
    if format_.left_out:
        list(format_.write(replace(made, remainders=tuple(found.remainders)), no_files))
    beside = [each.SerializeToString() for each in (*journal, *plans)]
    return [portfolio.SerializeToString(), MessageToDict(portfolio), *beside, dict(found.left)]


def _carried(carrier: carried_reading.Carrier, taken: Callable[..., Any], data: bytes) -> object:
    """What a PDF or page carries, read without a process of its own, in which anything may end it."""
    try:
        found = taken(io.BytesIO(data), carried_reading.MOST_FILES, markup.MAX_BYTES)
    except Exception as error:
        raise DocumentBrokenError from error
    told = carried_reading.of_carried(carrier, *found, "en")
    return [told.portfolio.SerializeToString(), dict(told.left)]


def _document_reader(number: int) -> Reader:
    return Reader(partial(_document, FORMATS[number]), (DocumentBrokenError,))


def _film(content_type: str, data: bytes) -> object:
    """The length of a film, read in pieces; few of them, whatever the file says."""
    reads = 0

    def read_at(offset: int, count: int) -> bytes:
        nonlocal reads
        reads += 1
        assert reads <= 5 * films.MOST_PARTS
        assert count <= 64
        assert offset >= 0
        return data[offset:][:count]

    return films.duration(content_type, len(data), read_at)


def _framework(data: bytes) -> object:
    """What a framework says, which the service would take."""
    found = smart_evidence.read(data, "en")
    assert not violations_of(found.version)
    return [found.version.SerializeToString(), MessageToDict(found.version), dict(found.left)]


def _allocation(data: bytes) -> object:
    return list(allocation_file.read(io.BytesIO(data)))


def _facts(data: bytes) -> object:
    return [fact_file.read(row, TODAY) for row in Rows(io.BytesIO(data), fact_file.FORM)]


def _feed(reader: FeedReader, data: bytes) -> object:
    """What is read of each record, and what is found wrong with it."""
    documents: list[object] = []
    for raw in reader.records(Bounded(io.BytesIO(data))):
        findings = Findings(raw.external_id, raw.line)
        document = reader.read(raw, COURSE, CONTEXT, findings)
        documents.append([raw.external_id, raw.line, findings.found, not findings.rejected and document])
    return documents


def _shortage(shape: int, data: bytes) -> object:
    draft = shortage_csv.read(data, shape, OCCUPATIONS, "BE", 3)
    assert all(1 <= match.severity <= 5 for match in draft.matches)
    assert draft.rejected <= draft.rows
    assert len(draft.entries) <= draft.rows - draft.rejected
    return draft


def _label(concept: str, isco: str, label: str, scheme: str = "esco") -> Any:
    uri = f"http://data.europa.eu/esco/{concept}"
    return LabelRow(label, label, "en", preferred=True, uri=uri, isco_code=isco, scheme=scheme)


AWARD_EXAMPLE = award_example(SEED)
OCCUPATIONS = shortage_csv.Occupations(
    [_label("occupation/welder", "7212", "welder"), _label("isco/C7212", "7212", "welders", "isco-08")],
    {"7", "72", "721", "7212"},
)
LINKED = {"7212": "C7212", "7213": "C7213"}
READERS: dict[str, Reader] = {
    "voucher_code": Reader(_code),
    "qr_token": Reader(_token, (qr.NotGenuineError,)),
    "qr_signed": Reader(_signed, (qr.NotGenuineError,)),
    "qr_keys": Reader(keys_of, (ValueError,)),
    "credential": Reader(_credential, (strict_json.UnreadableError,)),
    "did_document": Reader(_controller, (controllers.UnreachableError, controllers.KeyMissingError)),
    "status_bits": Reader(lambda data: status_list.is_set(_text(data), 7), (status_list.ListBrokenError,)),
    "status_list": Reader(partial(_list, "status"), (UnfitError,)),
    "status_list_signed": Reader(_signed_list, (UnfitError,)),
    "revocation_list": Reader(partial(_list, "revocation"), (UnfitError,)),
    "document_json_resume": _document_reader(pb.DOCUMENT_FORMAT_JSON_RESUME),
    "document_europass_xml": _document_reader(pb.DOCUMENT_FORMAT_EUROPASS_XML),
    "document_europass_json": _document_reader(pb.DOCUMENT_FORMAT_EUROPASS_JSON),
    "document_europass_candidate_xml": _document_reader(pb.DOCUMENT_FORMAT_EUROPASS_CANDIDATE_XML),
    "document_pdf": Reader(
        partial(_carried, carried_reading.PDF, pdf_attached.attached), (DocumentBrokenError,)
    ),
    "document_html": Reader(
        partial(_carried, carried_reading.PAGE, html_linked.linked), (DocumentBrokenError,)
    ),
    "document_leap2a": _document_reader(pb.DOCUMENT_FORMAT_LEAP2A),
    "film_mp4": Reader(partial(_film, "video/mp4"), (films.FilmBrokenError,)),
    "film_webm": Reader(partial(_film, "video/webm"), (films.FilmBrokenError,)),
    "image_jpeg": Reader(partial(_image, "image/jpeg"), (UnfitError,)),
    "image_png": Reader(partial(_image, "image/png"), (UnfitError,)),
    "type": Reader(_type, (UnfitError,)),
    "framework": Reader(_framework, (DocumentBrokenError,)),
    "pain_002": Reader(bank_files.read),
    "camt_054": Reader(bank_files.read),
    "allocation": Reader(_allocation),
    "facts": Reader(_facts),
    "wages": Reader(partial(levies.read_wages, today=TODAY)),
    "feed_csv": Reader(partial(_feed, CsvTemplate()), (FeedBroken,)),
    "feed_xcri": Reader(partial(_feed, XcriCap()), (FeedBroken,)),
    "feed_emg": Reader(partial(_feed, Emg()), (FeedBroken,)),
    "feed_elm": Reader(partial(_feed, Elm()), (FeedBroken,)),
    "feed_ooapi": Reader(partial(_feed, Ooapi()), (FeedBroken,)),
    "feed_pushed": Reader(partial(_feed, Pushed()), (FeedBroken,)),
    "feed_lheo": Reader(partial(_feed, Lheo()), (FeedBroken,)),
    "feed_schema_org": Reader(partial(_feed, SchemaOrg()), (FeedBroken,)),
    "shortage_template": Reader(partial(_shortage, ShortageFormat.SHORTAGE_FORMAT_TEMPLATE_CSV)),
    "shortage_names": Reader(partial(_shortage, ShortageFormat.SHORTAGE_FORMAT_NAMES_CSV)),
    "shortage_index": Reader(partial(_shortage, ShortageFormat.SHORTAGE_FORMAT_ISCO_INDEX_CSV)),
    "taxonomy_esco": Reader(lambda data: taxonomy_csv.read_esco(io.BytesIO(data), "en")),
    "taxonomy_isco": Reader(lambda data: taxonomy_csv.read_isco(io.BytesIO(data), "en")),
    "taxonomy_template": Reader(lambda data: taxonomy_csv.read_template(io.BytesIO(data), "en", "nace")),
    "taxonomy_links": Reader(lambda data: taxonomy_csv.read_links(io.BytesIO(data), LINKED, LINKED)),
    "taxonomy_labels": Reader(lambda data: taxonomy_csv.read_labels(io.BytesIO(data), {"7212": "C7212"})),
}
