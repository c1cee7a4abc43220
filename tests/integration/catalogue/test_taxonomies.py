"""Taxonomies: import whole or not at all, labels in further languages, search."""

from __future__ import annotations

from waymark.catalogue.v1 import course_pb2, taxonomy_pb2

from services.catalogue.imports import taxonomy_csv
from services.catalogue.search.naming import KEPT, Naming
from services.catalogue.store import taxonomies
from services.platform.db.transaction import transaction
from tests.support.catalogue import DEVELOPER, ESCO, Catalogue, with_taxonomy
from tests.support.portfolio import reason_of, refused
from tests.support.real_data import real_data


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


SKILLS = b"""conceptUri,preferredLabel,altLabels,description
http://data.europa.eu/esco/skill/bake,bake bread,"make loaves
prepare dough",Bakes.
http://data.europa.eu/esco/skill/pm,project management,managing projects | project leadership,Plans.
http://data.europa.eu/esco/skill/dev,software developer,,A skill that is called like an occupation.
"""
BAKE, PROJECTS = "http://data.europa.eu/esco/skill/bake", "http://data.europa.eu/esco/skill/pm"
SKILL_SCHEME = {"scheme": "TAXONOMY_SCHEME_ESCO_SKILLS"}


def with_skills(catalogue: Catalogue, version: str = "1.2") -> None:
    version_made = catalogue.import_taxonomy(SKILLS, "ESCO_SKILLS", "ESCO_SKILLS", version)
    assert (version_made.concept_count, version_made.label_count) == (3, 7)


def tags(
    catalogue: Catalogue, words: str, language: str = "en", **values: object
) -> list[taxonomy_pb2.ConceptTag]:
    given: dict[str, object] = {**SKILL_SCHEME, **values}
    asked = taxonomy_pb2.PreviewTagsRequest(text=words, language=language, **given)  # type: ignore[arg-type]
    return list(catalogue.taxonomies().PreviewTags(asked).tags)


def test_a_phrase_names_skills_of_the_version_in_use(catalogue: Catalogue) -> None:
    with_skills(catalogue)
    (found,) = tags(catalogue, "Baking bread")
    assert (found.uri, found.label, found.taxonomy_version) == (BAKE, "bake bread", "1.2")
    assert found.origin == course_pb2.TAG_ORIGIN_MODEL
    assert 0.6 <= found.confidence <= 1
    assert tags(catalogue, "Baking bread") == [found]
    assert tags(catalogue, "zoology") == []
    both = tags(catalogue, "software developer, project management")
    assert [skill.label for skill in both] == ["software developer", "project management"]
    assert both[0].confidence > both[1].confidence
    assert tags(catalogue, "software developer, project management", max_tags=1) == both[:1]
    with_skills(catalogue, "1.2.1")
    assert tags(catalogue, "Baking bread")[0].taxonomy_version == "1.2"  # until the other is taken in use
    with_taxonomy(catalogue)
    (developer,) = tags(catalogue, "software developers", scheme="TAXONOMY_SCHEME_ESCO_OCCUPATIONS")
    assert developer.uri == DEVELOPER


def test_labels_added_later_count_at_once(catalogue: Catalogue) -> None:
    with_skills(catalogue)
    asked = taxonomy_pb2.PreviewTagsRequest(text="brood bakken", language="nl", **SKILL_SCHEME)
    assert reason_of(catalogue.taxonomies().PreviewTags, asked) == "NOT_FOUND"
    labels = f"concept,language,label\n{BAKE},nl,brood bakken\n".encode()
    catalogue.import_taxonomy(labels, "ESCO_SKILLS", "LABELS", "1.2")
    assert [found.label for found in tags(catalogue, "het bakken van brood", "nl")] == ["brood bakken"]
    before = tags(catalogue, "leiden van projecten", "nl")
    more = f"concept,language,label\n{PROJECTS},nl,projecten leiden\n".encode()
    catalogue.import_taxonomy(more, "ESCO_SKILLS", "LABELS", "1.2")
    assert before == []
    assert [found.uri for found in tags(catalogue, "leiden van projecten", "nl")] == [PROJECTS]


def test_names_are_made_once_and_the_oldest_of_too_many_are_dropped(catalogue: Catalogue) -> None:
    with_skills(catalogue)
    languages = ["nl", "fr", "de", "es"]
    lines = "".join(f"{BAKE},{language},label {language}\n" for language in languages)
    catalogue.import_taxonomy(f"concept,language,label\n{lines}".encode(), "ESCO_SKILLS", "LABELS", "1.2")
    naming = Naming()
    with transaction(catalogue.app, read_only=True) as tx:
        version, english = naming.names(tx.connection, taxonomies.SKILLS, "en")
        assert version == "1.2"
        assert naming.names(tx.connection, taxonomies.SKILLS, "en")[1] is english
        for language in languages[:KEPT]:
            naming.names(tx.connection, taxonomies.SKILLS, language)
        assert naming.names(tx.connection, taxonomies.SKILLS, "en")[1] is not english


def test_skills_are_no_occupations(catalogue: Catalogue) -> None:
    with_skills(catalogue)
    skill = "http://data.europa.eu/esco/skill/dev"
    with transaction(catalogue.app, read_only=True) as tx:
        assert taxonomies.isco_codes(tx.connection) == set()
        assert taxonomies.labels_for_matching(tx.connection) == []
        assert taxonomies.by_uri(tx.connection, [skill]) == {}
    with_taxonomy(catalogue)
    with transaction(catalogue.app, read_only=True) as tx:
        matching = taxonomies.labels_for_matching(tx.connection)
        assert {row.uri for row in matching if row.normal == "software developer"} == {DEVELOPER}
        assert set(taxonomies.by_uri(tx.connection, [skill, DEVELOPER])) == {DEVELOPER}
    search = taxonomy_pb2.SearchConceptsRequest(query="bake", **SKILL_SCHEME)
    (found,) = catalogue.taxonomies("").SearchConcepts(search).concepts
    assert (found.uri, found.isco_code, found.code) == (BAKE, "", "")


def test_skills_as_esco_publishes_them_come_in_whole() -> None:
    path = real_data("taxonomy/esco-1.1.1/digitalSkillsCollection_en.csv")
    with path.open("rb") as stream:
        rows = taxonomy_csv.read_skills(stream, "en")
    assert len(rows) > 1_000
    assert all(row.uri.startswith("http://data.europa.eu/esco/") and not row.isco_code for row in rows)
    labels = [label for row in rows for _, label, _ in row.labels]
    assert len(labels) > 2 * len(rows)
    assert not any("|" in label for label in labels)
