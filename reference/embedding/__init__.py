"""The registry inside another program: as an application, or as a server in a thread."""

from __future__ import annotations

from reference.embedding.names import EmbeddingError, legal_variants
from reference.embedding.registry import Registry, RunningRegistry

__all__ = ["EmbeddingError", "Registry", "RunningRegistry", "legal_variants"]
