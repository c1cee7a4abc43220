"""Whether the outside parts of a stack can be used, told in one line that names the setting to mend."""

import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from services.cli.stack.plan import Plan

ADVICE = "See that it runs, or mend the setting."


def check_settings(environ: Mapping[str, str] = os.environ) -> None:
    """Raise SettingsError for a setting that processes of a stack would refuse, before any is started."""
    from services.platform.settings import check_stack

    check_stack(environ, environ.get("WAYMARK_OIDC_ISSUER", "").strip() or "http://127.0.0.1")


@contextmanager
def used(setting: str, what: str) -> Iterator[None]:
    """Run a block that uses the part `what`, to which `setting` leads; "" for the embedded one.

    Raises:
        SystemExit: the outside part cannot be used, with the reason in one line.
    """
    try:
        yield
    except Exception as error:
        if not setting:
            raise
        traceback.print_exc()
        sys.exit(f"{setting} leads to no {what} that can be used: {words_of(error)}. {ADVICE}")


def words_of(error: BaseException) -> str:
    """Return the first line of what is at the bottom of an error of a client: of PostgreSQL, Kafka or S3."""
    inner = getattr(error, "orig", None) or getattr(error, "reason", None)
    if not isinstance(inner, BaseException):
        inner = error.__cause__
    if inner is not None:
        return words_of(inner)
    return getattr(error, "code", None) or str(error).strip().partition("\n")[0] or type(error).__name__


def try_object_store(plan: Plan) -> None:
    """See that the object store answers and takes the keys; raises Refusal when not."""
    from services.platform.objects.store import Objects
    from services.platform.settings import Settings

    told = {**plan.relay_environment("catalogue"), **plan.s3_environment()}
    with closing(Objects(Settings.from_environment("catalogue", told))) as objects:
        objects.reach()
