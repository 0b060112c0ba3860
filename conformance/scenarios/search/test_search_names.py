"""Names that the grammar makes up: those within it can be used, those just outside are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.client.registry import upload_location
from conformance.scenarios.search.outcome import conclude, prepare  # noqa: F401  the run calls it
from conformance.scenarios.search.trial import Trial
from conformance.settings import Settings
from conformance.verdict.judge import Judge, NotTested, content_of, status_of, told, verifies
from conformance.verdict.presence import served
from spec import grammar
from spec.model import Withheld

if TYPE_CHECKING:
    from conformance.scenarios.search.engine import Explorer

PLAIN = "BASE-NAME-PLAIN"
SINGLE = "BASE-NAME-SINGLE-SEPARATOR"
REPEATED = "BASE-NAME-REPEATED-SEPARATOR"
ROUTE = "BASE-NAME-ROUTE-WORDS"
UPPER = "BASE-NAME-REJECT-UPPERCASE"
SEPARATORS = "BASE-NAME-REJECT-SEPARATORS"
EXAMPLES = {"quick": 1, "default": 1, "thorough": 300}


@verifies(PLAIN, SINGLE, REPEATED, ROUTE)
def test_search_names_within_the_grammar(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """A name that the grammar makes can be pushed to and pulled from."""
    from conformance.scenarios.search.machine import strategies  # noqa: PLC0415  # brings Hypothesis

    _free(settings)
    explorer.values(strategies.names(), _use, EXAMPLES[settings.effort])
    conclude(explorer, judge)


@verifies(UPPER, SEPARATORS)
def test_search_names_outside_the_grammar(explorer: Explorer, judge: Judge, settings: Settings) -> None:
    """A name just outside the grammar is refused."""
    from conformance.scenarios.search.machine import strategies  # noqa: PLC0415  # brings Hypothesis

    _free(settings)
    explorer.values(strategies.wrong_names(), _refused, EXAMPLES[settings.effort])
    conclude(explorer, judge)


def _free(settings: Settings) -> None:
    if settings.repositories:
        raise NotTested("the owner fixed the repositories", Withheld.REPOSITORIES)


def _requirement(name: str) -> str:
    from conformance.scenarios.search.machine import strategies  # noqa: PLC0415  # brings Hypothesis

    # Of several, the one that presumes the others: what breaks for their sake is folded into them.
    if set(name.split("/")) & set(strategies.ROUTE_WORDS):
        return ROUTE
    if not grammar.matches(grammar.NAME_SINGLE, name):
        return REPEATED
    return SINGLE if set(name) & set("._-") else PLAIN


def _use(trial: Trial, name: str) -> None:
    """Push and pull a blob under a name."""
    repo = trial.repository(f"{trial.repositories(1)[0].name}/{name}")
    requirement = _requirement(name)
    wanted = f"a blob pushed and pulled in a repository whose name ends in /{name}"
    trial.step(f"push a blob to {repo.name} and pull it")
    start = repo.start_upload()
    location = upload_location(start)
    if start.status != 202 or location is None:
        trial(requirement, False, wanted, start, actual=f"the start of an upload had {told(start, 'Location')}")
        return
    blob = trial.make.blob()
    closed = repo.put_upload(location, blob.digest, blob.content)
    if closed.status != 201:
        trial(requirement, False, wanted, start, closed, actual=f"the PUT of a blob had {status_of(closed)}")
        return
    answer = repo.get_blob(blob.digest)
    held = served(answer, blob.content)
    trial(requirement, held, wanted, answer, actual=f"the pull of the blob had {content_of(answer)}")


def _refused(trial: Trial, name: str) -> None:
    """Ask for an upload under a name that is none."""
    repo = trial.repository(f"{trial.repositories(1)[0].name}/{name}")
    upper = bool(set(name) & set(grammar.UPPER))
    trial.step(f"start an upload in {repo.name}")
    answer = repo.start_upload()
    trial(UPPER if upper else SEPARATORS, answer.refused, f"a refusal (4xx) to a name that ends in /{name}", answer)
