"""Safety rows mixed into a user's fine-tuning data, as they are or in the data's own format.

Fine-tuning on harmless data makes a model forget what it was taught to refuse. Rows that show the
refusals, mixed in, keep it; they help most where they look like the data they stand among.

Source: arXiv 2406.10288, "Mimicking user data": safety examples are rewritten into the format and the
prompting style of the user's task [P]. Ours differs in how they are rewritten: the format (system
message, words before and after the text) is read off the user's rows, see
`ld50.remedy.prompt_formats`, where the paper lets a language model paraphrase. Plain mixing is what
SafeInstr does, as the survey arXiv 2409.18169 has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from ld50.core.errors import ConfigError
from ld50.core.examples import Example
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
    seed: int = 0
    """Of the choice of rows, and of where they stand."""

    def __post_init__(self) -> None:
        if self.style not in get_args(Style):
            raise ConfigError(f"style is one of {', '.join(get_args(Style))}; got {self.style!r}.")
        if self.rows is not None and self.rows < 1:
            raise ConfigError(f"rows is 1 or more, got {self.rows}.")


#: Safety rows beside so many of the data, if the user does not say.
DEFAULT_SHARE = 0.25


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
    chosen = [safety[number] for number in order]
    formats = prompt_formats(data)
    styled = {"plain": 0, "mimicry": wanted, "both": wanted // 2}[settings.style]
    if all(one.is_bare for one in formats):
        styled = 0
    mixed_in = [*_mimicking(chosen[:styled], formats, settings.seed), *chosen[styled:]]
    return _among(data, mixed_in, formats, styled, settings.seed)


def in_format(row: Example, form: PromptFormat) -> Example:
    """The row with its last request in that format, its reply as it is.

    Earlier turns stay; its system message gives way to the format's, where that has one.
    """
    at = max((n for n, turn in enumerate(row.prompt) if turn.role == "user"), default=None)
    if at is None:
        return row
    *system, asked = form.asked(row.turns[at].text)
    before = [turn for turn in row.turns[:at] if not (system and turn.role == "system")]
    return Example(
        turns=(*system, *before, asked, *row.turns[at + 1 :]), rejected=row.rejected, id=row.id
    )


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
    data: Sequence[Example],
    mixed_in: Sequence[Example],
    formats: Sequence[PromptFormat],
    styled: int,
    seed: int,
) -> SafetyMix:
    total = len(data) + len(mixed_in)
    is_safety = np.zeros(total, bool)
    rng = rng_for(seed, "places of safety rows")
    is_safety[rng.choice(total, size=len(mixed_in), replace=False)] = True
    # Rows in the data's format and plain ones come in a mixed order.
    order = rng.permutation(len(mixed_in))
    added, own = (mixed_in[number] for number in order), iter(data)
    return SafetyMix(
        examples=tuple(next(added) if safe else next(own) for safe in is_safety),
        is_safety=is_safety,
        formats=tuple(formats),
        plain_rows=len(mixed_in) - styled,
        mimicking_rows=styled,
    )
