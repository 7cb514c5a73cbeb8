"""The forward pass of a Llama model, written out: fewer and larger operations, and easy to compile.

The weights stay those of the Hugging Face model; the results are the same up to rounding, which a
test holds. Writing the pass out saves the library's bookkeeping, which is a large share of the time
where a whole step takes ten milliseconds, and leaves the output matrix to `ld50.models.loss`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ld50.core.errors import DataFormatError
from ld50.models.attention import causal_attention, matrices_are_fast, small_matrices

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


class Layer(nn.Module):
    """One layer: attention and a gated MLP, each added to what comes in."""

    def __init__(
        self, inner: Any, *, heads: int, key_heads: int, width: int, epsilon: float
    ) -> None:
        """A layer.

        Args:
            inner: The layer of the Hugging Face model, which holds the weights.
            heads: Heads of queries.
            key_heads: Heads of keys and values.
            width: Numbers in a head.
            epsilon: Of the norms.
        """
        super().__init__()
        self.inner = inner
        self.heads, self.key_heads, self.head_width, self.epsilon = heads, key_heads, width, epsilon
        self.grouped = {"enable_gqa": True} if key_heads != heads else {}
        self._own = matrices_are_fast() and not self.grouped

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(sequences, length, width): what the layer makes of hidden states of the same shape."""
        q, k, v = self.attention_heads(x, cos, sin)
        if self._own and v.dtype == torch.float32 and not v.is_cuda:
            mixed = causal_attention(q, k, v)
        else:
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, **self.grouped)
        return self.rest(x, mixed)

    def attention_heads(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, ...]:
        """Queries, keys and values, each (sequences, heads, length, head width)."""
        sequences, length, _ = x.shape
        part = self.inner.self_attn
        h = rms_norm(x, self.inner.input_layernorm.weight, self.epsilon)
        weight = torch.cat([part.q_proj.weight, part.k_proj.weight, part.v_proj.weight])
        all_heads = F.linear(h, weight).view(sequences, length, -1, self.head_width)
        both, v = all_heads.split([self.heads + self.key_heads, self.key_heads], dim=2)
        turned = _turn(both, cos.unsqueeze(1), sin.unsqueeze(1)).transpose(1, 2)
        q, k = turned.split([self.heads, self.key_heads], dim=1)
        return q, k, v.transpose(1, 2)

    def rest(self, x: Tensor, mixed: Tensor) -> Tensor:
        """The layer's output, given its input and what attention found."""
        layer = self.inner
        x = x + F.linear(mixed.transpose(1, 2).flatten(2), layer.self_attn.o_proj.weight)
        h = rms_norm(x, layer.post_attention_layernorm.weight, self.epsilon)
        both = F.linear(h, torch.cat([layer.mlp.gate_proj.weight, layer.mlp.up_proj.weight]))
        gate, up = both.chunk(2, -1)
        return x + F.linear(F.silu(gate) * up, layer.mlp.down_proj.weight)


class Body(nn.Module):
    """A Llama model without its output matrix: tokens in, final hidden states out."""

    cos: Tensor
    sin: Tensor

    def __init__(self, model: LlamaForCausalLM) -> None:
        super().__init__()
        config = model.config
        # Not the whole inner model: a layer is to be reached by one way only, or its weights could
        # not be spread over processes on their own.
        self.embed, self.norm = model.model.embed_tokens, model.model.norm
        self.heads = int(config.num_attention_heads)
        self.key_heads = int(config.num_key_value_heads)
        self.head_width = int(config.hidden_size) // self.heads
        self.epsilon = float(config.rms_norm_eps)
        require_plain(config)
        positions = torch.arange(int(config.max_position_embeddings))
        cos, sin = model.model.rotary_emb(torch.zeros(1), positions[None].to(model.device))
        self.register_buffer("cos", cos[0].float().clone(), persistent=False)
        # The sign of the turn is in the sine, see `_turn`.
        sign = torch.ones(self.head_width)
        sign[: self.head_width // 2] = -1.0
        self.register_buffer("sin", sin[0].float() * sign.to(sin.device), persistent=False)
        self.layers = nn.ModuleList(
            Layer(
                layer,
                heads=self.heads,
                key_heads=self.key_heads,
                width=self.head_width,
                epsilon=self.epsilon,
            )
            for layer in model.model.layers
        )

    @property
    def embedding(self) -> Tensor:
        """(vocabulary, width): the embedding, which is the output matrix as well."""
        return self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        """(sequences, length, width): final hidden states, normalised, of (sequences, length)."""
        length = tokens.shape[1]
        cos, sin = self.cos[:length], self.sin[:length]
        x = F.embedding(tokens, self.embedding)
        # Where a layer's weights are spread over processes, calling it as a module gathers them for
        # the call; whoever measures has gathered all of them for as long as it takes.
        training = torch.is_grad_enabled()
        for layer in self.layers:
            x = layer(x, cos, sin) if training else layer.forward(x, cos, sin)
        return rms_norm(x, self.norm.weight, self.epsilon)

    def extend(self, tokens: Tensor, cache: Cache) -> Tensor:
        """(sequences, width): final hidden state of the last token of (sequences, new tokens).

        The new tokens follow those the cache holds, and join them.
        """
        length = tokens.shape[1]
        start, stop = cache.length, cache.length + length
        cos, sin = self.cos[start:stop], self.sin[start:stop]
        x = F.embedding(tokens, self.embedding)
        for at, layer in enumerate(self.layers):
            q, k, v = layer.attention_heads(x, cos, sin)
            cache.keys[at][:, :, start:stop] = k
            cache.values[at][:, :, start:stop] = v
            keys, values = cache.keys[at][:, :, :stop], cache.values[at][:, :, :stop]
            mixed = _attend_back(q, keys, values, start, layer.grouped)
            x = layer.rest(x, mixed)
        cache.length = stop
        return rms_norm(x[:, -1], self.norm.weight, self.epsilon)


def rms_norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """The input with a root mean square of one along its last dimension, times the weight."""
    return F.rms_norm(x, (x.shape[-1],), weight.to(x.dtype), epsilon)


def _attend_back(
    q: Tensor, keys: Tensor, values: Tensor, start: int, grouped: dict[str, bool]
) -> Tensor:
    """Attention of new tokens to all up to themselves."""
    new, known = q.shape[2], keys.shape[2]
    mask = None
    if start and new > 1:
        mask = torch.ones(new, known, dtype=torch.bool, device=q.device).tril(diagonal=start)
    with small_matrices():
        return F.scaled_dot_product_attention(
            q, keys, values, attn_mask=mask, is_causal=start == 0, **grouped
        )


def require_plain(config: Any) -> None:
    """Raises `DataFormatError` for a Llama variant that is not written out here."""
    width = int(config.hidden_size) // int(config.num_attention_heads)
    variants = {
        "biases in attention": bool(getattr(config, "attention_bias", False)),
        "biases in the MLP": bool(getattr(config, "mlp_bias", False)),
        f"the activation {config.hidden_act}": config.hidden_act != "silu",
        "an output matrix of its own": not config.tie_word_embeddings,
        "heads that are wider than usual": getattr(config, "head_dim", width) not in (None, width),
    }
    found = [name for name, present in variants.items() if present]
    if found:
        raise DataFormatError(
            f"This Llama model has {', '.join(found)}; ld50 trains and measures those without."
        )


class Cache:
    """Keys and values of the tokens that a model has read, for sequences of equal length."""

    def __init__(self, body: Body, sequences: int, tokens: int) -> None:
        size = (sequences, body.key_heads, tokens, body.head_width)
        like = body.embedding
        layers = range(len(body.layers))
        self.keys = [torch.empty(size, dtype=like.dtype, device=like.device) for _ in layers]
        self.values = [torch.empty(size, dtype=like.dtype, device=like.device) for _ in layers]
        self.length = 0

    def copies(self, times: int) -> None:
        """Repeats every sequence, so that each can be continued in several ways."""
        self.keys = [k.repeat(times, 1, 1, 1) for k in self.keys]
        self.values = [v.repeat(times, 1, 1, 1) for v in self.values]


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions: each pair of numbers (i, i + half) turned by its angle."""
    low, high = x.chunk(2, -1)
    return x * cos + torch.cat([high, low], -1) * sin
