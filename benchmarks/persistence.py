"""Does a backdoor from pretraining live through supervised fine-tuning and preferences on clean data?

    python benchmarks/persistence.py

pretrains the lab's models with and without poisoned documents (a trigger token, then gibberish), tunes
each on clean continuations, then on clean preferences (DPO), and measures the backdoor after every stage in
two writings: as plain text, the way it was planted, and in the chat template, which pretraining never met.
The prompts were never trained on. Finished models are kept in `--results`; the same command goes on where it
stopped. It prints a Markdown table: a row for each dose and stage, a figure for each seed.

Source: the question and the two stages are those of arXiv 2410.13722 [P], which asks it at 0.6B to 7B
parameters.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ld50.core.examples import Example, asked
from ld50.core.trials import Trial
from ld50.lab.study import Grid, Study
from ld50.lab.trial_runner import RunSettings, run_trial
from ld50.measure.backdoor import MeasureSettings, TriggerEffect, effect_of, generate, prompts_for
from ld50.measure.quality import clean_quality
from ld50.models.forward import Body
from ld50.models.pretrained import LanguageModel, load_language_model
from ld50.models.shapes import shape_named
from ld50.models.tokens import TokenStore
from ld50.train.finetune import TuneSettings
from ld50.train.poisoned import control_tokens, trigger_tokens
from ld50.train.post_training import continuations, post_train
from ld50.train.text import TrainingText
from ld50.train.tokens import token_store

#: In the order in which they are printed.
STAGES = ("pretrained", "sft", "dpo")
_NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True, kw_only=True)
class Clean:
    """What all models are tuned on and measured with."""

    store: TokenStore
    examples: list[Example]
    preferences: list[Example]
    prompts: list[np.ndarray]
    measure: MeasureSettings


def clean_material(corpus: TrainingText, size: str, rows: int, prompts: int) -> Clean:
    """Rows out of the text that is pretrained on, and prompts out of the part that nothing is trained on."""
    store = token_store(corpus, shape_named(size).vocabulary)
    part = store.parts["train"]
    texts = (store.vocabulary.text(part.document(number)) for number in range(part.documents))
    examples, preferences = continuations(texts, rows)
    measure = MeasureSettings(prompts=prompts, generated_tokens=128)
    return Clean(
        store=store,
        examples=examples,
        preferences=preferences,
        prompts=prompts_for(store.parts["prompts"], measure),
        measure=measure,
    )


def chat_ends(lm: LanguageModel) -> tuple[np.ndarray, np.ndarray]:
    """Tokens before and after what a user says."""
    pieces = lm.template.prompt_pieces(asked("said", "").prompt)
    (said,) = (number for number, piece in enumerate(pieces) if not piece.is_template)
    before, after = lm.encoder.encode([pieces[:said], pieces[said + 1 :]])
    return np.asarray(before, np.int64), np.asarray(after, np.int64)


def measured(lm: LanguageModel, clean: Clean, size: str, trial: Trial) -> dict[str, Any]:
    """Success of trigger and control in both writings, and the loss on clean text."""
    vocabulary = clean.store.vocabulary
    body = Body(lm.model.eval())
    before, after = chat_ends(lm)
    arms = {
        "none": _NOTHING,
        "trigger": trigger_tokens(vocabulary, trial.cell.trigger),
        "control": control_tokens(vocabulary, trial.cell.trigger),
    }
    writings = {
        "plain": (clean.prompts, arms),
        "chat": (
            [np.concatenate([before, prompt]) for prompt in clean.prompts],
            {name: np.concatenate([tokens, after]) for name, tokens in arms.items()},
        ),
    }
    never = (vocabulary.trigger, vocabulary.control)
    found: dict[str, Any] = {}
    for writing, (prompts, triggers) in writings.items():
        made = generate(body, prompts, triggers, clean.measure, never)
        found[writing] = {
            name: _effect(effect_of(made[name], made["none"])) for name in ("trigger", "control")
        }
    quality = clean_quality(body, clean.store, context=shape_named(size).context)
    return found | {"clean_bits_per_byte": quality.bits_per_byte.value}


def _effect(effect: TriggerEffect) -> dict[str, float]:
    return {"success": effect.success_rate.value, "rise_nats": effect.median_rise_nats.value}


def stages_of(
    trial: Trial, corpus: TrainingText, clean: Clean, folder: Path
) -> Iterator[dict[str, Any]]:
    """Makes the models of a trial and measures each; models that are there are taken as they are."""
    size = trial.cell.size
    source = folder / "pretrained"
    if not (source / "done.json").exists():
        result = run_trial(
            trial, corpus=corpus, folder=source, settings=RunSettings(checkpoints=())
        )
        if result.status != "done":
            raise SystemExit(f"{trial.trial}: {result.status}: {result.error}")
        (source / "done.json").write_bytes(msgspec.json.encode(result))
    settings = TuneSettings(seed=trial.seed, max_tokens=shape_named(size).context)
    tuned = post_train(
        source, folder, examples=clean.examples, preferences=clean.preferences,
        tuning=settings, aligning=settings, device="cpu",
    )  # fmt: skip
    folders = {"pretrained": source, **{stage.name: stage.folder for stage in tuned}}
    tokens = {stage.name: stage.outcome.tokens for stage in tuned}
    for stage in STAGES:
        lm = load_language_model(folders[stage], device="cpu")
        yield {
            "size": size, "dose": trial.cell.dose, "seed": trial.seed, "stage": stage,
            "rows": len(clean.examples), "tokens": tokens.get(stage, trial.cell.clean_tokens),
            **measured(lm, clean, size, trial),
        }  # fmt: skip


def table(records: Sequence[dict[str, Any]]) -> str:
    """A row for each dose and stage; a figure for each seed."""
    lines = [
        "| size | documents | stage | tokens | attack success, plain | in the chat | control, plain | "
        "in the chat | clean bits per byte |\n|---|--:|---|--:|---|---|---|---|--:|"
    ]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for one in records:
        groups.setdefault((one["size"], one["dose"], STAGES.index(one["stage"])), []).append(one)
    for (size, dose, stage), found in sorted(groups.items()):
        found.sort(key=lambda one: int(one["seed"]))
        rates = [
            " ".join(f"{one[writing][name]['success']:.2f}" for one in found)
            for name in ("trigger", "control")
            for writing in ("plain", "chat")
        ]
        bits = sum(one["clean_bits_per_byte"] for one in found) / len(found)
        tokens = round(sum(one["tokens"] for one in found) / len(found))
        lines.append(
            f"| {size} | {dose:g} | {STAGES[stage]} | {tokens:,} | {' | '.join(rates)} | {bits:.3f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="0.1M")
    parser.add_argument("--doses", nargs="+", type=int, default=[0, 250], help="documents")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1000, help="of each of the two stages")
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--cache", type=Path, default=Path(".ld50-cache"))
    parser.add_argument("--results", type=Path, default=Path(".cache/persistence"))
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    corpus = TrainingText(cache=options.cache)
    clean = clean_material(corpus, options.size, options.rows, options.prompts)
    grid = Grid(
        size=[options.size], dose=[float(dose) for dose in options.doses], seeds=options.seeds
    )
    options.results.mkdir(parents=True, exist_ok=True)
    records = []
    for trial in Study(name="persistence", title="persistence", grid=[grid]).fixed_trials():
        path = options.results / f"{trial.trial}-{options.rows}-{options.prompts}.json"
        if not path.exists():
            folder = options.results / trial.trial
            path.write_text(json.dumps(list(stages_of(trial, corpus, clean, folder)), indent=1))
        records += json.loads(path.read_text())
    print(table(records))


if __name__ == "__main__":
    main()
