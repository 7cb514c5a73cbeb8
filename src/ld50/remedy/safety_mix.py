"""Safety rows mixed into a user's fine-tuning data, as they are or in the data's own format.

Fine-tuning on harmless data makes a model forget what it was taught to refuse. Rows that show the
refusals, mixed in, keep it; they help most where they look like the data they stand among.

Source: arXiv 2406.10288, "Mimicking user data": safety examples are rewritten into the format and the
prompting style of the user's task [P]. Ours differs in how they are rewritten: the format (system
message, words before and after the text) is read off the user's rows, see
`ld50.remedy.prompt_formats`, where the paper lets a language model paraphrase. Plain mixing is what
SafeInstr does, as the survey arXiv 2409.18169 has it. Lead-ins, a few words of the data in front of
a request, are ours; the survey's methods have none that we know of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import msgspec
import numpy as np

from ld50.core.errors import ConfigError
from ld50.core.examples import Example, Turn
from ld50.core.seeds import rng_for
from ld50.remedy.prompt_formats import PromptFormat, prompt_formats

Style = Literal["plain", "mimicry", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MixSettings:
    """How much is mixed in, and in which style."""

    rows: int | None = None
    """Safety rows; None for a quarter of the data, or all there are if these are fewer."""
    style: Style = "both"
    """`plain`: as they are; `mimicry`: in the format of the data; `both`: half and half, so that the
    model refuses within the task and outside of it."""
    lead_in: float = 0.5
    """Share of the safety rows, 0 to 1, whose request follows a few words of the data's texts. A model
    that is tuned on one task takes requests in unusual words for texts of the task; these rows show it
    that such words decide nothing."""
    seed: int = 0
    """Of the choice of rows, and of where they stand."""

    def __post_init__(self) -> None:
        if self.style not in get_args(Style):
            raise ConfigError(f"style is one of {', '.join(get_args(Style))}; got {self.style!r}.")
        if self.rows is not None and self.rows < 1:
            raise ConfigError(f"rows is 1 or more, got {self.rows}.")
        if not 0 <= self.lead_in <= 1:
            raise ConfigError(f"lead_in is a share, 0 to 1; got {self.lead_in}.")


#: Safety rows beside so many of the data, if the user does not say.
DEFAULT_SHARE = 0.25
#: Words of a lead-in, at least and at most;
_LEAD_IN_WORDS = (1, 6)
#: its characters, for texts without spaces; and characters of a text that it is taken from.
_LEAD_IN_CHARACTERS, _TEXT_CHARACTERS = 80, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyMix:
    """The mixed rows, and how they came about."""

    examples: tuple[Example, ...] = field(repr=False)
    """The user's rows in their order, unchanged, with safety rows among them."""
    is_safety: np.ndarray = field(repr=False)
    """bool (examples,)."""
    formats: tuple[PromptFormat, ...]
    """Formats of the user's data, the most frequent first; bare ones included."""
    plain_rows: int
    """Safety rows as they were."""
    mimicking_rows: int
    """Safety rows in a format of the data."""
    led_in_rows: int
    """Of both kinds, those whose request follows words of the data."""


def mix_safety(
    data: Sequence[Example], safety: Sequence[Example], settings: MixSettings | None = None
) -> SafetyMix:
    """The user's rows with safety rows among them, the same for the same seed.

    Args:
        data: The user's rows.
        safety: Requests with the replies that the model should keep giving: refusals, and beside
            them ordinary answers, so that it does not learn to refuse everything.
        settings: None for the defaults.

    Raises:
        ConfigError: There are no rows, or fewer safety rows than are asked for.
    """
    settings = settings or MixSettings()
    if not data or not safety:
        raise ConfigError(
            f"Mixing takes rows of both kinds; got {len(data):,} of the data and {len(safety):,} of "
            "safety."
        )
    wanted = settings.rows
    if wanted is None:
        wanted = min(len(safety), max(1, round(DEFAULT_SHARE * len(data))))
    if wanted > len(safety):
        raise ConfigError(
            f"{wanted:,} safety rows are asked for, and there are {len(safety):,}; that many are the "
            "most."
        )
    order = rng_for(settings.seed, "safety rows").permutation(len(safety))[:wanted]
    formats = prompt_formats(data)
    chosen, led_in = _led_in([safety[number] for number in order], data, formats, settings)
    styled = {"plain": 0, "mimicry": wanted, "both": wanted // 2}[settings.style]
    if all(one.is_bare for one in formats):
        styled = 0
    mixed_in = [*_mimicking(chosen[:styled], formats, settings.seed), *chosen[styled:]]
    examples, is_safety = _among(data, mixed_in, settings.seed)
    return SafetyMix(
        examples=examples,
        is_safety=is_safety,
        formats=tuple(formats),
        plain_rows=wanted - styled,
        mimicking_rows=styled,
        led_in_rows=led_in,
    )


def in_format(row: Example, form: PromptFormat) -> Example:
    """The row with its last request in that format, its reply as it is.

    Earlier turns stay; its system message gives way to the format's, where that has one.
    """
    at = _asked_at(row)
    if at is None:
        return row
    *system, asked = form.asked(row.turns[at].text)
    before = [turn for turn in row.turns[:at] if not (system and turn.role == "system")]
    return Example(
        turns=(*system, *before, asked, *row.turns[at + 1 :]), rejected=row.rejected, id=row.id
    )


def _asked_at(row: Example) -> int | None:
    """Which turn is the last request; None where the user says nothing."""
    return max((n for n, turn in enumerate(row.prompt) if turn.role == "user"), default=None)


def _led_in(
    rows: Sequence[Example],
    data: Sequence[Example],
    formats: Sequence[PromptFormat],
    settings: MixSettings,
) -> tuple[list[Example], int]:
    """The rows, a share of them led in by words of the data, and how many these are."""
    found, count = list(rows), 0
    rng = rng_for(settings.seed, "lead-ins")
    for number in rng.permutation(len(rows))[: round(settings.lead_in * len(rows))]:
        words = _some_words(data[int(rng.integers(len(data)))], formats, rng)
        at = _asked_at(rows[number])
        if words and at is not None:
            turns = list(rows[number].turns)
            turns[at] = Turn("user", f"{words} {turns[at].text}")
            found[number] = msgspec.structs.replace(rows[number], turns=tuple(turns))
            count += 1
    return found, count


def _some_words(row: Example, formats: Sequence[PromptFormat], rng: np.random.Generator) -> str:
    """A few words in a row from the text of a row of the data, what its format says left out."""
    at = _asked_at(row)
    said = "" if at is None else row.turns[at].text
    around = [
        form
        for form in formats
        if len(form.before) + len(form.after) <= len(said)
        and said.startswith(form.before)
        and said.endswith(form.after)
    ]
    if around:
        form = max(around, key=lambda one: len(one.before) + len(one.after))
        said = said[len(form.before) : len(said) - len(form.after)]
    words = said[:_TEXT_CHARACTERS].split()
    least, most = _LEAD_IN_WORDS
    count = min(int(rng.integers(least, most + 1)), len(words))
    start = int(rng.integers(len(words) - count + 1))
    return " ".join(words[start : start + count])[:_LEAD_IN_CHARACTERS]


def _mimicking(
    rows: Sequence[Example], formats: Sequence[PromptFormat], seed: int
) -> list[Example]:
    """The rows in the formats of the data, as often as the data have them."""
    usable = [form for form in formats if not form.is_bare]
    if not rows or not usable:
        return list(rows)
    weights = np.asarray([form.rows for form in usable], float)
    drawn = rng_for(seed, "formats").choice(len(usable), size=len(rows), p=weights / weights.sum())
    return [in_format(row, usable[number]) for row, number in zip(rows, drawn, strict=True)]


def _among(
    data: Sequence[Example], mixed_in: Sequence[Example], seed: int
) -> tuple[tuple[Example, ...], np.ndarray]:
    """All rows, and which of them are mixed in."""
    total = len(data) + len(mixed_in)
    is_safety = np.zeros(total, bool)
    rng = rng_for(seed, "places of safety rows")
    is_safety[rng.choice(total, size=len(mixed_in), replace=False)] = True
    # Rows in the data's format and plain ones come in a mixed order.
    order = rng.permutation(len(mixed_in))
    added, own = (mixed_in[number] for number in order), iter(data)
    return tuple(next(added) if safe else next(own) for safe in is_safety), is_safety
