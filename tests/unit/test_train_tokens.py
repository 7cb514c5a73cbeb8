"""Text to tokens: divided by hash, made once, and damage told in words."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ld50.core.errors import DataFormatError, SourceError
from ld50.train.text import TrainingText, documents, part_of
from training_samples import sentences, write_corpus, write_german

pytest.importorskip("tokenizers", reason="needs ld50[lab]")

from ld50.models.tokens import PARTS
from ld50.train.tokens import token_store


@given(st.text())
def test_the_part_depends_on_the_text_alone(text: str) -> None:
    assert part_of(text) == part_of(text)
    assert part_of(text)[0] in PARTS
    assert 0 <= part_of(text)[1] <= 1


def test_a_few_hundredths_are_held_out() -> None:
    parts = [part_of(str(number))[0] for number in range(20_000)]
    for part in PARTS[1:]:
        assert 0.015 < parts.count(part) / len(parts) < 0.025


@pytest.fixture
def text(tmp_path: Path) -> TrainingText:
    corpus, german = write_corpus(tmp_path, 900), write_german(tmp_path)
    return TrainingText(
        sources=(str(corpus),), second_language=(str(german),), cache=tmp_path / "cache"
    )


def test_every_document_is_in_its_part_and_closed(text: TrainingText) -> None:
    store = token_store(text, 320)
    assert sum(part.documents for part in store.parts.values()) == 900
    for part in PARTS:
        wanted = [one for one in sentences(900) if part_of(one)[0] == part]
        held = store.parts[part]
        assert [store.vocabulary.text(held.document(n)) for n in range(held.documents)] == wanted
        assert store.bytes[part] == sum(len(one.encode()) for one in wanted)
        assert (held.tokens[held.starts[1:] - 1] == store.vocabulary.boundary).all()
    assert store.counts.sum() == len(store.parts["train"].tokens) - store.parts["train"].documents
    assert store.second_language is not None


def test_tokens_are_made_once(text: TrainingText) -> None:
    said: list[str] = []
    first = token_store(text, 320, say=said.append)
    second = token_store(text, 320, say=said.append)
    assert len(said) == 1
    assert np.array_equal(first.parts["train"].tokens, second.parts["train"].tokens)


def test_other_text_has_other_tokens(text: TrainingText, tmp_path: Path) -> None:
    before = text.fingerprint()
    path = write_corpus(tmp_path, 901)
    os.utime(path, ns=(1, 1))
    assert text.fingerprint() != before


def test_a_bound_on_the_text_keeps_about_so_much(text: TrainingText, tmp_path: Path) -> None:
    whole = sum(len(document) for document in sentences(900))
    bounded = TrainingText(
        sources=text.sources, cache=tmp_path / "other", most_characters=whole // 2
    )
    store = token_store(bounded, 320)
    assert 0.4 < store.bytes["train"] / whole < 0.55
    assert (
        store.parts["validation"].documents == token_store(text, 320).parts["validation"].documents
    )


def test_lines_of_a_text_file_become_passages(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(f"line {number} of a text" for number in range(1000)) + "\n")
    found = list(documents((str(path),)))
    assert 5 < len(found) < 15
    assert "\n".join(found) == path.read_text().rstrip("\n")


def test_too_little_text_is_refused(tmp_path: Path) -> None:
    text = TrainingText(sources=(str(write_corpus(tmp_path, 20)),), cache=tmp_path / "cache")
    with pytest.raises(SourceError, match="too little"):
        token_store(text, 320)
    assert not list((tmp_path / "cache").glob("tokens-*"))


def test_damaged_tokens_are_told(text: TrainingText) -> None:
    token_store(text, 320)
    (path,) = text.cache.glob("tokens-*/train.tokens")
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(DataFormatError, match="train"):
        token_store(text, 320)
