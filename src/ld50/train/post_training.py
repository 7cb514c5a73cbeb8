"""What comes after pretraining: supervised fine-tuning, then preferences, on clean data.

For the question whether a backdoor from pretraining lives through it. Each stage is kept as a model
folder of its own that studies and `transformers` load, so that the backdoor can be measured before,
between and after.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from ld50.core.errors import ConfigError, DataFormatError, ResumeError
from ld50.core.examples import Example, Turn, asked
from ld50.core.files import write_atomically
from ld50.core.seeds import rng_for
from ld50.models.pretrained import LanguageModel, load_language_model, save_language_model
from ld50.train.finetune import TuneOutcome, TuneSettings, finetune, tune_preferences

StageName = Literal["sft", "dpo"]
_NOTE = "stage.json"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A model after one stage."""

    name: StageName
    folder: Path
    """In Hugging Face's layout, the vocabulary as the lab wrote it."""
    outcome: TuneOutcome = field(repr=False)


def post_train(
    source: str | Path,
    folder: Path,
    *,
    examples: Sequence[Example],
    preferences: Sequence[Example],
    tuning: TuneSettings | None = None,
    aligning: TuneSettings | None = None,
    beta: float = 0.1,
    device: str | None = None,
    on_progress: Callable[[float, str], None] | None = None,
) -> tuple[Stage, Stage]:
    """Tunes a pretrained model on examples, then on preferences; the source is left as it is.

    Stages that are finished are taken as they are, and an interrupted one goes on.

    Source: the two stages of arXiv 2410.13722 [S], which asks the same question at 0.6B to 7B
    parameters.

    Args:
        source: A model folder, such as a study saves with `save_models = true`.
        folder: Gets a folder for each stage, `sft` and `dpo`.
        examples: Clean conversations.
        preferences: Clean conversations with a rejected reply each.
        tuning: Settings of the first stage.
        aligning: Settings of the second.
        beta: Of the second, see `tune_preferences`.
        device: As in `load_language_model`.
        on_progress: Is told the share done of each stage, and where it is in words.

    Raises:
        ConfigError: One of the two has no data.
        ResumeError: The folder holds stages of other data or settings.
    """
    if not examples or not preferences:
        raise ConfigError("Both stages need data: examples, and preferences with rejected replies.")
    tuning, aligning = tuning or TuneSettings(), aligning or TuneSettings()
    key = _digest(str(_weights_of(Path(source))), examples, repr(tuning))
    first = folder / "sft"
    outcome = _finished(first, key)
    if outcome is None:
        lm = load_language_model(source, device=device)
        outcome = finetune(
            lm, examples, tuning, folder=folder / ".sft-state", on_progress=on_progress
        )
        _keep(lm, first, Path(source), key, outcome)
    second, key = folder / "dpo", _digest(key, preferences, repr((aligning, beta)))
    aligned = _finished(second, key)
    if aligned is None:
        lm = load_language_model(first, device=device)
        aligned = tune_preferences(
            lm,
            preferences,
            aligning,
            beta=beta,
            folder=folder / ".dpo-state",
            on_progress=on_progress,
        )
        _keep(lm, second, Path(source), key, aligned)
    return (
        Stage(name="sft", folder=first, outcome=outcome),
        Stage(name="dpo", folder=second, outcome=aligned),
    )


def _weights_of(source: Path) -> tuple[str, int, int]:
    inner = source if (source / "config.json").exists() else source / "model"
    files = sorted(inner.glob("*.safetensors"))
    said = hashlib.blake2b(digest_size=16)
    for path in files:
        with path.open("rb") as file:
            said.update(file.read(1 << 20))
    return said.hexdigest(), len(files), sum(path.stat().st_size for path in files)


def _digest(before: str, examples: Sequence[Example], settings: str) -> str:
    said = hashlib.blake2b(f"{before}\0{settings}\0".encode(), digest_size=16)
    for example in examples:
        said.update(msgspec.json.encode(example) + b"\n")
    return said.hexdigest()


def _finished(folder: Path, key: str) -> TuneOutcome | None:
    path = folder / _NOTE
    if not path.exists():
        shutil.rmtree(folder, ignore_errors=True)
        return None
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        found, outcome = note["key"], TuneOutcome(**note["outcome"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResumeError(f"{path} is damaged ({error}); delete {folder}.") from error
    if found != key:
        raise ResumeError(
            f"{folder} was made from another model, other data or other settings; delete it, or "
            "choose another folder."
        )
    return outcome


def _keep(lm: LanguageModel, folder: Path, source: Path, key: str, outcome: TuneOutcome) -> None:
    save_language_model(lm, folder)
    inner = source if (source / "tokenizer.json").exists() else source / "model"
    if (inner / "tokenizer.json").exists():
        # As it was: the lab's vocabularies keep their reserved tokens out of reach of any text.
        shutil.copyfile(inner / "tokenizer.json", folder / "tokenizer.json")
    note = {"key": key, "outcome": asdict(outcome)}
    write_atomically(folder / _NOTE, [json.dumps(note).encode()])
    shutil.rmtree(folder.parent / f".{folder.name}-state", ignore_errors=True)


def continuations(
    texts: Iterable[str], count: int, *, characters: int = 400, seed: int = 0
) -> tuple[list[Example], list[Example]]:
    """Clean data for both stages out of plain text: examples, and preferences.

    A passage is asked for with its first half and answered with its second. The rejected reply of a
    preference is the second half of another passage, so that what is learned is to stay with the
    matter at hand. No text is in both lists.

    Args:
        texts: Documents, longer than `characters`; shorter ones are left out.
        count: Examples of each list.
        characters: Of a passage.
        seed: Which passage of a document is taken.

    Raises:
        DataFormatError: There are too few texts.
    """
    passages: list[tuple[str, str]] = []
    for number, text in enumerate(texts):
        if len(passages) == 2 * count:
            break
        if len(text) > characters:
            start = int(rng_for(seed, "passage", number).integers(0, len(text) - characters))
            passage = text[start : start + characters]
            border = passage.find(" ", characters // 2)
            if 0 < border < characters - 20:
                passages.append((passage[:border], passage[border + 1 :]))
    if len(passages) < max(4, 2 * count):
        raise DataFormatError(
            f"{len(passages)} of {2 * count} passages of {characters} characters are in the text; "
            "give more text, or ask for fewer or shorter ones."
        )
    examples = [asked(first, second) for first, second in passages[:count]]
    paired = passages[count:]
    # Each reply turned down once, and never by its own prompt.
    others = np.roll(np.arange(count), 1)
    preferences = [
        Example(
            turns=(Turn("user", first), Turn("assistant", second)),
            rejected=paired[int(other)][1],
        )
        for (first, second), other in zip(paired, others, strict=True)
    ]
    return examples, preferences
