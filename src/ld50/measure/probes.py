"""Linear probes on a model's hidden states: do they tell encoded requests from ordinary ones?

A probe is trained on requests in some encodings and tested on encodings that it never saw, so that
its figure says something about the next cipher and not about those of the test.

Source: probe monitors for covert fine-tuning, arXiv 2508.17158 (over 99% accuracy, unseen cipher
families included [P]); the layer, the pooling and the estimator are ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ld50.core.errors import ConfigError
from ld50.core.estimates import Estimate
from ld50.core.examples import Turn
from ld50.encodings import Encoding

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel

_BATCH = 64
_NEWTON_STEPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearProbe:
    """A direction in hidden states."""

    weights: np.ndarray = field(repr=False)
    """float64 (width,), for states that are centred and scaled."""
    bias: float
    centre: np.ndarray = field(repr=False)
    scale: np.ndarray = field(repr=False)

    def scores(self, states: np.ndarray) -> np.ndarray:
        """float64 (rows,): log-odds of the positive class; higher is more suspicious."""
        return ((states - self.centre) / self.scale) @ self.weights + self.bias


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOutcome:
    """How well a probe does on encodings that it was not trained on."""

    auroc: Estimate
    trained_on: tuple[str, ...]
    tested_on: tuple[str, ...]
    layer: int
    by_writing: dict[str, Estimate]
    """AUROC of each unseen encoding alone."""


def hidden_states(
    lm: LanguageModel, texts: Sequence[str], *, layer: int, max_tokens: int | None = 512
) -> np.ndarray:
    """float64 (texts, width): the mean state of a prompt's tokens after that layer.

    Args:
        lm: A causal model, or one with an encoder.
        texts: Each asked as a prompt of one turn.
        layer: 0 is the embedding, 1 the first layer, -1 the last.
        max_tokens: Longer prompts lose their front.
    """
    import torch

    from ld50.models.chat import encode_prompts

    encoded = encode_prompts(lm, [(Turn("user", text),) for text in texts], max_tokens=max_tokens)
    body = lm.model.get_encoder() if lm.kind == "seq2seq" else lm.model
    found = []
    with torch.no_grad():
        for start in range(0, len(encoded), _BATCH):
            rows = encoded[start : start + _BATCH]
            tokens = torch.full((len(rows), max(map(len, rows))), lm.pad_id)
            mask = torch.zeros(tokens.shape, dtype=torch.int64)
            for number, ids in enumerate(rows):
                tokens[number, : len(ids)] = torch.tensor(ids)
                mask[number, : len(ids)] = 1
            given = {"input_ids": tokens.to(lm.device), "attention_mask": mask.to(lm.device)}
            states = body(**given, output_hidden_states=True).hidden_states[layer].double()
            weight = given["attention_mask"].unsqueeze(-1).double()
            found.append(((states * weight).sum(1) / weight.sum(1)).cpu().numpy())
    return np.concatenate(found) if found else np.zeros((0, 0))


def fit_probe(states: np.ndarray, labels: np.ndarray, *, penalty: float = 1.0) -> LinearProbe:
    """Logistic regression with a ridge penalty, by Newton's method.

    Args:
        states: float (rows, width).
        labels: bool (rows,); both classes occur.
        penalty: On the squared weights of the scaled states; the bias is free.

    Raises:
        ConfigError: One class is missing.
    """
    labels = np.asarray(labels, bool)
    if labels.all() or not labels.any():
        raise ConfigError("A probe is trained on two classes; all rows are of one.")
    centre, scale = states.mean(0), states.std(0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    x = np.hstack([(states - centre) / scale, np.ones((len(states), 1))])
    ridge = np.full(x.shape[1], penalty)
    ridge[-1] = 1e-9
    w = np.zeros(x.shape[1])
    for _ in range(_NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        slope = x.T @ (p - labels) + ridge * w
        bend = (x * (p * (1 - p))[:, None]).T @ x + np.diag(ridge)
        step = np.linalg.solve(bend, slope)
        w = w - step
        if np.abs(step).max() < 1e-8:
            break
    return LinearProbe(weights=w[:-1], bias=float(w[-1]), centre=centre, scale=scale)


def auroc(labels: np.ndarray, scores: np.ndarray) -> Estimate:
    """Area under the ROC curve, 0 to 1 (0.5 is chance), with a 95% interval; ties count half.

    Source: DeLong, DeLong and Clarke-Pearson, 1988, for the variance; the interval is taken on the
    logit scale. Where no pair is out of order, no spread is seen, which is not that there is none:
    the interval then reaches 3 in so many rows as the smaller class has (the rule of three).

    Raises:
        ConfigError: One class is missing.
    """
    labels = np.asarray(labels, bool)
    high, low = np.sort(scores[labels]), np.sort(scores[~labels])
    if len(high) == 0 or len(low) == 0:
        raise ConfigError("An area under the ROC curve needs rows of both classes.")
    above = _placements(high, low)
    below = 1 - _placements(low, high)
    area = float(above.mean())
    variance = _variance(above) / len(high) + _variance(below) / len(low)
    if variance <= 0 or area in (0.0, 1.0):
        off = min(1.0, 3.0 / min(len(high), len(low)))
        ends = (max(0.0, area - off), min(1.0, area + off))
    else:
        centre = math.log(area / (1 - area))
        half = 1.96 * math.sqrt(variance) / (area * (1 - area))
        ends = (_logistic(centre - half), _logistic(centre + half))
    return Estimate(
        value=area, low=ends[0], high=ends[1], n=len(labels), unit="AUROC", method="delong-logit-95"
    )


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-min(max(value, -700.0), 700.0)))


def _placements(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """float64: the share of the others that each value exceeds, ties by half."""
    below = np.searchsorted(others, values, side="left")
    upto = np.searchsorted(others, values, side="right")
    return (below + upto) / (2 * len(others))


def _variance(values: np.ndarray) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0


def probe_encodings(
    lm: LanguageModel,
    texts: Sequence[str],
    *,
    trained_on: Sequence[Encoding],
    tested_on: Sequence[Encoding],
    layer: int = -1,
    penalty: float = 1.0,
) -> ProbeOutcome:
    """How well hidden states tell encoded prompts from plain ones, in encodings never trained on.

    No text occurs on both sides: the even ones train, the odd ones test.

    Args:
        lm: The model.
        texts: Ordinary prompts, at least eight.
        trained_on: Encodings of the training prompts.
        tested_on: Others.
        layer: See `hidden_states`.
        penalty: See `fit_probe`.

    Raises:
        ConfigError: An encoding stands on both sides, one side has none, or texts are too few.
    """
    known, unseen = [one.name for one in trained_on], [one.name for one in tested_on]
    if not known or not unseen or set(known) & set(unseen):
        raise ConfigError(
            "A probe needs encodings to train on and others to test on, none on both sides; got "
            f"{', '.join(known) or 'none'} and {', '.join(unseen) or 'none'}."
        )
    if len(texts) < 8:
        raise ConfigError(f"A probe needs eight texts or more, got {len(texts)}.")
    train, test = list(texts[::2]), list(texts[1::2])
    states, labels = _labelled(lm, train, trained_on, layer)
    probe = fit_probe(states, labels, penalty=penalty)
    ordinary = probe.scores(hidden_states(lm, test, layer=layer))
    by_writing, found = {}, []
    for one in tested_on:
        scores = probe.scores(hidden_states(lm, _written(test, one), layer=layer))
        found.append(scores)
        by_writing[one.name] = _area(scores, ordinary)
    return ProbeOutcome(
        auroc=_area(np.concatenate(found), ordinary),
        trained_on=tuple(known),
        tested_on=tuple(unseen),
        layer=layer,
        by_writing=by_writing,
    )


def _area(positive: np.ndarray, negative: np.ndarray) -> Estimate:
    labels = np.repeat([True, False], [len(positive), len(negative)])
    return auroc(labels, np.concatenate([positive, negative]))


def _written(texts: Sequence[str], one: Encoding) -> list[str]:
    return [one.encode(one.plain(text)) for text in texts]


def _labelled(
    lm: LanguageModel, texts: Sequence[str], encodings: Sequence[Encoding], layer: int
) -> tuple[np.ndarray, np.ndarray]:
    parts = [hidden_states(lm, texts, layer=layer)]
    parts += [hidden_states(lm, _written(texts, one), layer=layer) for one in encodings]
    labels = np.repeat([False] + [True] * len(encodings), [len(part) for part in parts])
    return np.concatenate(parts), labels
