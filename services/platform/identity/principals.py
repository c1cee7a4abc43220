"""Who is calling: subject, roles and organisation, as the access token says."""

from __future__ import annotations

from dataclasses import dataclass, field

from waymark.options.v1 import options_pb2

# Claim `roles` carries these names: `learner`, `programme_manager`, …
ROLES_BY_NAME: dict[str, int] = {
    name.removeprefix("ROLE_").lower(): number for name, number in options_pb2.Role.items() if number
}
ROLE_NAMES: dict[int, str] = {number: name for name, number in ROLES_BY_NAME.items()}


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. `roles` are values of `waymark.options.v1.Role`.

    `organisation` is `organisations/{id}` or empty. `address`: from where the edge was called; empty for a
    private network, such as a proxy's before it, and for a call that did not come through the edge.
    """

    subject: str
    roles: frozenset[int]
    organisation: str = ""
    token_id: str = ""
    address: str = field(default="", compare=False)

    @property
    def anonymous(self) -> bool:
        """True when the call carried no token."""
        return not self.subject

    def __repr__(self) -> str:
        names = ", ".join(sorted(ROLE_NAMES[role] for role in self.roles))
        return f"Principal(roles={{{names}}})"  # without the subject, so that no log line can hold it


ANONYMOUS = Principal(subject="", roles=frozenset())
