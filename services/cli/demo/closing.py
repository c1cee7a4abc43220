"""Last chapter: the books are right, and everything that happened was told."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.watcher import event_messages
from services.cli.legal_day import legal_day
from services.cli.output import money

# What the events of one redemption must be, in this order.
SPENT = [
    "RedemptionReserved",
    "RedemptionAuthorised",
    "RedemptionStarted",
    "RedemptionDelivered",
    "RedemptionAccepted",
]

# What the walk from a list to a payment has no occasion for: some of it the practices show …
PRACTICES = {
    "AlertClosed",
    "AlertRaised",
    "ApplicationAppealed",
    "AuthorisationCodeSent",
    "EmployerObligationAssessed",
    "InstalmentAccepted",
    "LevyClaimApproved",
    "NoShowReported",
    "OpeningDrawn",
    "OutcomeContractRepaid",
    "OutcomeTrancheReleased",
    "RedemptionClawedBack",
    "WaitingListEntryEnded",
    "WaitingListOfferMade",
}
# … some those of the catalogue …
OF_CATALOGUE = {"AgreementChanged", "AppealChanged", "PartnerApplicationDecided", "QualityHoldChanged"}
# … some those of the portfolio …
OF_PORTFOLIO = {
    "AttestationGiven",
    "BreakGlassOpened",
    "BreakGlassReviewed",
    "CredentialImported",
    "GroupMembershipMoved",
    "HandoverMoved",
    "HumanAsked",
    "IssuedCredentialMoved",
    "MentoringMatchMoved",
    "PageCommentGiven",
    "PageSubmissionMoved",
    "PathwayStalled",
    "QuestionnaireCompleted",
    "SupportTierMoved",
    "LegalHoldMoved",
    "RightsRequestMoved",
    "ValidationCaseMoved",
}
# … and some takes weeks, a bank, or something going wrong.
ELSEWHERE = {
    "AccreditationReviewDue",
    "AgreementReviewDue",
    "ApplicationWithdrawn",
    "BankAccountWithdrawn",
    "DeliveryReturned",
    "EmployerDebtWrittenOff",
    "EmployerObligationDue",
    "InquiryAnswered",
    "InquiryOpened",
    "LedgerCheckpointed",
    "LevyExpired",
    "OutcomeAsked",
    "PayoutBatchCancelled",
    "PayoutBatchSent",
    "PayoutConfirmed",
    "PayoutReturned",
    "ReadQuotaReached",
    "RebookingOffered",
    "ReceivablePaid",
    "ReceivableWrittenOff",
    "RedemptionOverdue",
    "ReminderDue",
    "RightsRequestDue",
    "SanctionAppealDecided",
    "SanctionImposed",
    "SanctionLifted",
    "ShortageListWithdrawn",
    "TargetReviewDue",
    "VoucherExpiring",
    "VoucherExtended",
    "VoucherProviderDelisted",
    "VoucherReissued",
    "WebhookEndpointFailed",
}


def close_accounts(journey: Journey) -> str:
    """REST: the month's figures count this walk once; every entry of the ledger verifies."""
    auditor = journey.person("auditor", "Wim")
    month = f"{legal_day():%Y-%m}"
    answer = auditor.rest(
        "GET", "/v1/reports/monthlyStatistics", month=month, programme=journey.facts.programme
    )
    ours = answer["programmes"][0]
    counts = {key: int(ours.get(key, 0)) for key in ("applications", "granted", "refused", "accepted")}
    wanted = {"applications": 2, "granted": 1, "refused": 1, "accepted": 1}
    expect(counts == wanted, f"statistics say {counts}, the walk did {wanted}")
    expect(ours["paidAmount"] == ours["acceptedAmount"], "paid and accepted differ")
    verified = auditor.rest("POST", "/v1/ledger:verify", {})
    findings = [finding["text"] for finding in verified.get("findings", [])]
    expect(verified.get("intact", False), f"the ledger is not intact: {'; '.join(findings[:3])}")
    return (
        f"{counts['granted']} of {counts['applications']} granted, {money(ours['paidAmount'])} paid; "
        f"ledger intact over {verified['entryCount']} entries"
    )


def all_events(journey: Journey) -> str:
    """Kafka: a consumer of our own has seen every kind of event the walk brings about, the redemption's in
    order."""
    _see(journey, set(event_messages()) - PRACTICES - OF_CATALOGUE - OF_PORTFOLIO - ELSEWHERE)
    ours = journey.watcher.of_key(journey.facts.redemption)
    expect(ours == SPENT, f"events of the redemption came as {', '.join(ours)}")
    counts = journey.watcher.counts()
    return f"{counts.total()} events of {len(counts)} kinds; those of the redemption in order"


def events_of_practices(journey: Journey) -> str:
    """Kafka: a consumer of its own has seen what the practices tell beside the walk to a payment."""
    _see(journey, PRACTICES)
    counts = journey.watcher.counts()
    return f"{counts.total()} events of {len(counts)} kinds, {len(PRACTICES)} of them told only here"


def events_of_catalogue(journey: Journey) -> str:
    """Kafka: the same of what the practices of the catalogue tell."""
    _see(journey, OF_CATALOGUE)
    return f"{len(OF_CATALOGUE)} kinds of event told only here"


def events_of_portfolio(journey: Journey) -> str:
    """Kafka: the same of what the practices of the portfolio tell."""
    _see(journey, OF_PORTFOLIO)
    return f"{len(OF_PORTFOLIO)} kinds of event told only here"


def _see(journey: Journey, expected: set[str]) -> None:
    journey.tell(f"waiting for {len(expected)} kinds of event")
    missing = journey.watcher.wait_for(expected, timeout=journey.patience)
    expect(not missing, f"not seen on Kafka: {', '.join(sorted(missing))}")


ACCOUNTS = Step("accounts-closed", "Statistics and ledger are right", ("V3", "V14"), close_accounts)
EVENTS = Step("events-seen", "Every event was seen on Kafka", ("C7", "V14"), all_events)
TOLD = Step("practices-told", "What the practices tell was seen on Kafka", ("C7", "V14"), events_of_practices)
CATALOGUE_TOLD = Step(
    "catalogue-told", "What the catalogue tells was seen on Kafka", ("C7",), events_of_catalogue
)
PORTFOLIO_TOLD = Step(
    "portfolio-told",
    "What the portfolio tells was seen on Kafka",
    ("P1", "P3", "P4", "P5", "P6", "P8", "P12", "P14", "P16", "P17", "P19"),
    events_of_portfolio,
)
