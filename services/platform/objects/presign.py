"""Presigned addresses (AWS Signature Version 4, query form) whose signature also covers headers.

The minio client signs only the host; here a PUT is bound to the size, type and SHA-256 of its body. What a
server then enforces differs: every one demands the signed headers as they are, and so the length and type;
S3 itself and MinIO also compare the checksum with the body, `rclone serve s3` does not. Whoever uses the
object checks its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote, urlencode, urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

MAX_EXPIRY = timedelta(days=7)  # more is refused by the standard


class Presigner:
    """Signs addresses below `endpoint`, the one that clients use, with the service's own key pair."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str, region: str) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._credentials = Credentials(access_key, secret_key)
        self._region = region

    def sign(
        self,
        method: str,
        bucket: str,
        key: str,
        expires: timedelta,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> str:
        """Returns an address good for one method on one object until `expires` from now.

        The caller must send exactly `headers`. A path in the endpoint is what the edge strips before the
        store sees the request, so it is not part of what is signed. Raises ValueError for an expiry over
        seven days.
        """
        if not timedelta(0) < expires <= MAX_EXPIRY:
            raise ValueError("A presigned address lives for at most seven days.")
        parts = urlsplit(self._endpoint)
        plain = f"{parts.scheme}://{parts.netloc}/{bucket}/{quote(key)}"
        request = AWSRequest(
            method=method,
            url=plain + (f"?{urlencode(query, quote_via=quote)}" if query else ""),
            headers=dict(headers or {}),
        )
        seconds = int(expires.total_seconds())
        S3SigV4QueryAuth(self._credentials, "s3", self._region, expires=seconds).add_auth(request)
        return str(request.url).replace(f"{parts.scheme}://{parts.netloc}", self._endpoint, 1)
