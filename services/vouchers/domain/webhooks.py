"""States of webhooks."""

from __future__ import annotations

from enum import IntEnum

GIVEN_UP_LIMIT = 5  # messages in a row, after which the endpoint is told no more


class EndpointState(IntEnum):
    """The same numbers as `WebhookEndpoint.State` in the contract."""

    ENABLED = 1
    DISABLED = 2
    FAILED = 3


class DeliveryState(IntEnum):
    """The same numbers as `WebhookDelivery.State` in the contract."""

    PENDING = 1
    DELIVERED = 2
    FAILED = 3
