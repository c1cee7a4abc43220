"""How far the money of a programme reaches. Pure; amounts in cents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from waymark.vouchers.v1.money_left_pb2 import MoneyLeft

from services.vouchers.domain.amounts import worth
from services.vouchers.domain.programme import Group, Rules


def money_left(rules: Rules, pots: Iterable[tuple[Sequence[str], int]]) -> MoneyLeft.ValueType:
    """Returns what the pots that are open to who comes now reach for, each with its target groups, none for
    everyone, and its cents. One is enough that holds a whole voucher: a grant never takes from two."""
    reach = MoneyLeft.MONEY_LEFT_NOTHING
    for codes, cents in pots:
        if any(cents >= _whole(rules, group) for group in rules.groups if not codes or group.code in codes):
            return MoneyLeft.MONEY_LEFT_ENOUGH
        if cents > 0:
            reach = MoneyLeft.MONEY_LEFT_LITTLE
    return reach


def _whole(rules: Rules, group: Group) -> int:
    """The most that one grant takes for somebody of the group, one cent at least."""
    dearest = group.face_value if rules.price_cap is None else min(group.face_value, rules.price_cap)
    cap, face = rules.lifetime_cap, group.face_value
    return max(1, worth(dearest, group.cover, face_left=face, cap_left=cap, fixed_share=group.share).amount)
