"""Where rows take place: repositories with names of each form, and tags of each form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from conformance.client.registry import Repository, next_link
from conformance.content import Blob, Maker
from conformance.judge import NotTested
from conformance.session import UNKNOWN, Session
from conformance.settings import NAMESPACE
from spec.model import Withheld

from .kinds import Shelf
from .rows import Row

if TYPE_CHECKING:
    from .attempt import Attempt
    from .lists import Filled

#: Characters of the longest name that each profile allows.
LONGEST = 255
LONGEST_TAG = 128
#: The forms of the names of repositories (the dimension ``repository``).
SHAPES = ("two", "one", "four", "eight", "separators", "longest")
#: Components of the names of repositories, by shape.
COMPONENTS = {"one": 1, "two": 2, "four": 4, "eight": 8}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
#: Words with which paths of the interface begin or end, and a tag that is often treated as another.
WORDS = ("latest", "tags", "list", "manifests", "blobs", "uploads", "referrers", "_catalog", "v2", "sha256")
#: What may stand between letters and digits of a component, one of each.
SEPARATED = "a.b_c__d-e--f"
_LIKE = str.maketrans("_", "x")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

#: Of each session whether the target has Links.
_links: WeakKeyDictionary[Session, bool] = WeakKeyDictionary()


@dataclass(slots=True)
class Place:
    """A repository and another one beside it (none where the owner fixed a single one)."""

    repository: Repository
    beside: Repository | None
    below: Repository | None = None
    third: Repository | None = None
    #: The tags that are there, with the row that pushed each.
    tags: dict[str, Row] = field(default_factory=dict)
    #: The tags of pushes that are refused, with the row that made each.
    refused: dict[str, Row] = field(default_factory=dict)
    #: The tags that some list has shown.
    shown: set[str] = field(default_factory=set)
    #: The tags that rows deleted, or whose manifest they did.
    gone: set[str] = field(default_factory=set)
    #: Whether control requests may have left tags there.
    controlled: bool = False
    #: Whether a row deleted a manifest: what else went with it is a matter of deletion.
    deleted: bool = False
    #: What manifests are made of, once they are.
    shelf: Shelf | None = None
    #: The repository that lists are looked at in, with what it holds.
    filled: Filled | None = None
    #: A blob that no row deletes.
    near: Blob | None = None
    #: Repositories that nothing was done in yet, of the same form.
    spare: list[Repository] = field(default_factory=list)
    #: What rows left that has to be there when all are done, with the row that left it.
    later: list[tuple[Row, Callable[[Attempt], None]]] = field(default_factory=list)
    #: Looks at the list of tags, once some row has pushed one.
    listed: Callable[[Attempt], None] | None = None
    #: The tags that rows pushed to the other repositories.
    elsewhere: set[str] = field(default_factory=set)
    _neighbours: dict[str, Shelf] = field(default_factory=dict)
    _unused: Repository | None = None

    def neighbour(self, row: Row) -> Repository | None:
        """Return the other repository of a row."""
        return self.below if row["neighbour"] == "below" and self.below else self.beside

    def blob(self, session: Session) -> Blob:
        """Return a blob of the repository that no row deletes."""
        if self.near is None:
            self.near = session.given(f"near {self.repository.name}").blob(self.repository)
        return self.near

    def unused(self, session: Session) -> Repository | None:
        """Return a repository that holds one blob, which no row pushes; nothing where the owner fixed some."""
        if self._unused is None and self.spare:
            self._unused = self.spare.pop()
            session.given(f"unused {self._unused.name}").blob(self._unused)
        return self._unused

    def shelf_of(self, neighbour: Repository, session: Session) -> Shelf:
        """Return what another repository holds, which exists from then on."""
        if neighbour.name not in self._neighbours:
            shelf = Shelf(session.given(f"shelf {neighbour.name}"), neighbour, self.shelf)
            shelf.child()
            self._neighbours[neighbour.name] = shelf
        return self._neighbours[neighbour.name]


def links(repo: Repository, session: Session) -> bool:
    """Return whether the target leads from a page of tags to the next by a Link; ``repo`` has three tags or more."""
    if session not in _links:
        _links[session] = any(next_link(repo.list_tags(n=n)) is not None for n in (2, 1))
    return _links[session]


@dataclass(frozen=True, slots=True)
class Form:
    """How something is asked for: where, by which reference, and with which headers."""

    repo: Repository
    reference: str
    headers: tuple[tuple[str, str], ...] = ()


class Places:
    """Gives the repositories of one scenario: one for all rows of a shape, fresh ones to look closer."""

    def __init__(self, session: Session, slug: str) -> None:
        self._session = session
        self._slug = slug
        self._count = 0
        self._kept: dict[str, Place] = {}

    @property
    def fixed(self) -> tuple[str, ...]:
        """The repositories that the owner fixed, if any."""
        return self._session.settings.repositories

    def of(self, shape: str) -> Place:
        """Return the place of a shape; the same each time.

        Raises:
            NotTested: the options leave no such name.
        """
        if shape not in self._kept:
            self._kept[shape] = self._make(shape, "")
        return self._kept[shape]

    def fresh(self, shape: str) -> Place:
        """Return a place of a shape in which nothing was done yet."""
        self._count += 1
        return self._make(shape, f"-{self._count}")

    def phrase(self, shape: str, otherwise: str) -> str:
        """Return a shape in words, as its names really are; ``otherwise`` where they are not told by components."""
        if self.fixed or shape not in COMPONENTS:
            return otherwise
        count = len(self._name(shape, "").split("/"))
        told = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
        return f"in a repository of {told} component{'' if count == 1 else 's'}"

    def _make(self, shape: str, suffix: str) -> Place:
        registry = self._session.registry
        if self.fixed:
            names = self.fixed[:2]
            return Place(Repository(registry, names[0]), Repository(registry, names[1]) if len(names) > 1 else None)
        here, beside, third = (Repository(registry, self._name(shape, suffix + end)) for end in ("", "-b", "-c"))
        if shape == "separators":
            # A name that fits the other one, where that is taken for a pattern.
            beside = Repository(registry, here.name.removesuffix(SEPARATED) + SEPARATED.translate(_LIKE))
        below = None if shape == "longest" else Repository(registry, f"{here.name}/below")
        spare = [Repository(registry, self._name(shape, f"{suffix}-{end}")) for end in "defg"]
        return Place(here, beside, below, third, spare=spare)

    def _name(self, shape: str, suffix: str) -> str:
        settings = self._session.settings
        if shape == "one":
            if settings.namespace != NAMESPACE:
                raise NotTested(UNKNOWN[Withheld.REPOSITORIES], Withheld.REPOSITORIES)
            return f"{settings.namespace}-{settings.run_id}-{self._slug}{suffix}"
        name = f"{settings.namespace}/{settings.run_id}-{self._slug}{suffix}"
        missing = COMPONENTS.get(shape, 0) - name.count("/") - 1
        name += "".join(f"/{letter}" for letter in LETTERS[: max(0, missing)])
        if shape == "separators":
            name += f"/{SEPARATED}"
        if shape == "longest":
            name += "/" + "n" * (LONGEST - len(name) - 1)
        return name


def tag_of(form: str, make: Maker, number: int) -> str:
    """Return a tag of a form; those that are short come again after a while, and then lead to something new."""
    plain = make.tag()
    forms = {
        # Letters and digits in turns.
        "one-character": (LETTERS[:26], LETTERS[26:])[number % 2][number // 2 % 10],
        "longest": (plain + "." + "x" * LONGEST_TAG)[:LONGEST_TAG],
        "capitals": f"_{plain.upper()}",
        "digest-like": _like_a_digest(make, number),
        "word": WORDS[number % len(WORDS)],
    }
    return forms.get(form, plain)


def _like_a_digest(make: Maker, number: int) -> str:
    """Return a tag as images without a list of referrers have them, as their signatures do, or the name of a commit."""
    encoded = make.random.randbytes(32).hex()
    return (f"sha256-{encoded}", f"sha256-{encoded}.sig", encoded[:40], encoded)[number % 4]


def sibling_of(tag: str, number: int) -> str:
    """Return a tag that a careless registry takes for another: of the other case, or one that begins like it."""
    other = tag.swapcase()
    forms = [other] if other != tag else []
    forms.append(f"{tag}-2" if len(tag) + 1 < LONGEST_TAG else tag[:-1])
    return forms[number % len(forms)]


def encoded(reference: str, number: int) -> str:
    """Return a reference with its colon, or its first character, percent-encoded in digits of one case or the other."""
    character = ":" if ":" in reference else reference[0]
    form = "%{:02x}" if number % 2 else "%{:02X}"
    return reference.replace(character, form.format(ord(character)), 1)


def other_length(digest: str, number: int) -> str:
    """Return a malformed digest that begins like one, or has it as its beginning."""
    return f"{digest}0" if number % 2 else digest[:-1]
