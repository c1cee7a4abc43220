"""Topics: read from `deploy/kafka/topics.toml`, created and adjusted on the broker."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.platform.events.clients import admin
from services.platform.events.contract import all_events, route

if TYPE_CHECKING:
    from services.platform.settings import Settings

DECLARATIONS = Path(__file__).resolve().parents[3] / "deploy" / "kafka" / "topics.toml"
MINUTE_MS, DAY_MS = 60_000, 86_400_000


class TopicError(Exception):
    """A topic on the broker is not as declared and cannot be made so."""


@dataclass(frozen=True)
class Topic:
    """A declared topic; `retention_days` -1 keeps everything. `retention_minutes`, where not zero, counts
    instead: a message is gone after twice as long and the pause between the broker's looks."""

    name: str
    partitions: int
    retention_days: int
    compacted: bool
    retention_minutes: int = 0

    @property
    def configs(self) -> dict[str, str]:
        """Topic settings as the broker names them."""
        policy = {"cleanup.policy": "compact" if self.compacted else "delete"}
        if self.compacted:
            # Consumers that were away this long still see every deletion marker.
            return policy | {"delete.retention.ms": str(self.retention_days * DAY_MS)}
        if self.retention_minutes:
            # The broker deletes whole segments, so the last one must not grow for days.
            limit = str(self.retention_minutes * MINUTE_MS)
            return policy | {"retention.ms": limit, "segment.ms": limit}
        days = self.retention_days
        return policy | {"retention.ms": str(days * DAY_MS if days >= 0 else -1)}


def dead_letter_topic(service: str) -> str:
    """Returns the name of the topic that holds what a service could not consume."""
    return f"waymark.{service}.dead-letters.v1"


def declared(path: Path = DECLARATIONS) -> dict[str, Topic]:
    """Returns every declared topic by name; raises ValueError for a setting that is none."""
    content = tomllib.loads(path.read_text())
    defaults = content["defaults"]
    topics = {}
    for name, own in content["topics"].items():
        unknown = own.keys() - defaults.keys()
        if unknown:
            raise ValueError(f"{path.name}: topic {name} has unknown settings {sorted(unknown)}.")
        topics[name] = Topic(name, **(defaults | own))
    return topics


def topics_of(service: str) -> list[Topic]:
    """Returns the declared topics that a service publishes or, by the contracts' event options, consumes."""
    own = f"waymark.{service}."
    consumed = {route(kind).topic for kind in all_events() if service in route(kind).consumers}
    return [topic for name, topic in declared().items() if name.startswith(own) or name in consumed]


def ensure_topics(settings: Settings, topics: Iterable[Topic]) -> list[str]:
    """Creates missing topics and adjusts retention and compaction of the others; returns the names created.

    Safe to run by several replicas at once. Raises TopicError when a topic has more partitions than
    declared, or fewer: changing them would move keys between partitions, which only a person may decide.
    """
    wanted = {topic.name: topic for topic in topics}
    client = admin(settings)
    try:
        present = set(client.list_topics())
        missing = [topic for name, topic in wanted.items() if name not in present]
        if missing:
            _create(client, missing)
        _adjust(client, wanted, present)
    finally:
        client.close()
    return [topic.name for topic in missing]


def _create(client: Any, topics: list[Topic]) -> None:
    from kafka.errors import TopicAlreadyExistsError, for_code

    answer = client.create_topics(
        {topic.name: {"num_partitions": topic.partitions, "configs": topic.configs} for topic in topics},
        raise_errors=False,
    )
    for result in answer["topics"]:
        error = for_code(result["error_code"])
        if result["error_code"] and error is not TopicAlreadyExistsError:
            raise TopicError(f"Topic {result['name']} was not created: {error.__name__}.")
    client.wait_for_topics([topic.name for topic in topics])


def _adjust(client: Any, wanted: dict[str, Topic], present: set[str]) -> None:
    from kafka.admin import ConfigResource

    known = [name for name in wanted if name in present]
    if not known:
        return
    for description in client.describe_topics(known):
        topic, count = wanted[description["name"]], len(description["partitions"])
        if count != topic.partitions:
            raise TopicError(
                f"Topic {topic.name} has {count} partitions and {topic.partitions} are declared."
            )
    client.alter_configs([ConfigResource("TOPIC", name, wanted[name].configs) for name in known])
