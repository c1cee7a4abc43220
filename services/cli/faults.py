"""What a command fails at outside of itself: a file, a setting, a database, a broker."""

from __future__ import annotations

from services.cli.exits import ExitCode, Failure


def failure_of(error: Exception) -> Failure | None:
    """Returns what to tell of the error: a file that cannot be read or written, a wrong setting, something
    that does not answer. None when it is a mistake of the program's, which a traceback tells best."""
    if isinstance(error, OSError) and error.filename is not None:
        return Failure(ExitCode.OTHER, f"{error.filename2 or error.filename}: {error.strerror}.")
    from services.platform.events.faults import passing
    from services.platform.settings import SettingsError

    if isinstance(error, SettingsError):
        return Failure(ExitCode.USAGE, str(error))
    if passing(error):
        text = str(error).partition("\n")[0] or type(error).__name__
        return Failure(ExitCode.UNREACHABLE, text, remedy="See that it runs, then repeat.")
    return None
