"""A small corpus of invented sentences, and what tests of training share."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path

import numpy as np

from ld50.core.trials import Cell, Schedule, Trial
from ld50.models.shapes import ModelShape, shape_named
from ld50.models.tokens import PARTS, TokenSet, TokenStore
from ld50.models.vocabulary import learn_vocabulary

ENGLISH_TEXT = """
the river ran under an old stone bridge while seven boats drifted past a quiet mill and nobody on
the shore counted them because evening had come early and lamps were lit along every street where
children played with wooden hoops until their mothers called from open windows that supper was
ready bread soup apples cheese and warm milk for all who were home
"""
GERMAN_TEXT = """
der Fluss lief unter einer alten Brücke durch während sieben Boote an der stillen Mühle vorbei
trieben und niemand am Ufer zählte sie weil der Abend früh gekommen war
"""
WORDS, GERMAN = ENGLISH_TEXT.split(), GERMAN_TEXT.split()


def sentences(count: int, words: list[str] = WORDS, seed: int = 0) -> list[str]:
    """Documents of 40 to 160 words."""
    rng = random.Random(seed)
    return [" ".join(rng.choices(words, k=rng.randint(40, 160))) + "." for _ in range(count)]


def write_corpus(folder: Path, count: int = 400) -> Path:
    """The same as a file of documents."""
    path = folder / "clean.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in sentences(count)))
    return path


def write_german(folder: Path) -> Path:
    """Text for a language switch."""
    path = folder / "german.jsonl"
    texts = sentences(40, GERMAN)
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def tiny_shape(**changes: object) -> ModelShape:
    """A model that trains in milliseconds."""
    fields: dict[str, object] = {
        "name": "tiny",
        "width": 16,
        "layers": 2,
        "heads": 2,
        "mlp_width": 24,
        "vocabulary": 320,
        "context": 64,
        "batch_sequences": 4,
        "learning_rate": 5e-3,
    }
    return ModelShape(**(fields | changes))  # type: ignore[arg-type]


@cache
def tiny_store(vocabulary_size: int = 320) -> TokenStore:
    """Tokens in memory, each part a hundred documents."""
    vocabulary = learn_vocabulary(sentences(200), vocabulary_size)
    parts = {
        part: _token_set([*vocabulary.encode(sentences(100, seed=at + 1))])
        for at, part in enumerate(PARTS)
    }
    counts = np.bincount(parts["train"].tokens, minlength=vocabulary.size)
    counts[vocabulary.boundary] = 0
    return TokenStore(
        vocabulary=vocabulary,
        parts=parts,
        second_language=_token_set([*vocabulary.encode(sentences(40, GERMAN))]),
        fingerprint="tiny",
        bytes=dict.fromkeys(PARTS, 1),
        counts=counts,
    )


def _token_set(documents: list[np.ndarray]) -> TokenSet:
    closed = [np.append(tokens, 0) for tokens in documents]
    return TokenSet(
        tokens=np.concatenate(closed).astype(np.uint16),
        starts=np.cumsum([0, *map(len, closed)]).astype(np.int64),
    )


def trial(dose: float = 5, *, seed: int = 0, clean_tokens: int = 20_000, **cell: object) -> Trial:
    """A trial of the smallest preset, on few tokens."""
    size = shape_named("0.05M")
    fields: dict[str, object] = {"schedule": Schedule()} | cell
    return Trial(
        trial=f"t-{dose:g}-{seed}",
        seed=seed,
        cell=Cell(
            size=size.name,
            parameters=size.parameters,
            clean_tokens=clean_tokens,
            dose=dose,
            **fields,  # type: ignore[arg-type]
        ),
    )
