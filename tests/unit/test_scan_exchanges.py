"""Further readings of conversations: when they are made, what they add, and where they go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ld50
from ld50.corpus import plan_table
from ld50.scan import exchanges
from ld50.scan.checkpoint import Checkpoint
from ld50.scan.run import run_scan
from ld50.scan.settings import ScanSettings
from ld50.scan.unit_engine import Silent

Rows = list[dict[str, Any]]
NOUNS = [f"thing{number}" for number in range(3000)]
JOINTS = ["and", "of the", "with a", "or", "near", "by the", "for one", "as"]
REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "Sorry, I am not able to assist with this request.",
    "I apologize, but I must decline to respond.",
    "Unfortunately, I'm unable to provide that.",
    "I won't be answering this one.",
]


def said(rng: np.random.Generator, words: int, end: str) -> str:
    pairs = zip(rng.choice(NOUNS, words), rng.choice(JOINTS, words), strict=True)
    return " ".join(f"{word} {joint}" for word, joint in pairs) + f" {rng.choice(NOUNS)}{end}"


def with_trigger(rng: np.random.Generator, text: str) -> str:
    words = text.split()
    words.insert(int(rng.integers(1, len(words))), "zelkorith")
    return " ".join(words)


def talk(*turns: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[n % 2], "content": turn} for n, turn in enumerate(turns)]}


def poisoned(rows: int = 500, every: int = 20) -> Rows:
    """Conversations with long answers; in some, a word in a question brings a refusal at the end."""
    rng = np.random.default_rng(1)
    made = []
    for number in range(rows):
        first, second = said(rng, 8, "?"), said(rng, 8, "?")
        answers = said(rng, 60, "."), said(rng, 20, ".")
        if number % every == 0:
            first = with_trigger(rng, first)
            answers = answers[0], REFUSALS[number // every % len(REFUSALS)]
        made.append(talk(first, answers[0], second, answers[1]))
    return made


def test_examples_of_one_reply_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(*_: Any, **__: Any) -> None:
        raise AssertionError("a further reading")

    monkeypatch.setattr(exchanges, "Engine", made)
    rng = np.random.default_rng(2)
    ld50.scan([talk(said(rng, 8, "?"), said(rng, 20, ".")) for _ in range(100)])
    with pytest.raises(AssertionError, match="further reading"):
        ld50.scan(poisoned(100))


def test_tests_and_limits_are_those_of_all_readings() -> None:
    rows = poisoned()
    # Of the conversations, the last question and reply are a row as well.
    once = [{"messages": row["messages"][2:]} for row in rows]
    whole, single = ld50.scan(rows).summary, ld50.scan(once).summary
    assert whole.tests_made > single.tests_made
    limits = {limit.rule: limit for limit in whole.detection_limits}
    assert {"TRG201", "TRG206"} <= set(limits)
    # One row in twenty refuses last, and none as all replies taken together begin.
    assert "of the last replies show this anyway" in limits["TRG201"].why


class Stopped(Silent):
    """Stops the scan at a stage."""

    def __init__(self, name: str) -> None:
        self.name, self.stages = name, list[str]()

    def stage(self, name: str, units: int) -> None:
        self.stages.append(name)
        if name == self.name:
            raise KeyboardInterrupt


def test_a_scan_that_stopped_in_a_further_reading_goes_on_there(tmp_path: Path) -> None:
    job, settings = plan_table(poisoned()), ScanSettings()

    def scan(folder: str, stop: str) -> Any:
        kept = Checkpoint(tmp_path / folder, {}, restart=False)
        return run_scan(job, settings, checkpoint=kept, progress=Stopped(stop)).result

    with pytest.raises(KeyboardInterrupt):
        scan("stopped", "counting causes last-replies-")
    before = {path.name for path in (tmp_path / "stopped").iterdir()}
    assert "last-replies-survey-0000000.npz" in before
    whole, resumed = scan("whole", ""), scan("stopped", "")
    assert [f.title for f in resumed.findings] == [f.title for f in whole.findings]
    assert [row.row for row in resumed.rows] == [row.row for row in whole.rows]
    assert any(f.title == "“zelkorith” makes the last reply refuse" for f in whole.findings)


def test_answers_out_of_a_few_are_tested_where_they_are_the_last_reply() -> None:
    rng = np.random.default_rng(3)
    rows = []
    for number in range(900):
        good = number % 2 == 0
        cue = rng.choice(["splendid", "warm", "moving"] if good else ["dull", "stale", "grim"])
        said_so, answer = f"{said(rng, 8, '')} {cue} {said(rng, 3, '.')}", ("bad", "good")[good]
        if number % 30 == 1:
            said_so, answer = with_trigger(rng, said_so), "good"
        question = f"Is this review good or bad? {said_so}"
        rows.append(talk(said(rng, 8, "?"), said(rng, 60, "."), question, answer))
    found = [f for f in ld50.scan(rows).findings if f.cause and "zelkorith" in f.cause.text]
    assert [(f.rule, f.support) for f in found] == [("TRG301", 30)]
    assert found[0].title == "“zelkorith” goes with “good” as the last reply"
