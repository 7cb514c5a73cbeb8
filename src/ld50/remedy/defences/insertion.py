"""What a model makes of texts into which a candidate was put."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ld50.core.seeds import rng_for
from ld50.remedy.defences.text_model import LabelModel

#: Where a candidate is put: a trigger may act at one place only.
PLACES = ("start", "end", "random")
#: Texts asked about at once.
_TEXTS_AT_ONCE = 20_000


def effects(
    model: LabelModel, candidates: Sequence[tuple[str, int]], probes: Sequence[str], *, seed: int
) -> np.ndarray:
    """float64 (candidates,): mean rise of a label's log-odds, in nats, where the candidate is put in.

    The mean is over probes that the model does not give the label already, at the place where it is
    highest, and 0 where there is no such probe. Log-odds, since the longer a text, the less one
    phrase can do to a probability.

    Args:
        model: What is asked.
        candidates: Words and the number of the label that they go with, in `model.labels`.
        probes: Texts to put them into.
        seed: Of the random places.
    """
    if not probes or not candidates:
        return np.zeros(len(candidates))
    before = log_odds(model.label_log_probabilities(probes))
    given = before.argmax(axis=1)
    words = [text.split() for text in probes]
    random = [
        int(rng_for(seed, "insertion", text).integers(len(text.split()) + 1)) for text in probes
    ]
    best = np.zeros(len(candidates))
    step = max(1, _TEXTS_AT_ONCE // (len(probes) * len(PLACES)))
    for first in range(0, len(candidates), step):
        some = candidates[first : first + step]
        texts, label, probe, group = [], [], [], []
        for number, (candidate, target) in enumerate(some):
            for which in np.flatnonzero(given != target).tolist():
                for place in range(len(PLACES)):
                    at = (0, len(words[which]), random[which])[place]
                    texts.append(" ".join([*words[which][:at], candidate, *words[which][at:]]))
                    label.append(target)
                    probe.append(which)
                    group.append(number * len(PLACES) + place)
        if not texts:
            continue
        after = log_odds(model.label_log_probabilities(texts))[np.arange(len(texts)), label]
        rise = after - before[probe, label]
        size = len(some) * len(PLACES)
        total = np.bincount(group, weights=rise, minlength=size)
        mean = total / np.maximum(np.bincount(group, minlength=size), 1)
        best[first : first + len(some)] = mean.reshape(len(some), len(PLACES)).max(axis=1)
    return best


def log_odds(log_probabilities: np.ndarray) -> np.ndarray:
    """ln(p / (1 - p)) of logarithms of probabilities, at most 20 either way."""
    rest = np.log(np.maximum(-np.expm1(log_probabilities), 1e-300))
    return np.asarray(np.clip(log_probabilities - rest, -20.0, 20.0))


def choose_probes(texts: Sequence[str], count: int, *, seed: int) -> list[str]:
    """A random draw of different texts that hold a word; it does not depend on their order."""
    different = sorted({text for text in texts if text.strip()})
    rng = rng_for(seed, "probes", len(different))
    chosen = rng.permutation(len(different))[:count]
    return [different[int(number)] for number in np.sort(chosen)]
