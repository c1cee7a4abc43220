"""A whole stack that has walked the journey once, with people on it who go on spending vouchers."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from google.protobuf.json_format import Parse
from waymark.vouchers.v1.learner_fact_pb2 import PushLearnerFactsRequest

from services.cli.amounts import json_date, json_money
from services.cli.client import Client
from services.cli.demo import portfolio, programme, rated, refusals, voucher
from services.cli.demo.data import Data
from services.cli.demo.journey import Journey
from services.cli.demo.walk import STEPS
from services.cli.demo.watcher import EventWatcher
from services.cli.stack.kafka import Kafka
from services.cli.stack.plan import Plan
from services.cli.stack.ports import free_port
from services.cli.stack.state import PartState, StackState
from tests.support import audit
from tests.support.own_part import OwnPart, started
from tests.support.stacks import Stack, free_base
from tests.support.traffic import Callers, Person
from tests.support.waiting import eventually

# Stands in every text that a learner of this stack writes, and must not be found where it has no business.
CANARY = "Quixwyvern"
PRICE_CENTS = 120_000  # of the sample course, and so the value of a voucher


@dataclass(frozen=True)
class Learner:
    """Somebody with a voucher and, where `pathway` is set, a step on it that the voucher moves."""

    person: Person
    voucher: str
    pathway: str = ""

    @property
    def name(self) -> str:
        """`learners/{learner}`."""
        return f"learners/{self.person.subject}"

    @property
    def holder(self) -> str:
        """`holders/{holder}`."""
        return f"holders/{self.person.subject}"


class Stand:
    """The stack, its broker, its callers, and the world that the journey has left in `journey.facts`."""

    def __init__(self, stack: Stack, broker: OwnPart, callers: Callers, journey: Journey) -> None:
        self.stack, self.broker, self.callers, self.journey = stack, broker, callers, journey
        self.programme, self.learners = _programme(journey), list[Learner]()
        partner = journey.facts.partner
        self.provider = callers.person("provider", organisation=partner)
        self.caseworker = callers.person("caseworker")
        self.register = callers.person("system")
        self.counsellor = callers.person("counsellor", organisation=portfolio.OFFICE)

    @property
    def plan(self) -> Plan:
        """Where the parts are."""
        return Plan(self.stack.home, self.stack.base, {})

    @property
    def bootstrap(self) -> str:
        """The broker's address."""
        return str(self.stack.state.kafka)

    def database(self, service: str) -> str:
        """An administrator's address of a service's database."""
        return urlsplit(self.plan.admin_database_url())._replace(path=f"/waymark_{service}").geturl()

    def one(self, service: str, query: Any, *values: Any) -> Any:
        """The first column of the first row of a query, asked as administrator."""
        with psycopg.connect(self.database(service)) as connection:
            row = connection.execute(query, values).fetchone()
            return row[0] if row else None

    def books(self) -> list[str]:
        """What is wrong with the money (I1, I2), with the journal against the ledger (I3), or by the ledger's
        own verification; empty when all is well."""
        vouchers = [learner.voucher for learner in self.learners]
        with psycopg.connect(self.database("vouchers")) as connection:
            found = audit.money_faults(connection)
            found += audit.journal_faults(connection, self.callers.journal, vouchers)
        verified = self.callers.person("auditor").call("VerifyLedger", timeout=60)
        return found + [finding.text for finding in verified.findings]

    def part(self, name: str) -> PartState:
        """What the supervisor says of a part."""
        return self.stack.state.parts[name]

    def signal(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to every process of a part, once it runs; first to the parent, which would restart
        children."""
        for process in eventually(lambda: self._processes(name)):
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue

    def _processes(self, name: str) -> list[psutil.Process]:
        """Those of a part, none while it is being started or the supervisor has not seen that it is gone."""
        try:
            parent = psutil.Process(self.part(name).pid)
            gone = parent.status() == psutil.STATUS_ZOMBIE
            return [] if gone else [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def until_restarted(self, before: PartState) -> None:
        """Waits until a part runs as another process than `before` and is ready."""

        def restarted(state: StackState) -> bool:
            part = state.parts[before.name]
            return part.pid not in (0, before.pid) and part.state == "ready"

        self.stack.until(restarted)

    def seeker(self) -> Person:
        """A new learner who is out of work, by the register."""
        person = self.callers.person("learner")
        facts = Parse(self.journey.data.facts_out_of_work.read_text(), PushLearnerFactsRequest()).facts
        self.register.surely("PushLearnerFacts", parent=f"learners/{person.subject}", facts=facts)
        return person

    def learner(self, person: Person | None = None, *, pathway: bool = False) -> Learner:
        """A seeker, a new one unless given, who is granted a voucher of PRICE_CENTS, with a pathway to it if
        asked for."""
        person = person or self.seeker()
        application = {
            "learner": f"learners/{person.subject}",
            "programme": self.programme,
            "session": self.journey.facts.session,
        }
        granted = person.surely("CreateApplication", application=application)
        assert granted.voucher, granted
        made = Learner(person, granted.voucher, self._pathway(person) if pathway else "")
        self.learners.append(made)
        return made

    def spend(self, learner: Learner, cents: int = 50) -> str:
        """Reserve → authorise → start → deliver → accept; returns the redemption's name."""
        name = self.reserve(learner, cents)
        learner.person.surely("AuthoriseRedemption", name=name)
        self.provider.surely("StartRedemption", name=name)
        self.provider.surely("DeliverRedemption", name=name)
        self.caseworker.surely("AcceptRedemption", name=name)
        return name

    def reserve(self, learner: Learner, cents: int = 50) -> str:
        """Sets `cents` of a learner's voucher aside; returns the redemption's name."""
        amount = {"currency_code": "EUR", "units": cents // 100, "nanos": cents % 100 * 10_000_000}
        session = self.journey.facts.session
        reserved = learner.person.surely(
            "ReserveRedemption", voucher=learner.voucher, session=session, amount=amount
        )
        return str(reserved.name)

    def step_states(self, learner: Learner) -> list[str]:
        """States of the steps on a learner's pathway, as the learner reads them."""
        read = learner.person.call("GetPathway", name=learner.pathway)
        return [type(step).State.Name(step.state) for step in read.steps]

    def until_confirmed(self, learners: list[Learner], seconds: float = 180) -> None:
        """Waits until the step of each of these learners is confirmed."""
        waiting = {learner.pathway: learner for learner in learners}

        def none_left() -> bool:
            for name, learner in list(waiting.items()):
                if self.step_states(learner) == ["STATE_CONFIRMED"]:
                    del waiting[name]
            return not waiting

        eventually(none_left, seconds, "steps that are not confirmed")

    def until_drained(self, seconds: float = 180) -> None:
        """Waits until the outbox of vouchers is empty."""
        eventually(lambda: not self.outbox(), seconds, "the outbox is not drained")

    def outbox(self) -> int:
        """How many events of vouchers wait for the broker."""
        return int(self.one("vouchers", "SELECT count(*) FROM outbox"))

    def _pathway(self, person: Person) -> str:
        """A portfolio and a pathway, agreed by both and active, whose step is the course."""
        holder = {"given_name": CANARY, "family_name": CANARY, "contact": {"email": f"{CANARY}@example.org"}}
        name = person.surely("CreateHolder", holder=holder).name
        mandate = {
            "counsellor": self.counsellor.subject,
            "organisation": self.counsellor.organisation,
            "purpose": "MANDATE_PURPOSE_PATHWAY",
            "expire_time": portfolio.in_days(30),
        }
        person.surely("CreateMandate", parent=name, mandate=mandate)
        target = {"occupation_uri": "http://data.europa.eu/esco/isco/C7212"}
        pathway = self.counsellor.surely(
            "CreatePathway", parent=name, pathway={"title": CANARY, "target": target}
        ).name
        step = {"kind": "KIND_COURSE", "title": CANARY, "course": self.journey.facts.course}
        self.counsellor.surely("AddStep", pathway=pathway, step=step)
        for each in (person, self.counsellor):
            each.surely("AgreePathway", name=pathway)
        self.counsellor.surely("StartPathway", name=pathway)
        return str(pathway)


def _programme(journey: Journey) -> str:
    """A programme with much money whose deliveries need no paper, so that traffic is calls alone."""
    maker, checker = (journey.person(programme.ROLE, name) for name in ("Ines", "Bram"))
    content = programme.rules_of(journey)
    content["version"]["paymentRule"] = {"trigger": "TRIGGER_DELIVERY"}
    made = maker.rest("POST", "/v1/programmes", content["programme"], programme_id=f"load-{journey.run}")
    version = maker.rest("POST", f"/v1/{made['name']}/versions", content["version"])
    checker.rest("POST", f"/v1/{version['name']}:activate", {"requestId": str(uuid.uuid4())})
    today = datetime.now(UTC).date()
    budget = {
        "fundingSource": f"fundingSources/state-{journey.run}",
        "startDate": json_date(today.replace(month=1, day=1)),
        "endDate": json_date(today.replace(month=12, day=31)),
        "pot": "load",
        "amount": json_money("900000.00"),
        "requestId": str(uuid.uuid4()),
    }
    maker.rest("POST", f"/v1/{made['name']}:fund", budget)
    return str(made["name"])


@contextmanager
def stand(folder: Path, **environment: str) -> Iterator[Stand]:
    """Starts a stack with a broker of its own in `folder`, walks the journey on it with a learner called
    CANARY, and stops everything at the end. `environment`: settings of the stack."""
    stack = Stack(folder / "home", free_base(20_000))
    with ExitStack() as ending:
        kafka = Kafka(folder / "kafka", free_port(), free_port())
        broker = ending.enter_context(started(kafka, folder / "kafka.log"))
        ending.callback(stack.until_gone)
        ending.callback(stack.call, "down")
        stack.up(WAYMARK_KAFKA_BOOTSTRAP=kafka.bootstrap, **environment)
        client = Client(stack.home)
        ending.callback(client.close)
        watcher = EventWatcher(kafka.bootstrap)
        journey = Journey(client, Data.find(None), watcher, uuid.uuid4().hex[:8], lambda _: None, 180)
        try:
            _walk(journey)
        finally:
            watcher.close()
        callers = Callers(stack.home)
        ending.callback(callers.close)
        yield Stand(stack, broker, callers, journey)


def _walk(journey: Journey) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for chapter in (programme, portfolio, voucher, refusals, rated):
            patch.setattr(chapter, "LEARNER", CANARY)
        for step in STEPS:
            step.run(journey)
