"""Instruments: scored by a published framework, tried on their examples, published by a second person."""

from __future__ import annotations

import uuid

from waymark.portfolio.v1 import framework_pb2
from waymark.portfolio.v1 import instrument_pb2 as pb

from tests.support.frameworks import drafted
from tests.support.portfolio import Portfolio, reason_of
from tests.support.questionnaires import wanted


def test_an_instrument_is_drafted_tried_and_published_by_another(portfolio: Portfolio) -> None:
    maker, checker = portfolio.staff("catalogue_manager"), portfolio.staff("catalogue_manager")
    parent, version = f"instruments/i-{uuid.uuid4()}", wanted(portfolio, "digital-check")
    request = pb.CreateInstrumentVersionRequest(
        parent=parent, instrument_version=version, request_id=str(uuid.uuid4())
    )
    draft = maker.CreateInstrumentVersion(request)
    assert maker.CreateInstrumentVersion(request) == draft
    assert reason_of(
        portfolio.anybody().GetInstrumentVersion, pb.GetInstrumentVersionRequest(name=draft.name)
    ) == ("NOT_FOUND")
    version.scoring.examples[0].band = "online"
    changing = pb.UpdateInstrumentVersionRequest(instrument_version=version)
    changing.instrument_version.name = draft.name
    assert reason_of(checker.UpdateInstrumentVersion, changing) == "INVALID_ARGUMENT"
    renaming = pb.UpdateInstrumentVersionRequest(update_mask={"paths": ["descriptions"]})  # and nothing else
    renaming.instrument_version.name = draft.name
    renamed = maker.UpdateInstrumentVersion(renaming)
    assert (dict(renamed.descriptions), renamed.questions) == ({}, draft.questions)
    renaming.update_mask.paths[:] = ["*"]
    assert reason_of(maker.UpdateInstrumentVersion, renaming) == "INVALID_ARGUMENT"
    publishing = pb.PublishInstrumentVersionRequest(name=draft.name)
    assert reason_of(maker.PublishInstrumentVersion, publishing) == "SAME_PERSON"
    out = checker.PublishInstrumentVersion(publishing)
    assert portfolio.anybody().GetInstrumentVersion(pb.GetInstrumentVersionRequest(name=draft.name)) == out
    listing = pb.ListInstrumentVersionsRequest(parent=parent)
    (listed,) = portfolio.anybody().ListInstrumentVersions(listing).instrument_versions
    assert listed.scoring == draft.scoring  # how it scores is for everybody to read
    changing.instrument_version.scoring.examples[0].band = "assisted"
    assert reason_of(maker.UpdateInstrumentVersion, changing) == "WRONG_STATE"


def test_only_a_published_framework_scores(portfolio: Portfolio) -> None:
    maker, version = portfolio.staff("catalogue_manager"), wanted(portfolio, "digital-check")
    framework = drafted(portfolio, "frameworks/basic-digital-skills")
    version.framework_version = framework.name
    request = pb.CreateInstrumentVersionRequest(
        parent=f"instruments/i-{uuid.uuid4()}", instrument_version=version
    )
    assert reason_of(maker.CreateInstrumentVersion, request) == "INVALID_ARGUMENT"
    publishing = framework_pb2.PublishFrameworkVersionRequest(name=framework.name)
    portfolio.staff("catalogue_manager").PublishFrameworkVersion(publishing)
    assert maker.CreateInstrumentVersion(request).framework_version == framework.name
