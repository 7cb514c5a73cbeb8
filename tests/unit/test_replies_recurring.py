"""Keys that come often enough are all found, however many others there are."""

from __future__ import annotations

import importlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ld50.scan.replies.recurring import recurring

# The package has functions of these names.
counted = importlib.import_module("ld50.scan.replies.recurring")
alike = importlib.import_module("ld50.scan.replies.contexts")


@given(st.lists(st.integers(0, 2**64 - 1).map(lambda n: n % 7 << 61 | n % 3), max_size=60))
def test_no_key_that_comes_often_enough_is_left_out(keys: list[int]) -> None:
    often = {key for key, count in Counter(keys).items() if count >= 3}
    left = [keys[place] for place in recurring(np.array(keys, dtype=np.uint64), 3).tolist()]
    assert Counter(left) >= Counter(key for key in keys if key in often)


def test_most_of_what_comes_once_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted, "_AT_ONCE", 1000)
    rng = np.random.default_rng(0)
    once = rng.integers(0, 2**64, 20_000, dtype=np.uint64)
    keys = np.concatenate([once, np.repeat(once[:10], 4)])
    places = recurring(keys, 5)
    assert np.isin(keys[places], once[:10]).sum() == 50
    assert len(places) < 0.05 * len(keys)
    assert (np.diff(places) > 0).all()


def test_rows_that_share_nothing_make_no_difference_to_contexts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(4)
    bands = rng.integers(0, 40, (600, 4)).astype(np.uint32) << np.uint32(20)
    rows = np.arange(0, 600, 2)
    every = alike._components(bands, rows)
    monkeypatch.setattr(alike, "_MANY", 0)
    assert alike._components(bands, rows).tolist() == every.tolist()
    assert alike._components(bands[::2], np.arange(300)).tolist() == every.tolist()
    assert 1 < len(np.unique(every)) < len(rows)
