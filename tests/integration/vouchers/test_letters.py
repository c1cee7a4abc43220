"""Letters: each decision in the person's language, with reasons, law, amounts and the way to appeal."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from lxml import html
from waymark.vouchers.v1 import application_pb2
from waymark.vouchers.v1 import decision_letter_pb2 as pb

from services.platform.paper import printing
from services.vouchers.letters import words
from tests.integration.vouchers import desks
from tests.integration.vouchers.refusals import refused
from tests.support.vouchers import World, sample

State = application_pb2.Application
HTML, PDF = pb.GetDecisionLetterRequest.FORMAT_HTML, pb.GetDecisionLetterRequest.FORMAT_PDF
FLEMISH = "flemish-training-voucher"


def letter(who: Any, name: str, language: str = "en", **fields: Any) -> Any:
    """Asks for a letter, HTML unless said otherwise."""
    request = pb.GetDecisionLetterRequest(name=name, language_code=language, **{"format": HTML, **fields})
    return who.letters.GetDecisionLetter(request)


def text_of(who: Any, name: str, language: str = "en", **fields: Any) -> str:
    """Returns the words of a letter, blanks as single ones."""
    page = html.fromstring(letter(who, name, language, **fields).data.decode())
    return " ".join(page.find("body").text_content().split())


def in_work(world: World, level: int) -> Any:
    return world.learner(employment_status="employed", education_level=level)


def test_a_letter_calls_the_training_as_people_do_and_as_it_was_called_then(world: World) -> None:
    programme, learner = world.programme(FLEMISH), in_work(world, 4)
    session = world.offer(titles={"en": "Welder: from the first seam", "nl": "Lasser: de eerste naad"})
    granted = world.apply(learner, programme, session)
    world.offer(titles={"en": "Baker"})
    assert "Welder: from the first seam" in text_of(learner, granted.name)
    dutch = text_of(learner, granted.name, "nl")
    assert "Lasser: de eerste naad" in dutch
    assert session not in dutch
    replay = application_pb2.ReplayApplicationRequest(name=granted.name)
    assert world.auditor.applications.ReplayApplication(replay).agrees


def test_a_grant_says_what_it_is_worth_in_each_language(world: World) -> None:
    learner = in_work(world, 4)
    granted = world.apply(learner, world.programme(FLEMISH))
    written = {
        "en": ("Your voucher is granted", "€125.00", "€875.00"),
        "nl": ("Uw cheque is toegekend", "€ 125,00", "€ 875,00"),
        "fr": ("Votre chèque est accordé", "125,00 €", "875,00 €"),
        "de-AT": ("Ihr Gutschein ist bewilligt", "125,00 €", "875,00 €"),
        "el": ("Η επιταγή σας εγκρίθηκε", "125,00 €", "875,00 €"),
        "et": ("Teile on antud osak", "125,00 €", "875,00 €"),
        "da": ("Din voucher er bevilget", "125,00 €", "875,00 €"),
        "pt-PT": ("O seu cheque foi concedido", "125,00 €", "875,00 €"),
        "fi": ("Your voucher is granted", "€125.00", "€875.00"),
    }
    for language, expected in written.items():
        said = text_of(learner, granted.name, language)
        assert [part for part in (*expected, granted.voucher, learner.learner) if part not in said] == []
    ends = words.day(desks.tomorrow(world, 420), "nl")
    assert f"De cheque is geldig tot en met{ends}" in text_of(learner, granted.name, "nl").replace(
        "met ", "met"
    )
    assert "Opleidingscheque" in text_of(learner, granted.name, "nl")


def test_a_voucher_that_ends_with_its_budget_says_so(world: World) -> None:
    rule = {**sample(FLEMISH)["version"]["windowRule"], "validityDays": 3000, "orderDays": 2000}
    said = []
    for within in (True, False):
        learner = in_work(world, 4)
        programme = world.programme(FLEMISH, windowRule={**rule, "withinBudgetPeriod": within})
        said.append(text_of(learner, world.apply(learner, programme).name))
    end = words.day(world.today.replace(month=12, day=31), "en")
    assert f"Book a training by{end}" in said[0].replace("by ", "by")
    assert f"The voucher is valid until{end}" in said[0].replace("until ", "until")
    assert end not in said[1]  # control: without the rule it is valid for longer


def test_a_refusal_says_which_conditions_failed_by_which_law_and_how_to_appeal(world: World) -> None:
    learner = world.learner(employment_status="unemployed", education_level=7, integration_programme=False)
    refusal = world.apply(learner, world.programme(FLEMISH))
    assert refusal.state == State.STATE_REFUSED
    said = text_of(learner, refusal.name, "nl")
    for part in (
        "Uw aanvraag voor een cheque is geweigerd",
        "De cheque is voor mensen zonder diploma hoger onderwijs. (Rechtsgrond: Training voucher decree, art",
        "De cheque is voor werkenden",
        f"De laatste dag daarvoor is {words.day(desks.tomorrow(world, 30), 'nl')}.",
        "Rechtsgrond: Training voucher decree, article 12",
        "automatisch beslist",
    ):
        assert part in said
    assert "The voucher is for people without a degree" in text_of(
        learner, refusal.name, "fr"
    )  # no French text
    closed = world.programme(**desks.NO_EVIDENCE)
    late = world.offer("courses/late", start=world.today - desks.timedelta(days=15))
    said = text_of(world.caseworker, world.apply(world.learner(), closed, late).name, "fr")
    assert (
        "La demande doit arriver dans le délai" in said
    )  # a condition of every programme is ours to translate
    assert "ne prévoient pas de recours" in said


def test_a_person_s_reason_and_codes_are_in_the_letter(world: World) -> None:
    programme = desks.programme(world)
    name = desks.waiting(world, programme).name
    assert refused(lambda: letter(world.caseworker, name)) == "NOT_DECIDED"
    desks.decide(world.caseworker, name, reason_codes=["NOT_A_JOBSEEKER", "SOMETHING_ELSE"])
    said = text_of(world.caseworker, name)
    assert (
        "The voucher is for people who are registered as jobseekers. (Legal basis: Temporary scheme" in said
    )
    assert "SOMETHING_ELSE" in said
    assert "The caseworker's reason: looked at it" in said
    plain = desks.waiting(world, programme).name
    desks.decide(world.caseworker, plain)
    assert "Zie de reden van de medewerker hieronder." in text_of(world.caseworker, plain, "nl")


def test_an_appeal_has_letters_of_its_own_and_the_first_stays(world: World) -> None:
    programme = desks.programme(world)
    person, refusal = desks.refused_by_rules(world, programme)
    first = letter(person, refusal.name)
    desks.appeal(person, refusal.name)
    assert letter(person, refusal.name) == first
    world.push(person, {"employment_status": "unemployed"})
    desks.decide_appeal(world.caseworker, refusal.name, grant=True)
    assert "Your appeal is upheld" in text_of(person, refusal.name)
    assert "€1,000.00" in text_of(person, refusal.name)
    assert letter(person, refusal.name, first_decision=True) == first
    other, second = desks.refused_by_rules(world, programme)
    first = letter(other, second.name)
    desks.appeal(other, second.name)
    desks.decide_appeal(world.caseworker, second.name)
    said = text_of(other, second.name)
    assert "Your appeal is rejected" in said
    assert "There is one appeal in this programme, and you have made it." in said
    assert letter(other, second.name, first_decision=True) == first


def test_the_same_decision_gives_the_same_bytes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    learner, refusal = desks.refused_by_rules(world)
    for form, kind in ((HTML, "text/html; charset=utf-8"), (PDF, "application/pdf")):
        one, two = (letter(learner, refusal.name, "de", format=form) for _ in range(2))
        assert one.content_type == kind
        assert one == two
    pdf = letter(learner, refusal.name, "de", format=PDF).data
    assert pdf.startswith(b"%PDF-")
    for mark in (b"<pdfuaid:part>1</pdfuaid:part>", b"/StructTreeRoot", b"<rdf:li>de</rdf:li>"):
        assert mark in pdf
    assert letter(learner, refusal.name, "de", format=0).data == pdf
    assert letter(learner, refusal.name, "fr", format=PDF).data != pdf  # control
    text = printing._text  # control: the bytes follow the words
    monkeypatch.setattr(printing, "_text", lambda element: f"{text(element)}.")
    assert letter(learner, refusal.name, "de", format=PDF).data != pdf


def test_html_can_be_read_by_everybody(world: World) -> None:
    learner, refusal = desks.refused_by_rules(world)
    for language in words.LANGUAGES:
        page = html.fromstring(letter(learner, refusal.name, language).data.decode())
        assert page.get("lang") == language
        (title,) = page.xpath("//h1")
        assert page.findtext("head/title") == title.text_content()
        levels = [int(each.tag[1]) for each in page.xpath("//h1|//h2|//h3")]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert page.xpath("//main/h2")
        assert not page.xpath("//script|//img|//link")


def test_what_people_write_stays_text(world: World) -> None:
    name = desks.waiting(world, desks.programme(world)).name
    request = application_pb2.DecideApplicationRequest(
        name=name, reason="<script>x</script> #eval(1) *a* $b$"
    )
    world.caseworker.applications.DecideApplication(request)
    page = letter(world.caseworker, name)
    assert b"<script>" not in page.data
    assert "<script>x</script> #eval(1) *a* $b$" in text_of(world.caseworker, name)
    assert letter(world.caseworker, name, format=PDF).data.startswith(b"%PDF-")


def test_strangers_get_no_letter(world: World) -> None:
    learner, refusal = desks.refused_by_rules(world)
    assert refused(lambda: letter(world.learner(), refusal.name)) == "NOT_FOUND"
    for role in ("provider", "finance", "counsellor"):
        assert refused(lambda role=role: letter(world.person(role), refusal.name)) == "PERMISSION_DENIED"
    for reader in (learner, world.caseworker, world.person("supervisor")):
        assert letter(reader, refusal.name).data
