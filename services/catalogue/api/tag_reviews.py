"""TagReviewService. Phrases that name skills are found by `skill_tagging`, a job of the consumer."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import tag_review_pb2 as pb
from waymark.catalogue.v1 import tag_review_pb2_grpc
from waymark.errors.v1 import reason_pb2

from services.catalogue import skill_tagging
from services.catalogue.api.messages import last
from services.catalogue.domain.skill_tags import Verdict, Word
from services.catalogue.store import courses, skill_tags, tag_reviews, taxonomies
from services.catalogue.store.skill_tables import tag_reviews as table
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.rpc.handlers import mutation, query


class TagReviewApi(tag_review_pb2_grpc.TagReviewServiceServicer):
    """Phrases and the skills they name."""

    def __init__(self, app: App) -> None:
        self.app = app

    @query
    def ListTagReviews(self, tx: Transaction, request: pb.ListTagReviewsRequest) -> pb.ListTagReviewsResponse:
        found = page(
            tx,
            self.app.signer,
            tag_reviews.listing(request.verdict, last(request.course) if request.course else ""),
            order_by=[table.c.course_count.desc(), table.c.view_count.desc(), table.c.id.desc()],
            request=request,
            filters={"verdict": request.verdict, "course": request.course},
        )
        return pb.ListTagReviewsResponse(
            tag_reviews=map(_message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def DecideTag(self, tx: Transaction, request: pb.DecideTagRequest) -> pb.TagReview:
        if bool(request.replacement) != (request.verdict == pb.TagReview.VERDICT_REPLACED):
            raise invalid("replacement", "belongs to VERDICT_REPLACED, and is needed there")
        review = last(request.name)
        if not request.course:
            row = tag_reviews.read(tx, review, lock=True)
            return _message(tag_reviews.decide(tx, review, _word(tx, request, row)))
        course = courses.read(tx.connection, last(request.course), lock=True)
        if course.removed_time is not None:
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "REMOVED", "needed": "OFFERED"})
        row = tag_reviews.read(tx, review)
        if not skill_tags.has(tx, course.id, review):
            raise invalid("course", "does not have this phrase")
        skill_tags.say(tx, course.id, row.uri, _word(tx, request, row))
        skill_tagging.show(tx, [course.id])
        return _message(row)


def _word(tx: Transaction, request: pb.DecideTagRequest, row: Any) -> Word:
    verdict = Verdict(request.verdict)
    if verdict is not Verdict.REPLACED:
        return Word(verdict, row.uri, row.label, row.version)
    version = taxonomies.in_use(tx.connection).get(taxonomies.SKILLS, "")
    known = taxonomies.concepts_of(tx, taxonomies.SKILLS, version, [request.replacement])
    if request.replacement not in known or request.replacement == row.uri:
        raise invalid("replacement", "is no other skill of the version in use")
    return Word(verdict, request.replacement, known[request.replacement][1], version)


def _message(row: Any) -> pb.TagReview:
    answer = pb.TagReview(
        name=f"tagReviews/{row.id}",
        phrase=row.phrase,
        language=row.language,
        uri=row.uri,
        label=row.label,
        confidence=row.confidence,
        course_count=row.course_count,
        view_count=row.view_count,
        verdict=row.verdict,
        replacement=row.replacement,
        replacement_label=row.replacement_label,
        decided_by=row.decided_by,
        applied=row.applied,
    )
    if row.decide_time is not None:
        answer.decide_time.FromDatetime(row.decide_time)
    return answer
