"""French départements and their NUTS 3 codes (NUTS 2016 and later)."""

from __future__ import annotations

# NUTS code without its last digit → départements in the order of that digit, from 1.
_GROUPS = {
    "FR10": "75 77 78 91 92 93 94 95",
    "FRB0": "18 28 36 37 41 45",
    "FRC1": "21 58 71 89",
    "FRC2": "25 39 70 90",
    "FRD1": "14 50 61",
    "FRD2": "27 76",
    "FRE1": "59 62",
    "FRE2": "02 60 80",
    "FRF1": "67 68",
    "FRF2": "08 10 51 52",
    "FRF3": "54 55 57 88",
    "FRG0": "44 49 53 72 85",
    "FRH0": "22 29 35 56",
    "FRI1": "24 33 40 47 64",
    "FRI2": "19 23 87",
    "FRI3": "16 17 79 86",
    "FRJ1": "11 30 34 48 66",
    "FRJ2": "09 12 31 32 46 65 81 82",
    "FRK1": "03 15 43 63",
    "FRK2": "01 07 26 38 42 69 73 74",
    "FRL0": "04 05 06 13 83 84",
    "FRM0": "2A 2B",
}
DEPARTEMENTS = {
    "971": "FRY10",
    "972": "FRY20",
    "973": "FRY30",
    "974": "FRY40",
    "976": "FRY50",
} | {
    code: f"{group}{digit}" for group, codes in _GROUPS.items() for digit, code in enumerate(codes.split(), 1)
}


def nuts_code(departement: str, postcode: str) -> str:
    """Returns the NUTS 3 code of a département, told by its code or by a postcode; "" when unknown.

    Postcodes of Corsica begin with 20: 200 and 201 are the south, others the north.
    """
    code = departement.strip().upper()
    if code.isdecimal():
        code = code.lstrip("0").zfill(2)
    if not code:
        head = postcode.strip()[:3]
        code = head if head.startswith("97") else head[:2]
        if code == "20":
            code = "2A" if head in ("200", "201") else "2B"
    return DEPARTEMENTS.get(code, "")
