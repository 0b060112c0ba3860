"""``python -m spec diff OLD NEW``: what a change of the specification means.

``compare`` gives the changes of two trees as data; ``tree`` gives the tree of a folder or of a git revision.
"""

from spec.diff import command
from spec.diff.changes import Asks, Change, Diff, Kind
from spec.diff.compare import compare
from spec.diff.trees import Tree, TreeError, tree

__all__ = ["Asks", "Change", "Diff", "Kind", "Tree", "TreeError", "command", "compare", "tree"]
