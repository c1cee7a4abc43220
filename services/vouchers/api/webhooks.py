"""WebhookService: who is told of events, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import webhook_pb2 as pb
from waymark.vouchers.v1 import webhook_pb2_grpc

from services.platform.db.etags import check_etag, etag_of
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.outgoing.addresses import url_problem
from services.platform.outgoing.webhooks import new_secret
from services.platform.rpc.handlers import mutation, query
from services.platform.rpc.masks import merged
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.states import need
from services.vouchers.domain.webhooks import DeliveryState, EndpointState
from services.vouchers.store import names, webhooks
from services.vouchers.store.webhook_tables import webhook_deliveries, webhook_endpoints
from services.vouchers.webhooks import EVENTS

OVERLAP_HOURS = 24


class WebhookApi(webhook_pb2_grpc.WebhookServiceServicer):
    """Tells back offices of events."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation(answer_stored=False)
    def CreateWebhookEndpoint(
        self, tx: Transaction, request: pb.CreateWebhookEndpointRequest
    ) -> pb.WebhookSecret:
        wanted, endpoint, secret = request.webhook_endpoint, new_id(), new_secret()
        if not wanted.HasField("enabled"):
            wanted.enabled = True
        values = {
            "id": endpoint,
            **self._checked(wanted),
            **_state(enabled=wanted.enabled),
            "sealed_secret": self._sealed(endpoint, secret),
            "created_by": tx.principal.subject,
        }
        return pb.WebhookSecret(webhook_endpoint=_endpoint(webhooks.add(tx, values)), secret=secret)

    @query
    def GetWebhookEndpoint(
        self, tx: Transaction, request: pb.GetWebhookEndpointRequest
    ) -> pb.WebhookEndpoint:
        return _endpoint(webhooks.get(tx, names.uuid_in(request.name, "webhookEndpoints")))

    @query
    def ListWebhookEndpoints(
        self, tx: Transaction, request: pb.ListWebhookEndpointsRequest
    ) -> pb.ListWebhookEndpointsResponse:
        order = [webhook_endpoints.c.created_at, webhook_endpoints.c.id]
        found = page(tx, self.app.signer, select(webhook_endpoints), order_by=order, request=request)
        return pb.ListWebhookEndpointsResponse(
            webhook_endpoints=map(_endpoint, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def UpdateWebhookEndpoint(
        self, tx: Transaction, request: pb.UpdateWebhookEndpointRequest
    ) -> pb.WebhookEndpoint:
        sent = request.webhook_endpoint
        endpoint = names.uuid_in(sent.name, "webhookEndpoints")
        row = webhooks.get(tx, endpoint, locked=True)
        check_etag(sent.etag, row.version)
        before = _endpoint(row)
        wanted = merged(before, sent, request.update_mask, "webhook_endpoint")
        values = self._checked(wanted)
        if wanted.enabled != before.enabled:
            values |= _state(enabled=wanted.enabled)
        return _endpoint(webhooks.change(tx, endpoint, values))

    @mutation(answer_stored=False)
    def RotateWebhookSecret(
        self, tx: Transaction, request: pb.RotateWebhookSecretRequest
    ) -> pb.WebhookSecret:
        endpoint, secret = names.uuid_in(request.name, "webhookEndpoints"), new_secret()
        before = webhooks.get(tx, endpoint, locked=True)
        values = {
            "sealed_secret": self._sealed(endpoint, secret),
            "sealed_former": bytes(before.sealed_secret),
            "former_until": tx.now + timedelta(hours=request.overlap_hours or OVERLAP_HOURS),
        }
        row = webhooks.change(tx, endpoint, values)
        return pb.WebhookSecret(webhook_endpoint=_endpoint(row), secret=secret)

    @mutation
    def EnableWebhookEndpoint(
        self, tx: Transaction, request: pb.EnableWebhookEndpointRequest
    ) -> pb.WebhookEndpoint:
        endpoint = names.uuid_in(request.name, "webhookEndpoints")
        return _endpoint(webhooks.change(tx, endpoint, _state(enabled=True)))

    @mutation
    def DisableWebhookEndpoint(
        self, tx: Transaction, request: pb.DisableWebhookEndpointRequest
    ) -> pb.WebhookEndpoint:
        endpoint = names.uuid_in(request.name, "webhookEndpoints")
        return _endpoint(webhooks.change(tx, endpoint, _state(enabled=False)))

    @query
    def ListWebhookDeliveries(
        self, tx: Transaction, request: pb.ListWebhookDeliveriesRequest
    ) -> pb.ListWebhookDeliveriesResponse:
        endpoint = names.uuid_in(request.parent, "webhookEndpoints")
        webhooks.get(tx, endpoint)
        d = webhook_deliveries.c
        found = page(
            tx,
            self.app.signer,
            webhooks.deliveries(endpoint, request.state),
            order_by=[d.created_at.desc(), d.id.desc()],
            request=request,
            filters={"parent": request.parent, "state": int(request.state)},
        )
        return pb.ListWebhookDeliveriesResponse(
            deliveries=map(_delivery, found.rows), next_page_token=found.next_page_token
        )

    @query
    def GetWebhookDelivery(
        self, tx: Transaction, request: pb.GetWebhookDeliveryRequest
    ) -> pb.WebhookDelivery:
        return _delivery(webhooks.delivery(tx, *_parts(request.name)))

    @mutation
    def RedeliverWebhookDelivery(
        self, tx: Transaction, request: pb.RedeliverWebhookDeliveryRequest
    ) -> pb.WebhookDelivery:
        endpoint, delivery = _parts(request.name)
        need(EndpointState(webhooks.get(tx, endpoint).state), (EndpointState.ENABLED,))
        if not webhooks.delivery(tx, endpoint, delivery, locked=True).payload:
            raise Refusal(reason_pb2.REASON_WEBHOOK_CONTENT_GONE)
        return _delivery(webhooks.again(tx, delivery))

    def _checked(self, wanted: pb.WebhookEndpoint) -> dict[str, Any]:
        """Returns the columns that a caller sets; raises Refusal: WEBHOOK_URL_REFUSED, INVALID_ARGUMENT."""
        problem = url_problem(wanted.url, self.app.settings.reach)
        if problem:
            violation = Violation("webhook_endpoint.url", problem)
            raise Refusal(reason_pb2.REASON_WEBHOOK_URL_REFUSED, violations=[violation])
        _known(wanted.event_types)
        return {
            "url": wanted.url,
            "event_types": sorted(wanted.event_types),
            "description": wanted.description,
        }

    def _sealed(self, endpoint: str, secret: str) -> bytes | None:
        return self.app.notes.seal(f"webhookEndpoints/{endpoint}/secret", secret)


def _state(*, enabled: bool) -> dict[str, Any]:
    """Returns the columns of an endpoint that is told, with what failed before forgiven, or of one that is
    not."""
    if enabled:
        return {"state": int(EndpointState.ENABLED), "given_up": 0}
    return {"state": int(EndpointState.DISABLED)}


def _known(types: Any) -> None:
    """Raises Refusal(INVALID_ARGUMENT) naming each type that is no event of this service."""
    violations = [
        Violation(f"webhook_endpoint.event_types[{place}]", f"there is no event {kind!r}; see docs/events.md")
        for place, kind in enumerate(types)
        if kind not in EVENTS
    ]
    if violations:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=violations)


def _parts(name: str) -> tuple[str, str]:
    endpoint, delivery = name.rpartition("/deliveries/")[0], name
    return names.uuid_in(endpoint, "webhookEndpoints"), names.uuid_in(delivery, "deliveries")


def _endpoint(row: Row[Any]) -> pb.WebhookEndpoint:
    return pb.WebhookEndpoint(
        name=f"webhookEndpoints/{row.id}",
        url=row.url,
        event_types=row.event_types,
        state=row.state,
        given_up=row.given_up,
        former_secret_expire_time=moment(row.former_until),
        create_time=moment(row.created_at),
        enabled=row.state == EndpointState.ENABLED,
        description=row.description,
        etag=etag_of(row.version),
    )


def _delivery(row: Row[Any]) -> pb.WebhookDelivery:
    pending = row.state == DeliveryState.PENDING
    return pb.WebhookDelivery(
        name=f"webhookEndpoints/{row.endpoint_id}/deliveries/{row.id}",
        message_id=str(row.event_id),
        event_type=row.event_type,
        state=row.state,
        attempts=row.attempts,
        last_status=row.last_status,
        last_error=row.last_error,
        next_attempt_time=moment(row.next_at) if pending else None,
        deliver_time=moment(row.delivered_at),
        create_time=moment(row.created_at),
    )
