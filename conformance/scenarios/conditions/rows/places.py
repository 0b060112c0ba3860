"""Where rows take place: repositories with names of each form, and tags of each form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from conformance.client.registry import Repository, next_link
from conformance.scenarios.conditions.rows.attempt import Place
from conformance.scenarios.conditions.rows.cover import Row
from conformance.scenarios.shared.tags import WORDS
from conformance.settings import NAMESPACE
from conformance.target.capabilities import UNKNOWN
from conformance.target.content import Maker
from conformance.target.session import Session
from conformance.verdict.judge import NotTested
from spec.model import Withheld

#: Characters of the longest name that each profile allows.
LONGEST = 255
LONGEST_TAG = 128
#: The forms of the names of repositories (the dimension ``repository``).
SHAPES = ("two", "one", "four", "eight", "separators", "longest")
#: Components of the names of repositories, by shape.
COMPONENTS = {"one": 1, "two": 2, "four": 4, "eight": 8}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
#: What may stand between letters and digits of a component, one of each.
SEPARATED = "a.b_c__d-e--f"
_LIKE = str.maketrans("_", "x")
#: What may stand between letters and digits of a tag, each more than once.
DOUBLED = "..a__b--c.-d"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
#: Components of the longer names: single letters, a number, the word that routes begin with, and a device of Windows.
WORDS_OF_NAMES = ("a", "7", "v2", "nul", "d", "e")

#: Of each session whether the target has Links.
_links: WeakKeyDictionary[Session, bool] = WeakKeyDictionary()


def links(repo: Repository, session: Session) -> bool:
    """Return whether the target leads from a page of tags to the next by a Link; ``repo`` has three tags or more."""
    if session not in _links:
        _links[session] = any(next_link(repo.list_tags(n=n)) is not None for n in (2, 1))
    return _links[session]


def no_room(row: Row) -> bool:
    """Tell whether the name of a row's repository leaves no room for one below it."""
    return row.get("repository") == "longest" and row.get("neighbour") == "below"


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
        elif shape == "longest":
            # A name that differs in its last character alone, where what a registry compares may be cut.
            beside = Repository(registry, f"{here.name[:-1]}m")
        below = None if shape == "longest" else Repository(registry, f"{here.name}/below")
        spare = [Repository(registry, self._name(shape, f"{suffix}-{end}")) for end in "defg"]
        alias = Repository(registry, _alias_of(here.name, shape))
        above = Repository(registry, here.name.rpartition("/")[0]) if here.name.count("/") > 1 else None
        return Place(here, beside, below, third, alias, above, spare=spare)

    def _name(self, shape: str, suffix: str) -> str:
        settings = self._session.settings
        if shape == "one":
            if settings.namespace != NAMESPACE:
                raise NotTested(UNKNOWN[Withheld.REPOSITORIES], Withheld.REPOSITORIES)
            return f"{settings.namespace}-{settings.run_id}-{self._slug}{suffix}"
        name = f"{settings.namespace}/{settings.run_id}-{self._slug}{suffix}"
        missing = COMPONENTS.get(shape, 0) - name.count("/") - 1
        name += "".join(f"/{word}" for word in WORDS_OF_NAMES[: max(0, missing)])
        if shape == "separators":
            name += f"/{SEPARATED}"
        if shape == "longest":
            name += "/" + "n" * (LONGEST - len(name) - 1)
        return name


def _alias_of(name: str, shape: str) -> str:
    """Return a name that a careless registry keeps in the same folder, as it differs in separators alone."""
    start, separator, end = name.rpartition("/")
    if shape == "two" and len(end) > 1:
        return f"{start}/{end[:-1]}/{end[-1]}"
    if shape == "four":
        return start + end
    if not separator:
        return name.replace("-", "_", 1)
    if end == SEPARATED:
        return f"{start}/{re.sub('[._-]+', '-', end)}"
    return f"{start}-{end}"


def tag_of(form: str, make: Maker, number: int, digest: str = "") -> str:
    """Return a tag of a form; those that are short come again after a while, and then lead to something new.

    A tag that looks like a digest looks like ``digest`` in some rows, where there is one.
    """
    plain = make.tag()
    forms = {
        # Letters and digits in turns.
        "one-character": (LETTERS[:26], LETTERS[26:])[number % 2][number // 2 % 10],
        "longest": (plain + ("." if number % 2 else DOUBLED) + "x" * LONGEST_TAG)[:LONGEST_TAG],
        "capitals": f"_{plain.upper()}",
        "digest-like": _like_a_digest(make, number, digest),
        "word": WORDS[number % len(WORDS)],
    }
    return forms.get(form, plain)


def _like_a_digest(make: Maker, number: int, digest: str) -> str:
    """Return a tag as images without a list of referrers have them, as their signatures do, or the name of a commit."""
    encoded = make.random.randbytes(32).hex()
    return (digest.replace(":", "-") or f"sha256-{encoded}", f"sha256-{encoded}.sig", encoded[:40], encoded)[number % 4]


def sibling_of(tag: str, number: int) -> str:
    """Return a tag that a careless registry takes for another: of the other case, or one that begins like it."""
    other = tag.swapcase()
    # One that differs in its last character alone, where what a registry compares may be cut.
    forms = [f"{tag[:-1]}{'y' if tag[-1] != 'y' else 'z'}"] if len(tag) == LONGEST_TAG else []
    forms += [other] if other != tag else []
    if "." in tag:
        forms.append(tag.replace(".", "x", 1))
    if "_" in tag:
        # It fits, where the tag is taken for a pattern.
        forms.append(tag.replace("_", "x", 1))
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


def near(digest: str, number: int) -> str:
    """Return the digest of nothing that differs from one in a single character: the last one or, seldom, the first."""
    algorithm, _, encoded = digest.partition(":")
    place = 0 if number % 4 == 3 else len(encoded) - 1
    other = "0" if encoded[place] != "0" else "1"
    return f"{algorithm}:{encoded[:place]}{other}{encoded[place + 1 :]}"
