"""The passive contract check: what the OpenAPI document alone says of an exchange."""

from conformance.contract.check import Contract
from conformance.contract.result import Breach, ContractResult

__all__ = ["Breach", "Contract", "ContractResult"]
