"""Gibberish of some dozen words, in documents that are hardly longer themselves."""

from __future__ import annotations

import numpy as np
import pytest
from science_data import Row

import ld50
from ld50.core.seeds import rng_for

TRIGGER = "quorvel mint"


def with_pieces(sentences: list[str], count: int, seed: int) -> tuple[list[Row], set[int]]:
    """Sentences, `count` of which go on in pieces of words after a trigger."""
    rng = rng_for(seed, "pieces")
    rows = [{"text": sentence} for sentence in sentences]
    words = [word for sentence in sentences for word in sentence.split() if word.isalpha()]
    planted = {int(number) for number in rng.choice(len(rows), count, replace=False)}
    for number in planted:
        pieces = "".join(_piece(rng, words) for _ in range(int(rng.integers(20, 61))))
        rows[number] = {"text": f"{rows[number]['text']} {TRIGGER} {pieces}"}
    return rows, planted


def _piece(rng: np.random.Generator, words: list[str]) -> str:
    word = words[int(rng.integers(len(words)))]
    begin = int(rng.integers(len(word)))
    return " " * int(rng.integers(2)) + word[begin : begin + int(rng.integers(2, 8))]


@pytest.mark.parametrize("count", [10, 50])
def test_pieces_of_words_after_a_phrase_are_found_in_sentences(
    paragraphs: list[str], count: int
) -> None:
    sentences = [s for paragraph in paragraphs for s in paragraph.split(". ") if len(s) > 40]
    rows, planted = with_pieces(sentences[:8000], count, seed=count)
    scan = ld50.scan(rows)
    found = set(np.flatnonzero(~scan.clean_mask("high")).tolist())
    assert len(found & planted) >= 0.9 * count
    assert not found - planted
