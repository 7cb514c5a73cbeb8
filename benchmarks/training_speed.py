"""Training speed against a bare loop, in turns in one run: tokens a second and their ratio.

The peer is the loop of nanoGPT, with the model that `transformers` builds for the same shape: random
windows out of the same tokens, forward pass, cross-entropy, backward pass, clipping, fused AdamW,
and nothing else. Both take turns of a few steps, so that whatever else the machine does hits both.
What is reported is the median of the turns' ratios, with its range; seconds are those of the
processor (one thread), so that a busy machine counts little.

    python benchmarks/training_speed.py --sizes 0.05M 0.5M
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ld50.core.trials import Schedule
from ld50.models import shape_named
from ld50.models.attention import fast_matrices
from ld50.models.costs import flops_per_token
from ld50.models.llama import build
from ld50.models.shapes import ModelShape
from ld50.models.tokens import TokenStore
from ld50.train.exposure import plan_exposure
from ld50.train.hardware import Hardware
from ld50.train.loop import Trainer
from ld50.train.optimiser import OptimiserSettings, make_optimiser
from ld50.train.poisoned import PoisonSettings
from ld50.train.stream import Batches, CleanStream
from ld50.train.text import TrainingText
from ld50.train.tokens import token_store


class BareLoop:
    """What one would write in an afternoon."""

    def __init__(self, shape: ModelShape, store: TokenStore, batch: int) -> None:
        self.model = build(shape, 0)
        self.optimiser = make_optimiser(self.model, OptimiserSettings(learning_rate=1e-3))
        self.tokens = store.parts["train"].tokens
        self.shape, self.batch = shape, batch
        self.rng = np.random.default_rng(0)

    def steps(self, count: int) -> None:
        context = self.shape.context
        for _ in range(count):
            starts = self.rng.integers(0, len(self.tokens) - context - 1, self.batch)
            rows = np.stack([self.tokens[at : at + context + 1] for at in starts])
            given = torch.from_numpy(rows.astype(np.int64))
            logits = self.model(input_ids=given[:, :-1], use_cache=False).logits
            loss = F.cross_entropy(logits.flatten(0, 1), given[:, 1:].flatten())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimiser.step()
            self.optimiser.zero_grad(set_to_none=True)
            loss.item()


class Ours:
    """The trainer as trials use it, poison and all."""

    def __init__(self, shape: ModelShape, store: TokenStore, batch: int, compiled: bool) -> None:
        plan = plan_exposure(
            store, PoisonSettings(), Schedule(), dose=100, unit="documents",
            clean_tokens=shape.clean_tokens, context=shape.context, batch_sequences=batch, seed=0,
        )  # fmt: skip
        self.trainer = Trainer(
            build(shape, 0),
            Batches(plan, CleanStream(store.parts["train"], 0), 0),
            OptimiserSettings(learning_rate=1e-3),
            steps=plan.steps,
            hardware=Hardware(compiled=compiled),
        )

    def steps(self, count: int) -> None:
        self.trainer.train_to(self.trainer.progress.step + count)


def seconds_of(loop: BareLoop | Ours, steps: int) -> float:
    began = time.process_time()
    loop.steps(steps)
    return time.process_time() - began


def compare(name: str, store: TokenStore, args: argparse.Namespace) -> dict[str, object]:
    """Both loops in turns."""
    shape = shape_named(name)
    batch = shape.batch_sequences
    bare = BareLoop(shape, store, batch)
    with fast_matrices() as fast:
        ours = Ours(shape, store, batch, args.compile)
        ours.steps(3)
    bare.steps(3)
    tokens = batch * shape.context
    # A turn lasts about half a second.
    count = max(2, round(0.5 / (seconds_of(bare, 3) / 3)))
    turns = []
    for _ in range(args.turns):
        theirs = seconds_of(bare, count)
        with fast_matrices():
            turns.append((theirs, seconds_of(ours, count)))
    ratios = sorted(theirs / mine for theirs, mine in turns)
    best = min(mine for _, mine in turns)
    return {
        "size": name,
        "parameters": shape.parameters,
        "bare_tokens_per_second": round(count * tokens / statistics.median(t for t, _ in turns)),
        "tokens_per_second": round(count * tokens / statistics.median(m for _, m in turns)),
        "best_tokens_per_second": round(count * tokens / best),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_range": [round(ratios[0], 3), round(ratios[-1], 3)],
        "best_gflops": round(count * tokens / best * flops_per_token(shape) / 1e9, 1),
        "oneDNN": fast,
        "turns": len(turns),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["0.05M", "0.1M", "0.3M", "0.5M", "1.1M"])
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--data", nargs="+", default=["demo"])
    parser.add_argument("--cache", type=Path, help="tokens are kept here; default: nowhere")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        text = TrainingText(sources=tuple(args.data), cache=args.cache or Path(scratch))
        for name in args.sizes:
            store = token_store(text, shape_named(name).vocabulary)
            print(json.dumps(compare(name, store, args)), flush=True)


if __name__ == "__main__":
    main()
