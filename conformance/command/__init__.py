"""The command ``registry-conformance``: everything that an installation of the suite can do."""
