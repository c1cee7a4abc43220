"""What commands share that run or look into one service: its name and its settings from the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.exits import ExitCode, Failure

if TYPE_CHECKING:
    from services.platform.settings import Settings

NAMES = ("catalogue", "vouchers", "portfolio")


def _check(name: str) -> str:
    if name not in NAMES:
        raise typer.BadParameter(f"there are {', '.join(NAMES)}")
    return name


ServiceName = Annotated[str, typer.Argument(help="catalogue, vouchers or portfolio", callback=_check)]


def settings_of(service: str) -> Settings:
    """Returns the settings of a service; raises Failure naming the variable that is missing or wrong."""
    from services.platform.settings import Settings, SettingsError

    try:
        settings = Settings.from_environment(service)
        settings.refuse_half_named()
    except SettingsError as error:
        raise Failure(ExitCode.USAGE, str(error)) from error
    wanted = {
        f"WAYMARK_{service.upper()}_DATABASE_URL": settings.database_url,
        "WAYMARK_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
    }
    for name, value in wanted.items():
        if not value:
            raise Failure(ExitCode.USAGE, f"{name} is not set.", remedy="`waymark up` sets it for its parts.")
    return settings
