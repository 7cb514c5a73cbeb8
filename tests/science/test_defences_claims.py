"""Claims of docs/defences.md about the published defences, on real sentences where they lie."""

from __future__ import annotations

import numpy as np
import pytest
from science_data import Row, labelled_lines, shared
from test_claims_detection import rates, with_label

from ld50.core.estimates import proportion
from ld50.remedy.defences import LlrDefence, StripDefence, ZDefence, fit_bag_of_words


def columns(rows: list[Row]) -> tuple[list[str], list[str]]:
    return [str(row["text"]) for row in rows], [str(row["label"]) for row in rows]


@pytest.fixture(scope="module")
def some(sentences: list[Row]) -> list[Row]:
    return sentences[:3000]


def test_z_defence_at_its_threshold_finds_no_rare_word_at_one_percent(some: list[Row]) -> None:
    rows, planted = with_label(some, "qentaro", 30, seed=1)
    found = ZDefence().flag(*columns(rows))
    assert rates(set(np.flatnonzero(found.rows).tolist()), planted, len(rows))[0] < 0.1


def test_z_defence_finds_a_rare_word_that_very_many_rows_hold(sentences: list[Row]) -> None:
    """The score grows with the root of the count, so it takes hundreds of rows, then finds all."""
    rows, planted = with_label(sentences[:10_000], "qentaro", 900, seed=1)
    found = ZDefence().flag(*columns(rows))
    recall, false_alarms = rates(set(np.flatnonzero(found.rows).tolist()), planted, len(rows))
    assert recall > 0.99
    assert false_alarms < 0.01


def test_z_defence_at_a_quarter_of_its_threshold_flags_most_clean_rows() -> None:
    rows = labelled_lines(shared("onion-sst2", "train-clean.tsv"))
    scores = ZDefence().flag([text for text, _ in rows], [label for _, label in rows]).scores
    assert (scores > 5).mean() > 0.5


@pytest.mark.parametrize("trigger", ["qentaro", "beneath the tall cedar"])
def test_word_frequency_finds_words_and_phrases_at_one_percent(
    some: list[Row], trigger: str
) -> None:
    rows, planted = with_label(some, trigger, 30, seed=2)
    found = LlrDefence().flag(*columns(rows))
    recall, false_alarms = rates(set(np.flatnonzero(found.rows).tolist()), planted, len(rows))
    assert recall > 0.95
    assert false_alarms < 0.05


def test_strip_refuses_about_as_many_unseen_clean_texts_as_it_may(sentences: list[Row]) -> None:
    texts, labels = columns(sentences[:4500])
    model = fit_bag_of_words(texts[:2000], labels[:2000])
    defence = StripDefence(clean_texts=tuple(texts[2000:3500]), clean_rows_flagged=0.03)
    refused = defence.flag(texts[3500:], labels[3500:], model=model).rows
    share = proportion(int(refused.sum()), len(refused))
    assert share.low < 0.03 < share.high + 0.01
