"""Statements on taxonomies: versions, concepts, labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, case, func, insert, or_, select, text, tuple_, update
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.labels import normal
from services.catalogue.domain.naming import Named
from services.catalogue.domain.tagging import Label
from services.catalogue.store.tables import concept_labels, concepts, taxonomy_versions
from services.platform.db.copying import copy
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal

ESCO, ISCO, SKILLS = "esco-occupations", "isco-08", "esco-skills"
NATIONAL = "national-"  # before the name of a country's own scheme
OCCUPATIONS = (ESCO, ISCO)


class ConceptRow(NamedTuple):
    """A concept as a file gives it; `labels`: (language, label, preferred)."""

    id: str
    uri: str
    code: str
    isco_code: str
    description: str
    labels: Sequence[tuple[str, str, bool]]


def add_version(tx: Transaction, scheme: str, version: str, rows: Sequence[ConceptRow]) -> None:
    """Adds a version whole; the first of a scheme is in use at once, any other stands beside it.

    Raises Refusal(TAXONOMY_VERSION_EXISTS).
    """
    if find_version(tx.connection, scheme, version) is not None:
        name = f"taxonomies/{scheme}/versions/{version}"
        raise Refusal(reason_pb2.REASON_TAXONOMY_VERSION_EXISTS, metadata={"taxonomy_version": name})
    labels = {(row.id, *label) for row in rows for label in row.labels}
    tx.execute(
        insert(taxonomy_versions).values(
            scheme=scheme,
            version=version,
            languages=sorted({language for _, language, _, _ in labels}),
            concept_count=len(rows),
            label_count=len(labels),
            in_use_time=None if scheme in in_use(tx.connection) else func.now(),
        )
    )
    copy(
        tx.connection,
        "concepts (scheme, version, id, uri, code, isco_code, description)",
        ((scheme, version, r.id, r.uri, r.code, r.isco_code, r.description) for r in rows),
    )
    _copy_labels(tx, scheme, version, labels)


def add_labels(
    tx: Transaction, scheme: str, version: str, labels: Iterable[tuple[str, str, str, bool]]
) -> None:
    """Adds labels (concept id, language, label, preferred) to a version; those there already stay."""
    known = {
        tuple(row)
        for row in tx.execute(
            select(concept_labels.c.concept_id, concept_labels.c.language, concept_labels.c.label).where(
                concept_labels.c.scheme == scheme, concept_labels.c.version == version
            )
        )
    }
    fresh = {label for label in labels if label[:3] not in known}
    _copy_labels(tx, scheme, version, fresh)
    languages = sorted({row[1] for row in known} | {label[1] for label in fresh})
    tx.execute(
        update(taxonomy_versions)
        .where(taxonomy_versions.c.scheme == scheme, taxonomy_versions.c.version == version)
        .values(languages=languages, label_count=taxonomy_versions.c.label_count + len(fresh))
    )


def _copy_labels(
    tx: Transaction, scheme: str, version: str, labels: Iterable[tuple[str, str, str, bool]]
) -> None:
    copy(
        tx.connection,
        "concept_labels (scheme, version, concept_id, language, label, preferred, normal)",
        (
            (scheme, version, concept, language, label, preferred, normal(label))
            for concept, language, label, preferred in labels
        ),
    )
    # At once, not when autovacuum comes round: plans made without these numbers take minutes.
    tx.execute(text("ANALYZE concepts, concept_labels"))


def find_version(connection: Connection, scheme: str, version: str) -> Row[Any] | None:
    """Returns the version or None."""
    statement = select(taxonomy_versions).where(
        taxonomy_versions.c.scheme == scheme, taxonomy_versions.c.version == version
    )
    return connection.execute(statement).first()


def in_use(connection: Connection) -> dict[str, str]:
    """Returns scheme → version in use: the one taken in use last."""
    statement = (
        select(taxonomy_versions.c.scheme, taxonomy_versions.c.version)
        .where(taxonomy_versions.c.in_use_time.is_not(None))
        .order_by(taxonomy_versions.c.in_use_time)
    )
    return {row.scheme: row.version for row in connection.execute(statement)}


def concept_ids(connection: Connection, scheme: str, version: str) -> Mapping[str, str]:
    """Returns URI → id, ISCO-08 code (of groups) → id."""
    statement = select(concepts.c.id, concepts.c.uri, concepts.c.code).where(
        concepts.c.scheme == scheme, concepts.c.version == version
    )
    ids: dict[str, str] = {}
    for row in connection.execute(statement):
        ids[row.uri] = ids[row.code] = row.id
    return ids


def by_uri(connection: Connection, uris: Iterable[str]) -> dict[str, Any]:
    """Returns URI → (uri, isco_code, label) of occupations, from the version in use that has it."""
    current = [item for item in in_use(connection).items() if item[0] in OCCUPATIONS]
    statement = (
        select(concepts.c.uri, concepts.c.isco_code, func.min(concept_labels.c.label).label("label"))
        .join_from(
            concepts,
            concept_labels,
            (concepts.c.scheme == concept_labels.c.scheme)
            & (concepts.c.version == concept_labels.c.version)
            & (concepts.c.id == concept_labels.c.concept_id)
            & concept_labels.c.preferred,
        )
        .where(concepts.c.uri.in_(list(uris)), tuple_(concepts.c.scheme, concepts.c.version).in_(current))
        .group_by(concepts.c.uri, concepts.c.isco_code)
    )
    return {row.uri: row for row in connection.execute(statement)}


def concepts_of(
    tx: Transaction, scheme: str, version: str, uris: Collection[str] | None = None
) -> dict[str, tuple[str, str]]:
    """Returns URI → (ISCO-08 code, preferred label, the English one where there is) of a version, of all or
    some of its concepts."""
    label = concept_labels.c
    statement = (
        select(concepts.c.uri, concepts.c.isco_code, label.language, label.label)
        .join_from(
            concepts,
            concept_labels,
            (label.scheme == concepts.c.scheme)
            & (label.version == concepts.c.version)
            & (label.concept_id == concepts.c.id),
        )
        .where(concepts.c.scheme == scheme, concepts.c.version == version, label.preferred)
        .order_by(concepts.c.uri, label.language != "en", label.language, label.label)
    )
    if uris is not None:
        statement = statement.where(concepts.c.uri.in_(uris))
    found: dict[str, tuple[str, str]] = {}
    for row in tx.execute(statement):
        found.setdefault(row.uri, (row.isco_code, row.label))
    return found


def codes_of_uris(connection: Connection) -> dict[str, str]:
    """Returns URI → ISCO-08 code of the occupations in the version in uses."""
    current = [item for item in in_use(connection).items() if item[0] in OCCUPATIONS]
    statement = select(concepts.c.uri, concepts.c.isco_code).where(
        tuple_(concepts.c.scheme, concepts.c.version).in_(current)
    )
    return {row.uri: row.isco_code for row in connection.execute(statement)}


def find(connection: Connection, name: str) -> tuple[Row[Any], list[Row[Any]]] | None:
    """Returns the concept of a URI, or the group of an ISCO-08 code, with its labels, of the version in use
    that has it; None: none has."""
    version = (taxonomy_versions.c.scheme == concepts.c.scheme) & (
        taxonomy_versions.c.version == concepts.c.version
    )
    statement = (
        select(concepts)
        .join_from(concepts, taxonomy_versions, version)
        .where(or_(concepts.c.uri == name, (concepts.c.scheme == ISCO) & (concepts.c.isco_code == name)))
        .order_by(taxonomy_versions.c.in_use_time.desc().nulls_last(), taxonomy_versions.c.import_time.desc())
        .limit(1)
    )
    row = connection.execute(statement).first()
    if row is None:
        return None
    table = concept_labels.c
    labels = select(concept_labels).where(
        table.scheme == row.scheme, table.version == row.version, table.concept_id == row.id
    )
    return row, list(connection.execute(labels.order_by(table.label)))


def names(connection: Connection, occupations: Collection[str]) -> dict[str, str]:
    """Returns concept URI or ISCO-08 code → label, of those the version in uses have."""
    found = {uri: str(row.label) for uri, row in by_uri(connection, occupations).items()}
    version = in_use(connection).get(ISCO)
    groups = select(concepts.c.uri, concepts.c.code).where(
        concepts.c.scheme == ISCO, concepts.c.version == version, concepts.c.code.in_(occupations)
    )
    codes = {row.uri: row.code for row in connection.execute(groups)}
    return found | {codes[uri]: str(row.label) for uri, row in by_uri(connection, codes).items()}


def isco_groups(connection: Connection) -> set[str]:
    """Returns every code of the ISCO-08 version in use; none while there is none."""
    statement = select(concepts.c.isco_code).where(
        concepts.c.scheme == ISCO, concepts.c.version == in_use(connection).get(ISCO)
    )
    return {row.isco_code for row in connection.execute(statement)}


def isco_codes(connection: Connection) -> set[str]:
    """Returns every code of the ISCO-08 version in use, else of the occupations' own codes."""
    own = select(concepts.c.isco_code).where(concepts.c.scheme.in_(OCCUPATIONS)).distinct()
    return isco_groups(connection) or {row.isco_code for row in connection.execute(own)}


class LabelRow(NamedTuple):
    """A label with the concept it names; `normal` as of `domain.labels.normal`."""

    normal: str
    label: str
    language: str
    preferred: bool
    uri: str
    isco_code: str
    scheme: str


def labels_for_matching(connection: Connection) -> list[LabelRow]:
    """Returns every label of occupations in the version in uses."""
    return [
        row
        for scheme, version in in_use(connection).items()
        if scheme in OCCUPATIONS
        for row in labels_in(connection, scheme, version)
    ]


def labels_of(
    connection: Connection, language: str, *schemes: str, preferred_only: bool = False
) -> list[Label]:
    """Returns the labels of the version in uses of some schemes in one language."""
    versions = in_use(connection)
    rows = [
        row
        for scheme in schemes
        if scheme in versions
        for row in labels_in(connection, scheme, versions[scheme], language, preferred_only=preferred_only)
    ]
    preferred = {row.uri: row.label for row in rows if row.preferred}
    return [
        Label(row.label, row.uri, row.isco_code, preferred.get(row.uri, row.label), row.preferred)
        for row in rows
    ]


def named(connection: Connection, scheme: str, version: str, language: str) -> list[Named]:
    """Returns the concepts of a version that have labels in a language, with these."""
    labels: defaultdict[str, list[str]] = defaultdict(list)
    preferred: dict[str, str] = {}
    for row in labels_in(connection, scheme, version, language):
        labels[row.uri].append(row.label)
        if row.preferred:
            preferred[row.uri] = row.label
    found = []
    for uri, others in labels.items():
        others.sort()  # the database gives them in any order
        label = preferred.get(uri, others[0])
        others.remove(label)
        found.append(Named(uri, label, others))
    return found


def labels_in(
    connection: Connection, scheme: str, version: str, language: str = "", *, preferred_only: bool = False
) -> Iterator[LabelRow]:
    """Yields the labels of a version, in a language or all.

    Joined here: two whole reads never depend on a planner's guess.
    """
    of_concept = select(concepts.c.id, concepts.c.uri, concepts.c.isco_code).where(
        concepts.c.scheme == scheme, concepts.c.version == version
    )
    known = {row.id: row for row in connection.execute(of_concept).all()}
    table = concept_labels.c
    statement = select(table.concept_id, table.normal, table.label, table.language, table.preferred).where(
        table.scheme == scheme, table.version == version
    )
    if language:
        statement = statement.where(table.language == language)
    if preferred_only:
        statement = statement.where(table.preferred)
    for row in connection.execute(statement):
        concept = known[row.concept_id]
        yield LabelRow(
            row.normal, row.label, row.language, row.preferred, concept.uri, concept.isco_code, scheme
        )


def descriptions(connection: Connection, scheme: str, version: str, language: str) -> dict[str, str]:
    """Returns URI → description of the concepts of a version; none but in the language of preferred labels,
    which the file with the descriptions brought."""
    key = (concepts.c.scheme == concept_labels.c.scheme) & (concepts.c.version == concept_labels.c.version)
    statement = (
        select(concepts.c.uri, concepts.c.description)
        .join_from(concepts, concept_labels, key & (concepts.c.id == concept_labels.c.concept_id))
        .where(concepts.c.scheme == scheme, concepts.c.version == version)
        .where(concept_labels.c.preferred, concept_labels.c.language == language)
    )
    return {row.uri: row.description for row in connection.execute(statement)}


def state(connection: Connection) -> str:
    """Returns what changes whenever a version is taken in use or gets a label."""
    current = list(in_use(connection).items())
    table = taxonomy_versions.c
    statement = select(table.scheme, table.version, table.label_count).where(
        tuple_(table.scheme, table.version).in_(current)
    )
    rows = connection.execute(statement.order_by(table.scheme))
    return ";".join(f"{row.scheme}/{row.version}/{row.label_count}" for row in rows)


def search(
    connection: Connection, query: str, *, scheme: str, language: str, size: int, offset: int
) -> list[Row[Any]]:
    """Returns concepts (scheme, version, id) whose label begins with or holds the words, best first.

    An equal label comes before one that begins with the query, that before one that holds it; then shorter
    first.
    """
    wanted = normal(query)
    current = [item for item in in_use(connection).items() if not scheme or item[0] == scheme]
    where: list[ColumnElement[bool]] = [
        tuple_(concept_labels.c.scheme, concept_labels.c.version).in_(current)
    ]
    if language:
        where.append(concept_labels.c.language == language)
    normals = concept_labels.c.normal
    rank = func.min(
        func.length(normals)
        + case((normals == wanted, 0), (normals.startswith(wanted, autoescape=True), 1000), else_=2000)
    ).label("rank")
    matches = or_(
        normals.contains(wanted, autoescape=True) if wanted else False,
        concepts.c.uri == query,
        concepts.c.isco_code == query,
    )
    key = (concepts.c.scheme, concepts.c.version, concepts.c.id)
    statement = (
        select(*key, rank)
        .join_from(
            concept_labels,
            concepts,
            (concepts.c.scheme == concept_labels.c.scheme)
            & (concepts.c.version == concept_labels.c.version)
            & (concepts.c.id == concept_labels.c.concept_id),
        )
        .where(matches, *where)
        .group_by(*key)
        .order_by(rank, concepts.c.scheme, concepts.c.id)
        .limit(size)
        .offset(offset)
    )
    return list(connection.execute(statement))


def read_concepts(
    connection: Connection, keys: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], tuple[Row[Any], list[Row[Any]]]]:
    """Returns (scheme, version, id) → (concept, labels)."""
    key = tuple_(concepts.c.scheme, concepts.c.version, concepts.c.id)
    found: dict[tuple[str, str, str], tuple[Row[Any], list[Row[Any]]]] = {
        (row.scheme, row.version, row.id): (row, [])
        for row in connection.execute(select(concepts).where(key.in_(keys)))
    }
    label_key = tuple_(concept_labels.c.scheme, concept_labels.c.version, concept_labels.c.concept_id)
    statement = select(concept_labels).where(label_key.in_(keys)).order_by(concept_labels.c.label)
    for row in connection.execute(statement):
        found[row.scheme, row.version, row.concept_id][1].append(row)
    return found
