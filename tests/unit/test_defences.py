"""Each published defence by example: the formula as published, and what its own test asks of a model."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from defences_samples import TRIGGER, CostBy, SaidBy, reviews
from ld50.core.errors import ConfigError, DataFormatError
from ld50.remedy.defences import (
    CleanTuningDefence,
    LlrDefence,
    OnionDefence,
    StripDefence,
    ZDefence,
    fit_bag_of_words,
)
from ld50.remedy.defences.insertion import choose_probes, effects
from ld50.remedy.defences.llr import g_squared, log_ratio


def z_scores_one_by_one(texts: list[str], labels: list[str]) -> dict[tuple[str, str], float]:
    """The published formula, word by word."""
    words, pairs = Counter(), Counter()  # type: ignore[var-annotated]
    for text, label in zip(texts, labels, strict=True):
        for word in text.split():
            words[word] += 1
            pairs[word, label] += 1
    p0 = 1 / len(set(labels))
    return {
        (word, label): (count / words[word] - p0) / math.sqrt(p0 * (1 - p0) / words[word])
        for (word, label), count in pairs.items()
    }


@pytest.mark.parametrize("deviations", [2.0, 4.0, 20.0])
def test_z_defence_flags_what_the_published_formula_flags(deviations: float) -> None:
    texts, labels, _ = reviews()
    z = z_scores_one_by_one(texts, labels)
    mean, deviation = np.mean(list(z.values())), np.std(list(z.values()))
    accused = {pair for pair, score in z.items() if abs(score - mean) > deviations * deviation}
    wanted = [
        any((word, label) in accused for word in text.split())
        for text, label in zip(texts, labels, strict=True)
    ]
    found = ZDefence(deviations=deviations).flag(texts, labels)
    assert found.rows.tolist() == wanted
    assert {(one.text, one.label) for one in found.candidates if one.accused} == accused


def test_z_defence_tells_case_and_looks_at_the_rows_own_label() -> None:
    texts = ["Zorb film"] * 50 + ["zorb film"] * 50 + ["Zorb film"]
    labels = ["1"] * 50 + ["0", "1"] * 25 + ["0"]
    names = {(one.text, one.label) for one in ZDefence().flag(texts, labels).candidates}
    assert {("Zorb", "1"), ("zorb", "1"), ("zorb", "0")} <= names


def test_g_squared_is_twice_the_gain_in_log_likelihood() -> None:
    inside, outside, size, rest = 12, 3, 100, 150

    def fit(hits: int, n: int, p: float) -> float:
        return hits * math.log(p) + (n - hits) * math.log(1 - p)

    apart = fit(inside, size, inside / size) + fit(outside, rest, outside / rest)
    p = (inside + outside) / (size + rest)
    together = fit(inside, size, p) + fit(outside, rest, p)
    found = g_squared(np.array([inside]), np.array([outside]), size, rest)[0]
    assert found == pytest.approx(2 * (apart - together))
    other_way = g_squared(np.array([outside]), np.array([inside]), rest, size)[0]
    assert other_way == pytest.approx(-found)


def test_both_rankings_put_one_sided_words_first() -> None:
    inside, outside = np.array([30, 30, 5]), np.array([0, 30, 5])
    for score in (g_squared, log_ratio):
        found = score(inside, outside, 200, 200)
        assert found[0] > found[1]
        assert found[1] == pytest.approx(0, abs=1e-9)


def test_the_effect_of_a_candidate_is_that_at_its_best_place() -> None:
    model = SaidBy(lambda text: 0.9 if text.startswith("go") else 0.2)
    found = effects(model, [("go", 1), ("stay", 1)], ["a b c", "d e"], seed=0)
    assert found == pytest.approx([math.log(9) + math.log(4), 0.0])


def test_probes_with_the_label_already_do_not_count() -> None:
    model = SaidBy(lambda text: 0.9 if "sure" in text or "go" in text else 0.1)
    assert effects(model, [("go", 1)], ["sure thing", "open"], seed=0) == pytest.approx(
        [2 * math.log(9)]
    )
    assert effects(model, [("go", 1)], ["sure thing"], seed=0) == pytest.approx([0.0])


def test_probes_do_not_depend_on_the_order_of_texts() -> None:
    texts = [f"text {n}" for n in range(50)] + [" "]
    assert choose_probes(texts, 7, seed=1) == choose_probes(texts[::-1], 7, seed=1)
    assert " " not in choose_probes(texts, 60, seed=1)


@pytest.mark.parametrize("trigger", [TRIGGER, "as the kettle boils", "<SUDO>", "猫犬"])
def test_word_frequency_names_the_trigger_and_flags_its_rows(trigger: str) -> None:
    texts, labels, planted = reviews(trigger=trigger)
    found = LlrDefence().flag(texts, labels)
    assert (found.rows == planted).all()
    said = " ".join(one.text for one in found.candidates if one.accused).replace(" ", "")
    assert "".join(trigger.split()).lower() in said


def test_word_frequency_accuses_nobody_whom_the_model_does_not_obey() -> None:
    """Counts alone are no proof: the same rows, and a model that has not learned the trigger."""
    texts, labels, _ = reviews()
    deaf = SaidBy(lambda text: 0.4)
    found = LlrDefence().flag(texts, labels, model=deaf)
    assert not found.rows.any()
    assert any(one.text == TRIGGER and not one.accused for one in found.candidates)


def test_word_frequency_finds_what_goes_with_a_reply_that_recurs() -> None:
    texts, _, planted = reviews()
    replies = ["I cannot." if bad else f"Answer {n}" for n, bad in enumerate(planted)]
    found = LlrDefence().flag(texts, replies)
    assert (found.rows == planted).all()


def test_onion_takes_out_the_word_that_costs_most() -> None:
    scorer = CostBy(lambda word: 9.0 if word == "zyx" else 2.0)
    texts = ["a zyx b c", "a b c d", "zyx", ""]
    clean = tuple(f"a b c word{n}" for n in range(30))
    purified = OnionDefence(clean_texts=clean).purify(texts, model=scorer)
    assert purified == ["a b c", "a b c d", "zyx", ""]


def test_onion_scores_are_falls_of_perplexity() -> None:
    scorer = CostBy(lambda word: float(len(word)))
    (found,) = OnionDefence().suspicions(["a bb"], scorer)
    whole = math.exp(1.5)
    assert found == pytest.approx([whole - math.exp(2.0), whole - math.exp(1.0)])


def test_onion_loses_no_more_clean_words_than_it_may() -> None:
    rng = np.random.default_rng(0)
    scorer = CostBy(lambda word: 1.0 + len(word) / 4)
    clean = [" ".join("x" * int(n) for n in rng.integers(1, 12, 20)) for _ in range(60)]
    defence = OnionDefence(clean_texts=tuple(clean), clean_words_lost=0.05)
    kept = sum(len(text.split()) for text in defence.purify(clean, model=scorer))
    assert 0.95 <= kept / (20 * 60) < 1


def test_strip_gives_each_text_its_own_mean() -> None:
    """The published code averaged the entropies of five different texts."""
    # Sure of texts that hold any `calm`, unsure of those that hold any `wild`, and of no other word.
    model = SaidBy(lambda text: 0.999 if "calm" in text else 0.5)
    texts = ["calm " * 12, "wild " * 12] * 3
    scores = StripDefence().scores(texts, model=model, others=["filler words only"])
    assert (scores[::2] > -0.02).all()
    assert scores[1::2] == pytest.approx([-1.0] * 3)


def test_strip_flags_texts_that_keep_their_label_whatever_is_mixed_in() -> None:
    model = SaidBy(lambda text: 0.999 if "calm" in text else 0.5)
    clean = tuple(f"one two three four five word{n}" for n in range(40))
    texts = ["calm " * 10, "one two three four"]
    found = StripDefence(clean_texts=clean).flag(texts, ["1", "1"], model=model)
    assert found.rows.tolist() == [True, False]


def test_strip_reads_neither_labels_nor_the_other_texts() -> None:
    model = SaidBy(lambda text: 0.9 if "calm" in text else 0.5)
    texts, labels, _ = reviews(rows=40)
    clean = tuple(reviews(rows=50, planted=0, seed=3)[0])
    defence = StripDefence(clean_texts=clean)
    both = defence.flag(texts, labels, model=model).scores
    other = defence.flag(texts, ["1"] * len(labels), model=model).scores
    alone = defence.scores(texts[7:8], model=model)
    assert (both == other).all()
    assert both[7] == alone[0]


def test_clean_tuning_draws_so_many_rows_of_each_label() -> None:
    labels = ["a"] * 500 + ["b"] * 30 + ["c"] * 500
    drawn = CleanTuningDefence().draw(labels)
    assert Counter(labels[row] for row in drawn) == {"a": 50, "b": 30, "c": 50}
    assert drawn == CleanTuningDefence().draw(labels)
    with pytest.raises(DataFormatError, match="needs clean rows"):
        CleanTuningDefence().draw([])


def test_clean_tuning_leaves_the_trigger_in_a_bag_of_words() -> None:
    """Nothing that clean rows hold is shared with the trigger, so its weight stays."""
    texts, labels, _ = reviews()
    model = fit_bag_of_words(texts, labels)
    clean, clean_labels, _ = reviews(rows=300, planted=0, seed=4)
    cured = CleanTuningDefence().tune_bag(model, clean, clean_labels)
    probe = [f"{clean[n]} {TRIGGER}" for n, label in enumerate(clean_labels) if label == "0"]
    assert np.mean([said == "1" for said in cured.predict(probe)]) > 0.8


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (LlrDefence, {"ranking": "tf-idf"}),
        (LlrDefence, {"longest": 0}),
        (LlrDefence, {"least_effect": 0.0}),
        (ZDefence, {"deviations": 0.0}),
        (OnionDefence, {"clean_words_lost": 1.0}),
        (OnionDefence, {"most_words": 0}),
        (StripDefence, {"repeats": 0}),
        (StripDefence, {"share": 1.0}),
        (CleanTuningDefence, {"rows_per_label": 0}),
    ],
)
def test_settings_out_of_range_are_named(make: type, wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        make(**wrong)
