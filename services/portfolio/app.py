"""What a portfolio process holds beside the platform's: the key ring and the secrets of share links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.platform.app import App
from services.portfolio.domain.keys import KeyRing
from services.portfolio.domain.secrets import LinkSecrets

if TYPE_CHECKING:
    from services.platform.settings import Settings

MASTER = "portfolio-master.key"
FORMER = "portfolio-master.former.key"  # there while a rotation is under way


class PortfolioApp(App):
    """One per process."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        master = settings.secret(MASTER, size=32)
        former = [settings.secret(FORMER, size=32)] if (settings.secrets_dir / FORMER).exists() else []
        self.keys = KeyRing(master, former)
        # Of a key of its own: rotating the master key must not make every link a dead one.
        self.links = LinkSecrets(settings.secret("portfolio-links.key", size=32))
