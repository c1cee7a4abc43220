"""Pages: of chosen things, shown by links, commented by invited people, handed in as a frozen copy."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import event
from sqlalchemy import text as sql
from waymark.portfolio.v1 import access_log_pb2, credential_pb2, entry_pb2, share_link_pb2
from waymark.portfolio.v1 import page_collection_pb2 as collections
from waymark.portfolio.v1 import page_comment_pb2 as comments
from waymark.portfolio.v1 import page_pb2 as pb
from waymark.portfolio.v1 import page_submission_pb2 as submissions

from services.platform.db.transaction import transaction
from services.portfolio.api import page_submissions as api
from services.portfolio.store import page_comments
from tests.support.credentials import fixture
from tests.support.pages import collection, handing_in, inviting, page, text
from tests.support.portfolio import Caller, Portfolio, entry, reason_of, refused, share, skill

State = submissions.PageSubmission.State
BLOCK = pb.PageBlock


def opened(portfolio: Portfolio, token: str) -> share_link_pb2.SharedPortfolio:
    request = share_link_pb2.OpenShareLinkRequest(token=token)
    answer: share_link_pb2.SharedPortfolio = portfolio.anybody().OpenShareLink(request).portfolio
    return answer


def rendered(caller: Caller, name: str, format_: Any = pb.PAGE_FORMAT_HTML) -> str:
    return streamed(caller.RenderPage, pb.RenderPageRequest(name=name, format=format_))


def streamed(call: Any, request: Any) -> str:
    return b"".join(part.data for part in call(request)).decode("utf-8", "replace")


def actions(person: Caller) -> list[str]:
    log = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    return [each.action for each in log.access_records]


def test_a_page_shows_chosen_things_in_their_order(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Ada", languages=["nl"])
    job, claim = entry(person, "Shipyard"), skill(person, label={"nl": "lassen"})
    entry(person, "Not on any page")
    badge = person.ImportCredential(
        credential_pb2.ImportCredentialRequest(parent=person.holder, content=fixture("simple.json"))
    )
    made = page(
        person,
        text("# Hello\nI weld."),
        BLOCK(credential=badge.name),
        BLOCK(entry=job.name),
        BLOCK(skill_claim=claim.name),
    )
    assert made.template == pb.PAGE_TEMPLATE_STORY
    shown = rendered(person, made.name)
    places = [shown.index(each) for each in ("Hello", badge.summary.title, "Shipyard", "lassen")]
    assert places == sorted(places)
    assert 'lang="nl"' in shown
    assert "Not on any page" not in shown
    assert rendered(person, made.name, pb.PAGE_FORMAT_PDF).startswith("%PDF-")
    person.DeleteEntry(entry_pb2.DeleteEntryRequest(name=job.name))
    assert "Shipyard" not in rendered(person, made.name)
    wrong = pb.Page(title="x", blocks=[text("x"), BLOCK(entry=entry(portfolio.person()).name)])
    info = pb.CreatePageRequest(parent=person.holder, page=wrong)
    assert reason_of(person.CreatePage, info) == "INVALID_ARGUMENT"
    change = pb.UpdatePageRequest(page=pb.Page(name=made.name, title="Changed", etag=made.etag))
    assert person.UpdatePage(change).blocks[1].credential == badge.name
    assert reason_of(person.UpdatePage, change) == "ETAG_STALE"
    counsellor = portfolio.mandated(person)
    assert "lassen" in rendered(counsellor, made.name)
    assert counsellor.GetPage(pb.GetPageRequest(name=made.name)).title == "Changed"
    assert actions(person) == ["GetPage", "RenderPage"]


def test_collections_keep_an_order_and_forget_what_is_gone(portfolio: Portfolio) -> None:
    person = portfolio.person()
    one, two, three = (page(person, title=each).name for each in ("One", "Two", "Three"))
    made = collection(person, two, one)
    foreign = page(portfolio.person()).name
    request = collections.CreatePageCollectionRequest(
        parent=person.holder, page_collection=collections.PageCollection(title="x", pages=[one, foreign])
    )
    assert reason_of(person.CreatePageCollection, request) == "INVALID_ARGUMENT"
    token = share(person, ["pages.title"], pages=[made.name, three]).token
    assert [each.title for each in opened(portfolio, token).pages] == ["Two", "One", "Three"]
    asked = collections.RenderPageCollectionRequest(name=made.name, format=pb.PAGE_FORMAT_HTML)
    written = streamed(person.RenderPageCollection, asked)
    assert written.index("Two") < written.index("One")
    person.DeletePage(pb.DeletePageRequest(name=two))
    assert [each.title for each in opened(portfolio, token).pages] == ["One", "Three"]
    change = collections.PageCollection(name=made.name, pages=[two, three])
    mask = FieldMask(paths=["pages"])
    request = collections.UpdatePageCollectionRequest(page_collection=change, update_mask=mask)
    assert list(person.UpdatePageCollection(request).pages) == [two, three]
    change = collections.PageCollection(name=made.name, pages=[foreign])
    request = collections.UpdatePageCollectionRequest(page_collection=change, update_mask=mask)
    assert reason_of(person.UpdatePageCollection, request) == "INVALID_ARGUMENT"
    listed = person.ListPageCollections(collections.ListPageCollectionsRequest(parent=person.holder))
    assert [each.name for each in listed.page_collections] == [made.name]
    person.DeletePageCollection(collections.DeletePageCollectionRequest(name=made.name))
    assert [each.title for each in opened(portfolio, token).pages] == ["Three"]


def test_a_link_shows_its_pages_field_by_field(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Ada")
    job = entry(person, "Shipyard", place="Ghent")
    shown, other = page(person, text("Hi."), BLOCK(entry=job.name)), page(person, title="Private")
    fields = ["pages.title", "pages.items.text", "pages.items.entry.title"]
    made = share(person, fields, pin="1234", pages=[shown.name])
    assert list(made.share_link.pages) == [shown.name]
    opening = share_link_pb2.OpenShareLinkRequest(token=made.token)
    assert reason_of(portfolio.anybody().OpenShareLink, opening) == "SHARE_LINK_PIN_WRONG"
    opening.pin = "1234"
    (seen,) = portfolio.anybody().OpenShareLink(opening).portfolio.pages
    items = [pb.SharedItem(text="Hi."), pb.SharedItem(entry=entry_pb2.Entry(title="Shipyard"))]
    assert seen == pb.SharedPage(title="Me", items=items)
    pages = share_link_pb2.OpenSharedPagesRequest(token=made.token, pin="1234", format=pb.PAGE_FORMAT_HTML)
    written = streamed(portfolio.anybody().OpenSharedPages, pages)
    assert "Shipyard" in written
    assert "Ghent" not in written  # a field that the link does not list
    pages.pin = "4321"
    guess = partial(streamed, portfolio.anybody().OpenSharedPages)
    assert reason_of(guess, pages) == "SHARE_LINK_PIN_WRONG"
    assert actions(person)[:2] == ["OpenSharedPages", "OpenShareLink"]
    pages.token = share(person, ["holder"]).token
    assert reason_of(guess, pages) == "NOT_FOUND"
    whole = opened(portfolio, share(person, ["pages", "holder"]).token)
    assert [each.title for each in whole.pages] == ["Private", "Me"]
    assert not whole.entries
    for wrong, pages in ((["holder"], [other.name]), (["pages"], ["holders/x/pages/y"])):
        link = share_link_pb2.ShareLink(
            fields=wrong, pages=pages, max_uses=1, expire_time=made.share_link.expire_time
        )
        request = share_link_pb2.CreateShareLinkRequest(parent=person.holder, share_link=link)
        assert reason_of(person.CreateShareLink, request) == "INVALID_ARGUMENT"


def test_many_pages_cost_as_many_statements_as_one(lonely_portfolio: Portfolio) -> None:
    person = lonely_portfolio.person()
    token = share(person, ["pages"]).token

    def add() -> None:
        page(
            person, BLOCK(entry=entry(person).name), BLOCK(skill_claim=skill(person, f"s{next(count)}").name)
        )

    count = iter(range(100))
    add()
    few = statements(lonely_portfolio, token)
    for _ in range(12):
        add()
    assert statements(lonely_portfolio, token) == few


def statements(portfolio: Portfolio, token: str) -> int:
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = portfolio.app.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        opened(portfolio, token)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def commenting(token: str, said: str = "Good seams.") -> comments.GivePageCommentRequest:
    return comments.GivePageCommentRequest(token=token, author="Tom Maes", text=said)


def test_invited_people_comment_and_the_holder_publishes(portfolio: Portfolio) -> None:
    person, anybody = portfolio.person(), portfolio.anybody()
    made = page(person, text("I weld."))
    link = person.CreatePageInvitation(inviting(person, made.name, label="the yard"))
    opening = comments.OpenPageInvitationRequest(token=link.token)
    assert anybody.OpenPageInvitation(opening).page.items[0].text == "I weld."
    assert anybody.GivePageComment(commenting(link.token)).remaining_comments == 0
    assert refused(anybody.GivePageComment, commenting(link.token)).metadata["state"] == "USED_UP"
    assert reason_of(anybody.OpenPageInvitation, opening) == "SHARE_LINK_ENDED"
    (said,) = person.ListPageComments(comments.ListPageCommentsRequest(parent=person.holder)).page_comments
    assert (said.author, said.text, said.page) == ("Tom Maes", "Good seams.", made.name)
    assert said.page_invitation == link.page_invitation.name
    token = share(person, ["pages"], pages=[made.name]).token
    assert not opened(portfolio, token).pages[0].comments
    assert "Good seams." not in rendered(person, made.name)
    published = person.PublishPageComment(comments.PublishPageCommentRequest(name=said.name))
    assert published.state == comments.PageComment.STATE_PUBLISHED
    assert [each.text for each in opened(portfolio, token).pages[0].comments] == ["Good seams."]
    assert "Good seams." in rendered(person, made.name)
    person.HidePageComment(comments.HidePageCommentRequest(name=said.name))
    assert not opened(portfolio, token).pages[0].comments
    listed = person.ListPageInvitations(comments.ListPageInvitationsRequest(parent=person.holder))
    assert [(each.label, each.comments) for each in listed.page_invitations] == [("the yard", 1)]
    assert [each for each in actions(person) if "Page" in each] == ["GivePageComment", "OpenPageInvitation"]
    person.DeletePage(pb.DeletePageRequest(name=made.name))
    gone = person.ListPageComments(comments.ListPageCommentsRequest(parent=person.holder))
    assert not gone.page_comments


@pytest.mark.parametrize("end", ["WITHDRAWN", "EXPIRED"])
def test_an_invitation_ends(portfolio: Portfolio, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    person, anybody = portfolio.person(), portfolio.anybody()
    link = person.CreatePageInvitation(inviting(person, page(person).name, max_comments=2))
    name = link.page_invitation.name
    if end == "EXPIRED":
        with transaction(portfolio.app) as tx:
            over = sql("UPDATE page_invitations SET expires_at = now() WHERE id = :id")
            tx.execute(over, {"id": name.rpartition("/")[2]})
    else:
        withdraw = comments.WithdrawPageInvitationRequest(name=name)
        first = person.WithdrawPageInvitation(withdraw)
        assert person.WithdrawPageInvitation(withdraw).state == first.state
    assert refused(anybody.GivePageComment, commenting(link.token)).metadata["state"] == end
    assert reason_of(anybody.GivePageComment, commenting(link.token.swapcase())) == "NOT_FOUND"
    monkeypatch.setattr(page_comments, "require_usable", lambda *_: None)  # control
    anybody.GivePageComment(commenting(link.token))


def frozen(caller: Caller, name: str) -> submissions.SubmittedPages:
    answer: submissions.SubmittedPages = caller.GetSubmittedPages(
        submissions.GetSubmittedPagesRequest(name=name)
    )
    return answer


def handed_in(portfolio: Portfolio) -> tuple[Caller, Caller, str, list[str]]:
    """Somebody hands two pages in to a counsellor; then everything on them is changed."""
    person, recipient = portfolio.person(given_name="Ada"), portfolio.counsellor()
    job = entry(person, "Shipyard")
    pages = [page(person, text("Before."), BLOCK(entry=job.name)).name, page(person, title="Two").name]
    both = collection(person, *pages)
    request = handing_in(person, both.name, recipient, portfolio.organisation, note="Please look.")
    name = person.CreatePageSubmission(request).name
    change = entry_pb2.Entry(name=job.name, title="Changed")
    person.UpdateEntry(entry_pb2.UpdateEntryRequest(entry=change))
    person.UpdatePage(
        pb.UpdatePageRequest(page=pb.Page(name=pages[0], title="After", blocks=[text("After.")]))
    )
    person.DeletePage(pb.DeletePageRequest(name=pages[1]))
    return person, recipient, name, pages


def test_what_was_handed_in_stays_as_it_was(portfolio: Portfolio) -> None:
    person, recipient, name, _ = handed_in(portfolio)
    copy = frozen(recipient, name)
    assert [each.title for each in copy.pages] == ["Me", "Two"]
    assert copy.pages[0].items[0].text == "Before."
    assert copy.pages[0].items[1].entry.title == "Shipyard"
    assert copy == frozen(person, name)
    read = recipient.GetPageSubmission(submissions.GetPageSubmissionRequest(name=name))
    copy.ClearField("page_submission")
    assert read.sha256 == hashlib.sha256(copy.SerializeToString(deterministic=True)).hexdigest()
    asked = submissions.RenderSubmittedPagesRequest(name=name, format=pb.PAGE_FORMAT_HTML)
    written = streamed(recipient.RenderSubmittedPages, asked)
    assert "Before." in written
    assert "After." not in written
    assert actions(person) == ["RenderSubmittedPages", "GetPageSubmission", "GetSubmittedPages"]


def test_without_the_copy_it_would_change(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: what is read anew shows the edits."""

    def live(tx: Any, vault: Any, submission_id: str) -> submissions.SubmittedPages:
        source = api.SUBMISSIONS.get(tx, vault, submission_id).source
        return api._frozen(tx, vault, source)

    monkeypatch.setattr(api.page_submissions, "frozen", live)
    _, recipient, name, _ = handed_in(portfolio)
    assert [each.title for each in frozen(recipient, name).pages] == ["After"]


def test_only_the_recipient_reads_answers_and_only_until_the_end(portfolio: Portfolio) -> None:
    person, recipient = portfolio.person(), portfolio.staff("provider", "organisations/guild")
    made = page(person, text("x"))
    name = person.CreatePageSubmission(handing_in(person, made.name, recipient, "organisations/guild")).name
    listing = submissions.ListReceivedSubmissionsRequest()
    (row,) = recipient.ListReceivedSubmissions(listing).received_submissions
    assert (row.page_submission, row.state) == (name, State.STATE_SUBMITTED)
    elsewhere = portfolio.staff("provider", "organisations/other", recipient.subject)
    get = submissions.GetSubmittedPagesRequest(name=name)
    answer = submissions.ReturnPageSubmissionRequest(name=name, feedback="Well done.")
    for stranger in (elsewhere, portfolio.staff("provider", "organisations/guild")):
        assert reason_of(stranger.GetSubmittedPages, get) == "NOT_FOUND"
        assert reason_of(stranger.ReturnPageSubmission, answer) == "NOT_FOUND"
        assert not stranger.ListReceivedSubmissions(listing).received_submissions
    look = pb.GetPageRequest(name=made.name)
    assert reason_of(recipient.GetPage, look) == "PERMISSION_DENIED"  # the copy and nothing else
    returned = recipient.ReturnPageSubmission(answer)
    assert (returned.state, returned.feedback) == (State.STATE_RETURNED, "Well done.")
    assert reason_of(recipient.ReturnPageSubmission, answer) == "WRONG_STATE"
    recipient.GetSubmittedPages(get)
    withdraw = submissions.WithdrawPageSubmissionRequest(name=name)
    withdrawn = person.WithdrawPageSubmission(withdraw)
    assert person.WithdrawPageSubmission(withdraw) == withdrawn
    assert reason_of(recipient.GetSubmittedPages, get) == "NOT_FOUND"
    late = person.CreatePageSubmission(handing_in(person, made.name, recipient, "organisations/guild")).name
    with transaction(portfolio.app) as tx:
        over = sql("UPDATE page_submissions SET expires_at = now() WHERE id = :id")
        tx.execute(over, {"id": late.rpartition("/")[2]})
    assert reason_of(recipient.GetSubmittedPages, submissions.GetSubmittedPagesRequest(name=late)) == (
        "NOT_FOUND"
    )
    states = person.ListPageSubmissions(submissions.ListPageSubmissionsRequest(parent=person.holder))
    assert [each.state for each in states.page_submissions] == [State.STATE_EXPIRED, State.STATE_WITHDRAWN]


def test_a_stranger_has_nothing_written_down(portfolio: Portfolio) -> None:
    person = portfolio.person()
    made = page(person, text("Mine."))
    whole = collection(person, made.name).name
    handing = handing_in(person, made.name, portfolio.counsellor(), portfolio.organisation)
    copy, html = person.CreatePageSubmission(handing).name, pb.PAGE_FORMAT_HTML
    for rpc, request in (
        ("RenderPage", pb.RenderPageRequest(name=made.name, format=html)),
        ("RenderPageCollection", collections.RenderPageCollectionRequest(name=whole, format=html)),
        ("RenderSubmittedPages", submissions.RenderSubmittedPagesRequest(name=copy, format=html)),
    ):
        for stranger in (portfolio.person(), portfolio.counsellor(), portfolio.mandated(portfolio.person())):
            assert reason_of(partial(streamed, getattr(stranger, rpc)), request) == "NOT_FOUND"
        assert "Mine." in streamed(getattr(person, rpc), request)  # control


def test_what_cannot_be_handed_in(portfolio: Portfolio) -> None:
    person, recipient = portfolio.person(), portfolio.counsellor()
    made = page(person).name
    for request in (
        handing_in(person, made, person, portfolio.organisation),
        handing_in(person, page(portfolio.person()).name, recipient, portfolio.organisation),
        handing_in(person, collection(person).name, recipient, portfolio.organisation),
        handing_in(person, entry(person).name, recipient, portfolio.organisation),
    ):
        assert reason_of(person.CreatePageSubmission, request) == "INVALID_ARGUMENT"
