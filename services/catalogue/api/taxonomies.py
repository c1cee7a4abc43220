"""TaxonomyService."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, BinaryIO, cast

from waymark.catalogue.v1 import course_pb2, taxonomy_pb2, taxonomy_pb2_grpc
from waymark.catalogue.v1.taxonomy_pb2 import (
    Concept,
    GetConceptRequest,
    ImportTaxonomyRequest,
    ListTaxonomyVersionsRequest,
    ListTaxonomyVersionsResponse,
    PreviewTagsRequest,
    PreviewTagsResponse,
    SearchConceptsRequest,
    SearchConceptsResponse,
    TaxonomyVersion,
)
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import last, part
from services.catalogue.app import CatalogueApp
from services.catalogue.imports import taxonomy_csv
from services.catalogue.store import occupation_skills, taxonomies, uploads
from services.catalogue.store.tables import taxonomy_versions
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.rpc.handlers import mutation, query

SCHEMES = {
    taxonomy_pb2.TAXONOMY_SCHEME_ESCO_OCCUPATIONS: taxonomies.ESCO,
    taxonomy_pb2.TAXONOMY_SCHEME_ISCO_08: taxonomies.ISCO,
    taxonomy_pb2.TAXONOMY_SCHEME_ESCO_SKILLS: taxonomies.SKILLS,
    taxonomy_pb2.TAXONOMY_SCHEME_ISCED_F: "isced-f",
    taxonomy_pb2.TAXONOMY_SCHEME_EQF: "eqf",
    taxonomy_pb2.TAXONOMY_SCHEME_NACE: "nace",
    taxonomy_pb2.TAXONOMY_SCHEME_NUTS: "nuts",
}
NUMBERS = {name: number for number, name in SCHEMES.items()}
# Which file describes which scheme.
WHOLE = {
    taxonomy_pb2.TAXONOMY_FORMAT_ESCO_OCCUPATIONS_CSV: (taxonomies.ESCO, taxonomy_csv.read_esco),
    taxonomy_pb2.TAXONOMY_FORMAT_ISCO_GROUPS_CSV: (taxonomies.ISCO, taxonomy_csv.read_isco),
    taxonomy_pb2.TAXONOMY_FORMAT_ESCO_SKILLS_CSV: (taxonomies.SKILLS, taxonomy_csv.read_skills),
}
DEEPEST = 1000  # concepts one can page to; a person refines the words before


class TaxonomyApi(taxonomy_pb2_grpc.TaxonomyServiceServicer):
    """Classifications of occupations and skills."""

    def __init__(self, app: CatalogueApp) -> None:
        self.app = app

    @mutation
    def ImportTaxonomy(self, tx: Transaction, request: ImportTaxonomyRequest) -> TaxonomyVersion:
        scheme = _scheme(request)
        upload = uploads.read_ready(tx, last(request.upload))
        with self.app.objects.open(uploads.BUCKET, upload.id, sha256=upload.sha256) as opened:
            stream = cast(BinaryIO, opened)
            if add := ADDED.get(request.format):
                add(tx, scheme, request.version, stream)
            else:
                if not request.language:
                    raise invalid("language", "is required for this format")
                rows = _rows(request, scheme, stream)
                taxonomies.add_version(tx, scheme, request.version, rows)
        return _version(taxonomies.find_version(tx.connection, scheme, request.version))

    @query
    def ListTaxonomyVersions(
        self, tx: Transaction, request: ListTaxonomyVersionsRequest
    ) -> ListTaxonomyVersionsResponse:
        table = taxonomy_versions.c
        order = [table.import_time.desc(), table.scheme.desc(), table.version.desc()]
        found = page(tx, self.app.signer, taxonomy_versions.select(), order_by=order, request=request)
        return ListTaxonomyVersionsResponse(
            taxonomy_versions=map(_version, found.rows), next_page_token=found.next_page_token
        )

    @query
    def GetConcept(self, tx: Transaction, request: GetConceptRequest) -> Concept:
        key = part(request.name, 1), part(request.name, 3), part(request.name, 5)
        found = taxonomies.read_concepts(tx.connection, [key]).get(key)
        if found is None:
            raise Refusal(reason_pb2.REASON_NOT_FOUND, "There is no such concept.")
        return concept_message(*found)

    @query
    def SearchConcepts(self, tx: Transaction, request: SearchConceptsRequest) -> SearchConceptsResponse:
        text = request.query.strip()
        if not re.search(r"\w", text):
            raise invalid("query", "must hold a letter or a digit")
        scheme = SCHEMES.get(request.scheme, "")
        binding = f"SearchConcepts\x1f{tx.principal.subject}\x1f{text}\x1f{scheme}\x1f{request.language}"
        offset = 0
        if request.page_token:
            offset = int(cast(int, self.app.signer.read(binding, request.page_token)[0]))
        size = request.page_size or 20
        rows = taxonomies.search(
            tx.connection, text, scheme=scheme, language=request.language, size=size + 1, offset=offset
        )
        keys = [(row.scheme, row.version, row.id) for row in rows[:size]]
        found = taxonomies.read_concepts(tx.connection, keys)
        answer = SearchConceptsResponse(concepts=[concept_message(*found[key]) for key in keys])
        if len(rows) > size and offset + size < DEEPEST:
            answer.next_page_token = self.app.signer.sign(binding, [offset + size])
        return answer

    @query
    def PreviewTags(self, tx: Transaction, request: PreviewTagsRequest) -> PreviewTagsResponse:
        version, names = self.app.naming.names(tx.connection, SCHEMES[request.scheme], request.language)
        answer = PreviewTagsResponse()
        for match in names.tags(request.text, request.max_tags or 5):
            answer.tags.add(
                uri=match.uri,
                label=match.label,
                origin=course_pb2.TAG_ORIGIN_MODEL,
                confidence=round(match.confidence, 3),
                taxonomy_version=version,
            )
        return answer


def _labels(tx: Transaction, scheme: str, version: str, stream: BinaryIO) -> None:
    known = _concepts(tx, scheme, version)
    taxonomies.add_labels(tx, scheme, version, taxonomy_csv.read_labels(stream, known))


def _relations(tx: Transaction, scheme: str, version: str, stream: BinaryIO) -> None:
    if scheme not in taxonomies.OCCUPATIONS:
        raise invalid("format", f"tells what occupations need, and {scheme} has none")
    known = _concepts(tx, scheme, version)
    occupation_skills.add(tx, scheme, version, taxonomy_csv.read_relations(stream, known))


# What is added to a version that is there.
ADDED = {
    taxonomy_pb2.TAXONOMY_FORMAT_LABELS_CSV: _labels,
    taxonomy_pb2.TAXONOMY_FORMAT_OCCUPATION_SKILLS_CSV: _relations,
}


def _concepts(tx: Transaction, scheme: str, version: str) -> Mapping[str, str]:
    """URI or code → id of a version; raises Refusal(NOT_FOUND)."""
    if taxonomies.find_version(tx.connection, scheme, version) is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no version {version} of {scheme}.")
    return taxonomies.concept_ids(tx.connection, scheme, version)


def _scheme(request: ImportTaxonomyRequest) -> str:
    national = request.scheme == taxonomy_pb2.TAXONOMY_SCHEME_NATIONAL
    if national != bool(request.national_scheme):
        raise invalid("national_scheme", "belongs to the scheme NATIONAL, and to it alone")
    return taxonomies.NATIONAL + request.national_scheme if national else SCHEMES[request.scheme]


def _rows(request: ImportTaxonomyRequest, scheme: str, stream: BinaryIO) -> list[taxonomies.ConceptRow]:
    if request.format == taxonomy_pb2.TAXONOMY_FORMAT_TEMPLATE_CSV:
        return taxonomy_csv.read_template(stream, request.language, scheme)
    wanted, read = WHOLE[request.format]
    if wanted != scheme:
        raise invalid("format", f"holds {wanted}, not {scheme}")
    return read(stream, request.language)


def _version(row: Any) -> TaxonomyVersion:
    answer = TaxonomyVersion(
        name=f"taxonomies/{row.scheme}/versions/{row.version}",
        scheme=NUMBERS.get(row.scheme, taxonomy_pb2.TAXONOMY_SCHEME_NATIONAL),
        version=row.version,
        languages=row.languages,
        concept_count=row.concept_count,
        label_count=row.label_count,
        occupation_skill_count=row.occupation_skill_count,
    )
    answer.import_time.FromDatetime(row.import_time)
    if row.in_use_time is not None:
        answer.in_use_time.FromDatetime(row.in_use_time)
    return answer


def concept_message(row: Any, labels: list[Any]) -> Concept:
    """Returns a concept with its labels in all languages."""
    answer = Concept(
        name=f"taxonomies/{row.scheme}/versions/{row.version}/concepts/{row.id}",
        uri=row.uri,
        code=row.code,
        isco_code=row.isco_code,
        description=row.description,
    )
    for label in labels:
        if label.preferred:
            answer.labels[label.language] = label.label
        else:
            answer.alternative_labels.add(language=label.language, label=label.label)
    return answer
