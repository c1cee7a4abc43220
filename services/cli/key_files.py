"""Files of public keys, for what is verified without a stack."""

from __future__ import annotations

from pathlib import Path

from services.cli.exits import ExitCode, Failure


def read_keys(file: Path, command: str) -> dict[str, bytes]:
    """Returns the public keys in a JWK set by id; raises Failure saying what is wrong with the file.

    `command`: what writes such a file with --json.
    """
    from services.platform.signing import keys_of

    try:
        return keys_of(file.read_bytes())
    except ValueError as error:
        raise Failure(
            ExitCode.USAGE,
            f"{file} is no file with public keys: {error}.",
            remedy=f"Write one with `{command} --json > keys.json`, wherever there is a network.",
        ) from error
