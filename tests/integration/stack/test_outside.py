"""Outside parts that cannot be used, told in one line with the setting to mend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.cli.stack.outside import try_object_store, used
from services.cli.stack.plan import Plan
from services.cli.stack.ports import free_port
from tests.support.parts import S3Address


def tried(home: Path, s3: S3Address) -> None:
    told = {
        "WAYMARK_S3_ENDPOINT": s3.endpoint,
        "WAYMARK_S3_ACCESS_KEY": s3.access_key,
        "WAYMARK_S3_SECRET_KEY": s3.secret_key,
    }
    with used("WAYMARK_S3_ENDPOINT", "S3"):
        try_object_store(Plan(home, 8080, told))


def test_an_object_store_that_does_not_answer_or_take_the_keys_is_told(tmp_path: Path, s3: S3Address) -> None:
    tried(tmp_path, s3)
    with pytest.raises(SystemExit, match=r"^WAYMARK_S3_ENDPOINT .*: AccessDenied\. See that"):
        tried(tmp_path, replace(s3, secret_key="another"))
    with pytest.raises(SystemExit, match=r"^WAYMARK_S3_ENDPOINT .*Connection refused\. See that"):
        tried(tmp_path, replace(s3, endpoint=f"http://127.0.0.1:{free_port()}"))


def test_control_what_fails_in_an_embedded_part_is_told_whole() -> None:
    with pytest.raises(KeyError), used("", "PostgreSQL"):
        raise KeyError
