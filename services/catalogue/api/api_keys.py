"""The part of ApiAccessService that is about keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row
from waymark.catalogue.v1 import api_access_pb2 as pb

from services.catalogue.api.messages import last, part
from services.catalogue.domain import api_keys as keys
from services.catalogue.store import api_grants as store
from services.catalogue.store import organisation_tree
from services.catalogue.store.api_tables import api_keys
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import invalid
from services.platform.rpc.handlers import mutation, query

OVERLAP = timedelta(days=1)


class ApiKeyApi:
    """Keys of grants."""

    app: App

    @mutation(answer_stored=False)
    def CreateApiKey(self, tx: Transaction, request: pb.CreateApiKeyRequest) -> pb.ApiKey:
        grant, given = store.in_force(tx, last(request.parent)), request.key
        organisation = last(given.organisation) or grant.organisation_id
        if grant.organisation_id not in organisation_tree.above(tx.connection, organisation):
            raise invalid("key.organisation", "must be the organisation of the grant or a branch of it")
        return _made(tx, grant.id, organisation, given.label)

    @query
    def ListApiKeys(self, tx: Transaction, request: pb.ListApiKeysRequest) -> pb.ListApiKeysResponse:
        grant = store.read(tx, last(request.parent)).id
        found = page(
            tx,
            self.app.signer,
            store.keys_of(grant),
            order_by=[api_keys.c.id],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListApiKeysResponse(keys=map(_key, found.rows), next_page_token=found.next_page_token)

    @mutation(answer_stored=False)
    def RotateApiKey(self, tx: Transaction, request: pb.RotateApiKeyRequest) -> pb.ApiKey:
        grant = store.in_force(tx, part(request.name, 1))
        row = store.live_key(tx, grant.id, last(request.name))
        store.expire(tx, row.id, request.overlap.ToTimedelta() if request.HasField("overlap") else OVERLAP)
        return _made(tx, grant.id, row.organisation_id, row.label)

    @mutation
    def RevokeApiKey(self, tx: Transaction, request: pb.RevokeApiKeyRequest) -> pb.ApiKey:
        row = store.live_key(tx, part(request.name, 1), last(request.name))
        return _key(store.revoke(tx, row.id))


def _made(tx: Transaction, grant: str, organisation: str, label: str) -> pb.ApiKey:
    made = keys.make()
    answer = _key(store.add_key(tx, grant, organisation, label, made))
    answer.secret = made.secret
    return answer


def _key(row: Row[Any]) -> pb.ApiKey:
    answer = pb.ApiKey(
        name=f"apiGrants/{row.grant_id}/keys/{row.id}",
        label=row.label,
        organisation=f"organisations/{row.organisation_id}",
        prefix=row.prefix,
    )
    answer.create_time.FromDatetime(row.create_time)
    if row.expire_time is not None:
        answer.expire_time.FromDatetime(row.expire_time)
    if row.revoke_time is not None:
        answer.revoke_time.FromDatetime(row.revoke_time)
    return answer
