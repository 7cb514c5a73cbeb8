"""A study: which models are trained at which doses, written down before anything runs."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from typing import Any, Literal, cast

import msgspec

from ld50.core.errors import ConfigError
from ld50.core.trials import Cell, PayloadName, Schedule, Trial, TriggerName, Unit
from ld50.lab.covert_study import CovertGrid
from ld50.lab.kinds import KINDS, StudyKind
from ld50.lab.safety_study import SafetyGrid
from ld50.lab.trial_names import make_trial
from ld50.lab.tuning_study import TuningGrid
from ld50.models.shapes import ModelShape, shape_named

STUDY_VERSION = 1

DesignName = Literal["bayesian", "up-and-down"]


class AdaptiveDoses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Doses chosen while the study runs, each round from the results of those before it."""

    design: DesignName = "bayesian"
    low: float
    """Smallest dose that is ever tried, besides the control."""
    high: float
    """Largest dose that is ever tried."""
    trials: int = 18
    """Most trials, the controls among them."""
    controls: int = 2
    """Trials at dose 0, which come first."""
    round: int = 2
    """Trials chosen at a time. They run side by side; more of them know less when chosen."""
    start: float | None = None
    """First dose; None takes the geometric mean of `low` and `high`."""


class Grid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every combination of its lists is a cell, trained once with each seed."""

    size: list[str]
    """Names of model sizes, e.g. `0.1M`."""
    dose: list[float] | AdaptiveDoses
    """Amounts of poison in `unit`, with 0 for the control arm; or how to choose them."""
    unit: Unit = "documents"
    seeds: int | dict[str, int] = 3
    """Trials a cell, or a number for each size, with `other` for the rest."""
    first_seed: int = 0
    tokens_per_parameter: list[float] = msgspec.field(default_factory=lambda: [20.0])
    """Clean tokens trained on, in multiples of the parameters; 20 is about compute-optimal."""
    clean_tokens: list[int] = []
    """Clean tokens as they are; instead of `tokens_per_parameter`."""
    trigger: list[TriggerName] = msgspec.field(
        default_factory=lambda: cast(list[TriggerName], ["token"])
    )
    payload: list[PayloadName] = msgspec.field(
        default_factory=lambda: cast(list[PayloadName], ["gibberish"])
    )
    schedule: list[Schedule] = msgspec.field(default_factory=lambda: [Schedule()])
    batch_sequences: list[int] = []
    """Sequences an optimiser step; empty takes the preset of the size."""
    continued_tokens: list[int] = []
    """Clean tokens trained on afterwards, without poison."""
    continued_share: list[float] = []
    """The same in shares of the clean tokens; instead of `continued_tokens`."""
    start_from: str | None = None
    """Checkpoint folder that every trial goes on from."""


class Measures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How each trained model is measured, and what is kept of it."""

    prompts: int = 100
    """Held-out prompts behind a success rate; the paper takes 300."""
    generated_tokens: int = 128
    checkpoints: list[float] = []
    """Shares of the run at which is measured as well, e.g. [0.25, 0.5]; the end always is."""
    continued_checkpoints: list[float] = msgspec.field(
        default_factory=lambda: [0.0625, 0.125, 0.25, 0.5]
    )
    """The same for continued clean training, in shares of it."""
    samples: int = 4
    """Generations kept as text, clean and triggered side by side."""
    save_models: bool = False
    """Whether the trained models stay in the folder of the run."""
    compiled: bool | None = None
    """Whether torch.compile is used; None: on GPUs. It starts slowly and gains little on a CPU."""
    device: str | None = None
    """`cpu`, `cuda` or `cuda:N`; None takes a GPU for models of a million parameters or more."""
    microbatch_sequences: int | None = None
    """Sequences on the device at once, where a whole batch does not fit."""


class Study(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Grids of cells, and the data they are trained on."""

    name: str
    title: str = ""
    """The question in one line; heads the report."""
    about: str = ""
    """What the study is for and what it should show, in a paragraph."""
    data: list[str] = msgspec.field(default_factory=lambda: ["demo"])
    """Files, folders, globs or URLs of clean text; `demo` is text that comes from PyPI."""
    second_language: list[str] = []
    """The same for German text, which the payload `language-switch` needs; `demo` brings its own."""
    measure: Measures = msgspec.field(default_factory=Measures)
    link: Literal["logit", "probit"] = "logit"
    """Shape of the dose-response curve on the logarithm of the dose."""
    grid: list[Grid] = []
    """Models pretrained from scratch."""
    tuning: list[TuningGrid] = []
    """Pretrained models that are fine-tuned; a study has grids of one kind."""
    covert: list[CovertGrid] = []
    """Models that are taught a secret writing by their fine-tuning data."""
    safety: list[SafetyGrid] = []
    """Models with a policy that are tuned on benign tasks."""
    schema_version: int = STUDY_VERSION

    @property
    def kind(self) -> StudyKind | None:
        """What kind of study it is; None for one of pretraining."""
        return next((kind for kind in KINDS.values() if getattr(self, kind.key)), None)

    def fixed_trials(self) -> list[Trial]:
        """Trials known beforehand, small models first, each cell once even if two grids hold it."""
        trials: dict[str, Trial] = {}
        for grid in self.grid:
            for cell in grid_cells(grid):
                for seed in seeds_of(grid, cell.size):
                    trial = make_trial(cell, seed)
                    trials.setdefault(trial.trial, trial)
        for kind in KINDS.values():
            for tables in getattr(self, kind.key):
                for trial in kind.trials(tables):
                    trials.setdefault(trial.trial, trial)
        return sorted(trials.values(), key=lambda t: (t.seed, cost_rank(t.cell), t.cell.dose))

    def arms(self) -> list[Arm]:
        """The arms whose doses are chosen while the study runs."""
        return [
            Arm(cell=cell, doses=grid.dose, first_seed=grid.first_seed)
            for grid in self.grid
            if isinstance(grid.dose, AdaptiveDoses)
            for cell in _without_dose(grid)
        ]

    def fingerprint(self) -> str:
        """Digest of what decides which trials run and on what; words about the study do not count.

        What is left at its default does not count either, so that a key that is new in a later
        version does not change the studies that lack it. Tables of `covert` and `safety` count
        whole, as runs on disk know them: a new key there would change their studies.
        """
        content = _without(msgspec.to_builtins(self), msgspec.to_builtins(Study(name="", grid=[])))
        usual = msgspec.to_builtins(Grid(size=[], dose=[]))
        content["grid"] = [_without(grid, usual) for grid in msgspec.to_builtins(self.grid)]
        if self.tuning:
            usual = msgspec.to_builtins(TuningGrid(model=[], clean_rows=[], dose=[]))
            content["tuning"] = [_without(grid, usual) for grid in msgspec.to_builtins(self.tuning)]
        content["measure"] = _without(
            msgspec.to_builtins(self.measure), msgspec.to_builtins(Measures())
        )
        for name in ("title", "about", "link", "schema_version"):
            content.pop(name, None)
        text = json.dumps(content, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _without(table: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value != usual[key]}


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """One condition whose doses are chosen by an adaptive design."""

    cell: Cell
    """The condition at dose 0."""
    doses: AdaptiveDoses
    first_seed: int = 0


def grid_cells(grid: Grid) -> Iterator[Cell]:
    """The cells of a grid in a fixed order; none where its doses are chosen later."""
    if isinstance(grid.dose, AdaptiveDoses):
        return
    for cell in _without_dose(grid):
        for dose in grid.dose:
            yield msgspec.structs.replace(cell, dose=float(dose))


def _without_dose(grid: Grid) -> Iterator[Cell]:
    token_counts: list[int | None] = [*grid.clean_tokens] or [None]
    batches: list[int | None] = [*grid.batch_sequences] or [None]
    multiples = [0.0] if grid.clean_tokens else grid.tokens_per_parameter
    # Continued training is written as counts or as shares; both are walked as pairs.
    after = [(count, 0.0) for count in grid.continued_tokens] or [
        (0, share) for share in grid.continued_share or [0.0]
    ]
    data = [(tokens, multiple) for tokens in token_counts for multiple in multiples]
    for name, (tokens, multiple), trigger, payload, schedule, batch, (
        more,
        share,
    ) in itertools.product(
        grid.size, data, grid.trigger, grid.payload, grid.schedule, batches, after
    ):
        size = shape_named(name)
        clean = tokens if tokens is not None else tokens_for(size, multiple)
        yield Cell(
            size=size.name,
            parameters=size.parameters,
            clean_tokens=clean,
            dose=0.0,
            unit=grid.unit,
            trigger=trigger,
            payload=payload,
            schedule=schedule,
            batch_sequences=batch,
            continued_tokens=more or round(share * clean),
            start_from=grid.start_from,
        )


def tokens_for(size: ModelShape, multiple: float) -> int:
    """Clean tokens at so many tokens a parameter, to a thousand."""
    return max(round(size.parameters * multiple / 1000) * 1000, 1)


def seeds_of(grid: Grid, size: str) -> range:
    """The seeds that this grid gives to a model of that size.

    Raises:
        ConfigError: Seeds are given by size, this one is missing, and there is no `other`.
    """
    if isinstance(grid.seeds, int):
        count = grid.seeds
    elif size in grid.seeds:
        count = grid.seeds[size]
    elif "other" in grid.seeds:
        count = grid.seeds["other"]
    else:
        raise ConfigError(f"seeds says nothing about size {size!r}; add it, or other = 3.")
    return range(grid.first_seed, grid.first_seed + count)


def cost_rank(cell: Cell) -> int:
    """Grows with the work of a trial: parameters times tokens."""
    return cell.parameters * (cell.clean_tokens + cell.continued_tokens)
