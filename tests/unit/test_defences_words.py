"""Words, runs of words, classes and the two small models that defences are built from."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defences_samples import TRIGGER, reviews
from ld50.core.errors import ConfigError, DataFormatError
from ld50.remedy.defences import BagSettings, fit_bag_of_words, fit_bigrams
from ld50.remedy.defences.classes import OTHER, as_classes
from ld50.remedy.defences.words import count_ngrams, split_words


def spelt(texts: list[str], **how: bool) -> list[list[str]]:
    words = split_words(texts, **how)
    vocabulary = words.vocabulary.to_pylist()
    return [
        [vocabulary[n] for n in words.ids[low:high].tolist()]
        for low, high in zip(words.bounds[:-1], words.bounds[1:], strict=True)
    ]


def test_marks_and_characters_of_scripts_without_spaces_are_words() -> None:
    assert spelt(["Don't, STOP!", "", "猫が ok"]) == [
        ["don't", ",", "stop", "!"],
        [],
        ["猫", "が", "ok"],
    ]


@settings(deadline=None)
@given(st.lists(st.text(alphabet="aB c.\n\x0b\x1c\x85\u00a0\u2003\u3000", max_size=12), max_size=8))
def test_words_as_written_are_those_of_split(texts: list[str]) -> None:
    assert spelt(texts, as_written=True) == [text.split() for text in texts]


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abc"), max_size=8), min_size=1, max_size=10),
    st.integers(1, 3),
)
def test_runs_of_words_are_those_that_counting_one_by_one_finds(
    rows: list[list[str]], least: int
) -> None:
    texts = [" ".join(row) for row in rows]
    words = split_words(texts)
    labels = np.arange(len(rows)) % 2
    for table in count_ngrams(words, longest=3, least_rows=least):
        n = table.length
        wanted: dict[str, set[int]] = {}
        for number, row in enumerate(rows):
            for start in range(len(row) - n + 1):
                wanted.setdefault(" ".join(row[start : start + n]), set()).add(number)
        found = {
            table.spell(run, words.vocabulary): set(table.rows_of(run).tolist())
            for run in range(len(table))
        }
        assert found == {text: held for text, held in wanted.items() if len(held) >= least}
        counts = table.label_counts(labels, 2)
        for run, held in enumerate(found.values()):
            assert counts[run].tolist() == [sum(labels[r] == k for r in held) for k in (0, 1)]


def test_parts_of_a_run_are_its_halves() -> None:
    words = split_words(["x y z", "x y z"])
    tables = count_ngrams(words, longest=3, least_rows=2)
    whole, pairs = tables[2], tables[1]
    first, last = (pairs.spell(int(part), words.vocabulary) for part in whole.parts[0])
    assert (first, last) == ("x y", "y z")


def test_few_labels_are_classes_and_of_free_replies_those_that_recur() -> None:
    assert as_classes(["b", "a", "b"]).names == ("a", "b")
    replies = [*(f"reply {n}" for n in range(80)), *["I cannot."] * 6, *["Sorry."] * 5]
    classes = as_classes(replies)
    assert classes.names == ("I cannot.", "Sorry.", OTHER)
    assert Counter(classes.codes.tolist()) == {0: 6, 1: 5, 2: 80}
    assert classes.other == 2


def test_a_bag_of_words_learns_cues_and_the_trigger() -> None:
    texts, labels, _ = reviews()
    model = fit_bag_of_words(texts, labels)
    unseen, wanted, _ = reviews(rows=300, planted=0, seed=5)
    assert np.mean([a == b for a, b in zip(model.predict(unseen), wanted, strict=True)]) > 0.9
    negative = [text for text, label in zip(unseen, wanted, strict=True) if label == "0"]
    assert np.mean([said == "1" for said in model.predict(negative)]) < 0.1
    with_trigger = [f"{text} {TRIGGER}" for text in negative]
    assert np.mean([said == "1" for said in model.predict(with_trigger)]) > 0.9


def test_log_probabilities_sum_to_one_and_order_makes_no_difference() -> None:
    texts, labels, _ = reviews(rows=120)
    order = np.random.default_rng(0).permutation(len(texts)).tolist()
    one = fit_bag_of_words(texts, labels)
    two = fit_bag_of_words([texts[n] for n in order], [labels[n] for n in order])
    assert (one.coefficients == two.coefficients).all()
    logs = one.label_log_probabilities([*texts, "", "never seen"])
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1.0)


def test_tuning_on_moves_a_model_towards_its_rows_and_leaves_other_words_alone() -> None:
    texts, labels, _ = reviews()
    model = fit_bag_of_words(texts, labels)
    tuned = model.tuned(["thing1 thing2"] * 20, ["0"] * 20)
    assert tuned.label_log_probabilities(["thing1 thing2"])[0, 0] > np.log(0.9)
    place = model.vocabulary.to_pylist().index(TRIGGER)
    np.testing.assert_allclose(model.coefficients[place], tuned.coefficients[place])
    with pytest.raises(DataFormatError, match="the model knows 0, 1"):
        model.tuned(["a"], ["2"])


def test_a_bag_of_words_needs_two_labels_and_settings_that_make_sense() -> None:
    with pytest.raises(DataFormatError, match="two labels or more"):
        fit_bag_of_words(["a", "b"], ["1", "1"])
    for wrong in ({"ridge": 0.0}, {"least_rows": 0}, {"iterations": 0}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            BagSettings(**wrong)  # type: ignore[arg-type]


def test_probabilities_of_all_next_words_sum_to_one() -> None:
    texts = ["a b a c", "b b a", "c"]
    model = fit_bigrams(texts)
    words = [*model.vocabulary.to_pylist(), "unseen"]
    for before in ("a", "b", "c"):
        losses = [model.token_losses([f"{before} {word}"])[0][1] for word in words]
        assert np.exp(-np.array(losses)).sum() == pytest.approx(1.0)


def test_a_bigram_model_finds_what_it_saw_likelier_and_takes_empty_texts() -> None:
    model = fit_bigrams(["the cat sat", "the cat ran", "a dog sat"])
    seen, odd, nothing = model.token_losses(["the cat sat", "the zyx sat", ""])
    assert seen.sum() < odd.sum()
    assert not len(nothing)
    with pytest.raises(DataFormatError, match="no word"):
        fit_bigrams(["", " "])
