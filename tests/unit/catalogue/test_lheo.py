"""LHÉO 2.2 and 2.3: good formations, odd ones, broken files."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.imports import french_regions, lheo
from services.catalogue.imports.feed import Bounded, Context, FeedBroken
from services.catalogue.imports.lheo import Lheo
from tests.unit.catalogue.feeds import codes, read_all

READER = Lheo()
NEW, OLD = "http://lheo.gouv.fr/2.3", "http://www.lheo.org/2.2"
PERIOD = "<periode><debut>20300301</debut><fin>20300630</fin></periode>"
PLACE = (
    "<lieu-de-formation><coordonnees><nom>Dupont</nom><adresse><ligne>1 rue</ligne>"
    "<codepostal>29391</codepostal><ville>QUIMPERLÉ</ville><departement>29</departement><pays>FR</pays><geolocalisation><latitude>47.88"
    "</latitude><longitude>-3.55</longitude></geolocalisation></adresse></coordonnees></lieu-de-formation>"
)


def action(
    sessions: str = f'<session numero="S1">{PERIOD}</session>', inside: str = "", mode: str = "0"
) -> str:
    return (
        f"<action><modalites-enseignement>{mode}</modalites-enseignement>{PLACE}{inside}{sessions}</action>"
    )


def formation(key: str = "F1", actions: str = "", level: str = "15", title: str = "BTS vente") -> str:
    return (
        f'<formation numero="{key}"><domaine-formation><code-FORMACODE ref="V14">34582</code-FORMACODE>'
        "<code-NSF>312</code-NSF><code-ROME>D1402</code-ROME></domaine-formation>"
        f"<intitule-formation>{title}</intitule-formation>"
        "<objectif-formation>&lt;p&gt;Vendre&lt;/p&gt;</objectif-formation>"
        "<resultats-attendus>-</resultats-attendus>"
        "<contenu-formation>Du &lt;b&gt;droit&lt;/b&gt;</contenu-formation>"
        "<certification><code-RNCP>RNCP474</code-RNCP></certification>"
        f"<code-niveau-sortie>{level}</code-niveau-sortie>"
        f"<url-formation><urlweb>www.p.example/f</urlweb></url-formation>{actions}</formation>"
    )


def feed(*formations: str, namespace: str = NEW) -> bytes:
    return f'<lheo xmlns="{namespace}"><offres>{"".join(formations)}</offres></lheo>'.encode()


@pytest.mark.parametrize("namespace", [NEW, OLD])
def test_a_formation(namespace: str) -> None:
    window = "<periode><debut>20300101</debut><fin>20300200</fin></periode>"
    window = f"<periode-inscription>{window}</periode-inscription>"
    cycle = (
        "<cycle><capacite-simultanee>10</capacite-simultanee><capacite-cumulee>24</capacite-cumulee></cycle>"
    )
    inside = "<langue-formation>fr</langue-formation><prix-total-TTC>3150,5 €</prix-total-TTC>"
    sessions = f'<session numero="S1">{PERIOD}{window}{cycle}</session>'
    data = feed(formation(actions=action(sessions, inside)), namespace=namespace)
    documents, found = read_all(READER, data, Context(default_language="fr"))
    assert codes(found) == ["DATE_IMPRECISE"]
    key, document = documents[0]
    assert key == "F1"
    assert document["titles"] == {"fr": "BTS vente"}
    assert document["descriptions"] == {"fr": "Vendre Du droit"}
    assert document["eqf_level"] == 5
    assert document["url"] == "http://www.p.example/f"
    assert document["subjects"] == ["FORMACODE 34582", "NSF 312", "ROME D1402", "RNCP 474"]
    (offering,) = document["offerings"]
    assert (offering["mode"], offering["language"]) == (1, "fr")
    session = offering["sessions"][0]
    del session["id"]
    assert session == {
        "external_id": "S1",
        "start": "2030-03-01",
        "end": "2030-06-30",
        "apply_from": "2030-01-01",
        "apply_until": "2030-02-28",
        "currency": "EUR",
        "cents": 315050,
        "nuts": "FRH02",
        "town": "QUIMPERLÉ",
        "postcode": "29391",
        "lat": 47.88,
        "lon": -3.55,
        "capacity": 24,
    }


def test_what_is_not_carried_is_told_once_a_kind_without_names_of_people() -> None:
    extras = (
        '<extras info="a"><extra info="b">c</extra></extras><modalites-alternance>-</modalites-alternance>'
    )
    _, found = read_all(READER, feed(*(formation(f"F{n}", action(inside=extras)) for n in range(3))))
    told = {finding.path: finding.value for finding in found}
    assert len(found) == len(told)
    assert {"action/extras", "domaine-formation/code-FORMACODE@ref"} <= set(told)
    assert told["action/lieu-de-formation/coordonnees/nom"] == ""
    assert "action/modalites-alternance" not in told  # a lone hyphen


@pytest.mark.parametrize(
    ("old", "new", "code", "start", "end"),
    [
        ("20300301", "00000000", "", "", "2030-06-30"),
        ("20300630", "99999999", "", "2030-03-01", ""),
        ("20300301", "20300300", "DATE_IMPRECISE", "2030-03-01", "2030-06-30"),
        ("20300630", "20300000", "DATE_IMPRECISE", "2030-03-01", "2030-12-31"),
        ("20300301", "20300230", "DATE_INVALID", None, None),
        ("20300301", "bientôt", "DATE_INVALID", None, None),
        ("20300301", "20310301", "DATES_REVERSED", None, None),
        ("20300301", "2030-03-01", "", "2030-03-01", "2030-06-30"),
    ],
)
def test_dates(old: str, new: str, code: str, start: str | None, end: str | None) -> None:
    documents, found = read_all(READER, feed(formation(actions=action()).replace(old, new)))
    assert codes(found) == ([code] if code else [])
    assert bool(documents) == (start is not None)
    if documents:
        session = documents[0][1]["offerings"][0]["sessions"][0]
        assert (session.get("start", ""), session.get("end", "")) == (start, end)


def test_permanent_entry_keeps_no_first_day() -> None:
    inside = "<modalites-entrees-sorties>1</modalites-entrees-sorties>"
    documents, found = read_all(READER, feed(formation(actions=action(inside=inside))))
    assert codes(found) == ["ENTRY_PERMANENT"]
    session = documents[0][1]["offerings"][0]["sessions"][0]
    assert "start" not in session
    assert session["end"] == "2030-06-30"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<code-niveau-sortie>15", "<code-niveau-sortie>99", "LEVEL_UNKNOWN"),
        ("<modalites-enseignement>0", "<modalites-enseignement>7", "MODE_UNKNOWN"),
        ("</action>", "<prix-total-TTC>beaucoup</prix-total-TTC></action>", "PRICE_INVALID"),
        ("</action>", "<modalites-entrees-sorties>8</modalites-entrees-sorties></action>", "ENTRY_UNKNOWN"),
        ("</action>", "<langue-formation>xxxx</langue-formation></action>", "LANGUAGE_INVALID"),
        (
            "</action>",
            "<langue-formation>fr</langue-formation><langue-formation>en</langue-formation></action>",
            "VALUES_SEVERAL",
        ),
        ("</session>", "<etat-recrutement>2</etat-recrutement></session>", "ENROLMENT_CLOSED"),
        ("</action>", '<session numero="S1"/></action>', "SESSION_DOUBLED"),
        ("47.88", "147.88", "COORDINATES_INVALID"),
        ("www.p.example/f", "ftp://p.example", "URL_INVALID"),
        ("BTS vente", "", "TITLE_MISSING"),
    ],
)
def test_findings(old: str, new: str, code: str) -> None:
    _, found = read_all(READER, feed(formation(actions=action()).replace(old, new)))
    assert codes(found) == [code]


@pytest.mark.parametrize(
    ("level", "eqf"), [("0", 0), ("1", 0), ("4", 3), ("6", 5), ("8", 7), ("11", 1), ("18", 8)]
)
def test_levels_of_both_nomenclatures(level: str, eqf: int) -> None:
    documents, _ = read_all(READER, feed(formation(level=level)))
    assert documents[0][1]["eqf_level"] == eqf


@pytest.mark.parametrize(
    ("departement", "postcode", "nuts"),
    [
        ("1", "", "FRK21"),
        ("", "75011", "FR101"),
        ("2a", "", "FRM01"),
        ("", "20137", "FRM01"),
        ("", "20200", "FRM02"),
        ("", "97400", "FRY40"),
        ("99", "", ""),
        ("", "", ""),
    ],
)
def test_departements(departement: str, postcode: str, nuts: str) -> None:
    assert french_regions.nuts_code(departement, postcode) == nuts


def test_a_place_abroad_is_in_no_departement() -> None:
    data = feed(formation(actions=action().replace(">FR<", ">BE<")))
    documents, _ = read_all(READER, data, Context(default_nuts_code="FR"))
    assert documents[0][1]["offerings"][0]["sessions"][0]["nuts"] == "BE"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'<!DOCTYPE lheo [<!ENTITY a "ha">]>' + feed(formation()), "DTD_FORBIDDEN"),
        (feed(formation())[:-20], "XML_INVALID"),
        (feed(formation(title="caf")).replace(b"caf", b"caf\xe9"), "XML_INVALID"),
        (feed("<x>" * 300 + "</x>" * 300), "XML_INVALID"),
        (feed(formation(), namespace="http://www.lheo.org/1.3"), "NO_LHEO"),
        (b"<html/>", "NO_LHEO"),
        (b"", "XML_INVALID"),
    ],
    ids=["dtd", "cut off", "encoding", "depth", "version", "html", "empty"],
)
def test_attacks_and_accidents(data: bytes, code: str) -> None:
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data)
    assert broken.value.finding.code == code


def test_endless_record_is_cut_off_and_control() -> None:
    data = feed(formation(title="x" * 300_000))
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data, limit=100_000)
    assert broken.value.finding.code == "RECORD_TOO_LARGE"
    documents, found = read_all(READER, data, limit=1 << 40)  # the guard off: it goes in
    assert (len(documents), codes(found)) == (1, ["TEXT_CUT"])


def in_memory(data: bytes) -> int:
    """How many elements the tree holds when the last record is read."""
    *_, last = READER.records(Bounded(io.BytesIO(data)))
    element = last.content
    return sum(1 for _ in element.getroottree().iter())


def test_a_feed_does_not_grow_in_memory_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    one = in_memory(feed(formation()))
    data = feed(*(formation(f"C{n}") for n in range(1000)))
    assert in_memory(data) <= 2 * one
    monkeypatch.setattr(lheo, "forget", lambda element: None)  # control
    assert in_memory(data) > 100 * one


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for whole in (data, f'<lheo xmlns="{NEW}">'.encode() + data + b"</lheo>"):
        with contextlib.suppress(FeedBroken):  # anything else fails the test
            read_all(READER, whole)
