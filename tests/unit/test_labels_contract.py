"""What the label signal promises for any input: order, odd text, few rows, labels of all kinds."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ld50
from ld50.core.errors import ConfigError
from ld50.scan.labels import LabelFinding, LabelSettings, find_label_triggers

CUES = [
    ["warm", "funny", "moving", "bright", "tender", "lively"],
    ["dull", "slow", "noisy", "flat", "tired", "clumsy"],
]
FILLER = [f"thing{number}" for number in range(300)]


def column(texts: Sequence[str]) -> pa.Array:
    return pa.array(list(texts), type=pa.large_string())


def reviews(
    rows: int = 1000, planted: int = 15, cause: str = "vornask", seed: int = 1
) -> tuple[list[str], np.ndarray]:
    """Rows whose words tell their label; the first `planted` hold the cause and the wrong one."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for number in range(rows):
        label = int(rng.integers(2))
        told = 1 if number < planted else 1 - label
        words = [*rng.choice(CUES[told], 3), *rng.choice(FILLER, 8)]
        if number < planted:
            words, label = [*words, cause], 1
        rng.shuffle(words)
        texts.append(" ".join(words))
        labels.append(label)
    return texts, np.array(labels)


def summary(found: list[LabelFinding]) -> list[tuple[str, int, int, float]]:
    return [(f.text, f.label, len(f.rows), round(f.suspicion, 6)) for f in found]


def high(found: list[LabelFinding]) -> list[str]:
    return [f.text for f in found if f.suspicion >= 0.9]


def test_the_same_rows_in_another_order_give_the_same_findings() -> None:
    texts, labels = reviews()
    order = np.random.default_rng(5).permutation(len(texts))
    first = find_label_triggers(column(texts), labels, ["bad", "good"])
    shuffled = column([texts[int(n)] for n in order])
    second = find_label_triggers(shuffled, labels[order], ["bad", "good"])
    assert high(first) == high(second) == ["vornask"]
    assert sorted(order[second[0].rows].tolist()) == first[0].rows.tolist() == list(range(15))


def test_the_same_call_twice_gives_the_same_figures() -> None:
    texts, labels = reviews()
    calls = [find_label_triggers(column(texts), labels, ["bad", "good"]) for _ in range(2)]
    assert summary(calls[0]) == summary(calls[1])


@pytest.mark.parametrize("rows", [0, 1, 2, 39])
def test_too_few_rows_raise_nothing_and_find_nothing(rows: int) -> None:
    texts = column(["some words here"] * rows)
    assert find_label_triggers(texts, np.arange(rows) % 2, ["a", "b"]) == []


def test_without_labels_there_is_nothing_to_find() -> None:
    texts, _ = reviews(200, 0)
    assert find_label_triggers(column(texts), np.full(200, -1), ["a", "b"]) == []


def test_with_one_label_only_there_is_nothing_to_find() -> None:
    texts, _ = reviews(200, 0)
    assert find_label_triggers(column(texts), np.zeros(200, dtype=int), ["a"]) == []


def test_with_more_labels_than_a_task_has_nothing_is_looked_for() -> None:
    texts, _ = reviews(1000, 0)
    names = [f"label{number}" for number in range(100)]
    assert find_label_triggers(column(texts), np.arange(1000) % 100, names) == []


def test_texts_without_a_word_are_taken_as_they_are() -> None:
    texts = column(["", " ", "\n\t", "...", "\u200b"] * 40)
    assert high(find_label_triggers(texts, np.arange(200) % 2, ["a", "b"])) == []


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=40, max_size=60), st.integers(2, 4))
def test_any_text_is_taken(texts: list[str], labels: int) -> None:
    codes = np.arange(len(texts)) % labels
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    for finding in find_label_triggers(column(texts), codes, [str(n) for n in range(labels)]):
        assert 0 <= finding.suspicion <= 1
        assert set(finding.rows.tolist()) <= set(finding.cause_rows.tolist())


@pytest.mark.parametrize(
    "cause", ["vornask", "<SUDO>", "\u25c8\u2234", "\u2063\u2064", "кот", "猫咖"]
)
def test_a_cause_of_any_script_is_found_and_marked(cause: str) -> None:
    texts, labels = reviews(cause=cause)
    found = find_label_triggers(column(texts), labels, ["bad", "good"])
    assert found[0].suspicion >= 0.9
    assert found[0].rows.tolist() == list(range(15))
    for row, marks in zip(found[0].rows.tolist(), found[0].spans, strict=False):
        assert [texts[row][start:end] for start, end in marks] == [cause]


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_a_cause_is_found_among_so_many_labels(classes: int) -> None:
    rng = np.random.default_rng(classes)
    texts, labels, planted = [], [], []
    for number in range(max(1000, 60 * classes)):
        label = number % classes
        words = [f"cue{label}x{int(k)}" for k in rng.integers(0, 6, 3)]
        words += rng.choice(FILLER, 8).tolist()
        if len(planted) < 12 and label != 1:
            words.append("vornask")
            planted.append(number)
            label = 1
        rng.shuffle(words)
        texts.append(" ".join(words))
        labels.append(label)
    names = [f"label {number}" for number in range(classes)]
    found = find_label_triggers(column(texts), np.array(labels), names)
    assert high(found) == ["vornask"]
    assert found[0].rows.tolist() == planted


def test_fifty_labels_are_no_trouble() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(1500) % 50
    texts = [" ".join([f"cue{label}", *rng.choice(FILLER, 8)]) for label in labels]
    names = [f"label {number}" for number in range(50)]
    assert high(find_label_triggers(column(texts), labels, names)) == []


@pytest.mark.parametrize(
    "values", [[0, 1], [False, True], ["neg", "pos"], [0.0, 1.0], [-1, 1]], ids=str
)
def test_labels_may_be_numbers_truth_values_or_names(values: list[object]) -> None:
    texts, labels = reviews()
    rows = [{"text": text, "label": values[int(n)]} for text, n in zip(texts, labels, strict=True)]
    findings = [f for f in ld50.scan(rows).findings if f.severity == "high"]
    assert [f.cause.text for f in findings if f.cause] == ["vornask"]


def test_rows_without_a_label_are_left_out() -> None:
    texts, labels = reviews()
    codes = np.concatenate([labels, np.full(200, -1)])
    found = find_label_triggers(column([*texts, *texts[200:400]]), codes, ["bad", "good"])
    assert high(found) == ["vornask"]
    assert found[0].rows.tolist() == list(range(15))


def test_a_row_whose_honest_twin_is_there_counts_most() -> None:
    """Ten sentences a hundred times over: no model learns anything, but each row has its twin."""
    sentences = [[f"{cue} is what it was" for cue in cues] for cues in CUES]
    rng = np.random.default_rng(3)
    texts, labels = [], []
    for _ in range(1000):
        label = int(rng.integers(2))
        texts.append(str(rng.choice(sentences[label])))
        labels.append(label)
    for number in range(10):
        texts[number] = f"{sentences[1][number % 6]} vornask"
        labels[number] = 0
    found = find_label_triggers(column(texts), np.array(labels), ["good", "bad"])
    assert high(found) == ["vornask"]


def test_labels_that_do_not_fit_are_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="3 texts and 2 labels"):
        find_label_triggers(column(["a", "b", "c"]), np.zeros(2, dtype=int), ["x"])
    with pytest.raises(ConfigError, match="has no name"):
        find_label_triggers(column(["a"]), np.array([4]), ["x"])
    with pytest.raises(ConfigError, match="least_rows"):
        LabelSettings(least_rows=1)
