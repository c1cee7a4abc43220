"""Everything that is kept of a person leaves in one archive: to its holder, whole, or not at all."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from waymark.portfolio.v1 import (
    access_log_pb2,
    credential_pb2,
    cv_pb2,
    entry_pb2,
    guidance_note_pb2,
    idea_exposure_pb2,
    mandate_pb2,
)
from waymark.portfolio.v1 import holder_pb2 as pb

from services.platform.objects.store import Objects
from services.platform.paper.pages import words_of
from services.portfolio.export import archive, reader, resuming
from services.portfolio.export.pages import LANGUAGES
from services.portfolio.export.parts import PARTS
from services.portfolio.store.evidence import BUCKET
from tests.integration.portfolio.test_erasure import erase_request, upload
from tests.support.canary import CANARY, live_a_life
from tests.support.portfolio import PDF, Caller, Portfolio, entry, reason_of, share
from tests.support.validations import SHOWN, submitted

VISIBILITY_SHARED = guidance_note_pb2.GuidanceNote.VISIBILITY_SHARED
WORDS = Path(archive.__file__).parent / "words"
JWT = credential_pb2.CREDENTIAL_FILE_FORM_JWT


def streamed(person: Caller, **fields: Any) -> Any:
    return person.ExportHolder(pb.ExportHolderRequest(name=person.holder, **fields))


def export(person: Caller, **fields: Any) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(part.data for part in streamed(person, **fields))))


def data(taken: zipfile.ZipFile, part: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(taken.read(f"data/{part}.json"))
    return found


def test_everything_leaves_as_it_is_listed(portfolio_with_files: Portfolio, monkeypatch: Any) -> None:
    monkeypatch.setattr(reader, "PAGE", 1)  # so that each list takes several pages
    person = live_a_life(portfolio_with_files)
    upload(person, PDF + b"first", title="<b>Diploma</b>", file_name="diploma 1.pdf")
    upload(person, PDF + b"second")
    secret = share(person, ["holder"], pin="1234").token
    person.CreateCv(cv_pb2.CreateCvRequest(parent=person.holder, cv=cv_pb2.Cv(title=CANARY)))
    note = guidance_note_pb2.GuidanceNote(text="shared", visibility=VISIBILITY_SHARED)
    portfolio_with_files.mandated(person).CreateGuidanceNote(
        guidance_note_pb2.CreateGuidanceNoteRequest(parent=person.holder, guidance_note=note)
    )
    consent = idea_exposure_pb2.ExposureConsent(gender="GENDER_WOMAN", terms="idea-exposure-1")
    person.GiveExposureConsent(
        idea_exposure_pb2.GiveExposureConsentRequest(parent=person.holder, exposure_consent=consent)
    )
    taken = export(person)
    assert taken.testzip() is None
    assert [each["text"] for each in data(taken, "guidance-notes")] == ["shared"]  # no professional one
    listed = person.ListEntries(entry_pb2.ListEntriesRequest(parent=person.holder)).entries
    assert data(taken, "entries") == [MessageToDict(each) for each in listed]
    records = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    assert data(taken, "access-records") == [MessageToDict(each) for each in records.access_records]
    given = person.ListMandates(mandate_pb2.ListMandatesRequest(parent=person.holder)).mandates
    assert data(taken, "mandates") == [MessageToDict(each) for each in given]
    # Whatever can say something of a person does, and reads on a page as well.
    without = {"on-behalf-records", "attestation-requests", "handovers", "credentials", "issued-credentials"}
    for part in PARTS:
        assert bool(data(taken, part.name)) != (part.name in without), part.name
        page = taken.read(f"pages/{part.name}.html").decode()
        assert (CANARY in page) == (CANARY in taken.read(f"data/{part.name}.json").decode())
    everything = b"".join(taken.read(name) for name in taken.namelist())
    assert secret.encode() not in everything
    assert b"argon2" not in everything
    files = {each["title"]: each for each in data(taken, "files")}
    assert taken.read(files["<b>Diploma</b>"]["path"]) == PDF + b"first"
    assert taken.read(files["certificate.pdf"]["path"]) == PDF + b"second"
    index = taken.read("index.html").decode()
    assert "&lt;b&gt;Diploma&lt;/b&gt;" in index
    assert "http" not in index.replace("http-equiv", "")
    before = len(records.access_records)
    again = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    assert len(again.access_records) == before  # one's own look is none
    alone = export(person, without_files=True)
    assert not [name for name in alone.namelist() if name.startswith("evidence/")]
    assert len(data(alone, "evidence")) == 2


def in_language(portfolio: Portfolio, languages: list[str], **fields: Any) -> str:
    """The language that the index of an archive and each of its pages are in; what is said there is too."""
    person = portfolio.person(languages=languages, given_name="Ada <3")
    entry(person)
    taken = export(person, **fields)
    found = {re.findall('<html lang="(..)">', taken.read(page).decode())[0] for page in pages_of(taken)}
    (language,) = found
    words = {code: words_of(WORDS, code) for code in LANGUAGES}
    index, shown = (html.unescape(taken.read(page).decode()) for page in pages_of(taken)[:2])
    assert person.holder in index
    for code, said in words.items():
        for key in ("title", "there", "files", "no_file", "missing", "not_here", "labels"):
            assert (said[key] in index) == (code == language), key
        assert (said["parts"]["entry-revisions"] in index) == (code == language)
        assert (f"<title>{said['parts']['holder']}</title>" in shown) == (code == language)
        for part in PARTS:
            assert code != language or said["parts"][part.name] in index
    assert "Ada <3" in shown
    return language


def pages_of(taken: zipfile.ZipFile) -> list[str]:
    """The index, who it is of, and all other pages."""
    named = sorted(name for name in taken.namelist() if name.startswith("pages/"))
    return ["index.html", "pages/holder.html", *named]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_in_the_language_of_the_holder(portfolio: Portfolio, language: str) -> None:
    assert in_language(portfolio, [language]) == language
    assert in_language(portfolio, ["uk"], language_code=language) == language


def test_other_languages_fall_back(portfolio: Portfolio) -> None:
    for languages in ([], ["uk", "nl"], ["x-klingon"]):
        assert in_language(portfolio, languages) == "en"
    assert in_language(portfolio, ["de-AT", "nl"]) == "de"
    assert in_language(portfolio, ["de"], language_code="nl-BE") == "nl"
    person = portfolio.person()
    assert reason_of(lambda _: list(streamed(person, language_code="../x")), None) == "INVALID_ARGUMENT"


def test_every_language_has_a_word_for_everything() -> None:
    ours = {code: words_of(WORDS, code) for code in LANGUAGES}
    names = {part.name for part in PARTS}
    for said in ours.values():
        assert (said.keys(), said["parts"].keys()) == (ours["en"].keys(), names)
        assert all(said.values())
        assert all(said["parts"].values())


def test_credentials_leave_in_their_own_bytes(portfolio: Portfolio) -> None:
    given = submitted(portfolio)
    given.concluded(SHOWN, SHOWN)
    wallet = given.person.ListCredentials(
        credential_pb2.ListCredentialsRequest(parent=given.person.holder)
    ).credentials
    taken = export(given.person)
    (issued,) = data(taken, "issued-credentials")
    assert issued["holder"] == given.person.holder
    paths = {file["path"] for file in data(taken, "files")}
    for form, ending in ((None, "json"), (JWT, "jwt")):
        request = credential_pb2.GetCredentialFileRequest(name=wallet[0].name, form=form)
        path = f"credentials/{wallet[0].name.rpartition('/')[2]}.{ending}"
        assert taken.read(path) == given.person.GetCredentialFile(request).content
        paths.remove(path)
    assert not paths


def bytes_of(person: Caller, received: bytes = b"", **fields: Any) -> bytes:
    """All of an archive, or what comes after the bytes received."""
    if received:
        sha256 = hashlib.sha256(received).hexdigest()
        fields |= {"received_bytes": len(received), "received_sha256": sha256}
    return b"".join(part.data for part in streamed(person, **fields))


def intact(archive: bytes) -> bool:
    """True when each file in an archive can be read and is what it was."""
    try:
        return zipfile.ZipFile(io.BytesIO(archive)).testzip() is None
    except zipfile.BadZipFile:
        return False


def test_what_broke_off_goes_on_where_it_was(portfolio_with_files: Portfolio) -> None:
    person = portfolio_with_files.person(
        summary=dict.fromkeys(("nl", "de", "fr", "en", "es", "it"), "x" * 50)
    )
    upload(person, PDF * 20_000)
    whole = bytes_of(person)
    for received in (1, 100, len(whole) // 2, len(whole) - 1, len(whole)):
        assert bytes_of(person, whole[:received]) == whole[received:], received
    alone = bytes_of(person, without_files=True)
    assert bytes_of(person, alone[:1000], without_files=True) == alone[1000:]


def test_a_map_is_written_in_one_order() -> None:
    """Protobuf's maps are ordered by a seed of the process, so that a test of one process could not tell."""
    said = [{"summary": {"nl": "x", "de": "y"}}, {"summary": {"de": "y", "nl": "x"}}]
    one, other = (b"".join(archive._json([each])) for each in said)
    assert one == other


def test_what_has_changed_is_not_gone_on_with(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    person = portfolio.person()
    entry(person, "before")
    whole = bytes_of(person)
    half = whole[: len(whole) // 2]
    share(person, ["holder"])  # its part of the archive comes later
    later = half + bytes_of(person, half)
    assert intact(later)
    assert len(data(zipfile.ZipFile(io.BytesIO(later)), "share-links")) == 1
    entry(person, "meanwhile")

    def changed(received: bytes, **fields: Any) -> str:
        taken: list[bytes] = []
        reason = reason_of(lambda _: taken.append(bytes_of(person, received, **fields)), None)
        assert not taken
        return reason

    assert changed(half) == "EXPORT_CHANGED"
    longer = bytes_of(person) + b"more"
    assert changed(longer) == "EXPORT_CHANGED"
    assert changed(longer[:-4], language_code="nl") == "EXPORT_CHANGED"
    for wrong in ({"received_bytes": 1}, {"received_sha256": "0" * 64}):
        assert reason_of(lambda _, wrong=wrong: list(streamed(person, **wrong)), None) == "INVALID_ARGUMENT"
    monkeypatch.setattr(resuming, "_require_same", lambda *_: None)  # control
    assert not intact(half + bytes_of(person, half))


def test_nobody_else_takes_it_and_nothing_is_left_to_take(portfolio: Portfolio) -> None:
    person, other = portfolio.person(given_name=CANARY), portfolio.person()
    wanted = pb.ExportHolderRequest(name=person.holder)
    for stranger in (other, portfolio.mandated(person), portfolio.staff("caseworker")):
        with pytest.raises(grpc.RpcError) as caught:
            list(stranger.ExportHolder(wanted))
        assert caught.value.code().name in {"NOT_FOUND", "PERMISSION_DENIED"}  # type: ignore[attr-defined]
    person.EraseHolder(erase_request(person))
    assert reason_of(lambda _: list(streamed(person)), None) == "NOT_FOUND"


def test_an_archive_that_breaks_off_does_not_open(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong bytes in the store, and an erasure under way, both end the stream before the list of files."""
    person = portfolio_with_files.person()
    key = upload(person)
    objects = portfolio_with_files.app.objects
    objects.put(BUCKET, key, io.BytesIO(PDF.replace(b"evidence", b"forgery!")), size=len(PDF))
    assert broken_off(person) == "INTERNAL"
    with monkeypatch.context() as patched:  # control
        opened = Objects.open
        patched.setattr(Objects, "open", lambda *given, sha256="", **more: opened(*given, **more))
        assert b"forgery" in b"".join(part.data for part in streamed(person))
    objects.delete(BUCKET, key)
    assert broken_off(person) == "NOT_FOUND"
    leaving = portfolio_with_files.person()
    entry(leaving)
    written = archive.written

    def erased_meanwhile(*given: Any, **more: Any) -> Any:
        parts = written(*given, **more)
        leaving.EraseHolder(erase_request(leaving))
        yield from parts

    monkeypatch.setattr("services.portfolio.api.holders.written", erased_meanwhile)
    assert broken_off(leaving) == "NOT_FOUND"


def broken_off(person: Caller) -> str:
    """The reason for which a stream ended; what came of it is no archive."""
    taken = io.BytesIO()

    def take(_: Any) -> None:
        for part in streamed(person):
            taken.write(part.data)

    reason = reason_of(take, None)
    assert not zipfile.is_zipfile(taken)
    return reason
