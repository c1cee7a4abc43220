"""Logo and narrative: brought by the partner, shown with course and hit, and never code."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from waymark.catalogue.v1 import course_pb2, upload_pb2
from waymark.catalogue.v1 import organisation_pb2 as pb

from services.catalogue.api import branding
from services.cli.demo.papers import logo
from tests.integration.catalogue.feeds import feed, row
from tests.support.catalogue import Catalogue, with_taxonomy
from tests.support.portfolio import reason_of
from tests.support.servers import token
from tests.support.uploads import put

PICTURE = logo(b"\x10\x20\x30")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def brand(name: str, logo: str = "", **narratives: str) -> pb.UpdateOrganisationRequest:
    given = pb.Organisation(name=name, branding=pb.Branding(logo=logo, narratives=narratives))
    return pb.UpdateOrganisationRequest(organisation=given, update_mask=FieldMask(paths=["branding"]))


@pytest.fixture
def own(catalogue: Catalogue) -> tuple[str, str]:
    """An organisation and the token of somebody of it."""
    name = catalogue.organisation("harbour")
    return name, token("provider", org=name, subject="0198c5f0-7a51-7cc3-9d0a-3a1b2c3d4e5f")


def test_it_is_shown_wherever_the_offer_is(catalogue: Catalogue, own: tuple[str, str]) -> None:
    name, access = own
    with_taxonomy(catalogue)
    catalogue.feed(catalogue.source(name), feed(row("A", "Welding")))
    update = catalogue.organisations(access).UpdateOrganisation
    made = update(brand(name, catalogue.upload(PICTURE, "image/png", access), en="By the quay."))
    assert made.branding.logo.startswith(f"{name}/logos/")
    course = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses[0]
    read = catalogue.courses("").GetCourse(course_pb2.GetCourseRequest(name=course.name))
    assert course.branding == read.branding == made.branding
    hit = catalogue.wait_for(lambda: catalogue.search("welding", include_not_bookable=True).hits)[0]
    shown = catalogue.wait_for(
        lambda: catalogue.search("welding", include_not_bookable=True).hits[0].organisation_logo
    )
    assert (shown, hit.organisation_display_name) == (made.branding.logo, "HARBOUR")
    found = catalogue.organisations("").GetLogo(pb.GetLogoRequest(name=shown))
    answer = httpx.get(found.download_url)
    assert (answer.content, answer.headers["content-type"]) == (PICTURE, "image/png")
    kept = update(brand(name, shown, nl="Aan de kade."))
    assert (kept.branding.logo, dict(kept.branding.narratives)) == (shown, {"nl": "Aan de kade."})
    assert not update(brand(name)).HasField("branding")
    assert reason_of(catalogue.organisations("").GetLogo, pb.GetLogoRequest(name=shown)) == "NOT_FOUND"


def test_a_branch_is_shown_as_the_next_above_it_until_it_has_branding(
    catalogue: Catalogue, own: tuple[str, str]
) -> None:
    name, access = own
    with_taxonomy(catalogue)
    office, desk = (catalogue.organisation(each) for each in ("office", "desk"))
    for child, parent in ((office, name), (desk, office)):
        change = pb.Organisation(name=child, parent=parent)
        catalogue.organisations().UpdateOrganisation(
            pb.UpdateOrganisationRequest(organisation=change, update_mask=FieldMask(paths=["parent"]))
        )
    catalogue.feed(catalogue.source(desk), feed(row("A", "Welding")))

    def course() -> Any:
        return catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses[0]

    def logo() -> str:
        hits = catalogue.search("welding", include_not_bookable=True).hits
        return str(hits[0].organisation_logo) if hits else "none"

    assert not course().HasField("branding")
    picture = catalogue.upload(PICTURE, "image/png", access)
    head = catalogue.organisations(access).UpdateOrganisation(brand(name, picture)).branding
    assert course().branding == head
    assert catalogue.wait_for(lambda: logo() == head.logo)
    catalogue.organisations().UpdateOrganisation(brand(office, en="The office."))
    assert course().branding == pb.Branding(narratives={"en": "The office."})
    assert catalogue.wait_for(lambda: logo() == "")


def test_only_a_picture_of_ones_own(
    catalogue: Catalogue, own: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, access = own
    update = catalogue.organisations(access).UpdateOrganisation
    foreign = brand(name, catalogue.upload(PICTURE, "image/png"))
    assert reason_of(update, foreign) == "NOT_FOUND"
    table = brand(name, catalogue.upload(b"a,b\n", "text/csv", access))
    assert reason_of(update, table) == "INVALID_ARGUMENT"
    elsewhere = brand(name, "organisations/other/logos/0198c5f0-7a51-7cc3-9d0a-3a1b2c3d4e5f")
    assert reason_of(update, elsewhere) == "INVALID_ARGUMENT"
    upload = catalogue.upload(PICTURE, "image/png", access)
    monkeypatch.setattr(branding, "LARGEST", len(PICTURE) - 1)
    assert reason_of(update, brand(name, upload)) == "INVALID_ARGUMENT"
    monkeypatch.undo()  # control: it is the limit that refuses
    assert update(brand(name, upload)).branding.logo


@pytest.mark.parametrize(
    ("content_type", "data", "reason"),
    [
        ("image/svg+xml", SVG, "INVALID_ARGUMENT"),
        ("image/png", SVG, "UPLOAD_MISMATCH"),
        ("image/webp", PICTURE, "UPLOAD_MISMATCH"),
    ],
)
def test_code_is_no_picture(catalogue: Catalogue, content_type: str, data: bytes, reason: str) -> None:
    request = upload_pb2.CreateUploadRequest(
        size_bytes=len(data), content_type=content_type, sha256=hashlib.sha256(data).hexdigest()
    )

    def brought() -> Any:
        made = catalogue.uploads().CreateUpload(request)
        put(made.upload_url, made.upload_headers, data).raise_for_status()
        return upload_pb2.FinalizeUploadRequest(name=made.name)

    if reason == "INVALID_ARGUMENT":
        assert reason_of(catalogue.uploads().CreateUpload, request) == reason
    else:
        assert reason_of(catalogue.uploads().FinalizeUpload, brought()) == reason
