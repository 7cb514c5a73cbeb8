"""One model spread over processes: each keeps a share of weights, gradients and optimiser state.

Layers are gathered when they are needed and dropped again, so that models train whose weights and
moments no single GPU could hold. Built on PyTorch's `fully_shard` (FSDP2).

The parts of PyTorch behind it take seconds to import, so that is done by those who share a model.

Source: Zhao et al., arXiv 2304.11277, and Rajbhandari et al., arXiv 1910.02054, stage 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ld50.models.forward import Layer

if TYPE_CHECKING:
    from ld50.train.hardware import Hardware

#: Bytes of a weight while it trains: itself, its gradient and two moments, all fp32.
BYTES_A_PARAMETER = 16
#: Share of a GPU that these may take before they are spread; the rest is for activations.
_ROOM = 0.6


def needs_sharding(parameters: int, memory_bytes: int) -> bool:
    """Whether weights, gradients and moments are too much for one device of so much memory."""
    return parameters * BYTES_A_PARAMETER > _ROOM * memory_bytes


def shard(module: nn.Module, hardware: Hardware) -> None:
    """Spreads the weights in a module over all processes, layer by layer, in place.

    The optimiser must be made afterwards: the weights are other objects then.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    kind = "cuda" if hardware.is_gpu else "cpu"
    mesh = init_device_mesh(kind, (hardware.processes,))
    for layer in module.modules():
        if isinstance(layer, Layer):
            fully_shard(layer, mesh=mesh)
    fully_shard(module, mesh=mesh)


@contextmanager
def gathered(module: nn.Module) -> Iterator[None]:
    """Within it every process holds all weights, so that it can measure; all must enter it."""
    from torch.distributed.fsdp import FSDPModule

    parts = [part for part in module.modules() if isinstance(part, FSDPModule)]
    for part in parts:
        part.unshard()
    try:
        yield
    finally:
        for part in parts:
            part.reshard()


def exchange_gradients(module: Any, wanted: bool) -> None:
    """Whether the next backward passes send their gradients to the process that needs them."""
    module.set_requires_gradient_sync(wanted)


def whole(tensor: Tensor) -> Tensor:
    """The tensor with the shares of all processes, which must all call this; on the CPU."""
    found = tensor.detach()
    return (found.full_tensor() if _is_shared(found) else found).cpu().contiguous()


def put(target: Tensor, value: Tensor) -> None:
    """Writes a whole tensor into a weight, of which this process may hold a share."""
    with torch.no_grad():
        target.copy_(like(target, value))


def like(target: Tensor, value: Tensor) -> Tensor:
    """The value on the target's device, spread as the target is."""
    if not _is_shared(target):
        return value.to(target.device)
    from torch.distributed.tensor import distribute_tensor

    mesh, placements = target.device_mesh, target.placements
    return distribute_tensor(value.to(target.device), mesh, placements)


def _is_shared(tensor: Tensor) -> bool:
    """Whether the tensor is a `DTensor`."""
    return hasattr(tensor, "full_tensor")
