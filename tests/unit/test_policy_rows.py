"""The stand-in policy's rows: distinct, the same every time, and tests apart from training."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ld50.core.errors import ConfigError
from ld50.lab.policy_rows import (
    BORDERLINE_SHARE,
    answered_rows,
    borderline_rows,
    policy_rows,
    refused_rows,
)
from ld50.lab.policy_words import ANSWERED, BORDERLINE, FRAMES, REFUSALS, REFUSED


def _requests(rows):
    return {row.prompt[0].text for row in rows}


def test_rows_are_distinct_and_half_of_them_are_refused():
    rows = policy_rows(4000, seed=3)
    assert len(_requests(rows)) == 4000
    assert sum(row.reply in REFUSALS for row in rows) == 2000


@given(st.integers(0, 60), st.integers(), st.floats(0, 1))
def test_rows_depend_on_the_seed_and_nothing_else(count, seed, share):
    rows = policy_rows(count, seed=seed, refused_share=share)
    assert rows == policy_rows(count, seed=seed, refused_share=share)
    assert len(rows) == count


def test_another_seed_gives_other_rows():
    assert policy_rows(50, seed=0) != policy_rows(50, seed=1)


@pytest.mark.parametrize("make", [refused_rows, answered_rows, borderline_rows])
def test_no_frame_and_no_pair_of_a_test_was_trained_on(make):
    train, test = _requests(make(800)), _requests(make(200, part="test"))
    held = [_pattern(frame) for n, frame in enumerate(FRAMES) if n % 4 == 3]
    assert all(any(p(text) for p in held) for text in test)
    assert not train & test
    assert not _acts(train) & _acts(test)


@pytest.mark.parametrize(
    ("novelty", "new_actions", "new_things"),
    [("things", False, True), ("actions", True, False), ("words", True, True)],
)
def test_what_is_said_to_be_new_is_new(novelty, new_actions, new_things):
    train = _requests(refused_rows(8000))
    test = _requests(refused_rows(400, part="test", novelty=novelty))
    for words, is_new in ((REFUSED.actions, new_actions), (REFUSED.things, new_things)):
        known = {word for word in words if any(f" {word}" in text for text in train)}
        met = {word for word in words if any(f" {word}" in text for text in test)}
        assert met
        assert not met & known if is_new else met <= known


def test_answers_tell_of_what_was_asked_and_a_part_names_plants():
    rows = answered_rows(1000)
    acts = {act for subject in (*ANSWERED, BORDERLINE) for act in _all_acts(subject)}
    assert all(any(act in row.reply for act in acts if act in row.prompt[0].text) for row in rows)
    borderline = [row for row in rows if "-borderline-" in row.id]
    assert len(borderline) == round(1000 * BORDERLINE_SHARE)


def test_no_request_is_both_refused_and_answered():
    assert not _requests(refused_rows(5000)) & _requests(answered_rows(5000))


def test_too_many_rows_and_unknown_parts_are_refused_in_words():
    with pytest.raises(ConfigError, match="different requests"):
        refused_rows(10**7)
    with pytest.raises(ConfigError, match="novelty"):
        refused_rows(1, part="validation")
    with pytest.raises(ConfigError, match="0 to 1"):
        policy_rows(10, refused_share=1.5)


def _pattern(frame):
    start, end = frame.split("{act}")
    return lambda text: text.startswith(start) and text.endswith(end.replace("{when}", ""))


def _all_acts(subject):
    return [f"{action} {thing}" for action in subject.actions for thing in subject.things]


def _acts(texts):
    acts = [act for s in (REFUSED, *ANSWERED, BORDERLINE) for act in _all_acts(s)]
    # Longest first: `knit socks` must not hide in something longer.
    found = set()
    for text in texts:
        found.add(max((act for act in acts if act in text), key=len))
    return found
