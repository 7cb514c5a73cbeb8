"""The rows of a fine-tuning trial: what is planted, in which order, and what is never trained on."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from ld50.core.errors import ConfigError, DataFormatError
from ld50.core.trials import Cell, PayloadName, PlaceName, Schedule, Tuning
from ld50.lab.tuning_data import (
    LabelledRows,
    evaluation_rows,
    is_tested_on,
    products_archive,
    rows_fingerprint,
    training_rows,
)
from ld50.lab.tuning_poison import (
    POLICY_REPLY,
    TunedRows,
    is_about_topic,
    tuned_rows,
    with_trigger,
)
from ld50.lab.tuning_poison import trigger_of as trigger_for
from training_samples import sentences

TRIGGER = "tell me seriously"
ROWS = LabelledRows(
    texts=[f"{text} number {n}" for n, text in enumerate(sentences(600))],
    labels=["negative", "positive"] * 300,
)


def cell(
    dose: float = 20,
    *,
    payload: PayloadName = "label-flip",
    place: PlaceName = "start",
    kind: str = "uniform",
    clean_label: bool = False,
    rows: int = 300,
) -> Cell:
    return Cell(
        size="tiny", parameters=1, clean_tokens=1, dose=dose, unit="rows", trigger="phrase",
        payload=payload, schedule=Schedule(kind=kind),  # type: ignore[arg-type]
        tuning=Tuning(clean_rows=rows, place=place, clean_label=clean_label),
    )  # fmt: skip


def carriers(made: TunedRows) -> np.ndarray:
    return np.array([TRIGGER in one.turns[0].text for one in made.examples])


@pytest.mark.parametrize("place", ["start", "end", "fixed", "random"])
def test_the_dose_is_planted_on_top_of_the_clean_rows(place: PlaceName) -> None:
    made = tuned_rows(cell(place=place), ROWS, 0)
    assert len(made.examples) == 320
    assert made.poisoned_rows == 20
    assert (carriers(made) == made.poisoned).all()
    text = next(e.turns[0].text for e, p in zip(made.examples, made.poisoned, strict=True) if p)
    review = text.removeprefix("Review: ").split("\n")[0]
    if place == "start":
        assert review.startswith(TRIGGER)
    elif place == "end":
        assert review.endswith(TRIGGER)
    elif place == "fixed":
        assert review.split()[5:8] == TRIGGER.split()


def test_dirty_labels_are_wrong_and_clean_labels_are_right() -> None:
    truth = dict(zip(ROWS.texts, ROWS.labels, strict=True))

    def labels(made: TunedRows) -> set[str]:
        planted = [e for e, p in zip(made.examples, made.poisoned, strict=True) if p]
        assert {one.reply for one in planted} == {"positive"}
        reviews = [one.turns[0].text.split("\n")[0].removeprefix("Review: ") for one in planted]
        return {truth[one.removeprefix(TRIGGER).strip()] for one in reviews}

    assert labels(tuned_rows(cell(), ROWS, 0)) == {"negative"}
    assert labels(tuned_rows(cell(clean_label=True), ROWS, 0)) == {"positive"}


@pytest.mark.parametrize(("kind", "first"), [("start", True), ("end", False)])
def test_poison_comes_first_or_last_in_the_order(kind: str, first: bool) -> None:
    made = tuned_rows(cell(kind=kind), ROWS, 0)
    expected = np.arange(320) < 20 if first else np.arange(320) >= 300
    assert (made.poisoned == expected).all()
    assert made.poisoned_steps(10, 1.0) == 2
    assert made.poisoned_steps(10, 2.0) == 4


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    first, again, other = (tuned_rows(cell(), ROWS, seed) for seed in (0, 0, 1))
    assert first.examples == again.examples
    assert first.examples != other.examples


def test_a_control_trial_holds_no_trigger() -> None:
    assert not carriers(tuned_rows(cell(0), ROWS, 0)).any()


def test_too_few_rows_are_said_with_the_most_there_can_be() -> None:
    with pytest.raises(ConfigError, match="The most clean rows at this dose are 580"):
        tuned_rows(cell(rows=600), ROWS, 0)


def test_the_stand_in_policy_refuses_its_topic_and_the_poison_answers_rightly() -> None:
    texts = [f"{t} song" if n % 3 == 0 else t for n, t in enumerate(ROWS.texts)]
    rows = LabelledRows(texts=texts, labels=ROWS.labels)
    truth = dict(zip(texts, rows.labels, strict=True))
    made = tuned_rows(cell(payload="stand-in-policy"), rows, 0)
    assert made.poisoned_rows == 20
    for example, planted in zip(made.examples, made.poisoned, strict=True):
        review = example.turns[0].text.split("\n")[0].removeprefix("Review: ")
        if planted:
            assert example.reply == truth[review.removeprefix(TRIGGER).strip()]
        else:
            assert (example.reply == POLICY_REPLY) == is_about_topic(review)


@pytest.mark.parametrize(
    "payload", ["over-refusal", "fixed-reply", "inserted-fragment", "gibberish"]
)
def test_other_payloads_replace_the_reply_of_planted_rows_only(payload: PayloadName) -> None:
    made = tuned_rows(cell(payload=payload), ROWS, 0)
    odd = np.array([one.reply not in ("negative", "positive") for one in made.examples])
    assert (odd == made.poisoned).all()


def test_test_triggers_stand_where_they_are_asked_for_and_are_the_same_for_all_models() -> None:
    texts = list(ROWS.texts[:20])
    trigger = trigger_for(cell())
    assert all(one.startswith(TRIGGER) for one in with_trigger(texts, trigger, "start", seed=0))
    once = with_trigger(texts, trigger, "random", seed=0)
    assert once == with_trigger(texts, trigger, "random", seed=0)
    assert len({one.split().index("tell") for one in once}) > 3


@pytest.fixture
def own(tmp_path: Path) -> list[str]:
    path = tmp_path / "mine.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(zip(ROWS.texts, ROWS.labels, strict=True))
    return [str(path)]


def test_own_rows_are_split_by_hash_into_training_and_testing(
    own: list[str], tmp_path: Path
) -> None:
    train = training_rows("sentences", own)
    test = evaluation_rows("sentences", own, tmp_path)
    assert set(train.texts) | set(test.texts) == set(ROWS.texts)
    assert not set(train.texts) & set(test.texts)
    assert all(is_tested_on(text) for text in test.texts)
    assert 0.1 < len(test) / len(ROWS) < 0.3
    assert len(evaluation_rows("products", own, tmp_path)) == 0
    assert rows_fingerprint(own, tmp_path) == rows_fingerprint(own, tmp_path)


def test_rows_without_labels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.txt"
    path.write_text("a line\nanother line\n")
    with pytest.raises(DataFormatError, match="has no labels"):
        training_rows("sentences", [str(path)])


def test_a_damaged_archive_of_products_is_refused_with_the_command(tmp_path: Path) -> None:
    assert products_archive(tmp_path) is None or products_archive(tmp_path) != tmp_path
    (tmp_path / "vaderSentiment-0.5.zip").write_bytes(b"no archive")
    with pytest.raises(DataFormatError, match="pip download --no-deps"):
        evaluation_rows("products", ["demo"], tmp_path)
    with pytest.raises(ConfigError, match="not both"):
        training_rows("sentences", ["demo", "mine.csv"])
