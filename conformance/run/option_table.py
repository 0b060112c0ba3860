"""The table of the options: names, what they take, and their help. It needs no more than Python, as make reads it."""

from __future__ import annotations

from dataclasses import dataclass

#: The value of ``--registry-url`` that asks for the reference that comes along.
EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its name without dashes, what it takes, what it is when not given, and a line of help."""

    name: str
    help: str
    kind: str = "text"
    default: str = ""
    metavar: str = "VALUE"
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """The option in the environment."""
        bare = self.name.removeprefix("registry-")
        return "REGISTRY_" + bare.upper().replace("-", "_")

    @property
    def ini(self) -> str:
        """The option in the table ``[tool.pytest]``."""
        return self.name.replace("-", "_")


OPTIONS = (
    Option("config", "options as YAML; registry-conformance.yaml is read where it is there", metavar="FILE"),
    Option("registry-url", "the registry to certify, or 'embedded' for the reference that comes along", metavar="URL"),
    Option("profile", "the profile that decides the exit code; all are reported", default="oci-1.1", metavar="PROFILE"),
    Option("username", "user name for a login", metavar="NAME"),
    Option("password", "password; better given as REGISTRY_PASSWORD", metavar="PASSWORD"),
    Option("auth-pull-only-username", "an account that may pull in the namespace and not push", metavar="NAME"),
    Option("auth-pull-only-password", "its password (see --password)", metavar="PASSWORD"),
    Option("auth-other-username", "an account without any right in the namespace", metavar="NAME"),
    Option("auth-other-password", "its password (see --password)", metavar="PASSWORD"),
    Option("auth-expired-token", "a token that is good no longer, or not yet (repeatable)", "list", metavar="TOKEN"),
    Option("docker-config", "take the login from a Docker config.json", metavar="FILE"),
    Option(
        "header",
        "a header for each request to the registry, and to no other host (repeatable)",
        "lines",
        metavar="'NAME: VALUE'",
    ),
    Option("ca-bundle", "certificates to trust, in PEM", metavar="FILE"),
    Option("insecure", "do not check the server's certificate", "flag"),
    Option("timeout", "seconds for one request", default="10", metavar="SECONDS"),
    Option("max-time", "seconds for the whole run", default="600", metavar="SECONDS"),
    Option("rate", "requests a second, of the whole run; the target's own limits are obeyed anyway", metavar="NUMBER"),
    Option("namespace", "prefix of the repositories that the run makes", default="conformance", metavar="PREFIX"),
    Option("repository", "use this repository instead of making some (repeatable)", "list", metavar="NAME"),
    Option("read-only", "never write; needs --existing", "flag"),
    Option("existing", "an image, index or artifact that is there already (repeatable)", "list", metavar="NAME:TAG"),
    Option("capability", "declare an optional part present or absent (repeatable)", "list", metavar="NAME=yes|no"),
    Option("known-failures", "YAML list of known failures: id, why, until", metavar="FILE"),
    Option("known-failures-write", "write such a list of what this run finds broken", metavar="FILE"),
    Option("settle", "seconds that the target may take until a write shows", default="0", metavar="SECONDS"),
    Option("min-chunk", "bytes that each chunk but the last has to have at this target", metavar="BYTES"),
    Option(
        "effort", "how hard to search", default="default", choices=("quick", "default", "thorough"), metavar="LEVEL"
    ),
    Option("seed", "repeat a run's content", metavar="NUMBER"),
    Option("shuffle", "judge in another order, which the number chooses", metavar="SEED"),
    Option("keep", "leave what the run made", "flag"),
    Option("notifications-listen", "where the target was told to post its notifications", metavar="HOST:PORT"),
    Option(
        "notifications-header",
        "a header that the target was told to post with them (repeatable)",
        "lines",
        metavar="'NAME: VALUE'",
    ),
    Option("report", "folder of report.json, report.html and summary.md", default="report", metavar="DIR"),
    Option("record", "record all exchanges, as HAR 1.2; compressed if the name ends in .gz", metavar="FILE"),
    Option("category", "judge only this category (repeatable)", "list", metavar="CATEGORY"),
    Option("requirement", "judge only this requirement (repeatable)", "list", metavar="ID"),
    Option("only-failed", "judge only what a report.json has as broken or blocked", metavar="FILE"),
    Option("product", "name of the target's product, for the report", metavar="NAME"),
    Option("product-version", "version of the target's product, for the report", metavar="VERSION"),
)

#: What no command line that is shown, and no configuration file, may have.
SECRETS = (
    "password",
    "auth-pull-only-password",
    "auth-other-password",
    "auth-expired-token",
    "header",
    "notifications-header",
)
