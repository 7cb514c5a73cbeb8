"""Clean quality: loss on held-out text, in nats a token and in bits a byte."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from ld50.core.estimates import Estimate
from ld50.core.seeds import rng_for
from ld50.models.forward import Body
from ld50.models.loss import token_losses
from ld50.models.tokens import TokenStore


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanQuality:
    """How well a model predicts clean held-out text; lower is better."""

    loss_nats: Estimate
    """Nats a token."""
    bits_per_byte: Estimate
    """Independent of the vocabulary, so comparable between sizes."""


@torch.no_grad()
def clean_quality(
    body: Body, store: TokenStore, *, context: int, sequences: int = 192, seed: int = 0
) -> CleanQuality:
    """Loss on the first sequences of the part `validation`, interval over sequences.

    Args:
        body: The model.
        store: The text.
        context: Tokens in a sequence.
        sequences: Of held-out text, at most; all trials of a study read the same.
        seed: Of the bootstrap.
    """
    tokens = store.parts["validation"].tokens
    count = min(sequences, (len(tokens) - 1) // context)
    # Spread over the whole part, so that every source is in it.
    starts = np.linspace(0, len(tokens) - 1 - context, count).astype(np.int64)
    nats = np.zeros(count)
    text_bytes = np.zeros(count)
    for first in range(0, count, 16):
        block = np.stack([tokens[s : s + context + 1] for s in starts[first : first + 16]])
        given = torch.from_numpy(block.astype(np.int64)).to(body.embedding.device)
        losses = token_losses(
            body(given[:, :-1]).flatten(0, 1), body.embedding, given[:, 1:].reshape(-1)
        )
        nats[first : first + 16] = losses.view(len(block), -1).double().sum(1).cpu().numpy()
        text_bytes[first : first + 16] = store.vocabulary.token_bytes[block[:, 1:]].sum(1)
    return CleanQuality(
        loss_nats=_ratio(nats, np.full(count, float(context)), "nats a token", seed),
        bits_per_byte=_ratio(nats / math.log(2), text_bytes, "bits a byte", seed),
    )


def _ratio(above: np.ndarray, below: np.ndarray, unit: str, seed: int) -> Estimate:
    """Ratio of sums with a 95% bootstrap interval over sequences."""
    drawn = rng_for(seed, "bootstrap of a ratio").integers(0, len(above), (1000, len(above)))
    low, high = np.quantile(above[drawn].sum(1) / below[drawn].sum(1), [0.025, 0.975])
    return Estimate(
        value=float(above.sum() / below.sum()),
        low=float(low),
        high=float(high),
        n=len(above),
        unit=unit,
        method="bootstrap-95",
    )
