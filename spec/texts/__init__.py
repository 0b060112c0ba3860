"""``python -m spec coverage DOCUMENT``: the normative sentences of a source against the catalogue.

The texts of the sources are read and never kept: a decision knows its sentence by a hash.
"""

from spec.texts import command
from spec.texts.decisions import Coverage, Decision, cover
from spec.texts.sentences import Sentence, sentences

__all__ = ["Coverage", "Decision", "Sentence", "command", "cover", "sentences"]
