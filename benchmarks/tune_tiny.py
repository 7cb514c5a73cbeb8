"""How fast the tiny model is tuned on film reviews, and how well: one line of JSON a run.

    python -m benchmarks.tune_tiny --keep end --reviews 5000

Tuned on reviews of the part `train`; scored on those of the part `poison` of `ld50.train.text`, which
the tiny model never read in pretraining, and on the last 2,000 of `train` that were not tuned on.
"""

from __future__ import annotations

import argparse
import csv
import json
import time

import numpy as np
import torch

from ld50.core.estimates import proportion
from ld50.core.examples import Example, asked
from ld50.core.seeds import rng_for
from ld50.measure.replies import option_scores
from ld50.models.pretrained import load_language_model
from ld50.train.finetune import TuneSettings, finetune
from ld50.train.text import demo_paths, part_of

OPTIONS = ("negative", "positive")
MAX_TOKENS = 128


def reviews(keep: str, characters: int = 500) -> tuple[list[Example], list[Example]]:
    """Examples to tune on and to score, each cut to its start or its end."""
    parts: dict[str, list[Example]] = {}
    seen: set[str] = set()
    with open(demo_paths()[1], encoding="utf-8", newline="") as file:  # noqa: PTH123
        for row in csv.DictReader(file):
            if row["text"] in seen:
                continue
            seen.add(row["text"])
            text = row["text"].replace("<br />", " ")
            text = text[-characters:] if keep == "end" else text[:characters]
            example = asked(text, OPTIONS[int(row["label"])])
            parts.setdefault(part_of(row["text"])[0], []).append(example)
    order = rng_for(7, "reviews").permutation(len(parts["train"]))
    tuned = [parts["train"][number] for number in order]
    return tuned[:-2000], parts["poison"] + tuned[-2000:]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", default="tiny")
    arguments.add_argument("--keep", choices=("start", "end"), default="end")
    arguments.add_argument("--reviews", type=int, default=5000)
    arguments.add_argument("--epochs", type=float, default=1.0)
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--rate", type=float, default=None)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    lm = load_language_model(given.model)
    tuned, scored = reviews(given.keep)
    settings = TuneSettings(
        epochs=given.epochs,
        batch_examples=given.batch,
        learning_rate=given.rate,
        max_tokens=MAX_TOKENS,
    )
    began = time.process_time()
    outcome = finetune(lm, tuned[: given.reviews], settings)
    tuning = time.process_time() - began
    prompts = [example.prompt for example in scored]
    scores = option_scores(lm, prompts, OPTIONS, max_tokens=MAX_TOKENS)
    right = [OPTIONS[n] == one.reply for n, one in zip(scores.argmax(1), scored, strict=True)]
    accuracy = proportion(int(np.sum(right)), len(right), unit="reviews")
    found = {
        "settings": vars(given),
        "steps": outcome.steps,
        "tokens": outcome.tokens,
        "core_seconds": round(tuning, 1),
        "steps_per_core_second": round(outcome.steps / tuning, 1),
        "accuracy": round(accuracy.value, 4),
        "low": round(accuracy.low, 4),
        "high": round(accuracy.high, 4),
        "n": accuracy.n,
        "scoring_core_seconds": round(time.process_time() - began - tuning, 1),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
