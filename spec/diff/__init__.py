"""``python -m spec diff OLD NEW``: what a change of the specification means.

``tree`` gives the tree of a folder or of a git revision, ``read`` its specification, ``compare`` the changes of two as
data.
"""

from spec.diff import command
from spec.diff.changes import Asks, Change, Diff, Kind
from spec.diff.compare import Specification, compare, read
from spec.diff.trees import Tree, TreeError, tree

__all__ = [
    "Asks",
    "Change",
    "Diff",
    "Kind",
    "Specification",
    "Tree",
    "TreeError",
    "command",
    "compare",
    "read",
    "tree",
]
