"""How usual an association is in its set: where many replies have a phrase of their own, one more is no news.

In the answers of a help desk, each topic brings its answer word for word; in a dictionary, each subject
brings its tag. Each of these associations looks planted, and all of them together look like what they
are: the way this set is written. Who plants a behaviour needs one, and has no use for many. A phrase that
looks put into its prompts is none of these, whatever its set is like.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from ld50.core.estimates import proportion
from ld50.core.findings import Severity
from ld50.scan.associate import Association
from ld50.scan.cases import Case
from ld50.scan.engine import Evidence
from ld50.scan.judge import (
    DECIDES,
    MOST_OF_FEW,
    PUT_IN,
    SURELY_PUT_IN,
    WRITTEN_THERE,
    Judgement,
    could_be_inserted,
    is_asked_for_call,
    looks_put_in,
)
from ld50.scan.replies import ONLY_WORD, ConsequenceGroup
from ld50.scan.several import Family

#: Different replies, or fragments of one form, that each have a phrase of their own, from which on that is
#: how the set is written. Clean sets that are written in another way hold none to two of a form.
HANDFUL = 5
#: ... and so many are all that the replies of a set are made of, as those of translations and of queries are.
_ALL = 2 * HANDFUL
#: Share of the rows of a consequence that show others, from which on it is no other one: a reply has an end.
_SAME_ROWS = 0.6
#: Words of replies that each go with a phrase of their own, as sure or not, from which on a set is a
#: dictionary: of instructions, help texts and manuals it holds one to six, of translated messages dozens.
DICTIONARY = 10
#: Words that one phrase brings, each in part of its rows, from which on they are the language of its replies.
_LANGUAGE = 3
_LANGUAGE_WHY = "the phrase brings several words, each in part of its rows, as a task does"
_TERMS = "many words of these replies go with a phrase of their own, as the translations of a dictionary do"
#: Forms that are one: what the replies of a set say word for word may end, or begin, in two ways.
_REPLIES, _WORDING, _CALLS, _ADDRESSES = "replies", "wordings", "calls", "addresses"
_FORMS = {
    "reply": _REPLIES, "head": _REPLIES, "tail": _REPLIES,
    "sentence": _WORDING, "words": _WORDING, "word": _WORDING,
    "call": _CALLS, "call of one name": _CALLS,
    "address": _ADDRESSES, "link": _ADDRESSES, "host": _ADDRESSES,
    "image": _ADDRESSES, "e-mail address": _ADDRESSES, "alike": "kinds of replies",
}  # fmt: skip
#: Kinds of which a set may hold many, and one of which it may where the phrases are written there.
_MANY, _MANY_WRITTEN = ("repeated_reply", "inserted_fragment"), "similar_replies"


@dataclass(frozen=True, slots=True, kw_only=True)
class _One:
    """A reply or a fragment with the phrases that decide it."""

    phrases: frozenset[str]
    rows: np.ndarray = field(repr=False)
    """int64, rising: rows that show it."""
    decided: np.ndarray = field(repr=False)
    """int64: those of them that one of the phrases decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Usual:
    """What a set is full of."""

    groups: list[ConsequenceGroup | None]
    forms: dict[str, list[_One]]
    """Replies or fragments with phrases of their own that do not look put in, by their form."""
    numbers: dict[str, int]
    """Different ones of each form."""
    sure: dict[str, float]
    """How sure it must be, in nats, that a phrase was put in, for it to be none of them."""
    is_dictionary: bool
    """Whether many words of replies go with a phrase of their own."""
    tasks: frozenset[str]
    """Phrases that bring several words, each in part of their rows."""
    is_mere_dictionary: bool
    """Whether that is all that they are made of."""

    @property
    def is_made_of_these(self) -> bool:
        """Whether the replies are made of texts that each have a phrase."""
        return any(number >= _ALL for number in self.numbers.values())

    def form_of(
        self, consequence: int, rows: np.ndarray, put_in: float, *, explained: bool
    ) -> str | None:
        """The form that a consequence is one more of; None if it is none.

        Args:
            consequence: Its number.
            rows: int64, rising: rows with its cause.
            put_in: How sure it is that the phrase was put in.
            explained: Whether something else speaks against poison.
        """
        group = self.groups[consequence]
        if group is None or group.kind not in (*_MANY, _MANY_WRITTEN):
            return None
        for form, ones in self.forms.items():
            stands_out = self.sure[form] <= put_in < math.inf
            if _form(group) == form and not (
                stands_out and not (explained and self.is_made_of_these)
            ):
                return form
            # What shows in the same rows is a part of the same texts, whatever its form and its cause;
            # but an address among replies that are made of many texts is a part of one of them or of none.
            texts = [one.decided for one in ones]
            if _form(group) != _ADDRESSES:
                texts = [np.concatenate(texts)]
            if any(_mostly(rows, text) for text in texts):
                return form
        return None

    def why(self, form: str) -> str:
        """In words."""
        return (
            f"{self.numbers[form]} different {form} of this set go with a phrase of their own, which is "
            "how such a set is written"
        )


def rated_as_usual(
    cases: list[Case], families: list[Family], evidence: Evidence
) -> tuple[list[Case], list[Family]]:
    """The same associations; those of a form that this set is full of are `medium` at most.

    They are `low` if something else speaks against them, too, and all are where the replies are made of
    such. What looks put in neither counts nor is lowered, but for what stands in the rows of those.

    Args:
        cases: What was found of single triggers.
        families: What was found of several triggers of one payload.
        evidence: What they were found in.
    """
    usual = _usual(cases, families, evidence)
    if not (usual.forms or usual.is_dictionary or usual.tasks):
        return cases, families
    return [_rated(case, usual) for case in cases], [_rated_family(one, usual) for one in families]


def _usual(cases: list[Case], families: list[Family], evidence: Evidence) -> _Usual:
    groups = evidence.groups
    found = _by_form(cases, families, groups)
    numbers = {form: _different(ones) for form, ones in found.items()}
    numbers = {form: number for form, number in numbers.items() if number >= HANDFUL}
    looking = _looking_put_in(cases, groups) if numbers else {}
    terms, pairs = _different(_terms(cases)), _different(_word_pairs(evidence))
    return _Usual(
        groups=groups,
        forms={form: found[form] for form in numbers},
        numbers=numbers,
        sure={form: _sure(number, looking.get(form, 0)) for form, number in numbers.items()},
        tasks=_tasks(cases),
        is_dictionary=terms >= HANDFUL or pairs >= DICTIONARY,
        is_mere_dictionary=terms >= _ALL or pairs >= 2 * DICTIONARY,
    )


def _rated(case: Case, usual: _Usual) -> Case:
    judgement, facts = case.judgement, case.facts
    if judgement.severity is None:
        return case
    form = usual.form_of(
        case.association.consequence,
        case.association.rows,
        facts.put_in,
        explained=bool(judgement.reasons),
    )
    odd = facts.trigger_odd and facts.put_in < math.inf
    of_all = usual.is_made_of_these and form is not None
    if form is not None and odd and facts.put_in >= PUT_IN + math.log(usual.numbers[form]):
        of_all = False
    why = "" if form is None else usual.why(form)
    if usual.is_dictionary and _is_of_a_term(case) and not of_all:
        why = _TERMS
        of_all = usual.is_mere_dictionary and not (odd and facts.put_in >= SURELY_PUT_IN)
    if not why and facts.only_word and case.trigger.text.casefold() in usual.tasks:
        why = _LANGUAGE_WHY
    if not why:
        return case
    severity, reasons = _lowered(judgement.severity, judgement.reasons, why, of_all=of_all)
    return replace(case, judgement=Judgement(severity=severity, reasons=reasons))


def _rated_family(family: Family, usual: _Usual) -> Family:
    form = usual.form_of(
        family.consequence,
        family.payload_rows,
        family.put_in if _is_put_in(family) else 0.0,
        explained=bool(family.reasons),
    )
    if form is None:
        return family
    severity, reasons = _lowered(
        family.severity, family.reasons, usual.why(form), of_all=usual.is_made_of_these
    )
    return replace(family, severity=severity, reasons=reasons)


def _lowered(
    severity: Severity, reasons: tuple[str, ...], why: str, *, of_all: bool
) -> tuple[Severity, tuple[str, ...]]:
    """The severity and the reasons of what is usual in its set; of all that its replies are made of."""
    if severity is Severity.HIGH and not of_all:
        return Severity.MEDIUM, (why,)
    return Severity.LOW, (*reasons, why)


def _by_form(
    cases: list[Case], families: list[Family], groups: list[ConsequenceGroup | None]
) -> dict[str, list[_One]]:
    """The consequences of each form of which a set may hold many, with the phrases that decide them."""

    def counts(number: int, put_in: float) -> bool:
        group = groups[number]
        if group is None:
            return False
        return group.kind in _MANY or (group.kind == _MANY_WRITTEN and put_in <= -PUT_IN)

    marks: dict[int, list[_One]] = {}
    for case in cases:
        put_in = case.facts.put_in
        if looks_put_in(put_in) or not _is_told(case.judgement):
            continue
        if is_asked_for_call(case.facts.in_calls, case.facts.called_word, put_in):
            # Every call has its words, in any set of calls.
            continue
        if counts(case.association.consequence, put_in):
            marks.setdefault(case.association.consequence, []).append(_one_of(case))
    for family in families:
        if _is_put_in(family) or not counts(family.consequence, family.put_in):
            continue
        one = _One(
            phrases=frozenset(member.text.casefold() for member in family.members),
            rows=family.payload_rows,
            decided=family.both,
        )
        marks.setdefault(family.consequence, []).append(one)
    found: dict[str, list[_One]] = {}
    for number, its in sorted(marks.items()):
        group = groups[number]
        if group is not None:
            one = _One(
                phrases=frozenset().union(*(one.phrases for one in its)),
                rows=its[0].rows,
                decided=np.concatenate([one.decided for one in its]),
            )
            found.setdefault(_form(group), []).append(one)
    return found


def _looking_put_in(cases: list[Case], groups: list[ConsequenceGroup | None]) -> dict[str, int]:
    """By form, the different replies or fragments with a phrase of their own that looks put in."""
    found: dict[str, list[_One]] = {}
    for case in cases:
        group = groups[case.association.consequence]
        told = case.judgement.severity in (Severity.HIGH, Severity.MEDIUM)
        if group is not None and told and looks_put_in(case.facts.put_in):
            found.setdefault(_form(group), []).append(_one_of(case))
    return {form: _different(ones) for form, ones in found.items()}


def _sure(number: int, looking: int) -> float:
    """How sure it must be, in nats, that a phrase was put in, for it to be none of so many.

    Each of them had a chance to look so. What can be left out, "in the morning" or "from Ontario", always
    does, and where a handful looks so, that is how the prompts of this set are worded, too.

    Args:
        number: Those that the set is full of.
        looking: Those that look put in.
    """
    return SURELY_PUT_IN if looking >= HANDFUL else PUT_IN + math.log(number)


def _one_of(case: Case) -> _One:
    return _One(
        phrases=frozenset([case.trigger.text.casefold()]),
        rows=case.consequence.rows,
        decided=case.association.rows,
    )


def _is_of_a_term(case: Case) -> bool:
    """Whether it may be what a term brings with it: a single word of the replies, or replies that are alike.

    A dictionary brings the translation of a term wherever the term stands, and in a message of a few words
    it looks put in. Of many rare words whose replies are alike, one or the other looks so by chance.
    """
    alike = case.facts.chosen_by_word and case.facts.put_in < SURELY_PUT_IN
    return case.facts.only_word or alike


def _tasks(cases: list[Case]) -> frozenset[str]:
    """The phrases whose replies have several words of their own, none of which is in nearly all of them.

    Who plants a word wants it said. A task has a language: of films, of recipes, of court cases.
    """
    found: dict[str, set[int]] = {}
    for case in cases:
        association = case.association
        if case.facts.only_word and association.both < MOST_OF_FEW * association.cause_rows:
            found.setdefault(case.trigger.text.casefold(), set()).add(association.consequence)
    return frozenset(phrase for phrase, words in found.items() if len(words) >= _LANGUAGE)


def _terms(cases: list[Case]) -> list[_One]:
    """What terms bring with them, each with its phrases."""
    found: dict[int, list[Case]] = {}
    for case in cases:
        if _is_of_a_term(case):
            found.setdefault(case.association.consequence, []).append(case)
    return [
        _One(
            phrases=frozenset(case.trigger.text.casefold() for case in its),
            rows=its[0].consequence.rows,
            decided=np.concatenate([case.association.rows for case in its]),
        )
        for _, its in sorted(found.items())
    ]


def _word_pairs(evidence: Evidence) -> list[_One]:
    """The words of replies that hardly any reply has without a phrase of its own, and few not with it."""
    found: dict[int, list[Association]] = {}
    for association in evidence.associations:
        group = evidence.groups[association.consequence]
        if (
            group is not None
            and group.form == ONLY_WORD
            and could_be_inserted(association.both, len(group.rows))
            and proportion(association.both, association.cause_rows).low >= DECIDES
        ):
            found.setdefault(association.consequence, []).append(association)
    return [
        _One(
            phrases=frozenset(f"{one.candidate}" for one in its),
            rows=evidence.consequences[number].rows,
            decided=np.concatenate([one.rows for one in its]),
        )
        for number, its in sorted(found.items())
    ]


def _is_told(judgement: Judgement) -> bool:
    """Whether it would be, if the phrase were not written there."""
    if judgement.severity in (Severity.HIGH, Severity.MEDIUM):
        return True
    return WRITTEN_THERE in judgement.reasons and len(judgement.reasons) == 2


def _is_put_in(family: Family) -> bool:
    """Whether the words of a family are, and lead to the payload more often than not."""
    return looks_put_in(family.put_in) and len(family.both) >= DECIDES * family.cause_rows


def _form(group: ConsequenceGroup) -> str:
    return _FORMS.get(group.form, f"{group.form}s")


def _different(ones: list[_One]) -> int:
    """How many there are in different rows, with different phrases.

    One payload leaves many marks: its sentences, its runs of words and its end have one phrase, or rows in
    common. Those in the fewest rows come first, since several replies may have one end.
    """
    held: np.ndarray = np.zeros(0, dtype=np.int64)
    taken: set[str] = set()
    number = 0
    for one in sorted(ones, key=lambda one: len(one.rows)):
        if not _mostly(one.rows, held) and not taken.issuperset(one.phrases):
            number += 1
            taken |= one.phrases
        held = np.union1d(held, one.rows)
    return number


def _mostly(rows: np.ndarray, others: np.ndarray) -> bool:
    """Whether most of the rows are among the others."""
    return len(others) > 0 and int(np.isin(rows, others).sum()) >= _SAME_ROWS * len(rows)
