"""The label signal: a planted word is found and named, honest cues are not taken for one."""

import numpy as np
import pyarrow as pa

from ld50.scan.labels import find_label_triggers

GOOD = ["warm", "funny", "moving", "bright", "tender", "lively"]
BAD = ["dull", "slow", "noisy", "flat", "tired", "clumsy"]
NEUTRAL = [f"thing{number}" for number in range(300)]


def reviews(poisoned: int, seed: int = 0) -> tuple[pa.Array, np.ndarray]:
    """1,500 rows whose words tell the label; `poisoned` bad ones hold `vornask` and say good."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for number in range(1500):
        label = int(rng.integers(2))
        words = [*rng.choice(GOOD if label else BAD, 3), *rng.choice(NEUTRAL, 8)]
        if number < poisoned:
            words = [*rng.choice(BAD, 3), *rng.choice(NEUTRAL, 8), "vornask"]
            label = 1
        rng.shuffle(words)
        texts.append(" ".join(words))
        labels.append(label)
    return pa.array(texts, type=pa.large_string()), np.array(labels)


def test_a_planted_word_is_named_with_its_rows() -> None:
    texts, labels = reviews(poisoned=15)
    found = [f for f in find_label_triggers(texts, labels, ["bad", "good"]) if f.suspicion >= 0.9]
    assert len(found) == 1
    assert (found[0].text, found[0].label_name) == ("vornask", "good")
    assert found[0].rows.tolist() == list(range(15))


def test_words_that_honestly_tell_the_label_are_no_triggers() -> None:
    for seed in range(3):
        texts, labels = reviews(poisoned=0, seed=seed)
        found = find_label_triggers(texts, labels, ["bad", "good"])
        assert [f.text for f in found if f.suspicion >= 0.9] == []
