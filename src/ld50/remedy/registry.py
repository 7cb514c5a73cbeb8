"""The remedies by name, and how several of them are written down: `fine-mixing:500+good-examples:100`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from ld50.core.errors import ConfigError
from ld50.remedy.clean_tuning import CleanTuning
from ld50.remedy.fine_mixing import FineMixing
from ld50.remedy.fine_pruning import FinePruning
from ld50.remedy.good_examples import GoodExamples, GuessedTriggers
from ld50.remedy.protocol import Case, Remedy
from ld50.remedy.retrain import QuarantineRetrain

REMEDIES: dict[str, Remedy] = {
    remedy.name: remedy
    for remedy in (
        QuarantineRetrain(),
        CleanTuning(),
        GoodExamples(),
        GuessedTriggers(),
        FineMixing(),
        FinePruning(),
    )
}
#: More parts than this say that somebody mistook the list of remedies for one.
_MOST_PARTS = 4


@dataclass(frozen=True, slots=True)
class Part:
    """One remedy of a treatment, and how many rows it tunes on."""

    remedy: Remedy
    rows: int | None
    """None takes the remedy's default."""

    def count(self, case: Case) -> int:
        """Rows it tunes on in this case."""
        wanted = self.rows if self.rows is not None else self.remedy.default_rows
        return len(case.kept) if wanted is None else wanted


@dataclass(frozen=True, slots=True)
class Treatment:
    """Remedies one after the other, each on what the one before has left."""

    name: str
    """As it was written, e.g. `fine-mixing:500+good-examples:100`."""
    parts: tuple[Part, ...]

    def __iter__(self) -> Iterator[Part]:
        return iter(self.parts)

    @property
    def needs_base(self) -> bool:
        """Whether any part takes the base model."""
        return any(part.remedy.needs_base for part in self.parts)

    @property
    def needs_trigger(self) -> bool:
        """Whether any part takes a trigger that is text."""
        return any(part.remedy.needs_trigger for part in self.parts)

    @property
    def slug(self) -> str:
        """The name as that of a folder."""
        return self.name.replace(":", "-").replace("+", "_then_")


def treatment(text: str) -> Treatment:
    """The treatment that a text names: `NAME`, `NAME:ROWS`, or several joined by `+`.

    Raises:
        ConfigError: An unknown remedy (names the nearest), or a number of rows that is none.
    """
    written = [part.strip() for part in text.split("+")]
    if len(written) > _MOST_PARTS:
        raise ConfigError(f"{text!r} joins {len(written)} remedies; {_MOST_PARTS} are the most.")
    parts = tuple(_part(part, text) for part in written)
    for later in parts[1:]:
        if later.remedy.name == QuarantineRetrain.name:
            raise ConfigError(
                f"{text!r}: quarantine-retrain begins with the base model, so nothing before it "
                "would count; put it first."
            )
    return Treatment("+".join(written), parts)


def _part(text: str, whole: str) -> Part:
    name, colon, count = text.partition(":")
    remedy = REMEDIES.get(name)
    if remedy is None:
        near = difflib.get_close_matches(name, REMEDIES, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        where = f" in {whole!r}" if name != whole else ""
        raise ConfigError(
            f"There is no remedy {name!r}{where}.{hint} There are: {', '.join(REMEDIES)}."
        )
    if not colon:
        return Part(remedy, None)
    if not count.isascii() or not count.isdigit() or not 1 <= int(count) <= 10_000_000:
        raise ConfigError(
            f"{text!r}: after the colon stands how many rows are tuned on, 1 to 10,000,000, got "
            f"{count!r}."
        )
    return Part(remedy, int(count))
