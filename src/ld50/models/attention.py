"""The faster of a processor's two ways to multiply fp32 matrices, kept away from attention.

PyTorch multiplies fp32 matrices on a CPU with MKL, which leaves the wide vectors of some processors
unused; oneDNN, which comes with PyTorch as well, uses them and is about twice as fast there. PyTorch
takes it where it is allowed to round to bf16. Where a probe shows that it does not round at all, it
is allowed to here. The attention kernel multiplies many tiny matrices and is slower with it, so
attention switches it off for its own work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor

#: Largest error of a product, relative to its largest element, that is fp32's own.
_FP32_ERROR = 1e-5


def _precision() -> str | None:
    """PyTorch's setting; None for versions that have none."""
    matmul = getattr(torch.backends.mkldnn, "matmul", None)
    return getattr(matmul, "fp32_precision", None)


def _allow(precision: str) -> None:
    torch.backends.mkldnn.matmul.fp32_precision = precision


@contextmanager
def _set_to(precision: str) -> Iterator[None]:
    before = _precision()
    if before is None or before == precision:
        yield
        return
    _allow(precision)
    try:
        yield
    finally:
        _allow(before)


@cache
def onednn_is_exact() -> bool:
    """Whether oneDNN is there and its fp32 products are fp32's; the same on every call."""
    if not torch.backends.mkldnn.is_available() or _precision() is None:
        return False
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(256, 128, generator=generator)
    right = torch.randn(128, 192, generator=generator)
    exact = left.double() @ right.double()
    with _set_to("bf16"):
        error = (left @ right - exact).abs().max() / exact.abs().max()
    return float(error) < _FP32_ERROR


@contextmanager
def fast_matrices() -> Iterator[bool]:
    """Within it, fp32 matrices on the CPU are multiplied by oneDNN where that is exact."""
    if not onednn_is_exact():
        yield False
        return
    with _set_to("bf16"):
        yield True


def matrices_are_fast() -> bool:
    """Whether the way that `fast_matrices` opens is open now."""
    return _precision() == "bf16" and onednn_is_exact()


@contextmanager
def small_matrices() -> Iterator[None]:
    """Within it, the usual way to multiply, which is the faster one for tiny matrices."""
    with _set_to("ieee"):
        yield


@torch.library.custom_op("ld50::causal_attention", mutates_args=())
def _forward(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    with small_matrices():
        found: tuple[Tensor, Tensor] = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            q, k, v, 0.0, True
        )
    return found


@_forward.register_fake
def _(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    sequences, heads, length, width = q.shape
    out = q.new_empty(sequences, length, heads, width).transpose(1, 2)
    return out, q.new_empty(sequences, length, heads).transpose(1, 2)


@torch.library.custom_op("ld50::causal_attention_backward", mutates_args=())
def _backward(
    gradient: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, logsumexp: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
    with small_matrices():
        found: tuple[Tensor, Tensor, Tensor] = kernel(gradient, q, k, v, out, logsumexp, 0.0, True)
    return found


@_backward.register_fake
def _(
    gradient: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, logsumexp: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)


def _keep(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs, *output)


def _gradients(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.ld50.causal_attention_backward(
        gradient, *ctx.saved_tensors
    )
    return found


_forward.register_autograd(_gradients, setup_context=_keep)


def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention to earlier tokens, (sequences, heads, length, head width), on a CPU in fp32."""
    out: Tensor = torch.ops.ld50.causal_attention(q, k, v)[0]
    return out
