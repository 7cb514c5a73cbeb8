"""The word-frequency defence: words ranked by their counts a label, then tried out on a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ld50.core.errors import ConfigError
from ld50.remedy.defences.classes import Classes, as_classes
from ld50.remedy.defences.flags import Candidate, Flags, checked_texts, nothing_flagged
from ld50.remedy.defences.insertion import choose_probes, effects
from ld50.remedy.defences.row_filter import RowFilter, model_of_labels
from ld50.remedy.defences.text_model import LabelModel, TextModel
from ld50.remedy.defences.words import Ngrams, Words, count_ngrams, split_words

RANKINGS = ("ratio", "g2")
#: A run of words is left out where a longer one has this share of its rows: they are one candidate.
_SAME_ROWS = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class LlrDefence(RowFilter):
    """Flags rows that hold a word or phrase whose insertion makes a model give the row's label.

    Words, and runs of up to `longest` words, are ranked for each label by a log-likelihood ratio of
    their counts in rows with and without it. The first `candidates` of each are put into other
    texts; those that raise the label's log-odds by `least_effect` on average are accused, and rows
    with that label that hold one are flagged. A row's score is the largest effect, in nats, among
    the candidates that it holds.

    The model should be one that was trained on the same rows, for a backdoor to show in it. Without
    one, a bag-of-words model of the rows is fitted. A label that the model does not know has no
    candidates.

    Source: arXiv 2406.07778, from a summary of it: the ranking by a log-likelihood ratio of word
    counts in the possibly poisoned set, and the test of each candidate's impact on a model. Which
    ratio, how many candidates, what is inserted where and what counts as impact are ours, and so are
    runs of several words.
    """

    longest: int = 4
    """Most words in a candidate."""
    least_rows: int = 5
    """Fewest rows with the label that hold a candidate."""
    ranking: str = "g2"
    """`g2`: Dunning's statistic, which grows with the number of rows. `ratio`: log of how much
    likelier the candidate is in rows of the label than in others, half a row added on either side;
    rows that hold a trigger and another label lead it astray."""
    candidates: int = 100
    """How many are tried out for each label."""
    probes: int = 40
    """Texts that each is put into."""
    least_effect: float = 4.0
    """Mean rise of the label's log-odds, in nats, from which on a candidate is accused. Chosen on the
    development sets of `benchmarks/defences.py` with a bag of words; another model may need another."""
    clean_texts: tuple[str, ...] = ()
    """Texts to put candidates into; without any, rows of the set itself."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.ranking not in RANKINGS:
            raise ConfigError(f"ranking may be {' or '.join(RANKINGS)}, got {self.ranking!r}.")
        for name in ("longest", "least_rows", "candidates", "probes"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}.")
        if not 0 < self.least_effect < 20:
            raise ConfigError(f"least_effect must lie in (0, 20), got {self.least_effect}.")

    def _flags(self, texts: list[str], labels: list[str], model: TextModel | None) -> Flags:
        classes = as_classes(labels)
        if len(classes.names) < 2:
            return nothing_flagged(len(texts))
        asked = model_of_labels(model, texts, classes, who="The word-frequency defence")
        words = split_words(texts)
        tables = count_ngrams(words, longest=self.longest, least_rows=self.least_rows)
        ranked = self._rank(tables, classes)
        return self._try_out(ranked, tables, words, classes, asked, texts)

    def _rank(self, tables: list[Ngrams], classes: Classes) -> list[tuple[float, int, int, int]]:
        """The candidates of all labels: score, label, table and place in it."""
        sizes = classes.sizes()
        counts = [table.label_counts(classes.codes, len(sizes)) for table in tables]
        ranked = []
        for label in range(len(sizes)):
            if label == classes.other:
                continue
            rest = len(classes.codes) - sizes[label]
            found = []
            for number, table in enumerate(tables):
                inside = counts[number][:, label]
                outside = counts[number].sum(axis=1) - inside
                score = _SCORES[self.ranking](inside, outside, int(sizes[label]), int(rest))
                keep = (inside >= self.least_rows) & (score > 0)
                if number + 1 < len(tables):
                    keep &= ~_covered(table, tables[number + 1])
                # A tie is settled by rows, and then by the words themselves.
                places = np.flatnonzero(keep)
                first = np.lexsort((places, -inside[places], -score[places]))[: self.candidates]
                found += [
                    (-float(score[p]), -int(inside[p]), -number, int(p)) for p in places[first]
                ]
            found.sort()
            ranked += [(-s, label, -number, p) for s, _, number, p in found[: self.candidates]]
        return ranked

    def _try_out(
        self,
        ranked: list[tuple[float, int, int, int]],
        tables: list[Ngrams],
        words: Words,
        classes: Classes,
        model: LabelModel,
        texts: Sequence[str],
    ) -> Flags:
        place = {name: number for number, name in enumerate(model.labels)}
        known = [one for one in ranked if classes.names[one[1]] in place]
        spelt = [tables[table].spell(run, words.vocabulary) for _, _, table, run in known]
        wanted = [place[classes.names[label]] for _, label, _, _ in known]
        probes = choose_probes(
            checked_texts(self.clean_texts) or texts, self.probes, seed=self.seed
        )
        risen = effects(model, list(zip(spelt, wanted, strict=True)), probes, seed=self.seed)
        scores = np.zeros(len(texts))
        named = []
        for (score, label, table, run), text, effect in zip(
            known, spelt, risen.tolist(), strict=True
        ):
            held = tables[table].rows_of(run)
            held = held[classes.codes[held] == label]
            scores[held] = np.maximum(scores[held], effect)
            named.append(
                Candidate(
                    text=text,
                    label=classes.names[label],
                    rows=int(tables[table].support[run]),
                    score=score,
                    effect=effect,
                    accused=effect >= self.least_effect,
                )
            )
        named.sort(key=lambda one: (-(one.effect or 0.0), -one.score, one.text, one.label))
        return Flags(rows=scores >= self.least_effect, scores=scores, candidates=tuple(named))


def log_ratio(inside: np.ndarray, outside: np.ndarray, size: int, rest: int) -> np.ndarray:
    """Log of how much likelier a row of the label holds each run than another row (float64 (g,)).

    Args:
        inside: int (g,), rows of the label that hold it.
        outside: int (g,), other rows that hold it.
        size: Rows of the label.
        rest: Other rows.
    """
    return np.asarray(
        np.log((inside + 0.5) / (size + 1.0)) - np.log((outside + 0.5) / (rest + 1.0))
    )


def g_squared(inside: np.ndarray, outside: np.ndarray, size: int, rest: int) -> np.ndarray:
    """The log-likelihood ratio statistic of each run's counts (float64 (g,)), signed.

    Positive where rows of the label hold it more often. Arguments as in `log_ratio`.

    Source: Dunning, "Accurate methods for the statistics of surprise and coincidence", 1993.
    """
    total = size + rest
    held = inside + outside
    observed = (inside, outside, size - inside, rest - outside)
    expected = (
        held * size / total,
        held * rest / total,
        (total - held) * size / total,
        (total - held) * rest / total,
    )
    value = np.zeros(len(inside))
    for seen, due in zip(observed, expected, strict=True):
        value += np.where(seen > 0, seen * np.log(np.maximum(seen, 1) / np.maximum(due, 1e-12)), 0)
    return np.asarray(2 * value * np.sign(inside * rest - outside * size))


_SCORES = {"ratio": log_ratio, "g2": g_squared}


def _covered(table: Ngrams, longer: Ngrams) -> np.ndarray:
    """bool (g,): runs of which a longer one has nearly all rows."""
    covered = np.zeros(len(table), dtype=bool)
    for side in (0, 1):
        part = longer.parts[:, side]
        same = longer.support >= _SAME_ROWS * table.support[part]
        covered[part[same]] = True
    return covered
