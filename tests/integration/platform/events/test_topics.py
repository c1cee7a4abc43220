"""Topics: one file, held against the contracts, made on the broker as declared."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from services.platform.events import clients
from services.platform.events.contract import all_events, route
from services.platform.events.topics import (
    Topic,
    TopicError,
    dead_letter_topic,
    declared,
    ensure_topics,
    topics_of,
)
from services.platform.service import SERVICES
from tests.support.events import test_settings
from tests.support.waiting import eventually


def test_declared_are_the_topics_of_the_contracts_and_the_dead_letters():
    wanted = {route(kind).topic for kind in all_events()} | {dead_letter_topic(name) for name in SERVICES}
    assert set(declared()) == wanted


def test_every_event_key_names_a_text_field():
    for kind in all_events():
        descriptor = kind.DESCRIPTOR
        for name in route(kind).path:
            field = descriptor.fields_by_name[name]
            descriptor = field.message_type
        assert field.type == field.TYPE_STRING


def test_a_topic_keeps_nothing_for_longer_than_its_events_are_of_use():
    for kind in all_events():
        if keep := route(kind).keep:
            configs = declared()[route(kind).topic].configs
            assert int(configs["retention.ms"]) <= keep.total_seconds() * 1000
            assert int(configs["segment.ms"]) <= keep.total_seconds() * 1000


def test_a_compacted_topic_has_one_event_type_so_that_the_newest_message_is_the_whole_state():
    for topic in declared().values():
        if topic.compacted:
            assert len([kind for kind in all_events() if route(kind).topic == topic.name]) == 1


def test_a_service_is_given_what_it_publishes_and_consumes():
    names = {topic.name for topic in topics_of("vouchers")}
    assert {"waymark.vouchers.redemptions.v1", "waymark.catalogue.organisations.v1"} <= names
    assert "waymark.portfolio.pathways.v1" not in names


def test_an_unknown_setting_is_refused(tmp_path):
    file = tmp_path / "topics.toml"
    file.write_text('[defaults]\npartitions = 1\n[topics."a"]\npartitons = 2\n')
    with pytest.raises(ValueError, match="partitons"):
        declared(file)


def test_topics_are_made_adjusted_and_never_repartitioned(kafka):
    from kafka.admin import ConfigResource

    settings = test_settings("probe", kafka_bootstrap=kafka)
    topic = Topic(f"waymark.probe.{secrets.token_hex(4)}.v1", 2, retention_days=1, compacted=False)
    assert ensure_topics(settings, [topic]) == [topic.name]
    assert ensure_topics(settings, [replace(topic, retention_days=2)]) == []
    client = clients.admin(settings)

    def times_said(milliseconds: int) -> int:
        answer = repr(client.describe_configs([ConfigResource("TOPIC", topic.name)]))
        return answer.count(str(milliseconds))

    eventually(lambda: times_said(2 * 86_400_000))  # a broker learns of a change a moment after it is made
    ensure_topics(settings, [replace(topic, retention_minutes=7)])
    eventually(lambda: times_said(7 * 60_000) >= 2)  # of what is there, and of the segment that grows
    client.close()
    with pytest.raises(TopicError, match="2 partitions"):
        ensure_topics(settings, [replace(topic, partitions=3)])
