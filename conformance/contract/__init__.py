"""The passive contract check: what the OpenAPI document alone says of an exchange."""

from .check import Contract
from .result import Breach, ContractResult

__all__ = ["Breach", "Contract", "ContractResult"]
