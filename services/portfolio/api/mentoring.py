"""MentoringService."""

from __future__ import annotations

from typing import Any

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import mentoring_match_pb2 as pb
from waymark.portfolio.v1 import mentoring_match_pb2_grpc
from waymark.portfolio.v1.events_pb2 import MentoringMatchMoved
from waymark.portfolio.v1.mentor_pb2 import Mentor

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation, query
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import mentoring, names, sharing
from services.portfolio.domain.dates import check_expiry, refuse
from services.portfolio.domain.mentoring import Party, Standing, Wish
from services.portfolio.showing import shown
from services.portfolio.store import access_records, holders, locking, mentoring_matches, mentors
from services.portfolio.store.mentoring_matches import COLLECTIONS, MATCHES
from services.portfolio.store.vault import Vault, open_vault


class MentoringApi(mentoring_match_pb2_grpc.MentoringServiceServicer):
    """Mentors for holders, by the consent of both."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def SuggestMentors(self, tx: Transaction, request: pb.SuggestMentorsRequest) -> pb.SuggestMentorsResponse:
        (holder,) = names.parse(request.parent, "holders")
        vault = open_vault(tx, self.app.keys, holder)
        if not request.occupation_uri and not request.isco_code:
            refuse([Violation("occupation_uri", "or isco_code must name an occupation")])
        wish = _wish(tx, vault, request, request.languages)
        found = mentoring.suggested(wish, mentors.offers(tx, wish, holder))
        return pb.SuggestMentorsResponse(
            suggestions=[
                pb.MentorSuggestion(mentor=offer.mentor, organisation=offer.organisation, reasons=reasons)
                for offer, reasons in found
            ]
        )

    @portfolio_call
    def CreateMentoringMatch(
        self, tx: Transaction, request: pb.CreateMentoringMatchRequest
    ) -> pb.MentoringMatch:
        (holder,) = names.parse(request.parent, "holders")
        vault, match = open_vault(tx, self.app.keys, holder), without_outputs(request.mentoring_match)
        by_holder, path = tx.principal.subject == holder, "mentoring_match.fields"
        mentoring.check_given(match.fields, by_holder=by_holder, path=path)
        sharing.check_fields(match.fields, path)
        check_expiry("mentoring_match.expire_time", match.expire_time, now=tx.now, longest=mentoring.LONGEST)
        mentor = self._mentor(tx, match.mentor, holder)
        _require_room(mentor)
        reasons = mentoring.reasons_of(_wish(tx, vault, match, ()), mentors.offer_of(mentor))
        match.reasons.CopyFrom(reasons)
        match.state = pb.MentoringMatch.STATE_PROPOSED
        standing = mentoring_matches.standing_of(match)
        if by_holder:
            standing = standing.agree(Party.HOLDER, tx.now)
        return self._told(tx, mentoring_matches.add(tx, vault, match, standing))

    @portfolio_call
    def GetMentoringMatch(self, tx: Transaction, request: pb.GetMentoringMatchRequest) -> pb.MentoringMatch:
        holder, match_id = names.parse(request.name, *COLLECTIONS)
        return MATCHES.get(tx, open_vault(tx, self.app.keys, holder), match_id)

    @portfolio_call
    def ListMentoringMatches(
        self, tx: Transaction, request: pb.ListMentoringMatchesRequest
    ) -> pb.ListMentoringMatchesResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = MATCHES.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListMentoringMatchesResponse(
            mentoring_matches=page.messages, next_page_token=page.next_page_token
        )

    @query
    def ListReceivedMatches(
        self, tx: Transaction, request: pb.ListReceivedMatchesRequest
    ) -> pb.ListReceivedMatchesResponse:
        (mentor_id,) = names.parse(request.parent, "mentors")
        page = mentoring_matches.received(tx, self.app.signer, mentor_id, request)
        return pb.ListReceivedMatchesResponse(
            received_matches=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def AgreeMentoringMatch(
        self, tx: Transaction, request: pb.AgreeMentoringMatchRequest
    ) -> pb.MentoringMatch:
        vault, match, standing = self._locked(tx, request.name)
        party = Party.HOLDER if tx.principal.subject == vault.holder else Party.MENTOR
        mentoring.check_given(request.fields, by_holder=party == Party.HOLDER, path="fields")
        sharing.check_fields(request.fields, "fields")
        agreed = standing.agree(party, tx.now)
        if agreed == standing:
            return match
        if agreed.state == pb.MentoringMatch.STATE_ACTIVE:
            # Locked, so that two matches never take the last place of one mentor.
            _require_room(mentors.get(tx, names.last(match.mentor), lock=True))
        if party == Party.HOLDER:
            match.fields.extend(request.fields)
        return self._told(tx, mentoring_matches.save(tx, vault, match, agreed))

    @portfolio_call
    def EndMentoringMatch(self, tx: Transaction, request: pb.EndMentoringMatchRequest) -> pb.MentoringMatch:
        vault, match, standing = self._locked(tx, request.name)
        return self._told(tx, mentoring_matches.save(tx, vault, match, standing.end()))

    @mutation  # writes its own access record, which says the fields
    def GetMentoredPortfolio(
        self, tx: Transaction, request: pb.GetMentoredPortfolioRequest
    ) -> pb.GetMentoredPortfolioResponse:
        locking.enter(tx, names.holder_in(request.name))
        vault, match, standing = self._locked(tx, request.name)
        standing.require(pb.MentoringMatch.STATE_ACTIVE)
        access_records.write(
            tx,
            vault.holder,
            action="GetMentoredPortfolio",
            resource=names.holder(vault.holder),
            grant=match.name,
            fields=match.fields,
        )
        return pb.GetMentoredPortfolioResponse(
            portfolio=shown(tx, vault, match.fields), fields=match.fields, expire_time=match.expire_time
        )

    def _locked(self, tx: Transaction, name: str) -> tuple[Vault, pb.MentoringMatch, Standing]:
        holder, match_id = names.parse(name, *COLLECTIONS)
        vault = open_vault(tx, self.app.keys, holder)
        match = MATCHES.get(tx, vault, match_id, lock=True)
        return vault, match, mentoring_matches.standing_of(match)

    def _mentor(self, tx: Transaction, name: str, holder: str) -> Mentor:
        try:
            mentor = mentors.get(tx, *names.parse(name, "mentors"))
        except Refusal:
            mentor = Mentor()
        if not mentor.name or mentor.subject == holder:
            refuse([Violation("mentoring_match.mentor", "is no mentor for this holder")])
        return mentor

    def _told(self, tx: Transaction, match: pb.MentoringMatch) -> pb.MentoringMatch:
        tx.publish(MentoringMatchMoved(mentoring_match=match.name, to_state=mentoring.label(match.state)))
        return match


def _wish(tx: Transaction, vault: Vault, said: Any, languages: Any) -> Wish:
    """What is looked for; without languages those that the holder wants to be addressed in."""
    spoken = list(languages) or mentoring.languages_of(holders.get(tx, vault).languages)
    return Wish(said.occupation_uri, said.isco_code, spoken)


def _require_room(mentor: Mentor) -> None:
    if mentor.HasField("retire_time") or mentor.active >= mentor.capacity:
        metadata = {"capacity": str(mentor.capacity)}
        raise Refusal(reason_pb2.REASON_MENTOR_NOT_AVAILABLE, metadata=metadata)
