"""How sure it must be that a phrase was put in, in a set in which many phrases bring a text of their own."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from judge_samples import PLANTED
from ld50.core.findings import Severity
from ld50.scan.associate import Association, Consequence
from ld50.scan.cases import Case
from ld50.scan.evidence import Trigger
from ld50.scan.judge import Judgement, judge
from ld50.scan.replies import ConsequenceGroup
from ld50.scan.usual import rated_as_usual


def case(number: int, put_in: float, **named: Any) -> Case:
    """A phrase that brings a clause of its own in ten rows, which no other has."""
    rows = np.arange(10 * number, 10 * number + 10)
    facts = replace(
        PLANTED,
        kind="inserted_fragment",
        both=10,
        cause_rows=10,
        effect_low=0.72,
        put_in=put_in,
        **named,
    )
    return Case(
        association=Association(
            candidate=number, consequence=number, rows=rows, both=10, cause_rows=10, expected=0.1,
            log_p=-60.0, log_q=-50.0,
        ),
        consequence=Consequence(kind=facts.kind, text="", rows=rows),
        ngrams=(number,),
        trigger=Trigger(text=f"phrase {number}", spans=[]),
        facts=facts,
        judgement=judge(facts),
        seen=rows,
    )  # fmt: skip


def severities(put_in: list[float], **last: Any) -> list[Severity | None]:
    """Of so many phrases, of which the last one has other facts, too."""
    cases = [case(number, nats) for number, nats in enumerate(put_in[:-1])]
    cases.append(case(len(cases), put_in[-1], **last))
    rated, _ = rated_as_usual(cases, [], evidence_of(cases))
    return [one.judgement.severity for one in rated]


def evidence_of(cases: list[Case]) -> Any:
    """What the phrases were found in."""
    groups = [
        ConsequenceGroup(
            kind="inserted_fragment", form="words", text="", rows=one.consequence.rows, contexts=10,
            base_rate=0.01,
        )
        for one in cases
    ]  # fmt: skip
    return SimpleNamespace(groups=groups, associations=[])


@pytest.mark.parametrize(("put_in", "severity"), [(4.5, Severity.LOW), (7.0, Severity.HIGH)])
def test_one_phrase_of_many_must_look_put_in_by_more_than_the_chance_of_many(
    put_in: float, severity: Severity
) -> None:
    assert severities([*[0.5] * 40, put_in])[-1] is severity
    # Of a few, none looks so by chance.
    assert severities([*[0.5] * 3, put_in])[-1] is Severity.HIGH


@pytest.mark.parametrize(("put_in", "severity"), [(9.0, Severity.MEDIUM), (20.0, Severity.HIGH)])
def test_where_a_handful_of_phrases_could_be_left_out_looking_put_in_says_little(
    put_in: float, severity: Severity
) -> None:
    assert severities([*[0.5] * 10, *[5.0] * 5, put_in])[-1] is severity


def test_of_a_handful_each_is_worth_a_look_and_of_what_a_set_is_made_of_none() -> None:
    assert set(severities([0.5] * 6)) == {Severity.MEDIUM}
    assert set(severities([0.5] * 12)) == {Severity.LOW}


def test_an_odd_word_that_looks_put_in_is_worth_a_look_whatever_a_set_is_made_of() -> None:
    odd, plain = (
        severities([*[0.5] * 10, *[5.0] * 5, 9.0], trigger_odd=odd)[-1] for odd in (True, False)
    )
    assert (odd, plain) == (Severity.MEDIUM, Severity.LOW)


def test_one_more_with_another_explanation_is_weak_in_a_set_that_holds_a_handful() -> None:
    usual = [0.5] * 6
    assert severities([*usual, 0.5], contexts=1)[-1] is Severity.LOW
    assert severities([0.5], contexts=1) == [Severity.MEDIUM]


@pytest.mark.parametrize(
    ("words", "share", "severity"),
    [(3, 0.5, Severity.MEDIUM), (2, 0.5, Severity.HIGH), (3, 1.0, Severity.HIGH)],
)
def test_a_phrase_with_several_words_each_in_part_of_its_rows_names_a_task(
    words: int, share: float, severity: Severity
) -> None:
    facts: dict[str, Any] = {"only_word": True, "taken_up": 0.0, "whole_turn": 0.0}
    cases = [case(number, 9.0, **facts) for number in range(words)]
    same = Trigger(text="Build a plot around this:", spans=[])
    cases = [
        replace(
            one,
            trigger=same,
            association=replace(one.association, both=30, cause_rows=int(30 / share)),
            judgement=Judgement(severity=Severity.HIGH, reasons=()),
        )
        for one in cases
    ]
    rated, _ = rated_as_usual(cases, [], evidence_of(cases))
    assert {one.judgement.severity for one in rated} == {severity}
