"""What a bank file says: names that every bank takes, and SEPA for euro alone."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from lxml import etree

from services.vouchers.domain.bank_letters import latin
from services.vouchers.domain.pain001 import Transfer, bank_file
from services.vouchers.domain.payouts import Account


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("School (2) - Brussels", "School (2) - Brussels"),
        ("Õppekeskus Tööõnn OÜ", "Oppekeskus Tooonn OU"),
        ("Müller & Söhne Straße", "Muller + Sohne Strasse"),
        ("Łódź Ćwiczenia", "Lodz Cwiczenia"),
        ("Κέντρο Κατάρτισης Θεσσαλονίκης", "Kentro Katartisis Thessalonikis"),
        ("ΟΥΡΑΝΟΣ", "OURANOS"),
        ("Професионална гимназия Пловдив", "Profesionalna gimnaziya Plovdiv"),
        ("Школа №5 @ home", "Shkola No5 . home"),
    ],
)
def test_names_are_in_the_letters_of_sepa(name: str, read: str) -> None:
    assert latin(name) == read


@pytest.mark.parametrize(("currency", "level", "bearer"), [("EUR", "SEPA", "SLEV"), ("PLN", None, "SHAR")])
def test_only_euro_are_sent_as_sepa_transfers(currency: str, level: str | None, bearer: str) -> None:
    debtor = Account("Töötukassa", "EE382200221020145685", "")
    transfer = Transfer(Account("Σχολή", "GR1601101250000000012300695", ""), 100, "R", "T")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    root = etree.fromstring(bank_file("M", moment, date(2026, 1, 2), debtor, currency, [transfer]))
    assert (root.findtext(".//{*}SvcLvl/{*}Cd"), root.findtext(".//{*}ChrgBr")) == (level, bearer)
    assert [each.text for each in root.iter("{*}Nm")] == ["Tootukassa", "Tootukassa", "Scholi"]
