"""Objects: files in S3, uploaded by ticket, checked before use."""

from services.platform.objects.store import Objects, UploadTicket

__all__ = ["Objects", "UploadTicket"]
