"""JSON in its one canonical form (JCS, RFC 8785), so that all writers sign the same bytes."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

_EXACT = 1 << 53  # integers beyond it are doubles to JSON
_PLAIN = (-7, 21)  # decimal exponents between which ECMAScript writes no `e`


def canonical(value: Any) -> bytes:
    """Returns the canonical UTF-8 bytes of a JSON value.

    Raises ValueError for what JSON does not have: infinite numbers, lone surrogates, other types.
    """
    return _text(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, dict):
        # By UTF-16 code units, as ECMAScript compares strings.
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{_string(key)}:{_text(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_text(item) for item in value) + "]"
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return _number(value)
    raise ValueError(f"JSON has no {type(value).__name__}.")


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number(value: float) -> str:
    if isinstance(value, int) and abs(value) <= _EXACT:
        return str(value)
    try:
        double = float(value)
    except OverflowError:
        double = math.inf
    if not math.isfinite(double):
        raise ValueError("JSON has no infinite numbers.")
    if double == 0:
        return "0"
    # Python's repr has the same shortest digits as ECMAScript, only set differently.
    sign, digits, exponent = Decimal(repr(double)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text, point = "".join(map(str, digits)), len(digits) + exponent
    return ("-" if sign else "") + _placed(text, point)


def _placed(digits: str, point: int) -> str:
    """Returns digits with the decimal point after `point` of them, as ECMAScript's Number::toString."""
    low, high = _PLAIN
    if len(digits) <= point <= high:
        return digits + "0" * (point - len(digits))
    if 0 < point <= high:
        return f"{digits[:point]}.{digits[point:]}"
    if low < point - 1 < 0:
        return "0." + "0" * -point + digits
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{mantissa}e{point - 1:+d}"
