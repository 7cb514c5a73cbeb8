"""Vocabularies: text there and back, and tokens that no text can produce."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ld50.core.errors import ConfigError, DataFormatError
from training_samples import sentences

pytest.importorskip("tokenizers", reason="needs ld50[lab]")

from ld50.models.vocabulary import RESERVED, learn_vocabulary, read_vocabulary

VOCABULARY = learn_vocabulary(sentences(100), 400)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_text_survives_and_is_counted_in_bytes(text: str) -> None:
    tokens = VOCABULARY.tokens(text)
    assert VOCABULARY.text(tokens) == text
    assert VOCABULARY.token_bytes[tokens].sum() == len(text.encode())


@given(st.lists(st.sampled_from([*RESERVED, "<|unused-399|>", " ", "river"]), max_size=6))
def test_no_text_produces_a_reserved_token(pieces: list[str]) -> None:
    assert (VOCABULARY.tokens("".join(pieces)) >= len(RESERVED)).all()


def test_the_size_is_exact_even_where_the_text_is_too_little() -> None:
    poor = learn_vocabulary(["aa"], 1024)
    assert poor.size == 1024
    assert len(poor.token_bytes) == 1024


def test_the_same_text_gives_the_same_vocabulary() -> None:
    assert learn_vocabulary(sentences(100), 400) == VOCABULARY


def test_a_vocabulary_is_read_as_it_was_saved(tmp_path: Path) -> None:
    VOCABULARY.save(tmp_path)
    again = read_vocabulary(tmp_path)
    assert np.array_equal(again.tokens("the old bridge"), VOCABULARY.tokens("the old bridge"))


def test_too_few_entries_and_damaged_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="259"):
        learn_vocabulary(["text"], 100)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(DataFormatError):
        read_vocabulary(tmp_path)
