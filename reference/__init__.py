"""The reference registry: answers rightly, or with one deliberate fault or variant.

``Registry`` embeds it in another program. What is offered here is loaded when it is first used, so that
an import of this package costs nothing to the parts that need no registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["EmbeddingError", "Registry", "RunningRegistry", "legal_variants"]

if TYPE_CHECKING:
    from reference.embedding import EmbeddingError, Registry, RunningRegistry, legal_variants
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from reference import embedding  # noqa: PLC0415 - only where it is asked for

        return getattr(embedding, name)
