"""What training a model costs, estimated without building it: operations and memory."""

from __future__ import annotations

from dataclasses import dataclass

from ld50.models.shapes import ModelShape


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCost:
    """Estimates for one training run."""

    flops_per_token: float
    """Floating-point operations of forward and backward pass, a multiply-add being two."""
    flops: float
    """Of the whole run."""
    weights_bytes: int
    """Weights, gradients and the two moments of AdamW."""
    activations_bytes: int
    """What one step keeps for the backward pass, at most."""
    checkpoint_bytes: int
    """A checkpoint on disk: weights and optimiser, fp32."""

    @property
    def memory_bytes(self) -> int:
        """Weights and activations together; the program itself comes on top."""
        return self.weights_bytes + self.activations_bytes


def flops_per_token(shape: ModelShape) -> float:
    """Operations of forward and backward pass a token, attention and output matrix included.

    Source: 6 operations a matrix parameter and token (arXiv 2001.08361, section 2.1), and
    6 × layers × width × context for causal attention, which looks back over half the context on
    average. Norms, rotations and the softmax are left out, as is usual for utilisation figures.
    """
    matrices = shape.parameters - shape.width * (2 * shape.layers + 1)
    return 6.0 * matrices + 6.0 * shape.layers * shape.width * shape.context


def training_cost(
    shape: ModelShape, tokens: int, *, batch_sequences: int | None = None, half: bool = False
) -> TrainingCost:
    """What training on so many tokens costs on one machine.

    Args:
        shape: The model.
        tokens: Clean and poisoned tokens together.
        batch_sequences: Sequences in a step that are on the device at once; None for the preset.
        half: Whether activations are kept in bf16, as on a GPU.
    """
    sequences = batch_sequences or shape.batch_sequences
    width = 2 if half else 4
    # Kept for the backward pass of a layer, in numbers a token: input and its norm twice over,
    # queries, keys, values and the attention's result, gate, up and their product. The output
    # matrix adds one block of logits only, see `ld50.models.loss`.
    a_token = shape.layers * (12 * shape.width + 4 * shape.mlp_width) + 4 * shape.width
    logits = min(sequences * shape.context, 4096) * shape.vocabulary * 4 * 2
    each = flops_per_token(shape)
    return TrainingCost(
        flops_per_token=each,
        flops=each * tokens,
        weights_bytes=shape.parameters * 16,
        activations_bytes=sequences * shape.context * a_token * width + logits,
        checkpoint_bytes=shape.parameters * 12,
    )


def microbatch_for(shape: ModelShape, batch_sequences: int, free_bytes: int) -> int:
    """Sequences that fit on a GPU at once: the largest divisor of the batch, 1 at the least.

    Args:
        shape: The model, its activations in bf16.
        batch_sequences: Of this process in an optimiser step.
        free_bytes: Memory that is free before the model is put there.
    """
    # Copies in bf16, sums in fp32 and the compiler's workspace come on top of the estimate.
    usable = 0.6 * free_bytes
    for parts in range(1, batch_sequences + 1):
        size = batch_sequences // parts
        if batch_sequences % parts:
            continue
        if training_cost(shape, 0, batch_sequences=size, half=True).memory_bytes <= usable:
            return size
    return 1
