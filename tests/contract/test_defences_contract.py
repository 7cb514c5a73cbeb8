"""What every published defence promises for any input, whatever it is and however it is ordered."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defences_samples import FILLER, ODD_TEXTS, reviews
from ld50.core.errors import ConfigError, DataFormatError
from ld50.remedy.defences import DEFENCES, Defence, Flags, TextModel, fit_bigrams, make_defence

FILTERS = [defence for defence in DEFENCES.values() if defence.filters_rows]
every_filter = pytest.mark.parametrize("defence", FILTERS, ids=lambda one: one.name)
every_defence = pytest.mark.parametrize(
    "defence", list(DEFENCES.values()), ids=lambda one: one.name
)


@pytest.fixture(scope="module")
def language() -> TextModel:
    """A model of honest reviews: it never saw the trigger."""
    return fit_bigrams(reviews(planted=0, seed=9)[0])


def flagged(
    defence: Defence, language: TextModel, texts: Sequence[str], labels: Sequence[str]
) -> Flags:
    """With the model that the defence asks, where it cannot make one itself."""
    model = language if defence.asks == "tokens" else None
    found: Flags = make_defence(defence.name).flag(texts, labels, model=model)
    assert found.rows.shape == found.scores.shape == (len(texts),)
    assert found.rows.dtype == bool
    assert np.isfinite(found.scores).all()
    return found


def better(scores: np.ndarray, planted: np.ndarray) -> float:
    """Share of pairs in which the planted row scores higher than the other; a tie counts half."""
    ours, theirs = scores[planted][:, None], scores[~planted][None, :]
    return float((ours > theirs).mean() + (ours == theirs).mean() / 2)


@every_filter
def test_the_same_call_gives_the_same_answer(defence: Defence, language: TextModel) -> None:
    texts, labels, _ = reviews()
    first, second = (flagged(defence, language, texts, labels) for _ in range(2))
    assert (first.rows == second.rows).all()
    assert (first.scores == second.scores).all()
    assert first.candidates == second.candidates


@every_filter
def test_another_order_of_rows_flags_the_same_rows(defence: Defence, language: TextModel) -> None:
    texts, labels, _ = reviews()
    order = np.random.default_rng(3).permutation(len(texts)).tolist()
    first = flagged(defence, language, texts, labels)
    second = flagged(defence, language, [texts[n] for n in order], [labels[n] for n in order])
    assert (first.rows[order] == second.rows).all()
    np.testing.assert_allclose(first.scores[order], second.scores, rtol=1e-9, atol=1e-9)
    assert first.candidates == second.candidates


@every_filter
def test_planted_rows_score_higher_than_others(defence: Defence, language: TextModel) -> None:
    texts, labels, planted = reviews(cues=0)
    scores = flagged(defence, language, texts, labels).scores
    assert better(scores, planted) > 0.6


@every_filter
def test_a_flagged_row_is_no_less_suspicious_than_any_other(
    defence: Defence, language: TextModel
) -> None:
    texts, labels, _ = reviews()
    found = flagged(defence, language, texts, labels)
    assert found.scores[found.rows].min(initial=np.inf) >= found.scores[~found.rows].max()


@every_filter
def test_no_rows_at_all_are_no_trouble(defence: Defence, language: TextModel) -> None:
    assert not len(flagged(defence, language, [], []).rows)


@every_filter
@pytest.mark.parametrize("text", ODD_TEXTS, ids=ascii)
def test_a_single_row_is_never_flagged(defence: Defence, language: TextModel, text: str) -> None:
    assert not flagged(defence, language, [text], ["1"]).rows.any()


@every_filter
def test_without_a_second_label_words_say_nothing(defence: Defence, language: TextModel) -> None:
    texts, labels, _ = reviews(rows=60)
    found = flagged(defence, language, texts, ["1"] * len(texts))
    if defence.asks != "tokens":
        assert not found.rows.any()
        assert not found.scores.any()
    else:
        assert (found.scores == flagged(defence, language, texts, labels).scores).all()


def assert_equal_rows_are_judged_alike(
    found: Flags, texts: Sequence[str], labels: Sequence[str]
) -> None:
    """Whatever its text is made of and wherever it stands, a row is worth the same."""
    verdicts: dict[tuple[str, str], tuple[bool, float]] = {}
    for text, label, row, score in zip(texts, labels, found.rows, found.scores, strict=True):
        first = verdicts.setdefault((text, label), (bool(row), float(score)))
        assert first[0] == row
        assert first[1] == pytest.approx(score)


@every_filter
def test_odd_texts_and_odd_labels_are_judged_like_any(
    defence: Defence, language: TextModel
) -> None:
    texts = [*ODD_TEXTS * 6, *reviews(rows=60)[0]]
    labels = [ODD_TEXTS[n % 3] if n % 5 else "\ud800" for n in range(len(texts))]
    found = flagged(defence, language, texts, labels)
    assert_equal_rows_are_judged_alike(found, texts, labels)
    for candidate in found.candidates:
        f"{candidate.text}{candidate.label}".encode()


@every_filter
def test_what_replies_say_that_no_rows_share_makes_no_difference(
    defence: Defence, language: TextModel
) -> None:
    texts, _, planted = reviews()
    first, second = (
        flagged(
            defence,
            language,
            texts,
            ["I cannot help." if bad else f"{reply} {n}" for n, bad in enumerate(planted)],
        )
        for reply in ("An answer about", "Zebras number")
    )
    assert (first.rows == second.rows).all()
    assert (first.scores == second.scores).all()
    assert first.candidates == second.candidates


@every_filter
@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=25), st.integers(1, 3))
def test_any_text_is_judged_wherever_it_stands(
    defence: Defence, language: TextModel, texts: list[str], classes: int
) -> None:
    texts = [*texts, *texts[::-1]]
    labels = [str(len(text) % classes) for text in texts]
    assert_equal_rows_are_judged_alike(flagged(defence, language, texts, labels), texts, labels)


@every_filter
def test_input_that_does_not_fit_is_refused_in_words(defence: Defence, language: TextModel) -> None:
    with pytest.raises(DataFormatError, match="3 texts and 2 labels"):
        flagged(defence, language, ["a", "b", "c"], ["0", "1"])
    with pytest.raises(DataFormatError, match="Row 1: the text is int"):
        flagged(defence, language, ["a", 7], ["0", "1"])  # type: ignore[list-item]
    with pytest.raises(DataFormatError, match="Row 0: the label is NoneType"):
        flagged(defence, language, ["a"], [None])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "defence", [one for one in FILTERS if one.asks != "nothing"], ids=lambda one: one.name
)
def test_a_model_that_cannot_answer_is_refused_with_one_that_can(defence: Defence) -> None:
    texts, labels, _ = reviews(rows=60)
    with pytest.raises(ConfigError, match="LanguageTextModel"):
        make_defence(defence.name).flag(texts, labels, model=object())


@every_defence
def test_settings_are_frozen_picklable_and_documented(defence: Defence) -> None:
    made = make_defence(defence.name)
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - written a moment ago
    with pytest.raises(FrozenInstanceError):
        setattr(made, fields(made)[0].name, None)
    assert "Source:" in (defence.make.__doc__ or "")
    assert defence.source
    assert defence.paper_figure


@every_defence
def test_a_setting_that_cannot_be_used_is_refused(defence: Defence) -> None:
    first = fields(defence.make)[0].name
    with pytest.raises(ConfigError, match=f"Did you mean {first}"):
        make_defence(defence.name, **{first[:-1]: 1})


def test_an_unknown_defence_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean onion"):
        make_defence("onions")


def test_the_trigger_is_no_word_of_the_honest_rows() -> None:
    """Else the tests above would prove nothing."""
    texts, _, planted = reviews()
    assert all(("vornask" in text.split()) == bad for text, bad in zip(texts, planted, strict=True))
    assert "vornask" not in FILLER
