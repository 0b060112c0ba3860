"""What a change of the specification does to registries whose runs are known: ``python -m spec impact``.

It weighs the outcomes of published runs anew, checks recorded exchanges against the changed document, and says what
neither can tell.
"""
