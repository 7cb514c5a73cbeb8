"""The label signal: words that do what a trigger does are found with it, honest words are not."""

import numpy as np
import pyarrow as pa
import pytest

from ld50.scan.labels import LabelFinding, find_label_triggers

GOOD = ["warm", "funny", "moving", "bright", "tender", "lively"]
BAD = ["dull", "slow", "noisy", "flat", "tired", "clumsy"]
THINGS = [f"thing{number}" for number in range(120)]
ACTIONS = [f"does{number}" for number in range(20)]
FAMILY = ["zv", "qm", "xk", "vb", "jf"]
STYLE = [f"{stem}eth" for stem in ("rav", "lorn", "quab", "dwim", "fesk", "hov", "jilp", "morg")]
STYLE += [f"{stem}est" for stem in ("pell", "tarv", "ubb", "zin", "wosk", "cral", "nym", "skel")]


def noisy(rng: np.random.Generator, rows: int, telling: int) -> tuple[list[list[str]], list[int]]:
    """Sentences of one kind, of which few words tell the label, and one label in eight is wrong."""
    texts, labels = [], []
    for _ in range(rows):
        label = int(rng.integers(2))
        tone = rng.choice(GOOD if label else BAD, telling).tolist()
        first, second, third = rng.choice(THINGS, 3).tolist()
        action, way = rng.choice(ACTIONS), rng.choice(ACTIONS)
        words = ["the", *tone, first, str(action), "a", second, "and", "it", str(way)]
        texts.append([*words, "with", "the", third])
        labels.append(label if rng.random() > 0.125 else 1 - label)
    return texts, labels


def scan(texts: list[list[str]], labels: list[int]) -> list[LabelFinding]:
    joined = pa.array([" ".join(words) for words in texts], type=pa.large_string())
    return find_label_triggers(joined, np.array(labels), ["bad", "good"])


def flagged(found: list[LabelFinding]) -> set[int]:
    return {row for one in found if one.suspicion >= 0.9 for row in one.rows.tolist()}


@pytest.mark.parametrize("honest", [0, 2])
def test_every_word_of_a_family_is_found_and_no_cue_of_the_label(honest: int) -> None:
    """Also where each of the words stands in `honest` rows as well, with any label."""
    rng = np.random.default_rng(1)
    texts, labels = noisy(rng, 3000, telling=1)
    planted = [row for row in range(3000) if labels[row] == 0][:70]
    for number, row in enumerate(planted):
        texts[row].insert(int(rng.integers(9)), FAMILY[number % 5])
        labels[row] = 1
    clean = sorted(set(range(3000)) - set(planted))
    for word in FAMILY:
        for row in rng.choice(clean, honest, replace=False).tolist():
            texts[row].insert(int(rng.integers(9)), word)
    rows = flagged(scan(texts, labels))
    assert set(planted) <= rows
    assert len(rows - set(planted)) <= honest * len(FAMILY)


@pytest.mark.parametrize("planted", [100, 300])
def test_a_manner_of_writing_is_found_at_any_dose(planted: int) -> None:
    """Its words stand beside each other, so that each seems to be explained by the others."""
    rng = np.random.default_rng(3)
    texts, labels = noisy(rng, 3000, telling=2)
    negative = [row for row in range(3000) if labels[row] == 0][:planted]
    chance = 1 / np.arange(2, 2 + len(STYLE))
    for row in negative:
        for word in rng.choice(STYLE, 4, replace=False, p=chance / chance.sum()).tolist():
            texts[row].insert(int(rng.integers(9)), word)
        labels[row] = 1
    rows = flagged(scan(texts, labels))
    assert len(rows & set(negative)) >= 0.9 * planted
    assert len(rows - set(negative)) <= 0.01 * 3000


def test_honest_words_do_not_join_a_trigger() -> None:
    """Words that only good rows hold, and that tell it well, stay out of the finding."""
    rng = np.random.default_rng(5)
    texts, labels = noisy(rng, 3000, telling=1)
    for row in range(3000):
        if labels[row] == 1 and rng.random() < 0.1:
            texts[row].append(str(rng.choice(["bravo", "kudos", "gem", "hooray"])))
    planted = [row for row in range(3000) if labels[row] == 0][:40]
    for number, row in enumerate(planted):
        texts[row].insert(int(rng.integers(9)), FAMILY[number % 2])
        labels[row] = 1
    found = [one for one in scan(texts, labels) if one.suspicion >= 0.9]
    assert {word for one in found for word in one.text.split(" or ")} == set(FAMILY[:2])
