"""One record of very many tiny elements, in each format of XML: small in the file and large in memory."""

from __future__ import annotations

import pytest

from services.catalogue.imports import xml_records
from services.catalogue.imports.elm import Elm
from services.catalogue.imports.feed import FeedBroken
from tests.unit.catalogue import test_elm, test_emg, test_lheo, test_xcri_cap
from tests.unit.catalogue.feeds import codes, read_all

FORMATS = {
    "ELM": (Elm(), test_elm.feed(test_elm.FULL, test_elm.FULL.replace("urn:c1", "urn:c2"))),
    "EMG": (test_emg.READER, test_emg.feed(test_emg.course("C1"), test_emg.course("C2"))),
    "LHEO": (test_lheo.READER, test_lheo.feed(test_lheo.formation("F1"), test_lheo.formation("F2"))),
    "XCRI": (test_xcri_cap.READER, test_xcri_cap.feed(test_xcri_cap.course(), test_xcri_cap.course("C2"))),
}
TINY = {
    "elements": b"<a/>" * 60_000,
    "comments": b"<!---->" * 60_000,
    "attributes": b"<a " + b" ".join(b'a%x=""' % number for number in range(60_000)) + b"/>",
}
ENDS = (b"</learningOpportunity>", b"</course>", b"</formation>")


def filled(data: bytes, inside: bytes) -> bytes:
    """The feed with this at the end of its second record."""
    (end,) = [each for each in ENDS if each in data]
    return (inside + end).join(data.rsplit(end, 1))


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("shape", TINY)
def test_many_elements_of_one_record_are_refused_and_control(
    format_: str, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, data = FORMATS[format_]
    monkeypatch.setattr(xml_records, "MAX_VALUES", 20_000)
    whole, _ = read_all(reader, data)
    assert len(whole) == 2
    with pytest.raises(FeedBroken) as broken:
        read_all(reader, filled(data, TINY[shape]))
    assert broken.value.finding.code == "XML_TOO_MANY_ELEMENTS"
    monkeypatch.setattr(xml_records, "MAX_VALUES", 1 << 40)  # the guard off: it goes in
    assert len(read_all(reader, filled(data, TINY[shape]))[0]) == 2


def test_many_records_are_no_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_records, "MAX_VALUES", 20_000)
    courses = [test_xcri_cap.course(f"C{number}", "Welding" * 300) for number in range(2_000)]
    documents, found = read_all(test_xcri_cap.READER, test_xcri_cap.feed(*courses))
    assert (len(documents), set(codes(found))) == (2_000, {"TEXT_CUT"})
