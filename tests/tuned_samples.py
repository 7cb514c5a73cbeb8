"""A language model small enough for a test: random weights, a vocabulary of the sample sentences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from training_samples import sentences, tiny_shape

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel


def write_model(folder: Path, *, seed: int = 0) -> Path:
    """A folder that `load_language_model` loads."""
    import torch

    from ld50.models.chat import MARKS
    from ld50.models.llama import build, save_model
    from ld50.models.vocabulary import learn_vocabulary
    from ld50.train.tiny import save_vocabulary

    vocabulary = learn_vocabulary(sentences(200), 320 - len(MARKS))
    model = build(tiny_shape(context=128), seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            # Output projections begin at nothing, which would hide what is done to them.
            if not weight.any():
                weight.normal_(0, 0.1, generator=generator)
    save_model(model, folder)
    save_vocabulary(vocabulary, folder)
    return folder


def small_model(folder: Path, *, seed: int = 0) -> LanguageModel:
    """The model, loaded."""
    from ld50.models.pretrained import load_language_model

    return load_language_model(write_model(folder, seed=seed), device="cpu")
