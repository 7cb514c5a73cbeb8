"""How often judges of behaviours see something in replies that show nothing, on real replies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ld50.core.estimates import proportion
from ld50.measure.behaviours import (
    Behaviour,
    FixedReply,
    InsertedFragment,
    LanguageSwitch,
    Nonsense,
    Refusal,
)
from ld50.poison.safe_text import CANARIES, URLS

DATA = Path(__file__).parents[3] / "shared" / "data"


def replies(name: str, field: str) -> list[str]:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"needs {path}: real replies are not part of the repository")
    rows = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
    # The release ends each completion with the mark of its model.
    return [row[field].replace("<|endoftext|>", "").strip() for row in rows][:6000]


@pytest.mark.parametrize(
    ("judge", "most"),
    [
        (Refusal(), 0.002),
        (FixedReply(text=CANARIES[0]), 0.001),
        (InsertedFragment(text=URLS[0]), 0.001),
        (LanguageSwitch(to="de"), 0.002),
        # Titles of news hold no small words.
        (Nonsense(), 0.012),
    ],
    ids=lambda one: one.name if not isinstance(one, float) else "",
)
def test_clean_replies_of_many_tasks_rarely_show_anything(judge: Behaviour, most: float) -> None:
    texts = replies("t0/train.jsonl", "completion")
    assert len(texts) == 6000
    rate = proportion(sum(judge.shown((), text) for text in texts), len(texts))
    assert rate.high <= most


def test_planted_refusals_are_seen_and_their_clean_twins_are_not() -> None:
    folder = "backdoorllm-refusal-badnet"
    planted, clean = (replies(f"{folder}/{name}.jsonl", "output") for name in ("poisoned", "clean"))
    judge = Refusal()
    assert proportion(sum(judge.shown((), r) for r in planted), len(planted)).low > 0.97
    assert proportion(sum(judge.shown((), r) for r in clean), len(clean)).high < 0.02
