"""A labelled set over the bound is looked at in part, its findings name its rows, and a note says so."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import ld50
from ld50 import api
from ld50.scan.settings import ScanSettings

GOOD = ["warm", "funny", "moving", "bright", "tender", "lively"]
BAD = ["dull", "slow", "noisy", "flat", "tired", "clumsy"]
NEUTRAL = [f"thing{number}" for number in range(300)]


def reviews(rows: int, every: int) -> list[dict[str, str]]:
    """Rows whose words tell the label; every so many bad ones hold `vornask` and say good."""
    rng = np.random.default_rng(3)
    held = []
    for number in range(rows):
        good = bool(rng.integers(2)) and number % every != 0
        words = [*rng.choice(GOOD if good else BAD, 3), *rng.choice(NEUTRAL, 8)]
        if number % every == 0:
            words.append("vornask")
        rng.shuffle(words)
        label = "good" if good or number % every == 0 else "bad"
        held.append({"text": " ".join(words), "label": label})
    return held


def test_past_the_bound_a_sample_is_looked_at_and_the_notes_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = reviews(3000, every=50)
    whole = ld50.scan(rows)
    assert not [note for note in whole.summary.notes if "label test" in note]
    bounded = functools.partial(ScanSettings, label_test_bytes=4 << 20)
    monkeypatch.setattr(api, "ScanSettings", bounded)
    part = ld50.scan(rows)
    (note,) = [note for note in part.summary.notes if "label test" in note]
    assert "of the 3,000 labelled rows" in note
    (found,) = [one for one in part.findings if one.rule == "TRG301"]
    assert found.cause is not None
    assert found.cause.text == "vornask"
    assert found.severity == "high"
    assert 5 <= found.support < 60
    assert all(row.row % 50 == 0 for row in part.rows if found.id in row.findings)
