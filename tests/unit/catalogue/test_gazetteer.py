"""Names, postcodes and NUTS codes: what each may mean, by what ships with the catalogue."""

from __future__ import annotations

import io

import pytest

from services.catalogue.domain.distance import distance
from services.catalogue.domain.gazetteer import Kind, country_of, keys, near_names, region_code
from services.catalogue.gazetteer import lookup
from services.catalogue.gazetteer.shipped import shipped
from services.catalogue.imports import place_csv
from services.catalogue.imports.csv_rows import Limits
from services.platform.errors import Refusal

ANTWERP = (51.22, 4.40)


@pytest.mark.parametrize("text", ["Antwerp", "ANTWERPEN", "Anvers", "BE211", "be211", "Arr. Antwerpen"])
def test_a_place_is_found_by_any_of_its_names(text: str) -> None:
    assert distance(*lookup.where(text, lookup.ships(text)), *ANTWERP) < 5


def test_a_country_chooses_among_places_of_a_name() -> None:
    with pytest.raises(Refusal, match="PLACE_AMBIGUOUS") as refused:
        lookup.where("Lille", lookup.ships("Lille"))
    assert refused.value.metadata["places"] == "Lille, BE; Lille, FR"
    assert lookup.where("Lille", lookup.ships("Lille", "FR"))[0] == pytest.approx(50.63, abs=0.01)
    assert lookup.ships("Athens", country_of("EL")) == lookup.ships("Athina", "GR")
    # A name of its own goes before a name that others have too: Mons is called Bergen, but is not meant.
    assert {place.name for place in lookup.ships("Bergen", "NO")} == {"Bergen"}
    assert [place.name for place in lookup.ships("Bergen", "BE")] != ["Bergen"]


def test_an_unknown_place_is_told_with_names_like_it() -> None:
    with pytest.raises(Refusal, match="PLACE_UNKNOWN") as refused:
        lookup.where("Antwerpp", lookup.ships("Antwerpp"))
    assert "Antwerp" in refused.value.metadata["near_names"].split("; ")
    assert near_names("Zzz", shipped().names) == []


def test_what_ships_is_whole() -> None:
    """All of NUTS 2024 (92, 244 and 1 165 regions, 27 countries), each near the one above it."""
    regions = shipped().regions
    union = [code for code in regions if code[:2] not in ("CH", "IS", "LI", "NO")]
    assert [sum(len(code) == size for code in union) for size in (2, 3, 4, 5)] == [27, 92 - 1, 244, 1165]
    assert "FRY" not in regions  # oceans apart, so it has no middle
    overseas = ("FRY", "PT2", "PT3", "ES7", "ES63", "ES64", "NO0B")
    for code, place in regions.items():
        above = regions.get(code[:-1])
        if above and len(code) > 2 and not code.startswith(overseas):
            far = 1100 if len(code) < 5 else 500
            assert distance(place.latitude, place.longitude, above.latitude, above.longitude) < far, code
    assert (region_code("at"), region_code("AT")) == ("", "AT")


FILE = "postcode,town,latitude,longitude\n"


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ("postcode,latitude\n", "line 1, header"),
        (FILE + "2000,Antwerpen,north,4.4\n", "line 2, latitude, longitude"),
        (FILE + "2000,Antwerpen,91,4.4\n", "line 2, latitude, longitude"),
        (FILE + ",,51,4\n", "line 2, postcode, town"),
        (FILE, "file"),
        (FILE + "2000\n", "line 2, row"),
    ],
)
def test_a_wrong_table_is_refused_with_the_line(data: str, where: str) -> None:
    with pytest.raises(Refusal, match="PLACE_FILE_INVALID") as refused:
        list(place_csv.read_places(io.BytesIO(data.encode())))
    assert refused.value.violations[0].field == where


def test_a_table_is_capped_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = FILE.encode() + b"".join(b"%d,Town,51.0,4.0\n" % code for code in range(1000, 9999))
    found = list(place_csv.read_places(io.BytesIO(data)))
    assert len(found) == 2 * 8999  # control: within the cap it is read
    assert found[0].key == keys("1 000")[Kind.POSTCODE]
    for limits in (Limits(rows=10, bytes=1 << 20), Limits(rows=10_000, bytes=1000)):
        monkeypatch.setattr(place_csv, "LIMITS", limits)
        with pytest.raises(Refusal, match="PLACE_FILE_INVALID"):
            list(place_csv.read_places(io.BytesIO(data)))
