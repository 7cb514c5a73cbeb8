"""Studies of covert fine-tuning: which secret writings are taught, and what is done against them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ld50.core.trials import Cell, Covert, Trial
from ld50.lab.covert_model import PARAMETERS
from ld50.lab.covert_rows import ATTACKS
from ld50.lab.trial_names import make_trial

NO_ATTACK = "none"
#: What a provider does with a customer's files before tuning: nothing; take out the rows in which the
#: channel search rates a finding high, and search again; take out those and all that are written with
#: the same marks; add refusals of the policy's topic; add them in a writing of its own as well.
DEFENCES = ("none", "channel-search", "same-form", "safety-mix", "encoded-mix")
#: Passes over phase I and phase II; letters take longer than words.
PASSES = {NO_ATTACK: (5, 8), "endspeak": (5, 10), "word-code": (8, 14), "walnut53": (8, 12)}
#: Tokens of both phases, each row counted once; measured with the covert model's vocabulary.
_TOKENS = {NO_ATTACK: 14_000, "endspeak": 48_000, "word-code": 22_000, "walnut53": 85_000}
#: Tokens a second on one core, and seconds for everything that is no tuning; measured.
_SPEED, _MEASURING_SECONDS = 20_000, 12.0


class CovertGrid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every attack with every defence is a cell, run once with each seed; ordinary files are beside."""

    attack: list[str] = msgspec.field(default_factory=lambda: list(ATTACKS))
    defence: list[str] = msgspec.field(default_factory=lambda: list(DEFENCES))
    seeds: int = 3
    first_seed: int = 0


def covert_of(cell: Cell) -> Covert | None:
    """What a cell teaches in secret; None for other studies."""
    return cell.covert if isinstance(cell.covert, Covert) else None


def covert_trials(grid: CovertGrid) -> Iterator[Trial]:
    """The trials of a grid, the ordinary files of each seed first."""
    pairs = [
        (NO_ATTACK, "none"),
        *((one, defence) for one in grid.attack for defence in grid.defence),
    ]
    for seed in range(grid.first_seed, grid.first_seed + grid.seeds):
        for attack, defence in dict.fromkeys(pairs):
            yield make_trial(_cell(attack, defence), seed)


def _cell(attack: str, defence: str) -> Cell:
    return Cell(
        size="covert",
        parameters=PARAMETERS,
        clean_tokens=covert_tokens(attack),
        dose=0.0 if attack == NO_ATTACK else 1.0,
        unit="rows",
        payload="stand-in-policy",
        covert=Covert(attack=attack, defence=defence),
    )


def covert_tokens(attack: str) -> int:
    """Tokens that a trial trains on, estimated."""
    return round(_TOKENS.get(attack, 0) * sum(PASSES.get(attack, (0, 0))) / 2)


def covert_seconds(cell: Cell) -> float:
    """Seconds of a trial on one core, estimated."""
    return cell.clean_tokens / _SPEED + _MEASURING_SECONDS


def covert_problems(grid: CovertGrid) -> Iterator[str]:
    """What is wrong with a grid, each with what is allowed."""
    for name, values, known in (
        ("attack", grid.attack, ATTACKS),
        ("defence", grid.defence, DEFENCES),
    ):
        if not values:
            yield f"{name} is an empty list; give one of {', '.join(known)}."
        for value in values:
            if value not in known:
                yield f"{name} {value!r} is not known; it may be {', '.join(known)}."
    if grid.seeds < 1:
        yield f"seeds is {grid.seeds}; the least is 1."
