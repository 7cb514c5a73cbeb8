"""The clean stream: every document once a pass, readable from anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_samples import tiny_store

pytest.importorskip("tokenizers", reason="needs ld50[lab]")

from ld50.train.stream import CleanStream

PART = tiny_store().parts["train"]
TOTAL = len(PART.tokens)
WHOLE = CleanStream(PART, 7).read(0, 3 * TOTAL)


@settings(deadline=None)
@given(st.integers(0, 2 * TOTAL), st.integers(0, TOTAL))
def test_any_stretch_is_the_same_however_it_is_read(start: int, length: int) -> None:
    assert np.array_equal(CleanStream(PART, 7).read(start, start + length), WHOLE[start:][:length])


def documents_of(tokens: np.ndarray) -> list[bytes]:
    return sorted(one.tobytes() for one in np.split(tokens, np.flatnonzero(tokens == 0) + 1))


def test_a_pass_holds_every_document_once_and_passes_differ() -> None:
    first, second = WHOLE[:TOTAL], WHOLE[TOTAL : 2 * TOTAL]
    assert documents_of(first) == documents_of(second) == documents_of(PART.tokens.astype(np.int64))
    assert not np.array_equal(first, second)


def test_seeds_give_other_orders() -> None:
    assert not np.array_equal(CleanStream(PART, 8).read(0, TOTAL), WHOLE[:TOTAL])
