"""What somebody does in company, a thing of each kind: to be asked for by others, or to be told by."""

from __future__ import annotations

from typing import Any, NamedTuple

from waymark.portfolio.v1 import page_collection_pb2, page_comment_pb2, page_pb2

from tests.support.groups import joining, programme
from tests.support.mentoring import asking, matched, offered
from tests.support.pages import collection, handing_in, inviting, page, text
from tests.support.portfolio import Caller, Portfolio


class Things(NamedTuple):
    """Fields of valid requests by RPC, and the name of a thing by the service it is of."""

    requests: dict[str, dict[str, Any]]
    names: dict[str, str]


def together(*things: Things) -> Things:
    """Returns all of them as one."""
    requests: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    for each in things:
        requests |= each.requests
        names |= each.names
    return Things(requests, names)


def company_of(portfolio: Portfolio, person: Caller) -> Things:
    """Gives somebody a mentor, a group, and a page that was commented and handed in."""
    return together(_groups(portfolio, person), _pages(portfolio, person))


def _groups(portfolio: Portfolio, person: Caller) -> Things:
    mentor, group = offered(portfolio), programme(portfolio).name
    match = person.CreateMentoringMatch(asking(person, mentor.name, fields=["holder"])).name
    member = person.CreateGroupMembership(joining(person, group)).name
    other = asking(person, offered(portfolio).name, fields=["holder"])
    requests: dict[str, dict[str, Any]] = {
        "SuggestMentors": {"isco_code": "7212"},
        "CreateMentoringMatch": {"mentoring_match": other.mentoring_match},
        "ListReceivedMatches": {"parent": mentor.name},
        "CreateGroupMembership": {
            "group_membership": joining(person, programme(portfolio).name).group_membership
        },
        "ListMemberProgress": {"parent": group},
    }
    return Things(requests, {"MentoringService": match, "GroupMembershipService": member})


def _pages(portfolio: Portfolio, person: Caller) -> Things:
    shown = page(person).name
    pages = collection(person, shown).name
    invited = person.CreatePageInvitation(inviting(person, shown, max_comments=2))
    said = {"token": invited.token, "author": "x", "text": "x"}
    portfolio.anybody().GivePageComment(page_comment_pb2.GivePageCommentRequest(**said))
    listing = page_comment_pb2.ListPageCommentsRequest(parent=person.holder)
    (comment,) = person.ListPageComments(listing).page_comments
    handing = handing_in(person, shown, portfolio.counsellor(), portfolio.organisation)
    arranged = page_collection_pb2.PageCollection(name=pages, title="Eve")
    requests: dict[str, dict[str, Any]] = {
        "CreatePage": {"page": page_pb2.Page(title="Eve")},
        "UpdatePage": {"page": page_pb2.Page(name=shown, title="Eve")},
        "CreatePageCollection": {"page_collection": page_collection_pb2.PageCollection(title="Eve")},
        "UpdatePageCollection": {"page_collection": arranged},
        "CreatePageInvitation": {"page_invitation": inviting(person, shown).page_invitation},
        "WithdrawPageInvitation": {"name": invited.page_invitation.name},
        "GivePageComment": said,
        "OpenPageInvitation": {"token": invited.token},
        "CreatePageSubmission": {"page_submission": handing.page_submission},
        "GetSubmittedFile": {"evidence": f"{person.holder}/evidence/none"},
        "ReturnPageSubmission": {"feedback": "x"},
        "RenderPage": {"format": page_pb2.PAGE_FORMAT_HTML},
        "RenderPageCollection": {"format": page_pb2.PAGE_FORMAT_HTML},
        "RenderSubmittedPages": {"format": page_pb2.PAGE_FORMAT_HTML},
    }
    names = {
        "PageService": shown,
        "PageCollectionService": pages,
        "PageCommentService": comment.name,
        "PageSubmissionService": person.CreatePageSubmission(handing).name,
    }
    return Things(requests, names)


def tell_company(portfolio: Portfolio, person: Caller, shown: str, said: str) -> None:
    """Somebody says a text wherever something can be said in company; `shown`: an entry of theirs."""
    made = page(person, text(said), page_pb2.PageBlock(entry=shown), title=said)
    link = person.CreatePageInvitation(inviting(person, made.name, label=said))
    comment = page_comment_pb2.GivePageCommentRequest(token=link.token, author=said, text=said)
    portfolio.anybody().GivePageComment(comment)
    whole, recipient = collection(person, made.name, title=said).name, portfolio.counsellor()
    person.CreatePageSubmission(handing_in(person, whole, recipient, portfolio.organisation, note=said))
    person.CreateGroupMembership(joining(person, programme(portfolio).name, said))
    matched(person, offered(portfolio), wish=said)
