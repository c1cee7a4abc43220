"""What the patterns of the contracts (`buf.validate`, `string.pattern`) ask for, in words for people.

Names of resources are told part by part; what else there is has words of its own. A test holds that no
contract has a pattern without words.
"""

from __future__ import annotations

import re
from functools import cache

_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SMALL = "small letters, digits and hyphens"
_ANY = "letters, digits, dots, underscores and hyphens"
# Parts of names.
_PARTS = {
    _UUID: "a UUID in small letters",
    "[0-9a-f-]{36}": "a UUID in small letters",
    f"(-|{_UUID})": "a UUID in small letters, or - for all",
    "[a-z0-9-]{3,63}": f"3 to 63 {_SMALL}",
    "[a-z0-9-]{1,63}": f"at most 63 {_SMALL}",
    "[0-9a-z-]{1,63}": f"at most 63 {_SMALL}",
    "[a-z0-9-]{1,32}": f"at most 32 {_SMALL}",
    "[a-z0-9][a-z0-9-]{0,62}": f"at most 63 {_SMALL}, no hyphen first",
    "[a-z][a-z0-9-]{0,62}": f"at most 63 {_SMALL}, a letter first",
    "[0-9A-Za-z._-]{1,32}": f"at most 32 {_ANY}",
    "[0-9A-Za-z._-]{1,64}": f"at most 64 {_ANY}",
    "[^/]{1,100}": "at most 100 characters, no slash",
    "[^/]+": "any characters but a slash",
}
_NUMBER = re.compile(r"\[[01]-9\](?:\[0-9\])?\{[01],[0-9]\}")
_SLASH = re.compile(r"/(?![^\[]*\])")  # between parts, not of a class of characters
_DATED = "with a month of two digits, like"
_LANGUAGE = "must be a language tag like en"
_ACCREDITATION = "organisations/[a-z0-9-]{3,63}/accreditations"
_WORDS = {
    "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$": f"{_LANGUAGE} or nl-BE",
    "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$": f"{_LANGUAGE} or nl-BE, small letters first",
    "^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$": f"{_LANGUAGE} or nl-BE, small letters first",
    "^[a-z]{2,3}$": f"{_LANGUAGE}: two or three small letters",
    "^[a-z]{2}$": f"{_LANGUAGE}: two small letters",
    "^[A-Z]{2}$": "must be two capital letters, like BE",
    "^[A-Z]{3}$": "must be three capital letters, like EUR",
    "^[A-Z]{2}[A-Z0-9]{0,3}$": (
        "must be two capital letters, then at most three capital letters or digits, like BE, BE2 or BE211"
    ),
    "^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$": (
        "must be 8 or 11 capital letters and digits, letters for the first six, like GKCCBEBB"
    ),
    "^[A-Z0-9]{4}$": "must be four capital letters or digits, like AC04",
    "^[A-Z][A-Z0-9_]{1,62}$": "must be 2 to 63 capital letters, digits and underscores, a letter first",
    "^[0-9a-f]{64}$": "must be 64 hexadecimal digits in small letters",
    "^[0-9]{1,4}$": "must be one to four digits",
    "^[0-9]{2,4}$": "must be two to four digits",
    "^[0-9]{4}$": "must be four digits",
    "^[0-9]{4,12}$": "must be 4 to 12 digits",
    "^[1-9][0-9]{0,8}$": "must be a number from 1, of at most nine digits",
    "^20[0-9]{2}-(0[1-9]|1[0-2])$": f"must be a year from 2000 {_DATED} 2026-03",
    "^2[0-9]{3}-(0[1-9]|1[0-2])$": f"must be a year from 2000 {_DATED} 2026-03",
    "^[0-9]{4}-(0[1-9]|1[0-2])$": f"must be a year {_DATED} 2026-03",
    "^[0-9]{4}-Q[1-4]$": "must be a year and one of its quarters, like 2026-Q1",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$": "must be a time of the day from 00:00 to 23:59, like 06:30",
    r"^\+?[0-9 ()/.-]{3,32}$": (
        "must be 3 to 32 digits, spaces and ( ) / . -, perhaps after a +, like +32 9 123 45 67"
    ),
    "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$": f"must be at most 63 {_ANY}, a letter or digit first",
    "^[A-Za-z0-9][A-Za-z0-9._/-]{2,99}$": (
        "must be 3 to 100 letters, digits and . _ / -, a letter or digit first"
    ),
    "^[0-9A-Za-z._-]{1,32}$": f"must be at most 32 {_ANY}",
    "^[0-9A-Za-z._-]{1,64}$": f"must be at most 64 {_ANY}",
    "^[a-z0-9][a-z0-9-]{0,22}$": f"must be at most 23 {_SMALL}, no hyphen first",
    "^[a-z0-9][a-z0-9-]{0,39}$": f"must be at most 40 {_SMALL}, no hyphen first",
    "^[a-z0-9][a-z0-9-]{0,62}$": f"must be at most 63 {_SMALL}, no hyphen first",
    "^[a-z0-9][a-z0-9-]{2,62}$": f"must be 3 to 63 {_SMALL}, no hyphen first",
    "^[a-z][a-z0-9-]{0,31}$": f"must be at most 32 {_SMALL}, a letter first",
    "^[a-z][a-z0-9-]{0,62}$": f"must be at most 63 {_SMALL}, a letter first",
    "^[a-z][a-z0-9-]{1,62}$": f"must be 2 to 63 {_SMALL}, a letter first",
    "^[a-z][a-z0-9-]{2,62}$": f"must be 3 to 63 {_SMALL}, a letter first",
    "^[a-z][a-z_]{1,39}$": "must be 2 to 40 small letters and underscores, a letter first",
    "^[a-z][a-z_]{1,62}$": "must be 2 to 63 small letters and underscores, a letter first",
    f"^[0-9]{{1,18}}-{_UUID}$": "must be a token as it was answered",
    "^[0-9]{1,18}-[0-9]{1,18}$": "must be a token as it was answered",
    "^[!-~]+$": "must be letters, digits and signs of ASCII, without spaces",
    "^[ -~]+$": "must be letters, digits, spaces and signs of ASCII",
    "^[^:[:cntrl:]]+$": "must hold no colon and no control character",
    r"^[^/\\\x00-\x1f]+$": "must hold no slash, no backslash and no control character",
    "^(AM|A1|A2|A|B1|B|BE|C1|C1E|C|CE|D1|D1E|D|DE|T)$": (
        "must be one of AM, A1, A2, A, B1, B, BE, C1, C1E, C, CE, D1, D1E, D, DE and T"
    ),
    "^([Xx]-[A-Za-z0-9-]+|[Aa]uthorization|[Aa]pi-?[Kk]ey|[Oo]cp-[Aa]pim-[Ss]ubscription-[Kk]ey)$": (
        "must be Authorization, Api-Key, Ocp-Apim-Subscription-Key or begin with X-"
    ),
    r"^(catalogue|vouchers|portfolio)\.v1\.[A-Z][A-Za-z]{0,80}(/[A-Z][A-Za-z]{0,80})?$": (
        "must be a service, perhaps with a slash and one of its methods"
    ),
    "^(redemptions|courses|organisations)/[^/]{1,100}$": (
        "must be a name like redemptions/{id}, courses/{id} or organisations/{id}"
    ),
    "^holders/[^/]+/(pages|pageCollections)/[^/]+$": (
        "must be a name like holders/{id}/pages/{id} or holders/{id}/pageCollections/{id}"
    ),
    f"^(organisations/[a-z0-9-]{{3,63}}/logos|catalogueUploads)/{_UUID}$": (
        "must be a name like organisations/{id}/logos/{id} or catalogueUploads/{id}"
    ),
    f"^(courses/{_UUID}|organisations/[a-z0-9-]{{3,63}})$": (
        "must be a name like courses/{id} or organisations/{id}"
    ),
    f"^(qualityHolds/{_UUID}|partnerApplications/{_UUID}|{_ACCREDITATION}/{_UUID})$": (
        "must be a name like qualityHolds/{id}, partnerApplications/{id} or "
        "organisations/{id}/accreditations/{id}"
    ),
}


@cache
def words(pattern: str) -> str:
    """Returns what a pattern asks for, as the end of a sentence about a field: `must be two capital letters`.

    Raises KeyError for one that has no words.
    """
    return _WORDS[pattern] if pattern in _WORDS else _name(pattern.removeprefix("^").removesuffix("$"))


def _name(pattern: str) -> str:
    """What the name of a resource must be like: `programmes/{id}/versions/{n}`, and of what its parts are."""
    shape, told = [], dict[str, None]()
    for part in _SLASH.split(pattern):
        if part.isalpha():
            shape.append(part)
        elif _NUMBER.fullmatch(part):
            shape.append("{n}")
            told["{n} is a number"] = None
        else:
            shape.append("{id}")
            told[f"{{id}} is {_PARTS[part]}"] = None
    return f"must be a name like {'/'.join(shape)}, where {' and '.join(told)}"
