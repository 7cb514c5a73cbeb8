"""Model sizes as a planner needs them: counts and a batch, without building a model."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from ld50.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSize:
    """One size of model."""

    name: str
    parameters: int
    """All of them, tied embeddings once."""
    layers: int
    width: int
    context: int
    """Tokens a sequence."""
    batch_sequences: int
    """Sequences an optimiser step, unless a study says otherwise."""

    def flops_per_token(self) -> float:
        """Floating-point operations to train on one token: 6 N, and the attention scores.

        Source: the usual count of 6 per parameter and token (Kaplan et al. 2020, section 2.1), with
        12 x layers x width x context / 2 for causal attention.
        """
        return 6.0 * self.parameters + 6.0 * self.layers * self.width * self.context


def _size(
    name: str, parameters: int, layers: int, width: int, context: int, batch: int
) -> ModelSize:
    return ModelSize(
        name=name, parameters=parameters, layers=layers, width=width,
        context=context, batch_sequences=batch,
    )  # fmt: skip


_SIZES = {
    size.name: size
    for size in (
        _size("0.05M", 57_504, 2, 32, 256, 4),
        _size("0.1M", 132_432, 3, 48, 256, 4),
        _size("0.3M", 262_720, 4, 64, 256, 4),
        _size("0.6M", 600_000, 5, 96, 256, 4),
        _size("600M", 600_000_000, 24, 1280, 2048, 256),
        _size("2B", 2_000_000_000, 24, 2560, 2048, 512),
        _size("7B", 7_000_000_000, 32, 4096, 2048, 1024),
        _size("13B", 13_000_000_000, 40, 5120, 2048, 1024),
    )
}


def all_sizes() -> list[ModelSize]:
    """Every known size, smallest first."""
    return sorted(_SIZES.values(), key=lambda size: size.parameters)


def size_named(name: str) -> ModelSize:
    """The size of that name.

    Raises:
        ConfigError: There is none; the message names the nearest and lists all.
    """
    if name in _SIZES:
        return _SIZES[name]
    near = difflib.get_close_matches(name, list(_SIZES), n=1, cutoff=0.3)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    known = ", ".join(size.name for size in all_sizes())
    raise ConfigError(f"There is no model size {name!r}.{hint} Known are {known}.")
