"""Taxonomies: import whole or not at all, labels in further languages, search."""

from __future__ import annotations

from waymark.catalogue.v1 import taxonomy_pb2

from tests.support.catalogue import DEVELOPER, ESCO, Catalogue, with_taxonomy
from tests.support.portfolio import reason_of, refused


def request(catalogue: Catalogue, data: bytes, **values: object) -> taxonomy_pb2.ImportTaxonomyRequest:
    given: dict[str, object] = {
        "scheme": "TAXONOMY_SCHEME_ESCO_OCCUPATIONS",
        "format": "TAXONOMY_FORMAT_ESCO_OCCUPATIONS_CSV",
        "version": "2.0",
        "language": "en",
        **values,
    }
    return taxonomy_pb2.ImportTaxonomyRequest(upload=catalogue.upload(data), **given)  # type: ignore[arg-type]


def test_import_search_read(catalogue: Catalogue) -> None:
    with_taxonomy(catalogue)
    calls = catalogue.taxonomies("")
    versions = calls.ListTaxonomyVersions(taxonomy_pb2.ListTaxonomyVersionsRequest()).taxonomy_versions
    assert {v.name for v in versions} == {
        "taxonomies/esco-occupations/versions/1.1.1",
        "taxonomies/isco-08/versions/08",
    }
    search = taxonomy_pb2.SearchConceptsRequest
    assert calls.SearchConcepts(search(query="programm")).concepts[0].uri == DEVELOPER
    assert calls.SearchConcepts(search(query=DEVELOPER)).concepts[0].isco_code == "2512"
    assert calls.SearchConcepts(search(query="software developer")).concepts[0].uri == DEVELOPER
    page = calls.SearchConcepts(search(query="2512", page_size=1))
    other = calls.SearchConcepts(search(query="2512", page_size=1, page_token=page.next_page_token))
    assert {page.concepts[0].name, other.concepts[0].name} == {
        "taxonomies/esco-occupations/versions/1.1.1/concepts/dev",
        "taxonomies/isco-08/versions/08/concepts/C2512",
    }
    foreign = search(query="251", page_token=page.next_page_token)
    assert reason_of(calls.SearchConcepts, foreign) == "PAGE_TOKEN_INVALID"
    assert reason_of(calls.SearchConcepts, search(query="%")) == "INVALID_ARGUMENT"
    concept = calls.GetConcept(taxonomy_pb2.GetConceptRequest(name=page.concepts[0].name))
    assert concept == page.concepts[0]
    missing = taxonomy_pb2.GetConceptRequest(name="taxonomies/isco-08/versions/08/concepts/C9")
    assert reason_of(calls.GetConcept, missing) == "NOT_FOUND"


def test_a_bad_file_says_where_and_leaves_nothing(catalogue: Catalogue) -> None:
    bad = ESCO + b"http://x/y,abcd,label,,text,1\nnope,2512,label,,text,1\n"
    info = refused(catalogue.taxonomies().ImportTaxonomy, request(catalogue, bad))
    assert info.reason == "TAXONOMY_FILE_INVALID"
    assert (
        not catalogue.taxonomies()
        .ListTaxonomyVersions(taxonomy_pb2.ListTaxonomyVersionsRequest())
        .taxonomy_versions
    )
    long = "".join(
        f"{number:x}/" for number in range(2000)
    ).encode()  # more than an index of the database takes
    nul = ESCO + b"x" * 9_000 + b"\0,2512,label,,text,1\n"
    endless = ESCO + b"http://x/" + long + b"y,2512,label,,text,1\n"
    others = b"a,b\n1,2\n", ESCO[:-20] + b'"open', b"\xff\xfe" + ESCO, b"conceptUri\n"
    for data in (*others, nul, endless):
        assert (
            reason_of(catalogue.taxonomies().ImportTaxonomy, request(catalogue, data))
            == "TAXONOMY_FILE_INVALID"
        )


def test_versions_never_change_but_labels_are_added(catalogue: Catalogue) -> None:
    with_taxonomy(catalogue)
    calls = catalogue.taxonomies()
    twice = request(catalogue, ESCO, version="1.1.1")
    assert reason_of(calls.ImportTaxonomy, twice) == "TAXONOMY_VERSION_EXISTS"
    labels = b"concept,language,label\n2512,nl,Software ontwikkelaar\n2512,nl,Software ontwikkelaar\n"
    values = {"scheme": "TAXONOMY_SCHEME_ISCO_08", "format": "TAXONOMY_FORMAT_LABELS_CSV", "version": "08"}
    version = calls.ImportTaxonomy(request(catalogue, labels, **values))
    assert list(version.languages) == ["en", "nl"]
    assert calls.ImportTaxonomy(request(catalogue, labels, **values)).label_count == version.label_count
    found = calls.SearchConcepts(taxonomy_pb2.SearchConceptsRequest(query="ontwikkelaar", language="nl"))
    assert found.concepts[0].isco_code == "2512"
    unknown = request(catalogue, b"concept,language,label\n9999,nl,X\n", **values)
    assert reason_of(calls.ImportTaxonomy, unknown) == "TAXONOMY_FILE_INVALID"
    absent = request(catalogue, labels, **{**values, "version": "99"})
    assert reason_of(calls.ImportTaxonomy, absent) == "NOT_FOUND"
    mixed = request(catalogue, ESCO, scheme="TAXONOMY_SCHEME_ISCO_08")
    assert reason_of(calls.ImportTaxonomy, mixed) == "INVALID_ARGUMENT"
