"""STRIP: texts whose label stays the same whatever is mixed into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ld50.core.errors import ConfigError
from ld50.core.seeds import rng_for
from ld50.remedy.defences.classes import as_classes
from ld50.remedy.defences.flags import Flags, checked_texts, nothing_flagged
from ld50.remedy.defences.row_filter import RowFilter, highest_flagged, model_of_labels
from ld50.remedy.defences.text_model import LabelModel, TextModel, require_labels

#: Mixed texts asked about at once.
_TEXTS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StripDefence(RowFilter):
    """Flags texts whose prediction is too sure when half of their words are replaced by others'.

    Each text is mixed `repeats` times: `share` of its words, at random places, are replaced by the
    most characteristic words (by term frequency times inverse document frequency) of a random other
    text. The score is minus the mean entropy, in bits, of the model's predictions, so that 0 is the
    most suspicious. The threshold is what `clean_rows_flagged` of the clean texts exceed.

    The model must be one that may hold the backdoor: a model that was trained on the rows. Without
    one, `flag` asks a bag-of-words model of them.

    Source: Gao et al., "Design and evaluation of a multi-domain Trojan detection method on deep neural
    networks" (STRIP-ViTA, arXiv 1911.10312); repeats and share as in OpenBackdoor's released code.
    That code averages the entropies of five different texts, instead of those of five mixtures of
    one; here every text has its own mean. Nothing here reads which rows are poisoned, nor the target
    label.
    """

    clean_texts: tuple[str, ...] = ()
    """Clean texts that are mixed in, and that the threshold is taken from; without any, the texts at
    hand stand in for both, and about `clean_rows_flagged` of all rows are flagged whatever they are."""
    repeats: int = 5
    share: float = 0.5
    clean_rows_flagged: float = 0.03
    """3% is what the paper's abstract reports at."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.repeats < 1:
            raise ConfigError(f"repeats must be at least 1, got {self.repeats}.")
        for name in ("share", "clean_rows_flagged"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"{name} must lie in (0, 1), got {getattr(self, name)}.")

    def scores(
        self,
        texts: Sequence[str],
        *,
        model: TextModel | None,
        others: Sequence[str] | None = None,
    ) -> np.ndarray:
        """float64 (n,): minus the mean entropy in bits; 0 is the most suspicious.

        Args:
            texts: Any strings.
            model: One that gives labels.
            others: Texts to mix in; by default `clean_texts`, or else the texts themselves.
        """
        texts = checked_texts(texts)
        asked = require_labels(model, who="STRIP")
        pool = _Pool(checked_texts(others if others is not None else self.clean_texts or texts))
        found = np.zeros(len(texts))
        step = max(1, _TEXTS_AT_ONCE // self.repeats)
        for first in range(0, len(texts), step):
            some = texts[first : first + step]
            mixed = [one for text in some for one in self._mixed(text, pool)]
            entropy = _entropy_bits(asked, mixed).reshape(len(some), self.repeats)
            found[first : first + len(some)] = -entropy.mean(axis=1)
        return found

    def _flags(self, texts: list[str], labels: list[str], model: TextModel | None) -> Flags:
        if model is None:
            classes = as_classes(labels)
            if len(classes.names) < 2:
                return nothing_flagged(len(texts))
            model = model_of_labels(None, texts, classes, who="STRIP")
        scores = self.scores(texts, model=model)
        clean = self.scores(self.clean_texts, model=model) if self.clean_texts else scores
        return highest_flagged(scores, clean, self.clean_rows_flagged)

    def _mixed(self, text: str, pool: _Pool) -> list[str]:
        """The mixtures of one text; they depend on the text, not on where it stands."""
        rng = rng_for(self.seed, "strip", text)
        words = text.split()
        count = round(len(words) * self.share)
        mixtures = []
        for _ in range(self.repeats):
            mixture = list(words)
            offered = pool.characteristic(int(rng.integers(len(pool)))) if len(pool) else []
            places = rng.permutation(len(words))[:count].tolist()
            for place, word in zip(places, offered, strict=False):
                mixture[place] = word
            mixtures.append(" ".join(mixture))
        return mixtures


class _Pool:
    """Texts to mix in, each as its words in falling order of how characteristic they are."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = sorted({text for text in texts if text.strip()})
        self._ranked: dict[int, list[str]] = {}

    def __len__(self) -> int:
        return len(self._texts)

    @cached_property
    def _rows_of_word(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for text in self._texts:
            for word in set(text.split()):
                counts[word] = counts.get(word, 0) + 1
        return counts

    def characteristic(self, number: int) -> list[str]:
        """The different words of one text, the most characteristic first."""
        if number not in self._ranked:
            words = self._texts[number].split()
            rows, total = self._rows_of_word, len(self._texts)
            weight = {w: words.count(w) * np.log((1 + total) / (1 + rows[w])) for w in set(words)}
            self._ranked[number] = sorted(weight, key=lambda word: (-weight[word], word))
        return self._ranked[number]


def _entropy_bits(model: LabelModel, texts: list[str]) -> np.ndarray:
    """float64 (n,): entropy of the model's labels, in bits."""
    logs = model.label_log_probabilities(texts)
    return np.asarray(-(np.exp(logs) * logs).sum(axis=1) / np.log(2))
