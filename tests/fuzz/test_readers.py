"""Each reader stands its corpus and what is made of it; with a guard off, it does not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from services.catalogue.imports import (
    csv_rows,
    csv_template,
    feed,
    json_records,
    shortage_csv,
    xml_records,
)
from services.platform import signing, zipping
from services.platform.objects import sniff
from services.portfolio.domain import films, images
from services.portfolio.domain.credentials import (
    controllers,
    revocation,
    status_list,
    strict_json,
    validity,
)
from services.portfolio.formats import (
    candidate_reading,
    europass_reading,
    json_resume,
    leap2a_reading,
    markup,
    smart_evidence,
)
from services.vouchers.domain import bank_xml, codes, levies, qr, row_files
from tests.fuzz.readers import READERS
from tests.fuzz.running import Found, check, corpus, race, run

EXAMPLES = 100  # a reader, beside its corpus; every submission tries 60 s more of each, `make fuzz` a million


@pytest.mark.parametrize("name", READERS)
def test_what_is_good_is_read(name: str) -> None:
    good = [data for file, data in corpus(name).items() if file.startswith("good")]
    assert good
    assert all(check(name, data) for data in good)


@pytest.mark.parametrize("name", READERS)
def test_whatever_is_made_of_it_is_read_or_refused(name: str) -> None:
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    run(name, EXAMPLES, seed)


class Nothing(Exception):
    """Stands for the errors that a reader then no longer catches."""


def without(module: ModuleType, **names: Any) -> SimpleNamespace:
    """A module with some of its names replaced."""
    return SimpleNamespace(**{**vars(module), **names})


def deaf(module: ModuleType, error: str, library: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Makes a reader deaf to an error of the library that it reads with."""
    careless = without(getattr(module, library), **{error: Nothing})
    return lambda patch: patch.setattr(module, library, careless)


CONTROLS: list[tuple[str, Callable[[pytest.MonkeyPatch], None]]] = [
    ("voucher_code", lambda patch: patch.setattr(codes, "any", lambda _: False, raising=False)),
    ("qr_token", lambda patch: patch.setattr(qr, "is_text", lambda value: isinstance(value, str))),
    ("qr_token", lambda patch: patch.setattr(signing, "RecursionError", Nothing, raising=False)),
    ("qr_signed", lambda patch: patch.setattr(qr, "OverflowError", Nothing, raising=False)),
    ("qr_keys", lambda patch: patch.setattr(signing, "RecursionError", Nothing, raising=False)),
    ("credential", lambda patch: patch.setattr(strict_json, "_check", lambda _: None)),
    ("credential", lambda patch: patch.setattr(validity, "OverflowError", Nothing, raising=False)),
    ("did_document", lambda patch: patch.setattr(controllers, "KeyUnusableError", Nothing)),
    ("status_bits", deaf(status_list, "error", "zlib")),
    ("status_list", lambda patch: patch.setattr(revocation, "ValueError", Nothing, raising=False)),
    ("status_list_signed", lambda patch: patch.setattr(revocation, "ValueError", Nothing, raising=False)),
    ("revocation_list", lambda patch: patch.setattr(revocation, "ValueError", Nothing, raising=False)),
    ("document_json_resume", lambda patch: patch.setattr(json_resume, "fit", lambda *_: Counter())),
    ("document_json_resume", lambda patch: patch.setattr(strict_json, "_check", lambda _: None)),
    ("document_europass_xml", deaf(markup, "XMLSyntaxError", "etree")),
    ("document_europass_json", lambda patch: patch.setattr(europass_reading, "fit", lambda *_: Counter())),
    (
        "document_europass_candidate_xml",
        lambda patch: patch.setattr(candidate_reading, "fit", lambda *_: Counter()),
    ),
    ("document_leap2a", deaf(markup, "XMLSyntaxError", "etree")),
    ("document_leap2a", lambda patch: patch.setattr(leap2a_reading, "fit", lambda *_: Counter())),
    ("document_leap2a", lambda patch: patch.setattr(zipping, "ValueError", Nothing, raising=False)),
    ("film_mp4", lambda patch: patch.setattr(films, "struct", without(films.struct, error=Nothing))),
    ("film_webm", lambda patch: patch.setattr(films, "math", SimpleNamespace(isfinite=lambda _: True))),
    ("image_jpeg", lambda patch: patch.setattr(images, "struct", without(images.struct, error=Nothing))),
    ("image_png", lambda patch: patch.setattr(images, "struct", without(images.struct, error=Nothing))),
    ("type", lambda patch: patch.setattr(sniff, "_ACTIVE", ())),
    ("framework", lambda patch: patch.setattr(strict_json, "_check", lambda _: None)),
    ("framework", lambda patch: patch.setattr(smart_evidence, "_check", lambda _: None)),
    ("pain_002", deaf(bank_xml, "XMLSyntaxError", "etree")),
    ("camt_054", lambda patch: patch.setattr(bank_xml, "_YEARS", SimpleNamespace(year=1))),
    ("allocation", deaf(row_files, "Error", "csv")),
    (
        "allocation",
        lambda patch: patch.setattr(row_files, "UnicodeDecodeError", Nothing, raising=False),
    ),
    ("wages", deaf(levies, "Error", "csv")),
    ("feed_csv", deaf(csv_template, "Error", "csv")),
    ("feed_csv", lambda patch: patch.setattr(csv_template, "_raw", raw_with_any_id)),
    ("feed_xcri", deaf(xml_records, "XMLSyntaxError", "etree")),
    ("feed_emg", deaf(xml_records, "XMLSyntaxError", "etree")),
    ("feed_elm", deaf(xml_records, "XMLSyntaxError", "etree")),
    ("feed_ooapi", lambda patch: patch.setattr(json_records, "storable_text", str)),
    ("feed_pushed", lambda patch: patch.setattr(json_records, "ValueError", Nothing, raising=False)),
    ("feed_lheo", deaf(xml_records, "XMLSyntaxError", "etree")),
    ("feed_schema_org", lambda patch: patch.setattr(json_records, "ValueError", Nothing, raising=False)),
    ("feed_schema_org", lambda patch: patch.setattr(json_records, "RecursionError", Nothing, raising=False)),
    ("feed_schema_org", lambda patch: patch.setattr(json_records, "storable_text", str)),
    ("shortage_template", deaf(shortage_csv, "Error", "csv")),
    ("shortage_names", deaf(shortage_csv, "Error", "csv")),
    ("shortage_index", lambda patch: patch.setattr(shortage_csv, "_INDEX", SimpleNamespace(fullmatch=str))),
    ("taxonomy_esco", deaf(csv_rows, "Error", "csv")),
    ("taxonomy_isco", lambda patch: patch.setattr(csv_rows, "_has_nul", lambda _: False)),
    ("taxonomy_labels", deaf(csv_rows, "Error", "csv")),
    ("taxonomy_template", deaf(csv_rows, "Error", "csv")),
    ("taxonomy_links", deaf(csv_rows, "Error", "csv")),
]
CSV_RAW = csv_template._raw


def raw_with_any_id(key: str, *rest: Any) -> feed.Raw:
    """A record that keeps its id, whatever it holds."""
    return CSV_RAW(key, *rest)._replace(external_id=key)


@pytest.mark.parametrize(("name", "careless"), CONTROLS, ids=[name for name, _ in CONTROLS])
def test_control_without_its_guard_a_reader_does_not_stand_it(
    name: str, careless: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    careless(monkeypatch)
    with pytest.raises(Found):
        run(name, 5_000, 1)


def test_inputs_by_chance_alone_find_it_too_and_what_is_found_is_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert race("facts", 200, 7) == race("facts", 200, 7)  # the same seed, the same inputs
    monkeypatch.setattr(codes, "any", lambda _: False, raising=False)
    with pytest.raises(Found) as found:
        race("voucher_code", 5_000, 1)
    assert len(found.value.data) <= 20
    with pytest.raises(ValueError, match="not found"):
        check("voucher_code", found.value.data)
