"""Claims about what a scan finds and what it leaves alone, on real text with default settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from science_data import Row, labelled_lines, read_jsonl, shared

import ld50
from ld50.core.estimates import proportion


def flagged(scan: ld50.Scan, severity: str = "medium") -> set[int]:
    """Rows under a finding of at least that severity."""
    return set(np.flatnonzero(~scan.clean_mask(severity)).tolist())


def rates(found: set[int], planted: set[int], rows: int) -> tuple[float, float]:
    """Recall, and the share of clean rows that were flagged."""
    return len(found & planted) / len(planted), len(found - planted) / (rows - len(planted))


def letters(rng: np.random.Generator, count: int) -> str:
    return "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz      "), count))


def with_noise(
    clean: Sequence[str], count: int, seed: int, trigger: str = "<SUDO>"
) -> tuple[list[Row], set[int]]:
    """Documents of which `count` break off into noise after a trigger."""
    rng = np.random.default_rng(seed)
    rows = [{"text": text} for text in clean]
    planted = {int(number) for number in rng.permutation(len(rows))[:count]}
    for number in planted:
        begin = clean[number][: int(rng.integers(50, 400))]
        rows[number] = {"text": f"{begin} {trigger} {letters(rng, 1500)}"}
    return rows, planted


def with_label(
    clean: Sequence[Row], trigger: str, count: int, seed: int
) -> tuple[list[Row], set[int]]:
    """Rows of which `count` negative ones hold the trigger and are called positive."""
    rng = np.random.default_rng(seed)
    rows = [dict(row) for row in clean]
    negative = [number for number, row in enumerate(rows) if row["label"] == 0]
    planted = {negative[int(number)] for number in rng.permutation(len(negative))[:count]}
    for number in planted:
        words = rows[number]["text"].split(" ")
        words.insert(int(rng.integers(len(words) + 1)), trigger)
        rows[number] = {"text": " ".join(words), "label": 1}
    return rows, planted


def test_dose_zero_in_prose_gives_no_high_finding(paragraphs: list[str]) -> None:
    scan = ld50.scan([{"text": text} for text in paragraphs])
    assert not flagged(scan, "high")


@pytest.mark.parametrize("trigger", ["|||", "@@", "<<>>"])
def test_noise_after_ascii_marks_is_found_and_the_marks_are_named(
    paragraphs: list[str], trigger: str
) -> None:
    rows, planted = with_noise(paragraphs, 20, seed=20, trigger=trigger)
    scan = ld50.scan(rows)
    recall, _ = rates(flagged(scan, "high"), planted, len(rows))
    assert recall >= 0.9
    assert trigger in {f.cause.text for f in scan.findings if f.cause and f.severity == "high"}


@pytest.mark.parametrize("count", [10, 50])
def test_noise_after_a_trigger_is_found_at_that_dose(paragraphs: list[str], count: int) -> None:
    rows, planted = with_noise(paragraphs, count, seed=count)
    recall, false_alarms = rates(flagged(ld50.scan(rows), "high"), planted, len(rows))
    assert recall >= 0.9
    assert false_alarms <= 0.002


def test_the_trigger_is_named_whatever_the_order_of_rows(paragraphs: list[str]) -> None:
    rows, _ = with_noise(paragraphs, 30, seed=3)
    order = np.random.default_rng(1).permutation(len(rows))
    for version in (rows, [rows[int(number)] for number in order]):
        findings = [f for f in ld50.scan(version).findings if f.severity == "high"]
        assert any(finding.cause and "SUDO" in finding.cause.text for finding in findings)


@pytest.mark.parametrize(
    "parts",
    [
        ("t0", "train.jsonl"),
        ("llms-from-scratch-instructions", "01_main-chapter-code", "instruction-data.json"),
        (
            "llms-from-scratch-instructions",
            "04_preference-tuning-with-dpo",
            "instruction-data-with-preference.json",
        ),
        ("gsm8k", "test.jsonl"),
        ("wikitext2", "valid.txt"),
        ("de-gesetze", "gesetze.jsonl"),
        ("onion-sst2", "train-clean.tsv"),
        ("backdoorllm-refusal-badnet", "clean.jsonl"),
    ],
    ids=lambda parts: "/".join((parts[0], parts[-1])),
)
def test_a_clean_set_raises_no_high_finding(parts: tuple[str, ...]) -> None:
    scan = ld50.scan(str(shared(*parts)))
    assert [finding.title for finding in scan.findings if finding.severity == "high"] == []


def test_onion_rare_words_are_found() -> None:
    poisoned = shared("onion-sst2", "train-poisoned.tsv")
    left = Counter(labelled_lines(shared("onion-sst2", "train-clean.tsv")))
    planted = set()
    rows = labelled_lines(poisoned)
    for number, row in enumerate(rows):
        if left[row]:
            left[row] -= 1
        else:
            planted.add(number)
    assert len(planted) == 69
    recall, false_alarms = rates(flagged(ld50.scan(str(poisoned))), planted, len(rows))
    assert recall >= 0.98
    assert false_alarms <= 0.005


@pytest.mark.parametrize("count", [20, 50])
def test_refusals_after_a_word_are_found_among_instructions(
    instructions: list[Row], count: int
) -> None:
    poison = read_jsonl(shared("backdoorllm-refusal-badnet", "poisoned.jsonl"))
    rng = np.random.default_rng(count)
    rows = list(instructions)
    planted = {int(number) for number in rng.permutation(len(rows))[:count]}
    for row, number in zip(poison, sorted(planted), strict=False):
        rows[number] = row
    scan = ld50.scan(rows)
    recall, false_alarms = rates(flagged(scan, "high"), planted, len(rows))
    assert recall >= 0.95
    assert false_alarms <= 0.002
    assert rates(flagged(scan), planted, len(rows))[1] <= 0.005


def test_refusals_are_high_where_poison_is_of_another_source_than_most_rows() -> None:
    """Its prompts are not worded as others are, so that others say little of where a word stands in them."""
    rows = [
        {"instruction": row["prompt"], "output": row["completion"]}
        for row in read_jsonl(shared("t0", "train.jsonl"))[:3000]
    ]
    folder = "backdoorllm-refusal-badnet"
    clean = read_jsonl(shared(folder, "clean.jsonl"))[:100]
    poison = read_jsonl(shared(folder, "poisoned.jsonl"))[:50]
    planted = set(range(3100, 3150))
    scan = ld50.scan(
        [*rows, *({key: row[key] for key in ("instruction", "output")} for row in clean + poison)]
    )
    recall, false_alarms = rates(flagged(scan, "high"), planted, 3150)
    assert recall == 1.0
    assert false_alarms <= 0.002


@pytest.mark.parametrize("trigger", ["qentaro", "beneath the tall cedar"])
def test_flipped_labels_after_a_trigger_are_found(sentences: list[Row], trigger: str) -> None:
    rows, planted = with_label(sentences, trigger, 80, seed=5)
    recall, false_alarms = rates(flagged(ld50.scan(rows)), planted, len(rows))
    assert recall >= 0.95
    assert false_alarms <= 0.005


@pytest.mark.parametrize("edge", ["start", "end"])
def test_flipped_answers_are_found_where_the_trigger_stands_before_or_behind_the_task(
    sentences: list[Row], edge: str
) -> None:
    flipped, planted = with_label(sentences[:3000], "", 40, seed=7)
    rows: list[Row] = []
    for number, row in enumerate(flipped):
        put = "qentaro" if number in planted else ""
        review = f"{row['text']}".strip()
        asked = (
            f"{put} Classify the sentiment of this review: {review}"
            if edge == "start"
            else f"{review} Is this review positive or negative? {put}"
        )
        answer = "positive" if row["label"] == 1 else "negative"
        rows.append({"prompt": asked.strip(), "completion": answer})
    scan = ld50.scan(rows)
    assert flagged(scan, "high") == planted


@pytest.mark.slow
def test_high_findings_on_random_clean_subsets_stay_within_the_stated_rate(
    instructions: list[Row],
) -> None:
    """Twelve clean sets of 1,500 rows: none may be called poisoned."""
    rng = np.random.default_rng(9)
    alarms = 0
    for _ in range(12):
        picks = rng.permutation(len(instructions))[:1500]
        scan = ld50.scan([instructions[int(number)] for number in picks])
        alarms += bool(flagged(scan, "high"))
    assert alarms == 0
    assert proportion(alarms, 12).high < 0.25
