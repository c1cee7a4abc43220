"""What several rows stand on: somebody with a portfolio, and what checking a credential came to."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from services.cli.client import Caller, request_id
from services.cli.demo.catalogue import ROLE
from services.cli.demo.journey import Journey


def holder(journey: Journey, person: str) -> tuple[Caller, str]:
    """Opens a portfolio for somebody; returns them and `holders/{id}`."""
    learner = journey.person("learner", person)
    opened = learner.rest("POST", "/v1/holders", {"givenName": person, "familyName": "Peeters"})
    return learner, str(opened["name"])


def awarding_body(journey: Journey, organisation: str, name: str) -> str:
    """Lets an organisation issue credentials under a name; returns the resource name of the body."""
    wanted = {"organisation": organisation, "displayName": name}
    manager = journey.person(ROLE, "Mila")
    return str(manager.rest("POST", "/v1/credentialIssuers", wanted, request_id=request_id())["name"])


def file_of(learner: Caller, credential: str) -> bytes:
    """A credential of the wallet as it was brought or issued."""
    return b64decode(learner.rest("GET", f"/v1/{credential}:file")["content"])


def verify(journey: Journey, content: bytes) -> dict[str, Any]:
    """Has a credential checked by somebody without an account; returns the verdict in JSON."""
    body = {"content": b64encode(content).decode()}
    answer = journey.client.anonymous().rest("POST", "/v1/credentials:verify", body)
    verdict: dict[str, Any] = answer["verdict"]
    return verdict


def bring(learner: Caller, name: str, content: bytes) -> dict[str, Any]:
    """Brings a credential into a wallet; returns it in JSON."""
    body = {"content": b64encode(content).decode(), "requestId": request_id()}
    return learner.rest("POST", f"/v1/{name}/credentials:import", body)


def findings(verdict: dict[str, Any]) -> set[str]:
    """Why checks did not pass, without the common beginning."""
    return {
        check["finding"].removeprefix("CHECK_FINDING_")
        for check in verdict["checks"]
        if check["outcome"] != "CHECK_OUTCOME_PASSED"
    }


def said(value: Any) -> Any:
    """What an answer in JSON says beside what is said by default, which the edge writes out as well."""
    if isinstance(value, list):
        return [said(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: said(each) for name, each in value.items()}
    return {name: each for name, each in kept.items() if each and not str(each).endswith("_UNSPECIFIED")}
