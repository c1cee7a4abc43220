"""What the development issuer and who asks it for a token have to agree on."""

from __future__ import annotations

from waymark.options.v1 import options_pb2

DEVELOPMENT_GRANT = "urn:waymark:development"
ROLES = tuple(name.removeprefix("ROLE_").lower() for name, number in options_pb2.Role.items() if number)
