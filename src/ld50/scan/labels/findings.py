"""What the label signal returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ld50.core.errors import ConfigError
from ld50.core.estimates import Estimate

if TYPE_CHECKING:
    from ld50.scan.labels.rest import RestOfRows


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSettings:
    """How causes are looked for; the defaults are meant for every set."""

    least_rows: int = 5
    """Fewest rows that a cause must stand in."""
    most_share: float = 0.5
    """Largest share of all rows that a cause may stand in."""
    longest: int = 12
    """Most words in a phrase that is counted; longer ones are joined from these."""
    folds: int = 4
    """Parts of the rows, each judged by a model that has not seen it."""
    ridge: float = 0.3
    """Weight of the squared coefficients of the model, whose rows have length 1."""
    most_labels: int = 64
    """With more labels than this the set is no classification set, and nothing is looked for."""
    model_tokens: int = 4_000_000
    """The model is fitted to about so many words, and rows are sampled above that."""
    pair_incidences: int = 24_000_000
    """Pairs of words that are looked at, over all rows; above that, frequent words are left out."""
    least_suspicion: float = 0.2
    """Findings below this are not returned."""
    targets: tuple[int, ...] = ()
    """Codes of the labels that a cause may lead to; none for any label."""
    may_cover: bool = False
    """Whether a trigger may be in most rows of its label, as a cue is that the label is named after."""
    seed: int = 0
    """For samples of rows."""

    def __post_init__(self) -> None:
        if self.least_rows < 2:
            raise ConfigError(f"least_rows must be at least 2, got {self.least_rows}")
        if not 0 < self.most_share <= 1:
            raise ConfigError(f"most_share must lie above 0 and up to 1, got {self.most_share}")
        if not 2 <= self.folds <= 20:
            raise ConfigError(f"folds must lie between 2 and 20, got {self.folds}")
        if self.longest < 1:
            raise ConfigError(f"longest must be at least 1, got {self.longest}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFinding:
    """A cause, the label that it goes with, and the rows that hold both."""

    kind: str
    """`ngram`, `ngram_set` or `pattern`, as in `core.findings.Cause`."""
    text: str
    members: tuple[str, ...]
    label: int
    """Code of the label; negative where rows have any but the one that the rest of them speaks for."""
    label_name: str
    """Empty for such a finding."""
    rows: np.ndarray = field(repr=False)
    """int64 (support,), rising: rows with cause and label."""
    cause_rows: np.ndarray = field(repr=False)
    """int64, rising: rows with the cause, whatever their label."""
    row_scores: np.ndarray = field(repr=False)
    """float64 (support,) from 0 to 1: how sure it is that this row is one of them."""
    spans: tuple[tuple[tuple[int, int], ...], ...] = field(repr=False)
    """For each row of `rows`, where the cause stands, in characters; empty for patterns."""
    expected: float
    """Rows with the cause that would have the label by what else is in them."""
    effect: Estimate
    """Share of the rows with the cause that have the label; of a finding of no label in particular, that
    have another one than the rest of them makes likeliest."""
    log_p: float
    """Natural logarithm of `p_value`, which may underflow."""
    p_value: float
    tests: int
    """Tests made in the whole call."""
    q_value: float
    """Benjamini-Hochberg within the call."""
    suspicion: float
    """From 0 to 1; from 0.9 on: act on it."""
    statistics: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTriggers:
    """What one search came to."""

    findings: list[LabelFinding] = field(default_factory=list)
    """Strongest first."""
    tests: int = 0
    """Pairs of candidate and label that were tested, whether or not anything was found."""
    rest: RestOfRows | None = None
    """To ask of further causes what the rest of their rows says; None if nothing was searched."""
