"""Replay: gives a dead letter to its reaction again, after the fault has been mended."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from services.platform.db.transaction import transaction
from services.platform.events.dead_letters import TOO_LARGE, DeadLetters, letters, mark_replayed
from services.platform.events.effects import Effects
from services.platform.events.faults import reason_of
from services.platform.events.messages import Ignored, Poison, Reader

if TYPE_CHECKING:
    from services.platform.app import App
    from services.platform.service import ServiceDefinition


def replay(definition: ServiceDefinition, app: App, offsets: Collection[int]) -> dict[int, str]:
    """Runs the reactions of the dead letters at `offsets`, each in a transaction of its own.

    Returns by offset: `effect`, `duplicate` (it has had its effect), `ignored` (nobody reacts to it any
    more), or the reason why it fails again, TOO_LARGE for one whose body was left out. Offsets that are not
    there are left out.
    """
    reader = Reader(definition.reactions)
    effects = Effects(app, DeadLetters(app.settings, app.engine), definition.locks)
    outcomes = {}
    for letter, record in letters(app.settings):
        if letter.offset not in offsets:
            continue
        message = reader.read(record)
        if letter.reason == TOO_LARGE:
            outcomes[letter.offset] = TOO_LARGE
        elif isinstance(message, Ignored):
            outcomes[letter.offset] = "ignored"
        elif isinstance(message, Poison):
            outcomes[letter.offset] = message.reason
        else:
            try:
                with transaction(app) as tx:
                    new = effects.react(tx, [message])
                    mark_replayed(tx, letter)
                outcomes[letter.offset] = "effect" if new else "duplicate"
            except Exception as error:  # the next letter may be well
                outcomes[letter.offset] = reason_of(error)
    return outcomes
