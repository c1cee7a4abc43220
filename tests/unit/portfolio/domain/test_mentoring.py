"""Who fits as a mentor and why, and what a match needs to be in force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from waymark.portfolio.v1 import mentor_pb2
from waymark.portfolio.v1 import mentoring_match_pb2 as pb

from services.platform.errors import Refusal
from services.portfolio.domain import mentoring
from services.portfolio.domain.mentoring import Offer, Party, Standing, Wish

NOW = datetime(2026, 3, 1, tzinfo=UTC)
END = NOW + timedelta(days=30)
Match = pb.MentoringMatch
PROPOSED = Standing(Match.STATE_PROPOSED, END)
WELDER, COOK = "http://x/welder", "http://x/cook"


def offer(name: str, uris: tuple[str, ...] = (), codes: tuple[str, ...] = (), languages: str = "nl") -> Offer:
    return Offer(name, "organisations/x", uris, codes, languages.split())


def test_the_nearest_occupation_comes_first_then_the_first_language() -> None:
    wish = Wish(WELDER, "7212", ["nl", "fr"])
    offers = [
        offer("same", (WELDER,)),
        offer("unit", codes=("7212",)),
        offer("unit in French", codes=("7212",), languages="fr"),
        offer("minor group", codes=("7213",)),
        offer("sub-major group", codes=("7233",)),
        offer("another major group", codes=("5120",)),
        offer("another language", (WELDER,), languages="pl"),
        offer("another occupation", (COOK,)),
    ]
    for order in list(permutations(offers))[::997]:
        found = mentoring.suggested(wish, order)
        ranked = ["same", "unit", "unit in French", "minor group", "sub-major group"]
        assert [each.mentor for each, _ in found] == ranked
    told = {each.mentor: reasons for each, reasons in mentoring.suggested(wish, offers)}
    assert told["same"] == pb.MatchReasons(same_occupation=True, languages=["nl"])
    assert told["unit in French"] == pb.MatchReasons(isco_group="7212", languages=["fr"])
    assert told["minor group"].isco_group == "721"


def test_nothing_but_occupation_and_language_is_known_of_a_mentor_or_asked() -> None:
    """Gender, age and origin can be no reason, because no field says them."""
    assert Wish._fields == ("occupation_uri", "isco_code", "languages")
    assert Offer._fields == ("mentor", "organisation", "occupation_uris", "isco_codes", "languages")
    assert set(pb.MatchReasons.DESCRIPTOR.fields_by_name) == {"same_occupation", "isco_group", "languages"}
    told = {*mentor_pb2.Mentor.DESCRIPTOR.fields_by_name}
    assert not {name for name in told if any(word in name for word in ("gender", "sex", "age", "birth"))} - {
        "languages"
    }


def test_at_most_twenty_and_no_group_of_one_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    wish = Wish("", "7212", ["nl"])
    offers = [offer(f"{number:02}", codes=("7212",)) for number in range(30)]
    assert len(mentoring.suggested(wish, offers)) == 20
    monkeypatch.setattr(mentoring, "MOST_SUGGESTED", 100)  # control
    assert len(mentoring.suggested(wish, offers)) == 30
    assert mentoring.groups_of(["7", "72", "7212"]) == ["72", "721", "7212"]
    assert mentoring.languages_of(["nl-BE", "fr", "nl"]) == ["nl", "fr"]


def test_both_must_agree_in_any_order() -> None:
    for first, second in permutations(Party):
        half = PROPOSED.agree(first, NOW)
        assert half.state == Match.STATE_PROPOSED
        assert half.agree(first, NOW + timedelta(days=1)) == half  # twice is no second consent
        assert half.agree(second, NOW).state == Match.STATE_ACTIVE
    active = PROPOSED.agree(Party.HOLDER, NOW).agree(Party.MENTOR, NOW)
    assert active.end().state == Match.STATE_ENDED
    assert PROPOSED.end().state == Match.STATE_DECLINED
    for over in (active.end(), PROPOSED.end(), PROPOSED.at(END), active.at(END)):
        with pytest.raises(Refusal):
            over.end()
    with pytest.raises(Refusal):
        PROPOSED.at(END).agree(Party.HOLDER, END)


def test_it_is_over_at_its_end_and_not_before() -> None:
    active = PROPOSED.agree(Party.HOLDER, NOW).agree(Party.MENTOR, NOW)
    assert active.at(END - timedelta(microseconds=1)).state == Match.STATE_ACTIVE
    assert active.at(END).state == Match.STATE_EXPIRED
    assert active.end().at(END).state == Match.STATE_ENDED  # an end of its own stays what it was


@pytest.mark.parametrize(("fields", "by_holder"), [((), True), (("holder",), False)])
def test_what_the_mentor_reads_is_for_the_holder_to_say(fields: tuple[str, ...], by_holder: bool) -> None:
    with pytest.raises(Refusal):
        mentoring.check_given(fields, by_holder=by_holder, path="fields")
    mentoring.check_given(fields, by_holder=not by_holder, path="fields")
