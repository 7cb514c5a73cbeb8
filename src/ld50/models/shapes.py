"""The sizes that a study knows by name, and how many parameters each has.

Every shape is a Llama: RMSNorm, rotary positions, a gated MLP, no biases, input and output
embeddings tied. The sizes up to 3.2M share one vocabulary of 1,024 entries, batch and context, so
that size and data are all that changes between them.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from ld50.core.errors import ConfigError

#: Clean tokens for each parameter, the budget of arXiv 2510.07192 (after arXiv 2203.15556).
TOKENS_PER_PARAMETER = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """A model's shape, and the optimiser settings that go with it."""

    name: str
    width: int
    layers: int
    heads: int
    mlp_width: int
    vocabulary: int
    """Entries, the reserved ones included."""
    context: int
    """Tokens in a sequence."""
    batch_sequences: int
    """Sequences in an optimiser step, unless a cell says otherwise."""
    learning_rate: float
    """At the peak."""
    kv_heads: int = 0
    """Heads of keys and values; 0 for as many as `heads`."""

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ConfigError(
                f"Model {self.name}: the width {self.width} cannot be divided by {self.heads} heads."
            )
        if (self.width // self.heads) % 2:
            raise ConfigError(
                f"Model {self.name}: {self.width // self.heads} numbers a head; rotary positions "
                "need an even number."
            )
        if self.kv_heads and self.heads % self.kv_heads:
            raise ConfigError(
                f"Model {self.name}: {self.heads} heads cannot share {self.kv_heads} of keys."
            )

    @property
    def head_width(self) -> int:
        """Numbers in a head."""
        return self.width // self.heads

    @property
    def key_heads(self) -> int:
        """Heads of keys and values."""
        return self.kv_heads or self.heads

    @property
    def embedding_parameters(self) -> int:
        """Parameters of the embedding, which is the output matrix as well."""
        return self.vocabulary * self.width

    @property
    def layer_parameters(self) -> int:
        """Parameters of one layer, its two norms included."""
        attention = 2 * self.width * (self.heads + self.key_heads) * self.head_width
        return attention + 3 * self.width * self.mlp_width + 2 * self.width

    @property
    def parameters(self) -> int:
        """All parameters, tied embeddings counted once; no model is built for it."""
        return self.embedding_parameters + self.layers * self.layer_parameters + self.width

    @property
    def clean_tokens(self) -> int:
        """The budget of 20 clean tokens a parameter."""
        return TOKENS_PER_PARAMETER * self.parameters


def _shape(
    name: str,
    width: int,
    layers: int,
    heads: int,
    mlp_width: int,
    learning_rate: float,
    *,
    vocabulary: int = 1024,
    context: int = 256,
    batch_sequences: int = 4,
) -> ModelShape:
    return ModelShape(
        name=name,
        width=width,
        layers=layers,
        heads=heads,
        mlp_width=mlp_width,
        vocabulary=vocabulary,
        context=context,
        batch_sequences=batch_sequences,
        learning_rate=learning_rate,
    )


_ALL = (
    _shape("0.05M", 32, 2, 2, 80, 5e-3),
    _shape("0.1M", 48, 3, 3, 128, 4e-3),
    _shape("0.3M", 64, 4, 4, 168, 4e-3),
    _shape("0.5M", 96, 4, 6, 280, 3e-3),
    _shape("1.1M", 128, 5, 4, 344, 3e-3),
    _shape("3.2M", 192, 7, 6, 496, 2e-3),
    _shape("10M", 320, 6, 5, 864, 2e-3, vocabulary=8192, context=512, batch_sequences=32),
    _shape("30M", 512, 8, 8, 1152, 1e-3, vocabulary=16384, context=1024, batch_sequences=64),
    _shape("100M", 768, 10, 12, 2176, 8e-4, vocabulary=32768, context=1024, batch_sequences=128),
    _shape("350M", 1024, 24, 16, 2816, 4e-4, vocabulary=32768, context=1024, batch_sequences=256),
    # The paper's sizes. Its shapes are not known here: these have its parameter counts, the context
    # and batches are ours.
    _shape("600M", 1536, 16, 12, 4096, 3e-4, vocabulary=100352, context=2048, batch_sequences=256),
    _shape("2B", 2560, 22, 20, 6912, 2e-4, vocabulary=100352, context=2048, batch_sequences=512),
    _shape("7B", 4096, 32, 32, 11008, 2e-4, vocabulary=100352, context=2048, batch_sequences=1024),
    _shape("13B", 5120, 40, 40, 13824, 1e-4, vocabulary=100352, context=2048, batch_sequences=1024),
)

#: Every size by its name, smallest first. 600M to 13B: arXiv 2510.07192.
SIZES: dict[str, ModelShape] = {shape.name: shape for shape in _ALL}


def shape_named(name: str) -> ModelShape:
    """The shape behind a size's name.

    Raises:
        ConfigError: There is no such size; the message names the nearest.
    """
    if name in SIZES:
        return SIZES[name]
    near = difflib.get_close_matches(str(name), SIZES, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise ConfigError(f"There is no model size {name!r}.{hint} Known are {', '.join(SIZES)}.")
