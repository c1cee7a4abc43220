"""Watching topics: what is there, what comes, and what is made only later."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any

from services.platform.events import clients, looking
from services.platform.events.topics import Topic, ensure_topics
from tests.support.events import Rig
from tests.support.waiting import eventually


class Watcher:
    """`tail` on a thread; `seen` is how many events it has told, `ended` whether it stopped by itself."""

    def __init__(self, rig: Rig, topic: str) -> None:
        self.seen = 0
        self.thread = threading.Thread(target=self._run, args=(rig, topic), daemon=True)
        self.thread.start()

    def _run(self, rig: Rig, topic: str) -> None:
        for _ in looking.tail(rig.settings, [topic], from_beginning=True, follow=True):
            self.seen += 1
            if self.seen == 2:
                return

    @property
    def ended(self) -> bool:
        return not self.thread.is_alive()


def make(rig: Rig, topic: str) -> None:
    ensure_topics(rig.settings, [Topic(topic, 3, retention_days=1, compacted=False)])


def send(rig: Rig, topic: str) -> None:
    producer = clients.producer(rig.settings)
    producer.send(topic, key=b"k", value=b"", headers=[]).get(60)
    producer.close()


def watched(rig: Rig, *steps: Any) -> Watcher:
    """Takes the steps on a topic, watched from the first on until its two events are told."""
    topic = f"waymark.{rig.service}.{secrets.token_hex(4)}.v1"
    begin, *others = steps
    begin(rig, topic)
    watcher = Watcher(rig, topic)
    for step in others:
        step(rig, topic)
    eventually(lambda: watcher.ended)
    return watcher


def nothing(*_: Any) -> None:
    pass


def before(rig: Rig, topic: str) -> None:
    make(rig, topic)
    send(rig, topic)


def a_moment(*_: Any) -> None:
    time.sleep(1)  # so that the watcher has looked


def test_what_is_there_and_what_comes_is_told(rig: Rig) -> None:
    assert watched(rig, before, send).seen == 2


def test_a_topic_that_is_made_later_is_told_from_its_first_event(rig: Rig) -> None:
    assert watched(rig, nothing, a_moment, make, send, send).seen == 2


def test_without_following_it_ends_with_what_is_there(rig: Rig) -> None:
    send(rig, rig.topic)
    topics = [rig.topic, "waymark.nobody.made.v1"]
    assert len(list(looking.tail(rig.settings, topics, from_beginning=True, follow=False))) == 1
    assert list(looking.tail(rig.settings, topics, from_beginning=False, follow=False)) == []
