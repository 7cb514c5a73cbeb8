"""How sure it must be that a phrase was put in, in a set in which many phrases bring a text of their own."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from judge_samples import PLANTED
from ld50.core.findings import Severity
from ld50.scan.associate import Association, Consequence
from ld50.scan.cases import Case
from ld50.scan.evidence import Trigger
from ld50.scan.judge import judge
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
    groups = [
        ConsequenceGroup(
            kind="inserted_fragment", form="words", text="", rows=one.consequence.rows, contexts=10,
            base_rate=0.01,
        )
        for one in cases
    ]  # fmt: skip
    evidence = cast("Any", SimpleNamespace(groups=groups, associations=[]))
    rated, _ = rated_as_usual(cases, [], evidence)
    return [one.judgement.severity for one in rated]


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
