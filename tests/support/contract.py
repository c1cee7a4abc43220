"""The contract as it was generated, read once for all tests of a process: that takes a tenth of a second."""

from services.platform.edge.contract import Contract

CONTRACT = Contract()
