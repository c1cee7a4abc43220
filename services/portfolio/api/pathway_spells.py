"""PathwayService: spells, which run beside a pathway and change nothing of where it stands."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import pathway_pb2 as pb

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import check_period
from services.portfolio.store import pathways
from services.portfolio.store.vault import open_vault


class SpellApi:
    """Spells beside pathways."""

    app: PortfolioApp

    @portfolio_call
    def AddSpell(self, tx: Transaction, request: pb.AddSpellRequest) -> pb.Pathway:
        holder, pathway_id = names.parse(request.pathway, "holders", "pathways")
        vault = open_vault(tx, self.app.keys, holder)
        pathway = pathways.load(tx, vault, pathway_id, lock=True)
        spell = pb.Spell()
        spell.CopyFrom(request.spell)
        spell.name = ""
        _check(spell, "spell.")
        pathways.add_spell(tx, vault, pathway, spell)
        return pathways.save(tx, vault, pathway, pathway.standing).message

    @portfolio_call
    def EndSpell(self, tx: Transaction, request: pb.EndSpellRequest) -> pb.Pathway:
        holder, pathway_id, spell_id = names.parse(request.name, "holders", "pathways", "spells")
        vault = open_vault(tx, self.app.keys, holder)
        pathway = pathways.load(tx, vault, pathway_id, lock=True)
        for spell in pathway.message.spells:
            if spell.name == request.name:
                break
        else:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        spell.name = ""
        spell.end_date.CopyFrom(request.end_date)
        _check(spell, "")
        pathways.save_spell(tx, vault, spell_id, spell)
        return pathways.save(tx, vault, pathway, pathway.standing).message


def _check(spell: pb.Spell, prefix: str) -> None:
    start, end = ("spell.start_date", spell.start_date), (f"{prefix}end_date", spell.end_date)
    check_period(start, end, partial=False)
