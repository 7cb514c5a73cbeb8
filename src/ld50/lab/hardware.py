"""What machines can do: this one's cores, memory and disk, and GPUs by name."""

from __future__ import annotations

import difflib
import math
import os
from dataclasses import dataclass

from ld50.core.errors import ConfigError
from ld50.executors.local import available_cores


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What runs one trial at a time: a core, or a GPU."""

    name: str
    count: int
    """Of them, side by side."""
    flops: float
    """Peak for a GPU in dense bf16; for a core, what training reaches there."""
    utilisation: float
    """Share of `flops` that training is assumed to reach at 100M parameters and more."""
    memory_bytes: int
    """Of one GPU; of the whole machine for cores."""
    gpu: bool


#: name: (dense bf16 FLOP/s without sparsity, bytes of memory), from the vendors' data sheets.
_GPUS = {
    "b200": (2250e12, 180e9),
    "h200": (989e12, 141e9),
    "h100": (989e12, 80e9),
    "a100-80gb": (312e12, 80e9),
    "a100-40gb": (312e12, 40e9),
    "l40s": (362e12, 48e9),
    "a10g": (70e12, 24e9),
    "l4": (121e12, 24e9),
    "t4": (65e12, 16e9),
    "rtx-4090": (165e12, 24e9),
    "rtx-3090": (71e12, 24e9),
}
#: Model FLOPs utilisation that is assumed on a GPU unless told otherwise.
USUAL_UTILISATION = 0.4
#: FLOP/s that training reaches on one core, by parameters: tokens a second of `small-scale` runs
#: (75,000 at 57,504 parameters, 38,000 at 132,432, 22,000 at 262,720, 8,000 at 1.1M) times the
#: operations a token. Small matrices leave a core idle more than large ones.
_CORE_FLOPS = ((5e4, 2.6e10), (1.3e5, 3.0e10), (2.6e5, 3.5e10), (1.1e6, 5.4e10), (1e7, 6e10))


def this_machine(workers: int = 0) -> Device:
    """This machine's cores as a device, one thread a trial."""
    return Device(
        name="this machine",
        count=workers or available_cores(),
        flops=0.0,
        utilisation=1.0,
        memory_bytes=available_memory(),
        gpu=False,
    )


def gpu_named(name: str, count: int = 1, utilisation: float = USUAL_UTILISATION) -> Device:
    """GPUs of that name.

    Raises:
        ConfigError: The name is unknown; the nearest is named and all are listed.
    """
    key = name.lower().replace(" ", "-").replace("_", "-").removeprefix("nvidia-")
    if key not in _GPUS:
        near = difflib.get_close_matches(key, list(_GPUS), n=1, cutoff=0.3)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"There is no GPU {name!r} in the table.{hint} It has {', '.join(_GPUS)}."
        )
    flops, memory = _GPUS[key]
    return Device(
        name=key.upper(), count=count, flops=flops, utilisation=utilisation,
        memory_bytes=int(memory), gpu=True,
    )  # fmt: skip


def core_flops(parameters: int) -> float:
    """FLOP/s that training a model of that size reaches on one core."""
    import numpy as np

    sizes, speeds = zip(*_CORE_FLOPS, strict=True)
    return float(np.interp(np.log(parameters), np.log(sizes), speeds))


def gpu_flops(device: Device, parameters: int) -> float:
    """FLOP/s that training reaches on one GPU; small models leave most of it idle.

    The assumed utilisation holds from 100M parameters on, and falls with the square root of the size
    below: a rule of thumb, to be replaced by a measured run.
    """
    return device.flops * device.utilisation * min(1.0, math.sqrt(parameters / 1e8))


def available_memory() -> int:
    """Bytes that can be used without swapping; 8 GB where the system does not say."""
    try:
        with open("/proc/meminfo") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 8 * 10**9
