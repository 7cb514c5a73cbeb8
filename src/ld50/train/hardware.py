"""What a model is trained on: one core, one GPU, or many processes that share each batch."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch

from ld50.core.errors import ConfigError
from ld50.train.sharding import needs_sharding

#: Below this a GPU waits for Python most of the time, and a core is as fast.
_GPU_PARAMETERS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """A device, a precision, and this process's place among those that train together."""

    device: str = "cpu"
    """`cpu` or `cuda`, or one device of several, `cuda:1`."""
    half: bool = False
    """Whether matrices are multiplied in bf16; weights and sums stay fp32."""
    compiled: bool = False
    """Whether `torch.compile` is used."""
    microbatch_sequences: int | None = None
    """Sequences that are on the device at once; a larger batch is made of several; None for all."""
    rank: int = 0
    processes: int = 1
    accelerator: Any = field(default=None, repr=False)
    """Of the package `accelerate`, where several processes train together."""
    sharded: bool = False
    """Whether weights and moments are spread over the processes, instead of a copy in each."""

    def __post_init__(self) -> None:
        if self.microbatch_sequences is not None and self.microbatch_sequences < 1:
            raise ConfigError("A microbatch holds 1 sequence or more.")
        if self.sharded and self.accelerator is None:
            raise ConfigError(
                "Weights are spread over several processes; start them with torchrun, see "
                "docs/study.md, or leave out sharded."
            )

    @property
    def is_gpu(self) -> bool:
        """Whether the device is a GPU."""
        return self.device.startswith("cuda")

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def agreed(self, wish: bool) -> bool:
        """What the leading process wishes; where weights are shared, all must do it together."""
        if not self.sharded:
            return wish
        flag = torch.tensor([float(wish and self.leads)], device=self.device)
        return bool(self.accelerator.reduce(flag, reduction="sum").item() > 0)

    def precision(self) -> AbstractContextManager[Any]:
        """Within it, forward passes use the precision."""
        if not self.half:
            return nullcontext()
        return torch.autocast("cuda" if self.is_gpu else "cpu", dtype=torch.bfloat16)


def find_hardware(
    parameters: int,
    *,
    device: str | None = None,
    half: bool | None = None,
    compiled: bool | None = None,
    microbatch_sequences: int | None = None,
    sharded: bool | None = None,
) -> Hardware:
    """What there is to train on: what is asked for, else a GPU for models that gain by one.

    Under `torchrun`, with more than one process, the processes join through `accelerate` (NCCL on
    GPUs, gloo on CPUs) and each trains on its share of every batch. Where a GPU could not hold the
    whole training state, or where it is asked for, they share the weights as well.

    Raises:
        ConfigError: A GPU is asked for and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if device is None:
        device = "cuda" if has_gpu and parameters >= _GPU_PARAMETERS else "cpu"
    if device.startswith("cuda") and not has_gpu:
        raise ConfigError(f"The device {device!r} is asked for, and PyTorch finds no GPU here.")
    gpu = device.startswith("cuda")
    count = int(os.environ.get("WORLD_SIZE", "1"))
    accelerator = None
    if count > 1:
        from accelerate import Accelerator

        accelerator = Accelerator(cpu=not gpu)
        device = str(accelerator.device)
        if sharded is None and gpu:
            sharded = needs_sharding(parameters, torch.cuda.mem_get_info(device)[1])
    if sharded and compiled is None:
        # A compiled body would hide the layers whose calls gather their weights.
        compiled = False
    return Hardware(
        device=device,
        half=gpu if half is None else half,
        compiled=gpu if compiled is None else compiled,
        microbatch_sequences=microbatch_sequences,
        rank=accelerator.process_index if accelerator else 0,
        processes=count,
        accelerator=accelerator,
        sharded=bool(sharded),
    )


def leave_processes(*, together: bool) -> None:
    """Ends what this process shares with those that trained with it; nothing where it is alone.

    A process that just exits while another still exchanges with it makes that one abort.

    Args:
        together: Whether to wait for the others; not where one may have failed and never come.
    """
    from torch import distributed

    if not (distributed.is_available() and distributed.is_initialized()):
        return
    if together:
        distributed.barrier()
    distributed.destroy_process_group()
