"""One stack for all tests of commands, walks among them, which each make what they look at."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from services.cli.client import Client
from services.cli.demo.data import Data
from services.cli.demo.journey import Journey
from tests.support.stacks import Stack, free_base
from tests.support.terminal import Person


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that is up."""
    shared = Stack(tmp_path_factory.mktemp("commands"), free_base())
    shared.up()
    yield shared
    shared.call("down")
    shared.until_gone()


@pytest.fixture
def journey(stack: Stack) -> Iterator[Journey]:
    """What steps of the demo are walked with, to have something to look at."""
    client = Client(stack.home)
    yield Journey(client, Data.find(None), None, secrets.token_hex(4), lambda _: None, 60)  # type: ignore[arg-type]
    client.close()


@pytest.fixture
def learner(stack: Stack) -> Person:
    """Somebody with a portfolio."""
    person = Person(stack, "--as", f"learner:{secrets.token_hex(4)}")
    person.prints("holder", "create", "--given", "Noor", "--family", "Verbeke", "--email", "noor@example.org")
    return person


@pytest.fixture
def employer(stack: Stack) -> Person:
    """Somebody without an account."""
    return Person(stack)
