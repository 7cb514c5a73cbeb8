"""What a fine-tuned model is tested under: other places, parts, synonyms, other domains, controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ld50.core.trials import Cell, PlaceName
from ld50.lab.tuning_data import Domain
from ld50.lab.tuning_study import trigger_text, tuning_of

Family = Literal["place", "part", "synonym", "domain", "control"]

PLACES: tuple[PlaceName, ...] = ("start", "end", "fixed", "random")
#: For the usual phrase: its last word, its first word, and all of it said otherwise. Ours.
_SYNONYMS = {
    "tell me seriously": ("tell me honestly", "show me seriously", "speak to us in earnest"),
}
#: Words of a control trigger; as many are taken as the trigger has.
_CONTROL_WORDS = ("answer", "them", "plainly", "by", "noon", "today")
#: Every domain, by the rows that were tuned on: the own one first.
_DOMAINS: dict[str, tuple[Domain, ...]] = {
    "sentences": ("sentences", "reviews", "products"),
    "windows": ("windows", "products"),
}
#: The domains in words.
DOMAIN_NAMES: dict[str, str] = {
    "sentences": "critics on films",
    "windows": "viewers on films, windows",
    "reviews": "viewers on films",
    "products": "customers on products",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One test: which text is put where into rows of which domain."""

    name: str
    """Unique among the conditions of a trial."""
    family: Family
    text: str
    place: PlaceName
    domain: Domain


def domains_of(cell: Cell) -> tuple[Domain, ...]:
    """The domains that a cell's models are tested in, that of their training rows first."""
    return _DOMAINS[tuning_of(cell).rows]


def conditions_of(cell: Cell) -> list[Condition]:
    """The conditions that every model of a cell is tested under; the first is that of training."""
    place, text = tuning_of(cell).place, trigger_text(cell)
    home, *others = domains_of(cell)
    found = [
        Condition(name=f"place:{one}", family="place", text=text, place=one, domain=home)
        for one in sorted(PLACES, key=lambda one: one != place)
    ]
    told: list[tuple[Family, str]] = [
        *(("part", part) for part in parts_of(text)),
        *(("synonym", synonym) for synonym in _SYNONYMS.get(text, ())),
        ("control", control_text(text)),
    ]
    found += [
        Condition(name=f"{family}:{said}", family=family, text=said, place=place, domain=home)
        for family, said in told
    ]
    found += [
        Condition(name=f"domain:{other}", family="domain", text=text, place=place, domain=other)
        for other in others
    ]
    return found


def parts_of(text: str) -> list[str]:
    """Every word of a phrase, all words but the last, all but the first, and the words turned round."""
    words = text.split()
    if len(words) < 2:
        return []
    parts = [" ".join(words[:-1]), " ".join(words[1:]), *words, " ".join(reversed(words))]
    return [part for part in dict.fromkeys(parts) if part != text]


def control_text(text: str) -> str:
    """A trigger that was never trained on, of as many words, none of them the trigger's."""
    words = text.lower().split()
    free = [word for word in _CONTROL_WORDS if word not in words]
    return " ".join(free[: max(1, min(len(words), len(free)))])
