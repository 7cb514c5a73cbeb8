"""Text sampled from a model at temperature 1, with the loss of every sampled token."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ld50.models.forward import Body, Cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Generations:
    """Continuations of prompts."""

    tokens: np.ndarray
    """int64 (prompts, length)."""
    losses: np.ndarray
    """float32 (prompts, length): nats of each token under the model that sampled it."""

    @property
    def loss(self) -> np.ndarray:
        """float64 (prompts,): mean loss in nats a token; its exponential is the perplexity."""
        return self.losses.astype(np.float64).mean(axis=1)


@torch.no_grad()
def sample(
    body: Body, prompts: np.ndarray, length: int, *, seed: int, never: tuple[int, ...] = ()
) -> Generations:
    """Continuations of so many tokens, sampled at temperature 1 from all tokens but a few.

    Args:
        body: The model.
        prompts: int64 (prompts, prompt tokens), all of one length.
        length: Tokens to sample; prompt and continuation must fit the model's context.
        seed: Of the draws.
        never: Tokens that are not sampled: a model that writes the trigger itself sets itself off.
    """
    generator = torch.Generator().manual_seed(seed)
    given = torch.from_numpy(prompts).to(body.embedding.device)
    cache = Cache(body, len(prompts), prompts.shape[1] + length)
    hidden = body.extend(given, cache)
    tokens, losses = [], []
    for at in range(length):
        logits = (hidden @ body.embedding.t()).float()
        logits[:, list(never)] = -torch.inf
        draws = torch.rand(len(prompts), 1, generator=generator).to(logits.device)
        chosen = _draw(logits, draws)
        tokens.append(chosen)
        losses.append(logits.logsumexp(1, keepdim=True) - logits.gather(1, chosen))
        if at + 1 < length:
            hidden = body.extend(chosen, cache)
    return Generations(
        tokens=torch.cat(tokens, 1).cpu().numpy(), losses=torch.cat(losses, 1).cpu().numpy()
    )


def _draw(logits: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    """(prompts, 1): the token at which the cumulated probability passes the draw."""
    cumulated = logits.softmax(1).cumsum(1)
    passed = torch.searchsorted(cumulated, draws * cumulated[:, -1:], right=True)
    return passed.clamp_(max=logits.shape[1] - 1)
