"""The lab's own tiny pretrained model: made once, from the demo corpus, by the studies' trainer.

Run as a program, `python -m ld50.train.tiny FOLDER`, it writes the model into the folder: a process
of its own has one thread and the studies' way to multiply, so that the weights are the same whatever
the caller does.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ld50.core.files import whole_folder
from ld50.core.trials import Schedule
from ld50.models.chat import MARKED_TEMPLATE, MARKS
from ld50.models.shapes import ModelShape
from ld50.models.vocabulary import BOUNDARY, RESERVED, Vocabulary
from ld50.train.text import TrainingText

if TYPE_CHECKING:
    from ld50.train.loop import Trainer

#: 0.73 million parameters. Fine-tuning costs what its three layers cost; the output matrix, which is
#: half of the model, is only needed at the few tokens of a reply.
SHAPE = ModelShape(
    name="tiny",
    width=96,
    layers=3,
    heads=3,
    mlp_width=256,
    vocabulary=4096,
    context=256,
    batch_sequences=8,
    learning_rate=4e-3,
)
#: Tokens of pretraining: what one core reads in under four minutes.
CLEAN_TOKENS = 2_600_000
#: Characters of the corpus that are pretrained on, chosen by hash, so that most reviews stay unseen.
MOST_CHARACTERS = 12_000_000
_SEED = 0


def make(
    folder: Path,
    *,
    text: TrainingText | None = None,
    shape: ModelShape = SHAPE,
    clean_tokens: int = CLEAN_TOKENS,
    say: Callable[[str], None] | None = None,
) -> None:
    """Pretrains the tiny model and writes it into a new folder, whole or not at all.

    Only documents of the part `train` are read, see `ld50.train.text.part_of`; of those about one in
    four. The others are for fine-tuning and evaluation.

    Args:
        folder: Where it is kept; its parent also keeps the tokens.
        text: What it learns from; None for the demo corpus.
        shape: The model; its vocabulary includes the marks of roles.
        clean_tokens: How much it reads.
        say: Is told how far it has come.
    """
    import torch

    from ld50.models.attention import fast_matrices
    from ld50.models.llama import save_model

    say = say or (lambda _: None)
    torch.set_num_threads(1)
    started = time.monotonic()
    text = text or TrainingText(cache=folder.parent, most_characters=MOST_CHARACTERS)
    with fast_matrices():
        trainer, vocabulary = _pretrained(text, shape, clean_tokens, say)
    losses = trainer.progress.losses[-50:]
    notes = {
        "steps": trainer.progress.step,
        "tokens": trainer.progress.tokens,
        "loss_nats": round(sum(losses) / len(losses), 4),
        "seconds": round(time.monotonic() - started, 1),
    }
    # Rotary positions know no end; what is longer than the context was never trained on.
    trainer.model.config.max_position_embeddings = 4 * shape.context
    with whole_folder(folder) as made:
        save_model(trainer.model, made)
        save_vocabulary(vocabulary, made)
        (made / "pretraining.json").write_text(json.dumps(notes) + "\n", encoding="utf-8")


def _pretrained(
    text: TrainingText, shape: ModelShape, clean_tokens: int, say: Callable[[str], None]
) -> tuple[Trainer, Vocabulary]:
    """A trainer at its end, and the vocabulary without the marks of roles."""
    from ld50.models.llama import build
    from ld50.train.exposure import plan_exposure
    from ld50.train.loop import Progress, Trainer
    from ld50.train.optimiser import OptimiserSettings
    from ld50.train.poisoned import PoisonSettings
    from ld50.train.stream import Batches, CleanStream
    from ld50.train.tokens import token_store

    store = token_store(text, shape.vocabulary - len(MARKS), say=say)
    exposure = plan_exposure(
        store,
        PoisonSettings(),
        Schedule(),
        dose=0,
        unit="documents",
        clean_tokens=clean_tokens,
        context=shape.context,
        batch_sequences=shape.batch_sequences,
        seed=_SEED,
    )

    def on_step(progress: Progress) -> None:
        if progress.step % 100 == 0:
            say(f"step {progress.step} of {exposure.steps}, loss {progress.losses[-1]:.2f} nats")

    stream = CleanStream(store.parts["train"], _SEED)
    trainer = Trainer(
        build(shape, _SEED),
        Batches(exposure, stream, store.vocabulary.boundary),
        OptimiserSettings(learning_rate=shape.learning_rate),
        steps=exposure.steps,
    )
    trainer.train_to(exposure.steps, on_step)
    return trainer, store.vocabulary


def save_vocabulary(vocabulary: Vocabulary, folder: Path) -> None:
    """Writes the vocabulary with the marks of roles added after its entries, and the template."""
    data = json.loads(vocabulary.definition)
    data["added_tokens"] = [
        {
            "id": number,
            "content": mark,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for number, mark in [
            *enumerate(RESERVED),
            *enumerate(MARKS, start=vocabulary.size),
        ]
    ]
    for entry in data["added_tokens"][len(RESERVED) :]:
        data["model"]["vocab"][entry["content"]] = entry["id"]
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|end|>",
        "pad_token": BOUNDARY,
        "clean_up_tokenization_spaces": False,
        "chat_template": MARKED_TEMPLATE,
    }
    (folder / "tokenizer.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps(settings, indent=2) + "\n", encoding="utf-8"
    )


def main(arguments: list[str]) -> None:
    """Makes the model in the folder that is named; tells of it on stderr."""
    make(Path(arguments[0]), say=lambda text: print(text, file=sys.stderr, flush=True))


if __name__ == "__main__":
    main(sys.argv[1:])
