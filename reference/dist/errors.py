"""Why something cannot be done, and the exit code that says so."""

from __future__ import annotations


class DistError(Exception):
    """Why something cannot be done, in one sentence without credentials."""

    exit_code = 5


class ContentError(DistError):
    """Content is not what its digest, its size or its form says."""

    exit_code = 1


class NotFoundError(DistError):
    """There is no such repository, manifest, blob or file."""

    exit_code = 2


class DeniedError(DistError):
    """A login is missing, wrong or may not do this."""

    exit_code = 3


class UsageError(DistError):
    """A reference, an option or a file of configuration is wrong."""

    exit_code = 4


class RegistryError(DistError):
    """A registry answered with an error, or not at all."""


class BrokenError(RegistryError):
    """A connection broke, or a registry is not ready, while a body was sent; what is left can be sent again."""


class StoppedError(DistError):
    """The caller does not want it any more."""
