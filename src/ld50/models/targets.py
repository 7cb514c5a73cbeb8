"""Logits of a model at chosen positions only.

The output matrix is half of a small model and a fifth of a middling one. A reply of one word needs
it at two positions out of hundreds, so the hidden states are narrowed to those positions just before
the output layer. What a model does after that layer (scaling, caps) works as it always does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ld50.core.errors import DataFormatError
from ld50.models.attention import fast_matrices
from ld50.models.forward import Body


class Batch(NamedTuple):
    """Examples side by side, filled up on the right."""

    given: dict[str, Tensor]
    """What the model is called with."""
    chosen: Tensor
    """bool (examples, length): positions whose logits are wanted."""
    targets: Tensor
    """int64 (chosen positions,): the token that each of them should tell, row by row."""
    rows: Tensor
    """int64 (chosen positions,): the example that each belongs to."""


def collate(
    rows: list[tuple[np.ndarray, int]], *, pad_id: int, is_seq2seq: bool, start_id: int = 0
) -> Batch:
    """A batch of examples, each its tokens and where its reply begins.

    Causal models need no mask for what is filled up on the right: no token looks at what follows it.

    Args:
        rows: int (tokens,) and the first target's position.
        pad_id: What fills up.
        is_seq2seq: Whether the reply goes to a decoder of its own.
        start_id: What a decoder starts with.
    """
    if is_seq2seq:
        return _collate_pairs(rows, pad_id, start_id)
    length = max(len(ids) for ids, _ in rows) - 1
    tokens = np.full((len(rows), length), pad_id, np.int64)
    chosen = np.zeros((len(rows), length), bool)
    for number, (ids, first) in enumerate(rows):
        tokens[number, : len(ids) - 1] = ids[:-1]
        chosen[number, first - 1 : len(ids) - 1] = True
    given = {"input_ids": torch.from_numpy(tokens)}
    return _batch(given, chosen, rows)


def _collate_pairs(rows: list[tuple[np.ndarray, int]], pad_id: int, start_id: int) -> Batch:
    length = max(first for _, first in rows)
    reply = max(len(ids) - first for ids, first in rows)
    tokens = np.full((len(rows), length), pad_id, np.int64)
    mask = np.zeros((len(rows), length), np.int64)
    decoder = np.full((len(rows), reply), pad_id, np.int64)
    chosen = np.zeros((len(rows), reply), bool)
    for number, (ids, first) in enumerate(rows):
        tokens[number, :first] = ids[:first]
        mask[number, :first] = 1
        decoder[number, 0] = start_id
        decoder[number, 1 : len(ids) - first] = ids[first:-1]
        chosen[number, : len(ids) - first] = True
    given = {
        "input_ids": torch.from_numpy(tokens),
        "attention_mask": torch.from_numpy(mask),
        "decoder_input_ids": torch.from_numpy(decoder),
    }
    return _batch(given, chosen, rows)


def _batch(
    given: dict[str, Tensor], chosen: np.ndarray, rows: list[tuple[np.ndarray, int]]
) -> Batch:
    targets = np.concatenate([ids[first:] for ids, first in rows]).astype(np.int64)
    counts = [len(ids) - first for ids, first in rows]
    return Batch(
        given=given,
        chosen=torch.from_numpy(chosen),
        targets=torch.from_numpy(targets),
        rows=torch.from_numpy(np.repeat(np.arange(len(rows)), counts)),
    )


#: From this width on, the products of a layer outweigh its attention.
_WIDE = 256
#: The written-out forward pass of models that it fits, made once a model.
_BODIES: WeakKeyDictionary[Any, Body | None] = WeakKeyDictionary()


def plain_body(model: Any) -> Body | None:
    """The written-out forward pass of a model, a third faster where it fits; None where not.

    It fits the lab's own kind of model: a Llama with tied embeddings, in fp32 on a CPU, without LoRA.
    """
    if model not in _BODIES:
        _BODIES[model] = _body(model)
    body = _BODIES[model]
    if body is None or body.embedding.is_cuda or body.embedding.dtype != torch.float32:
        return None
    inside = model.model.layers[0].self_attn.q_proj
    return body if type(inside) is torch.nn.Linear else None


def _body(model: Any) -> Body | None:
    config = getattr(model, "config", None)
    if type(model).__name__ != "LlamaForCausalLM" or config is None:
        return None
    if not config.tie_word_embeddings:
        return None
    with fast_matrices():
        try:
            return Body(model)
        except DataFormatError:
            return None


def matrices_for(model: Any) -> AbstractContextManager[Any]:
    """Within it, a model's matrices are multiplied in the way that is faster for it.

    Narrow models whose pass is the library's own gain nothing, since their attention gets slower.
    """
    width = getattr(getattr(model, "config", None), "hidden_size", 0)
    if width >= _WIDE or plain_body(model) is not None:
        return fast_matrices()
    return nullcontext()


@contextmanager
def _narrowed(head: Any, chosen: Tensor) -> Iterator[None]:
    """Within it, the output layer is given the chosen positions only, as one row."""
    handle = head.register_forward_pre_hook(
        lambda _, arguments: (arguments[0][chosen].unsqueeze(0), *arguments[1:])
    )
    try:
        yield
    finally:
        handle.remove()


def target_logits(model: Any, given: dict[str, Tensor], chosen: Tensor) -> Tensor:
    """(chosen positions, vocabulary): the model's logits, row by row.

    Args:
        model: A causal or sequence-to-sequence model of `transformers`.
        given: What it is called with.
        chosen: bool (examples, length).
    """
    tokens = given["input_ids"]
    body = plain_body(model)
    if body is not None and tokens.shape[1] <= len(body.cos):
        with fast_matrices():
            return F.linear(body(tokens)[chosen], body.embedding)
    with matrices_for(model), _narrowed(model.get_output_embeddings(), chosen):
        logits: Tensor = model(**given, use_cache=False).logits
    return logits.squeeze(0)


def start_id(model: Any) -> int:
    """The token that a decoder starts with; 0 for models that have none."""
    return int(getattr(model.config, "decoder_start_token_id", None) or 0)


def to_device(batch: Batch, device: Any) -> Batch:
    """The same batch on another device."""
    return Batch(
        given={name: value.to(device) for name, value in batch.given.items()},
        chosen=batch.chosen.to(device),
        targets=batch.targets.to(device),
        rows=batch.rows.to(device),
    )
