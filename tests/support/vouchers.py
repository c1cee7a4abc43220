"""A small world for tests of vouchers: people with tokens, a programme with money, a course to spend it on.

Everything goes through the real server, except what the catalogue tells: those events are given to the real
reactions directly.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from google.type import date_pb2, money_pb2
from sqlalchemy import text
from waymark.catalogue.v1 import events_pb2
from waymark.vouchers.v1 import (
    application_pb2,
    bank_account_pb2,
    funding_source_pb2,
    learner_fact_pb2,
    ledger_pb2,
    payout_batch_pb2,
    programme_pb2,
    redemption_pb2,
    voucher_pb2,
)

from services.platform.db.migrations import migrate
from services.platform.db.transaction import transaction
from services.platform.events.cloudevents import EventInfo
from services.vouchers.service import DEFINITION
from tests.support.databases import Databases
from tests.support.parts import S3Address
from tests.support.servers import Serve, Served, start
from tests.support.voucher_callers import Person

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "programmes"
IBAN = "BE68539007547034"
OTHER_IBAN = "NL91ABNA0417164300"


def eur(cents: int) -> money_pb2.Money:
    """Returns cents as Money in euro."""
    return money_pb2.Money(currency_code="EUR", units=cents // 100, nanos=cents % 100 * 10_000_000)


def cents(amount: money_pb2.Money) -> int:
    """Returns Money as cents."""
    return int(amount.units) * 100 + int(amount.nanos) // 10_000_000


def day_message(day: date) -> date_pb2.Date:
    """Returns a day as message."""
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


def sample(name: str) -> dict[str, Any]:
    """Returns a sample programme."""
    content: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return content


def request_id() -> str:
    """Returns a fresh request id."""
    return str(uuid.uuid4())


FOUNDED = 3  # events of the catalogue that every world has heard


class World:
    """One running service with staff, one provider, one course with a session and its shortage list."""

    organisation = "organisations/school"
    course = "courses/welding"
    session = "courses/welding/sessions/spring"

    def __init__(self, served: Served) -> None:
        self.served, self.app = served, served.app
        self.maker = Person(served, "programme_manager")
        self.checker = Person(served, "programme_manager")
        self.caseworker = Person(served, "caseworker")
        self.payer = Person(served, "finance")
        self.approver = Person(served, "finance")
        self.auditor = Person(served, "auditor")
        self.system = Person(served, "system")
        self.provider = Person(served, "provider", org=self.organisation)
        self.version = FOUNDED
        self.today = datetime.now(UTC).date()

    def found(self) -> None:
        """Tells a new database of what every world has."""
        self.version = 0
        self.accredit()
        self.offer(price=100_000)
        self.list_shortage()
        assert self.version == FOUNDED

    def person(self, *roles: str, **options: str) -> Person:
        """Returns another caller."""
        return Person(self.served, *roles, **options)

    def tell(self, event: Any) -> None:
        """Gives an event of the catalogue to the reaction that the service registered for it."""
        info = EventInfo(
            id=str(uuid.uuid4()),
            type=event.DESCRIPTOR.full_name,
            topic="test",
            partition=0,
            offset=0,
            time=datetime.now(UTC),
            key="",
            traceparent="",
        )
        with transaction(self.app) as tx:
            DEFINITION.reactions[type(event)](self.app, tx, event, info)

    def accredit(
        self,
        organisation: str = "",
        *,
        accredited: bool = True,
        until: date | None = None,
        addresses: Sequence[str] = (),
        scopes: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Tells of a provider; `addresses`: their digests; `scopes`: of what it is accredited for."""
        self.version += 1
        event = events_pb2.OrganisationChanged(
            organisation=organisation or self.organisation,
            version=self.version,
            accredited=accredited,
            address_digests=addresses,
        )
        if until:
            event.accredited_until.CopyFrom(day_message(until))
        for scope in scopes:
            event.accreditations.add(valid_to=day_message(until or self.today), **scope)
        self.tell(event)

    def offer(self, course: str = "", *, price: int | None = 100_000, **changes: Any) -> str:
        """Tells of a course with one session `spring`, that begins today; returns the session's name."""
        name = course or self.course
        self.version += 1
        start = changes.pop("start", self.today)
        session = events_pb2.SessionRef(
            session=f"{name}/sessions/spring",
            start_date=day_message(start),
            end_date=day_message(start + timedelta(days=9)),
            nuts_code=changes.pop("nuts", "BE21"),
            cancelled=changes.pop("cancelled", False),
        )
        if price is not None:
            session.price.CopyFrom(eur(price))
        if apply_until := changes.pop("apply_until", None):
            session.apply_until.CopyFrom(day_message(apply_until))
        values = {
            "course": name,
            "version": self.version,
            "organisation": self.organisation,
            "kind": "course",
            "eqf_level": 4,
            "occupations": [events_pb2.OccupationRef(uri="esco/welder", isco_code="7212")],
            "sessions": [session],
        }
        self.tell(events_pb2.CourseChanged(**{**values, **changes}))
        return session.session

    def list_shortage(
        self,
        isco: str = "7212",
        name: str = "shortageLists/national",
        uri: str = "",
        region: str = "BE",
    ) -> str:
        """Tells of a list version with one entry, for the whole year; returns the version's name."""
        self.version += 1
        version = f"{name}/versions/{self.version}"
        published = events_pb2.ShortageListPublished(
            shortage_list=name,
            version=version,
            valid_from=day_message(self.today.replace(month=1, day=1)),
            entry_count=1,
            digest="0" * 64,
        )
        published.publish_time.FromDatetime(datetime.now(UTC))
        entry = events_pb2.ShortageEntryRef(
            entry=f"{version}/entries/1",
            occupation=events_pb2.OccupationRef(uri=uri, isco_code=isco),
            nuts_code=region,
            severity=4,
        )
        self.tell(published)
        self.tell(
            events_pb2.ShortageListEntriesPublished(shortage_list=name, version=version, entries=[entry])
        )
        return version

    def programme(
        self, name: str = "dutch-temporary-training-voucher", fund: int = 1_000_000, **changes: Any
    ) -> str:
        """Creates, activates and funds a programme of a sample; returns its name."""
        content = sample(name)
        content["version"].update(changes)
        created = self.maker.programmes.CreateProgramme(
            programme_pb2.CreateProgrammeRequest(
                programme=ParseDict(content["programme"], programme_pb2.Programme())
            )
        )
        version = ParseDict(content["version"], programme_pb2.ProgrammeVersion())
        drafted = self.maker.programmes.CreateProgrammeVersion(
            programme_pb2.CreateProgrammeVersionRequest(parent=created.name, version=version)
        )
        self.checker.programmes.ActivateProgrammeVersion(
            programme_pb2.ActivateProgrammeVersionRequest(name=drafted.name)
        )
        if fund:
            self.fund(created.name, fund)
        return str(created.name)

    def fund(
        self,
        programme: str,
        amount: int,
        pot: str = "",
        groups: tuple[str, ...] = (),
        *,
        period: tuple[date, date] | None = None,
    ) -> Any:
        """Puts money of a new source into this year's budget, or that of a `period` (first and last day)."""
        first, last = period or (self.today.replace(month=1, day=1), self.today.replace(month=12, day=31))
        source = self.maker.sources.CreateFundingSource(
            funding_source_pb2.CreateFundingSourceRequest(
                funding_source=funding_source_pb2.FundingSource(
                    kind=funding_source_pb2.FundingSource.KIND_STATE, display_names={"en": "State"}
                )
            )
        )
        return self.maker.programmes.FundProgramme(
            programme_pb2.FundProgrammeRequest(
                name=programme,
                funding_source=source.name,
                start_date=day_message(first),
                end_date=day_message(last),
                amount=eur(amount),
                pot=pot,
                target_groups=groups,
            )
        )

    def learner(self, **facts: Any) -> Person:
        """Returns a learner with verified facts; by default an unemployed one with EQF 3."""
        person = self.person("learner")
        known = {"employment_status": "unemployed", "education_level": 3, **facts}
        self.push(person, known)
        return person

    def push(self, person: Person, known: dict[str, Any]) -> None:
        """Pushes facts from the PES register."""
        fields = {str: "text", int: "number", bool: "flag"}
        self.system.facts.PushLearnerFacts(
            learner_fact_pb2.PushLearnerFactsRequest(
                parent=person.learner,
                facts=[
                    learner_fact_pb2.LearnerFact(
                        key=key,
                        source=learner_fact_pb2.FACT_SOURCE_PES_REGISTER,
                        **{fields[type(value)]: value},
                    )
                    for key, value in known.items()
                ],
            )
        )

    def apply(self, person: Person, programme: str, session: str = "") -> Any:
        """Applies for the session; returns the application."""
        return person.applications.CreateApplication(
            application_pb2.CreateApplicationRequest(
                application=application_pb2.Application(
                    learner=person.learner, programme=programme, session=session or self.session
                ),
                request_id=request_id(),
            )
        )

    def voucher(self, programme: str = "", person: Person | None = None) -> tuple[Person, str]:
        """Returns a learner with a granted voucher, and its name."""
        person = person or self.learner()
        granted = self.apply(person, programme or self.programme())
        assert granted.voucher, granted.reason_codes
        return person, str(granted.voucher)

    def reserve(self, person: Person, voucher: str, amount: int = 0, session: str = "") -> Any:
        """Reserves; returns the redemption."""
        request = redemption_pb2.ReserveRedemptionRequest(
            voucher=voucher, session=session or self.session, request_id=request_id()
        )
        if amount:
            request.amount.CopyFrom(eur(amount))
        return person.redemptions.ReserveRedemption(request)

    def delivered(self, person: Person, voucher: str, amount: int = 0) -> Any:
        """Takes a redemption to DELIVERED; the programme must ask for no evidence."""
        redemption = self.reserve(person, voucher, amount)
        person.redemptions.AuthoriseRedemption(
            redemption_pb2.AuthoriseRedemptionRequest(name=redemption.name)
        )
        self.provider.redemptions.StartRedemption(redemption_pb2.StartRedemptionRequest(name=redemption.name))
        return self.provider.redemptions.DeliverRedemption(
            redemption_pb2.DeliverRedemptionRequest(name=redemption.name)
        )

    def accepted(self, person: Person, voucher: str, amount: int = 0, accept: int = 0) -> Any:
        """Takes a redemption to ACCEPTED."""
        redemption = self.delivered(person, voucher, amount)
        request = redemption_pb2.AcceptRedemptionRequest(name=redemption.name, request_id=request_id())
        if accept:
            request.amount.CopyFrom(eur(accept))
        return self.caseworker.redemptions.AcceptRedemption(request)

    def bank_account(self, organisation: str = "", iban: str = IBAN) -> Any:
        """Gives a provider a confirmed account."""
        proposed = self.payer.accounts.ProposeBankAccount(
            bank_account_pb2.ProposeBankAccountRequest(
                parent=organisation or self.organisation,
                bank_account=bank_account_pb2.BankAccount(holder_name="School", iban=iban),
            )
        )
        return self.approver.accounts.ConfirmBankAccount(
            bank_account_pb2.ConfirmBankAccountRequest(name=proposed.name)
        )

    def let_accounts_age(self, hours: int = 73) -> None:
        """Makes everything about bank accounts so much longer ago: the database's clock cannot be turned."""
        with transaction(self.app) as tx:
            moments = ("created_at", "confirmed_at", "effective_at")
            ago = ", ".join(f"{name} = {name} - make_interval(hours => :hours)" for name in moments)
            tx.execute(text(f"UPDATE bank_accounts SET {ago}"), {"hours": hours})

    def batch(self, **changes: Any) -> Any:
        """Opens a payout batch, by default of redemptions in euro."""
        batch = payout_batch_pb2.PayoutBatch(
            execution_date=day_message(self.today + timedelta(days=2)),
            debtor_name="Employment service",
            debtor_iban=OTHER_IBAN,
            **changes,
        )
        request = payout_batch_pb2.CreatePayoutBatchRequest(payout_batch=batch)
        return self.payer.batches.CreatePayoutBatch(request)

    def wallet(self, person: Person, voucher: str) -> Any:
        """Reads a voucher."""
        return person.vouchers.GetVoucher(voucher_pb2.GetVoucherRequest(name=voucher))

    def verify(self) -> Any:
        """Verifies the ledger."""
        return self.auditor.ledger.VerifyLedger(ledger_pb2.VerifyLedgerRequest())

    def balances(self) -> dict[int, int]:
        """Returns the sum in cents of each kind of account."""
        found = self.auditor.ledger.GetBalances(ledger_pb2.GetBalancesRequest())
        return {item.account_kind: cents(item.amount) for item in found.balances}


NO_EVIDENCE = {"paymentRule": {"trigger": "TRIGGER_DELIVERY"}}


def founded(databases: Databases) -> str:
    """Returns the address of a new database that has heard what every world has, cloned from one of today."""
    return databases.clone("vouchers", f"world_{datetime.now(UTC):%Y%m%d}", _found).url


def _found(url: str) -> None:
    migrate("vouchers", url)
    with TemporaryDirectory() as folder:
        served = start(DEFINITION, url, Path(folder))
        World(served).found()
        served.stop()


@pytest.fixture
def stored(database: Databases, serve: Serve, s3: S3Address) -> World:
    """A world with an object store."""
    environ = {
        "WAYMARK_S3_ENDPOINT": s3.endpoint,
        "WAYMARK_S3_ACCESS_KEY": s3.access_key,
        "WAYMARK_S3_SECRET_KEY": s3.secret_key,
    }
    return World(serve(DEFINITION, founded(database), environ=environ))


@pytest.fixture
def world(database: Databases, serve: Serve) -> World:
    """A world on a database of its own."""
    return World(serve(DEFINITION, founded(database)))
