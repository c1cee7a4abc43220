"""What may be asked of an applicant, until when, and what counts as an answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation
from services.vouchers.domain.facts import CATALOGUE
from services.vouchers.domain.states import InquiryState, need

FACT, OTHER_DOCUMENT = 1, 6  # as in the contract
LONGEST = timedelta(days=365)


def check_question(kind: int, fact_key: str, note: str, due: date, today: date) -> None:
    """Raises Refusal(INVALID_ARGUMENT) with a violation for each thing that an applicant could not answer."""
    problems = []
    if kind == FACT:
        askable = [k for k, fact in CATALOGUE.items() if "learner" in fact.suppliers and not fact.statistics]
        if fact_key not in askable:
            text = f"must be a fact that learners can supply: {', '.join(askable)}"
            problems.append(Violation("inquiry.fact_key", text))
    elif fact_key:
        problems.append(Violation("inquiry.fact_key", "goes with KIND_FACT only"))
    if kind == OTHER_DOCUMENT and not note:
        problems.append(Violation("inquiry.note", "must say which document"))
    if not today < due <= today + LONGEST:
        problems.append(Violation("inquiry.due_date", "must be from tomorrow to a year from now (UTC)"))
    if problems:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=problems)


def check_answer(
    kind: int,
    fact_key: str,
    state: InquiryState,
    due: date,
    today: date,
    *,
    told: str,
    files: Sequence[str],
    holder: str,
) -> None:
    """Raises Refusal: WRONG_STATE, INQUIRY_OVERDUE, INVALID_ARGUMENT unless the answer is what was asked for.

    `told`: key of the fact in the answer, empty without one; `files`: names in a portfolio; `holder`: the
    learner's own portfolio, `holders/{id}`.
    """
    need(state, (InquiryState.OPEN,))
    if today > due:
        raise Refusal(reason_pb2.REASON_INQUIRY_OVERDUE, metadata={"due_date": due.isoformat()})
    problems = []
    if kind == FACT:
        if told != fact_key:
            problems.append(Violation("fact.key", f"must be {fact_key}, which was asked for"))
        if files:
            problems.append(Violation("evidence", "a fact was asked for, not a document"))
    else:
        if told:
            problems.append(Violation("fact", "a document was asked for, not a fact"))
        if not files:
            problems.append(Violation("evidence", "must name the document in your portfolio"))
    foreign = [index for index, name in enumerate(files) if not name.startswith(f"{holder}/")]
    problems += [Violation(f"evidence[{index}]", f"must be a file of {holder}") for index in foreign]
    if problems:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=problems)
