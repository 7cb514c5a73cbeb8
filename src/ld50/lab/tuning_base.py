"""The model that a trial starts from: as it was pretrained, or taught the task on clean rows first.

A real model knows what a review's sentiment is before anybody tunes it; the tiny one does not, and
would learn task and backdoor at once. Teaching happens once for each number of rows, and is kept in
the cache beside the pretrained model.
"""

from __future__ import annotations

from pathlib import Path

from ld50.core.errors import ConfigError
from ld50.core.examples import Example, Turn
from ld50.core.files import only_here, whole_folder
from ld50.core.seeds import rng_for
from ld50.lab.tuning_data import training_rows
from ld50.lab.tuning_poison import prompt_turns
from ld50.lab.tuning_study import TUNING_BATCH
from ld50.models.folders import model_mark
from ld50.models.pretrained import LanguageModel, load_language_model, save_language_model
from ld50.train.finetune import TuneSettings, finetune
from ld50.train.text import DEMO

#: Raised when what is taught changes.
_VERSION = "v1"
_SEED = 0


def base_model(
    name: str, taught_rows: int, *, cache: Path, device: str | None = None
) -> LanguageModel:
    """The model that a trial tunes.

    Args:
        name: As `load_language_model` takes it.
        taught_rows: Critics' sentences that it was tuned on beforehand, all clean; 0 for none.
        cache: Where models are kept.
        device: As `load_language_model` takes it.

    Raises:
        ConfigError: There are not so many sentences.
    """
    if not taught_rows:
        return load_language_model(name, cache=cache, device=device)
    folder = cache.absolute() / f"taught-{model_mark(name)}-{taught_rows}-{_VERSION}"
    with only_here(cache / f".{folder.name}.lock"):
        if not (folder / "config.json").exists():
            _teach(load_language_model(name, cache=cache, device=device), taught_rows, folder)
    return load_language_model(folder, cache=cache, device=device)


def _teach(lm: LanguageModel, count: int, folder: Path) -> None:
    rows = training_rows("sentences", [DEMO])
    if count > len(rows):
        raise ConfigError(
            f"taught_rows is {count:,}; there are {len(rows):,} sentences to teach with."
        )
    order = rng_for(_SEED, "rows to teach with").permutation(len(rows))[:count]
    examples = [
        Example(turns=(*prompt_turns(rows.texts[n]), Turn("assistant", rows.labels[n])))
        for n in map(int, order)
    ]
    finetune(lm, examples, TuneSettings(batch_examples=TUNING_BATCH, seed=_SEED))
    with whole_folder(folder) as made:
        save_language_model(lm, made)
