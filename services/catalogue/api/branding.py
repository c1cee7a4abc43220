"""OrganisationService, the branding of it: what every offer of an organisation is shown with."""

from __future__ import annotations

import mimetypes
from typing import Any

from waymark.catalogue.v1 import course_pb2, organisation_pb2
from waymark.catalogue.v1.organisation_pb2 import Branding, GetLogoRequest, Logo
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import last, part
from services.catalogue.store import organisations, uploads
from services.catalogue.store.branding import logo_name
from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.objects.tickets import DOWNLOAD
from services.platform.rpc.handlers import query

LARGEST = 1024 * 1024  # bytes of a logo
# Pictures without code in them: no SVG. That the bytes are one was seen when the upload was finalized.
IMAGES = ("image/png", "image/jpeg", "image/webp")


class BrandingApi:
    """Where logos are fetched."""

    def __init__(self, app: App) -> None:
        self.app = app

    @query
    def GetLogo(self, tx: Transaction, request: GetLogoRequest) -> Logo:
        row = organisations.read(tx.connection, part(request.name, 1))
        if row.logo_id is None or logo_name(row.id, row.logo_id) != request.name:
            raise Refusal(reason_pb2.REASON_NOT_FOUND, "The organisation has no such logo.")
        upload = uploads.read(tx.connection, row.logo_id)
        file = f"{row.id}{mimetypes.guess_extension(upload.content_type)}"
        url = self.app.objects.download_url(uploads.BUCKET, upload.id, file, upload.content_type)
        answer = Logo(
            name=request.name,
            content_type=upload.content_type,
            size_bytes=upload.size_bytes,
            download_url=url,
        )
        answer.expire_time.FromDatetime(tx.now + DOWNLOAD)
        return answer


def branding_values(tx: Transaction, row: Any, given: Branding) -> dict[str, Any]:
    """Returns the columns for a new branding of the organisation in `row`.

    Raises Refusal NOT_FOUND or WRONG_STATE for an upload that is not the caller's or not ready, and
    INVALID_ARGUMENT for one that is no picture, or for a logo of another.
    """
    logo = row.logo_id
    if not given.logo:
        logo = None
    elif given.logo.startswith("catalogueUploads/"):
        upload = uploads.read_ready(tx, last(given.logo))
        if upload.content_type not in IMAGES:
            raise invalid("organisation.branding.logo", f"must be one of {', '.join(IMAGES)}")
        if upload.size_bytes > LARGEST:
            raise invalid("organisation.branding.logo", f"must have at most {LARGEST} bytes")
        logo = upload.id
    elif given.logo != logo_name(row.id, logo):
        raise invalid(
            "organisation.branding.logo", "must be an upload, or the logo that the organisation has"
        )
    return {"logo_id": logo, "narratives": dict(given.narratives)}


def put_branding(message: organisation_pb2.Organisation | course_pb2.Course, row: Any) -> None:
    """Writes the branding of an organisation's row (id, logo_id, narratives) into a message, if any."""
    if row.logo_id or row.narratives:
        logo = logo_name(row.id, row.logo_id)
        message.branding.CopyFrom(Branding(logo=logo, narratives=row.narratives))
