"""What a voucher is worth: face value per period at the cover of the group, within a cap; and what of it may
go to one session. Integer cents."""

from __future__ import annotations

from typing import NamedTuple


class Worth(NamedTuple):
    """Cents: `amount` is paid by the programme, `share` by the learner; `face` is face value used up."""

    amount: int
    share: int
    face: int


def worth(
    price: int, cover_percent: int, *, face_left: int, cap_left: int | None, fixed_share: int = 0
) -> Worth:
    """Returns the split of `price`. The programme's part is rounded down to a whole cent.

    `face_left`: face value left to this person in the period; `cap_left`: what the programme may still pay
    for this person ever, None without a cap; `fixed_share`: what the learner pays first. All amounts
    in cents, none below zero.
    """
    face = max(0, min(price, face_left))
    amount = max(0, face - fixed_share) * cover_percent // 100
    if cap_left is not None and amount > cap_left:
        amount = max(0, cap_left)
    return Worth(amount=amount, share=price - amount, face=face)


class Funded(NamedTuple):
    """Cents that vouchers pay of one session for one person already: of this programme, and of others.
    `alone`: one of those others pays no session beside another programme."""

    here: int = 0
    elsewhere: int = 0
    alone: bool = False


def spendable(price: int, cover_percent: int, fixed_share: int, funded: Funded, *, alone: bool) -> int:
    """Returns how much of a session's `price` a programme may still pay, rounded down to a whole cent.

    It never pays beyond its cover, nor all programmes together beyond the price. `alone`: nothing of what
    another programme funds.
    """
    if (alone or funded.alone) and funded.elsewhere:
        return 0
    covered = max(0, price - fixed_share) * cover_percent // 100
    return max(0, min(covered, price - funded.elsewhere) - funded.here)
