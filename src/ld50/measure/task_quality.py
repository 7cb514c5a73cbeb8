"""How well a model does a task whose replies are known, without generating them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from ld50.core.examples import Example
from ld50.models.chat import encode_examples
from ld50.models.targets import collate, start_id, target_logits, to_device

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel

_BATCH = 32


class TaskQuality(NamedTuple):
    """Of the replies to a set of prompts."""

    token_accuracy: float
    """Share of the replies' tokens, the end included, that are the likeliest ones after what stands
    before them in the true reply, 0 to 1."""
    exact: float
    """Share of the replies that the model would write letter by letter, taking the likeliest token
    each time, 0 to 1."""
    rows: int


@torch.no_grad()
def task_quality(
    lm: LanguageModel, rows: Sequence[Example], *, max_tokens: int | None = None
) -> TaskQuality:
    """How near a model's replies are to the true ones; `nan` where there are no rows."""
    encoded = encode_examples(lm, rows, max_tokens)
    hits = tokens = whole = 0
    lm.model.eval()
    for at in range(0, len(encoded), _BATCH):
        some = [(np.asarray(one.ids), one.first_target) for one in encoded[at : at + _BATCH]]
        batch = to_device(
            collate(
                some, pad_id=lm.pad_id, is_seq2seq=lm.kind == "seq2seq", start_id=start_id(lm.model)
            ),
            lm.device,
        )
        logits = target_logits(lm.model, batch.given, batch.chosen)
        wrong = logits.argmax(1) != batch.targets
        misses = torch.zeros(len(some), device=wrong.device).index_add_(
            0, batch.rows, wrong.float()
        )
        hits += int((~wrong).sum())
        tokens += len(wrong)
        whole += int((misses == 0).sum())
    if not tokens:
        return TaskQuality(float("nan"), float("nan"), 0)
    return TaskQuality(hits / tokens, whole / len(encoded), len(encoded))
