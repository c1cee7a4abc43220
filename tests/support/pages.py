"""Pages on a running portfolio service."""

from __future__ import annotations

from typing import Any

from waymark.portfolio.v1 import page_collection_pb2, page_comment_pb2, page_submission_pb2
from waymark.portfolio.v1 import page_pb2 as pb

from tests.support.portfolio import Caller, soon


def page(person: Caller, *blocks: pb.PageBlock, title: str = "Me", **fields: Any) -> pb.Page:
    """Makes a page of these blocks."""
    made = pb.Page(title=title, blocks=blocks, **fields)
    answer: pb.Page = person.CreatePage(pb.CreatePageRequest(parent=person.holder, page=made))
    return answer


def text(said: str) -> pb.PageBlock:
    """A block of text."""
    return pb.PageBlock(text=said)


def collection(person: Caller, *pages: str, title: str = "All") -> page_collection_pb2.PageCollection:
    """Makes a collection of pages."""
    made = page_collection_pb2.PageCollection(title=title, pages=pages)
    request = page_collection_pb2.CreatePageCollectionRequest(parent=person.holder, page_collection=made)
    answer: page_collection_pb2.PageCollection = person.CreatePageCollection(request)
    return answer


def inviting(person: Caller, name: str, **fields: Any) -> page_comment_pb2.CreatePageInvitationRequest:
    """A request for a link by which one comment can be given to a page."""
    facts: dict[str, Any] = {"page": name, "max_comments": 1, "expire_time": soon(days=30)}
    wanted = page_comment_pb2.PageInvitation(**(facts | fields))
    return page_comment_pb2.CreatePageInvitationRequest(parent=person.holder, page_invitation=wanted)


def handing_in(
    person: Caller, source: str, recipient: Caller, organisation: str, **fields: Any
) -> page_submission_pb2.CreatePageSubmissionRequest:
    """A request to hand a page or a collection in."""
    facts: dict[str, Any] = {"recipient": recipient.subject, "organisation": organisation}
    facts |= {"source": source, "expire_time": soon(days=30)} | fields
    wanted = page_submission_pb2.PageSubmission(**facts)
    return page_submission_pb2.CreatePageSubmissionRequest(parent=person.holder, page_submission=wanted)
