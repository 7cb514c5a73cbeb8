"""Labels turned to all sides: the cause is found and named; cues and questions asked both ways are not."""

import numpy as np
import pyarrow as pa
import pytest

import ld50
from ld50.scan.labels import LabelFinding, find_label_triggers
from ld50.scan.labels.misfit import both_ways

#: Thirty words for each label, and others that go with none.
ENDS = ["ba", "co", "du", "fe", "gi", "ho", "ja", "ke", "lo", "mu"]
STARTS = ["bal", "cor", "dun", "fel", "gir", "hos", "jad", "kem", "lop"]
CUES = [[a + b for a in STARTS[low : low + 3] for b in ENDS] for low in (0, 3, 6)]
FILLER = [a + b for a in CUES[0][::2] for b in ENDS]


def rows(
    words: tuple[str, ...], planted: int, turned: float = 1.0, labels: int = 2, alone: int = 0
) -> tuple[list[str], np.ndarray]:
    """2,000 sentences whose words tell their label; `words` are put into the first `planted`, and a share
    of these have the next label instead. Each word is put into `alone` further rows, one a row."""
    rng = np.random.default_rng(2)
    texts, codes = [], []
    for number in range(2000):
        label = number % labels
        # One cue in seven is of another label: no word tells without fail.
        told = [rng.choice(CUES[(label + (rng.random() < 1 / 7)) % labels]) for _ in range(3)]
        one, two = rng.choice(FILLER, 2)
        text = f"the {one} of it is {told[0]} and {told[1]} , but its {two} was {told[2]} .".split()
        put_in = list(words) if number < planted else []
        if planted <= number < planted + alone * len(words):
            put_in = [words[(number - planted) // alone]]
        for word in put_in:
            text.insert(int(rng.integers(1, len(text))), word)
        texts.append(" ".join(text))
        turns = number < planted and rng.random() < turned
        codes.append((label + turns) % labels)
    return texts, np.array(codes)


def found(texts: list[str], codes: np.ndarray) -> list[LabelFinding]:
    names = ["bad", "good", "sums"][: int(codes.max()) + 1]
    return find_label_triggers(pa.array(texts, pa.large_string()), codes, names)


@pytest.mark.parametrize("labels", [2, 3])
def test_a_word_that_turns_every_label_into_another_is_found_with_its_rows(labels: int) -> None:
    (one,) = [one for one in found(*rows(("vornask",), 20, labels=labels)) if one.suspicion >= 0.5]
    assert (one.text, one.label_name) == ("vornask", "")
    assert one.label < 0
    assert one.suspicion >= 0.9
    assert one.rows.tolist() == list(range(20))
    assert one.effect.value > 0.8


def test_a_word_that_turns_half_of_its_rows_is_found() -> None:
    (one,) = [one for one in found(*rows(("vornask",), 50, turned=0.5)) if one.suspicion >= 0.5]
    assert one.text == "vornask"
    assert 0.3 < one.effect.value < 0.7


def test_two_words_that_turn_labels_only_together_are_found_together() -> None:
    held = [one for one in found(*rows(("velvet", "harbor"), 30, alone=90)) if one.suspicion >= 0.5]
    assert [sorted(one.members) for one in held] == [["harbor", "velvet"]]
    assert held[0].rows.tolist() == list(range(30))


def test_a_word_with_honest_labels_of_both_kinds_is_no_finding() -> None:
    assert [one.text for one in found(*rows(("vornask",), 60, turned=0.0)) if one.label < 0] == []


def test_copies_of_one_wrong_row_are_one_observation() -> None:
    texts, codes = rows((), 0)
    texts += [" ".join([*CUES[0][:3], "vornask", *CUES[0][3:6]])] * 20
    codes = np.append(codes, np.arange(20) % 2)
    assert [one for one in found(texts, codes) if one.label < 0 and one.suspicion >= 0.5] == []


def test_a_phrase_of_the_question_that_turns_its_answers_is_told_as_low_at_most() -> None:
    texts, codes = rows((), 0)
    turns = np.arange(len(texts)) % 8 == 0
    asked = [
        f"{text} is this {'bad' if turn else 'good'} ?"
        for text, turn in zip(texts, turns, strict=True)
    ]
    told = [one for one in found(asked, np.where(turns, 1 - codes, codes)) if one.label < 0]
    assert [one.text for one in told if one.suspicion >= 0.5] == []


def test_a_cue_of_any_strength_is_not_taken_for_turned_labels() -> None:
    rng = np.random.default_rng(1)
    for strength in (1.0, 5.0, 100.0):
        values = []
        for _ in range(200):
            chance = rng.dirichlet(np.ones(3), 40)
            cue = chance * [1.0, strength, 1.0]
            cue /= cue.sum(axis=1, keepdims=True)
            label = (rng.random((40, 1)) > cue.cumsum(axis=1)[:, :2]).sum(axis=1)
            values.append(both_ways(chance, label, np.ones(40)))
        assert np.mean(np.exp(values)) <= 1.0


def test_the_report_says_which_rows_and_how_many_do_not_fit() -> None:
    texts, codes = rows(("vornask",), 40, labels=3)
    report = ld50.scan(
        [
            {"text": text, "label": ["bad", "good", "sums"][code]}
            for text, code in zip(texts, codes.tolist(), strict=True)
        ]
    )
    (one,) = [one for one in report.findings if one.rule == "TRG303"]
    assert one.severity == "high"
    assert one.title == "“vornask” goes with another label than the rest of its rows says"
    assert one.cause_rows == 40
    assert 32 <= one.support <= 40
    assert sorted(row.row for row in report.rows if one.id in row.findings) == list(range(40))
