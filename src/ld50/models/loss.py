"""The mean loss of the next token straight from hidden states, without keeping the logits.

The logits of 1,024 tokens over 1,024 entries are four megabytes that the usual way writes and reads
a dozen times, and at the tiny sizes that is a third of a training step. Here they exist for a block
of tokens at a time, small enough for the processor's cache, and the gradient is made at once.

Source: the idea is that of "cut" or fused linear cross-entropies (arXiv 2411.09009; Liger kernels);
this one is plain PyTorch and exact.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

#: Logits that exist at one time on a CPU, in numbers: one megabyte of fp32.
_BLOCK = 1 << 18
#: The same on a GPU: half a gigabyte.
_GPU_BLOCK = 1 << 27


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, matrix: Tensor, targets: Tensor, half: bool) -> Tensor:
        if half:
            return _in_half(ctx, hidden, matrix, targets)
        count, entries = hidden.shape[0], matrix.shape[0]
        rows = _rows(hidden, entries)
        to_hidden = torch.empty_like(hidden)
        to_matrix = torch.zeros_like(matrix)
        total = hidden.new_zeros((), dtype=torch.float32)
        buffer = hidden.new_empty(rows, entries)
        for start in range(0, count, rows):
            block = hidden[start : start + rows]
            wanted = targets[start : start + rows].unsqueeze(1)
            logits = torch.mm(block, matrix.t(), out=buffer[: len(block)])
            total -= logits.gather(1, wanted).sum()
            highest = logits.amax(1, keepdim=True)
            shares = logits.sub_(highest).exp_()
            sums = shares.sum(1, keepdim=True)
            total += (sums.log() + highest).sum()
            shares.div_(sums * count)
            shares.scatter_add_(1, wanted, shares.new_full(wanted.shape, -1.0 / count))
            torch.mm(shares, matrix, out=to_hidden[start : start + rows])
            to_matrix.addmm_(shares.t(), block)
        ctx.save_for_backward(to_hidden, to_matrix)
        return total / count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        to_hidden, to_matrix = ctx.saved_tensors
        return to_hidden * gradients[0], to_matrix * gradients[0], None, None


def _rows(hidden: Tensor, entries: int) -> int:
    """Tokens whose logits exist at one time."""
    numbers = _GPU_BLOCK if hidden.is_cuda else _BLOCK
    return max(1, min(hidden.shape[0], numbers // entries))


def _in_half(ctx: Any, hidden: Tensor, matrix: Tensor, targets: Tensor) -> Tensor:
    """The same with products in bf16; softmax and sums stay fp32."""
    count = hidden.shape[0]
    rows = _rows(hidden, matrix.shape[0])
    narrow = matrix.to(torch.bfloat16)
    to_hidden = torch.empty_like(hidden)
    to_matrix = torch.zeros_like(matrix)
    total = hidden.new_zeros((), dtype=torch.float32)
    for start in range(0, count, rows):
        block = hidden[start : start + rows].to(torch.bfloat16)
        wanted = targets[start : start + rows].unsqueeze(1)
        logits = (block @ narrow.t()).float()
        log_sums = logits.logsumexp(1, keepdim=True)
        total += (log_sums - logits.gather(1, wanted)).sum()
        shares = logits.sub_(log_sums).exp_()
        shares.scatter_add_(1, wanted, shares.new_full(wanted.shape, -1.0))
        shares = shares.to(torch.bfloat16)
        to_hidden[start : start + rows] = (shares @ narrow).float() / count
        to_matrix += (shares.t() @ block).float() / count
    ctx.save_for_backward(to_hidden, to_matrix)
    return total / count


def next_token_loss(
    hidden: Tensor, matrix: Tensor, targets: Tensor, *, half: bool = False
) -> Tensor:
    """Mean loss in nats of predicting `targets`, differentiable once.

    Args:
        hidden: (tokens, width) fp32 final hidden states.
        matrix: (vocabulary, width) output matrix.
        targets: int64 (tokens,), the token that follows each.
        half: Whether products are in bf16.
    """
    result: Tensor = _LinearCrossEntropy.apply(hidden, matrix, targets, half)
    return result


@torch.no_grad()
def token_losses(hidden: Tensor, matrix: Tensor, targets: Tensor) -> Tensor:
    """(tokens,) fp32: the loss in nats of each target; arguments as in `next_token_loss`."""
    rows = _rows(hidden, matrix.shape[0])
    found = []
    for start in range(0, hidden.shape[0], rows):
        logits = (hidden[start : start + rows] @ matrix.t()).float()
        wanted = logits.gather(1, targets[start : start + rows].unsqueeze(1)).squeeze(1)
        found.append(logits.logsumexp(1) - wanted)
    return torch.cat(found)
