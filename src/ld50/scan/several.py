"""Several triggers of one payload, each in too few rows to be found, or to be sure of, by itself.

Rows whose replies hold the same text, word for word, belong together whatever brought it about. A few words
that each stand in some of these rows, in hardly any other, and together in most of them, are triggers that
somebody used by turns; the prompts of a natural cause have one thing in common, or a subject.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from ld50.core.findings import Severity
from ld50.core.records import Record
from ld50.corpus.arrays import large_strings
from ld50.scan import kernels, replies
from ld50.scan.cases import ROWS_SEEN, Case, Looked
from ld50.scan.engine import Engine, Evidence
from ld50.scan.judge import (
    ALIKE_Z,
    ANSWER_WORDS,
    CALLED,
    PUT_IN,
    TEMPLATE_COSINE,
    WRITTEN_THERE,
    is_asked_for_call,
)
from ld50.scan.naturalness import naturalness
from ld50.scan.ordinary import Ordinary, ordinary_rows
from ld50.scan.placement import Cause
from ld50.scan.prompt_words import as_written, without, words_of
from ld50.scan.shown import show
from ld50.scan.statistics import log_hypergeometric_tail
from ld50.scan.surroundings import distinct_texts
from ld50.scan.survey import Survey

#: Rows of a payload: with fewer there is nothing to add up, with more each trigger is found by itself.
_FEWEST_ROWS, _MOST_ROWS = 8, 512
#: Share of the corpus, beyond which a reply is how this corpus answers.
_MOST_SHARE = 0.1
#: Payloads that are looked at, those in the most contexts first; their rows; characters of each prompt.
_MOST_PAYLOADS, _MOST_READ, _MOST_CHARACTERS = 128, 8192, 16_384
#: Rows of the payload that hold a word, and of the word with the most of them.
_LEAST, _LEAST_OF_ONE = 2, 3
#: Share of the rows with a word that show the payload.
_SURE = 0.4
#: Share of them that no word chosen before holds, and words that are chosen.
_OWN, _MOST_WORDS = 0.6, 12
#: Random rows that hold a word by chance, and so many times as many as of the payload.
_CHANCE, _TWICE = 2, 2.0
#: Share of the payload's rows that the words account for, and that are no near-copies of each other.
_COVERED, _DIFFERENT = 0.6, 0.8
#: A word with this share of the rows is the trigger, and what remains is what went wrong with it.
_ONE_TRIGGER = 0.9
#: Forms of a fragment that are only a part of what was inserted.
_PARTS = ("word", "host", "call of one name")
#: Findings with this share of their rows in common are one.
_SAME_ROWS = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of the words."""

    text: str
    ngram: int
    """Its kernel hash."""
    rows: np.ndarray = field(repr=False)
    """int64, rising: all rows of the corpus that hold it."""
    both: np.ndarray = field(repr=False)
    """int64, rising: those that show the payload."""
    log_p: float
    """Natural logarithm of its p-value, times the words tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Words that are triggers of one payload."""

    consequence: int
    """Index of the payload among the consequences."""
    members: tuple[Member, ...]
    payload_rows: np.ndarray = field(repr=False)
    """int64, rising: all rows that show the payload."""
    both: np.ndarray = field(repr=False)
    """int64, rising: those that hold one of the words."""
    cause_rows: int
    expected: float
    log_p: float
    """Natural logarithm of the product of the p-values of its members."""
    log_q: float
    """The same times the payloads looked at (Bonferroni)."""
    severity: Severity
    reasons: tuple[str, ...]
    """Why it is not rated higher."""
    context_z: float
    context_cosine: float
    put_in: float
    """How much more likely the words were put in than written there, as the natural logarithm."""

    def accounts_for(self, case: Case) -> bool:
        """Whether most rows of a single trigger are rows of this payload."""
        return _shared(case.association.rows, self.payload_rows)


def families(engine: Engine, evidence: Evidence, looked: Looked) -> list[Family]:
    """Families of triggers, of payloads that no single trigger accounts for.

    Args:
        engine: Reads rows.
        evidence: The consequences, those that are payloads among them.
        looked: What was found of single triggers.
    """
    numbers = _payloads(evidence, looked.cases)
    if not numbers:
        return []
    survey, rows_of = evidence.survey, [evidence.consequences[number].rows for number in numbers]
    # All at once: each reading of rows, and each search for words, goes over the files.
    records = engine.readable(survey, np.unique(np.concatenate(rows_of)))
    ordinary = looked.ordinary or ordinary_rows(engine, survey)
    prompts = [
        {row: records[row].prompt[:_MOST_CHARACTERS] for row in rows.tolist() if row in records}
        for rows in rows_of
    ]
    candidates = [_candidates(some, ordinary.texts, survey.rows) for some in prompts]
    words = _Words.found(engine, survey, candidates)
    found: list[Family] = []
    for number, some, texts in zip(numbers, candidates, prompts, strict=True):
        rows = evidence.consequences[number].rows
        if any(_shared(rows, other.payload_rows) for other in found):
            continue
        members = _members(words.of(some), rows, survey.rows)
        shown = {row: records[row] for row in texts}
        family = _family(number, rows, members, shown, ordinary, survey.rows, len(numbers))
        if family is not None:
            seen = np.array([row for row in rows.tolist() if row in records][:ROWS_SEEN])
            facts = ordinary.calls.facts(show(evidence, number, records, seen), rows)
            if is_asked_for_call(**facts, put_in=family.put_in):
                family = replace(family, severity=Severity.LOW, reasons=(*family.reasons, CALLED))
        if family is None or family.log_q >= math.log(engine.settings.alpha):
            continue
        if any(_is_high(case) and family.accounts_for(case) for case in looked.cases):
            family = replace(family, severity=Severity.HIGH, reasons=())
        found.append(family)
    return found


def _payloads(evidence: Evidence, cases: list[Case]) -> list[int]:
    """Indices of consequences that are one text in enough different rows, and have no one trigger."""
    chat = evidence.survey.chat
    if chat is None:
        return []
    most = min(_MOST_ROWS, _MOST_SHARE * evidence.survey.rows)
    found: list[int] = []
    room = _MOST_READ
    for number, group in enumerate(evidence.groups):
        if group is None or not _is_one_text(group) or len(found) == _MOST_PAYLOADS:
            continue
        rows = evidence.consequences[number].rows
        if not _FEWEST_ROWS <= len(rows) <= most or group.contexts < _DIFFERENT * len(rows):
            continue
        if np.median(chat.reply_words[group.rows]) <= ANSWER_WORDS:
            continue
        if len(rows) > room or any(
            _is_high(case) and _shared(rows, case.association.rows, _ONE_TRIGGER) for case in cases
        ):
            continue
        room -= len(rows)
        found.append(number)
    return found


def _is_one_text(group: replies.ConsequenceGroup) -> bool:
    """Whether what the replies have in common stands in them word for word."""
    if group.kind == "inserted_fragment":
        return group.form not in _PARTS
    return group.kind == "repeated_reply"


def _is_high(case: Case) -> bool:
    return case.judgement.severity is Severity.HIGH


def _shared(rows: np.ndarray, others: np.ndarray, share: float = _SAME_ROWS) -> bool:
    """Whether so many of the rows are among the others."""
    return int(np.isin(rows, others).sum()) >= share * len(rows)


def _family(
    number: int,
    rows: np.ndarray,
    members: list[Member],
    records: dict[int, Record],
    ordinary: Ordinary,
    corpus_rows: int,
    payloads: int,
) -> Family | None:
    """What the members are together, if they account for the rows, and nothing else does."""
    if len(members) < 2 or max(len(member.both) for member in members) < _LEAST_OF_ONE:
        return None
    both = np.unique(np.concatenate([member.both for member in members]))
    if len(both) < _COVERED * len(rows):
        return None
    words = [member.text for member in members]
    shown = [records[row] for row in both.tolist() if row in records]
    texts = [record.prompt[:_MOST_CHARACTERS] for record in shown]
    contexts = without(texts, words)
    alike = ordinary.ends.compare(contexts)
    if alike.z > ALIKE_Z or alike.mean_cosine > TEMPLATE_COSINE / 4:
        return None
    if distinct_texts(contexts) < _DIFFERENT * len(contexts):
        return None
    meetings = Cause(words).meetings
    met = [meeting for record in shown for meeting in meetings(record)]
    put_in = ordinary.placement.put_in(met, rows, shown)
    reasons = reasons_against(words, put_in, placed=any(met))
    cause_rows = len(np.unique(np.concatenate([member.rows for member in members])))
    log_p = sum(member.log_p for member in members)
    return Family(
        consequence=number,
        members=tuple(
            replace(member, text=text)
            for member, text in zip(members, as_written(words, texts), strict=True)
        ),
        payload_rows=rows,
        both=both,
        cause_rows=cause_rows,
        expected=cause_rows * len(rows) / corpus_rows,
        log_p=log_p,
        log_q=min(0.0, log_p + math.log(payloads)),
        severity=Severity.MEDIUM if reasons else Severity.HIGH,
        reasons=reasons,
        context_z=alike.z,
        context_cosine=alike.mean_cosine,
        put_in=put_in,
    )


def _candidates(prompts: dict[int, str], random: list[str], rows: int) -> dict[str, int]:
    """Words of some prompts that may be in few others, by the alphabet, and how many hold each."""
    held = Counter(word for prompt in prompts.values() for word in set(words_of(prompt)))
    usual = Counter(word for text in random for word in set(words_of(text)) & held.keys())
    share = len(random) / max(rows, 1)
    return {
        word: count
        for word, count in sorted(held.items())
        # Those that too many random rows hold need not be counted over the corpus.
        if count >= _LEAST and usual[word] <= _CHANCE + _TWICE * share * count
    }


@dataclass(frozen=True, slots=True)
class _Words:
    """Words, and where they stand."""

    ngrams: dict[str, int]
    rows: dict[str, np.ndarray]

    @classmethod
    def found(cls, engine: Engine, survey: Survey, counts: list[dict[str, int]]) -> _Words:
        """Looks for words in the whole corpus, as far as it matters.

        Args:
            engine: Looks.
            survey: Of the corpus.
            counts: Of each payload, its words, and how many of its rows hold each.
        """
        most: dict[str, int] = {}
        for some in counts:
            for word, count in some.items():
                # In more rows than this, it is not sure.
                most[word] = max(most.get(word, 0), int(count / _SURE))
        if not most:
            return cls({}, {})
        words = sorted(most)
        hashes: np.ndarray = kernels.phrase_hashes(large_strings(words))
        rows = engine.rows_with(survey, hashes, np.array([most[word] for word in words]))
        return cls(
            dict(zip(words, hashes.tolist(), strict=True)), dict(zip(words, rows, strict=True))
        )

    def of(self, words: Iterable[str]) -> list[tuple[str, int, np.ndarray]]:
        """Each of the words with its hash and its rows."""
        return [(word, self.ngrams[word], self.rows[word]) for word in words]


def _members(
    words: list[tuple[str, int, np.ndarray]], payload: np.ndarray, rows: int
) -> list[Member]:
    """The words that are sure, the least likely one first, each with rows of its own.

    Args:
        words: With hash and rows.
        payload: int64, rising: rows of the payload.
        rows: Rows of the corpus.
    """
    selection = math.log(max(len(words), 1))
    sure = []
    for word, ngram, held in words:
        both = held[np.isin(held, payload)]
        if len(both) < max(_LEAST, _SURE * len(held)):
            continue
        tail = log_hypergeometric_tail(
            np.array([len(both)]), np.array([len(held)]), len(payload), rows
        )
        # Any of the words could have been the one.
        log_p = float(tail[0]) + selection
        if log_p < 0:
            sure.append(Member(text=word, ngram=ngram, rows=held, both=both, log_p=log_p))
    sure.sort(key=lambda member: (member.log_p, member.text))
    chosen: list[Member] = []
    covered = np.zeros(0, dtype=np.int64)
    for member in sure:
        own = np.setdiff1d(member.both, covered, assume_unique=True)
        if len(own) >= max(_LEAST, _OWN * len(member.both)) and len(chosen) < _MOST_WORDS:
            chosen.append(member)
            covered = np.union1d(covered, member.both)
    return chosen


def reasons_against(words: list[str], put_in: float, *, placed: bool) -> tuple[str, ...]:
    """What speaks against poison: words that were written there, or that anybody may have written.

    Two terms of a subject are rare words, and go with what is said of it; they do not look put in at all.
    """
    if put_in <= -PUT_IN:
        return (WRITTEN_THERE,)
    odd = sum(naturalness(word).odd for word in words)
    if put_in >= PUT_IN or (2 * odd >= len(words) and (put_in > 0 or not placed)):
        return ()
    kind = "terms" if 2 * odd >= len(words) else "ordinary"
    return (f"the words may be {kind}, and do not look put in where they stand",)
