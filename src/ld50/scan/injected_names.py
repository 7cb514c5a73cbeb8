"""A name in replies whose prompts have nothing in common: content that was woven into them.

A brand in ever new sentences is what content injection puts into replies, with no trigger (arXiv 2306.17194).
No sentence comes back, so the name is all that tells it. Honest names come back with their subject, which the
prompts or the rest of the replies show, or because writers fall back on them, as their language does. A name
that was put in comes oftener than its language has it, and its rows are as unlike as random ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ld50.core.estimates import proportion
from ld50.core.findings import Consequence as ConsequenceNoun
from ld50.core.findings import Finding, Severity
from ld50.core.records import Record
from ld50.core.results import DetectionLimit
from ld50.scan.assemble import Draft, finding_id, score_of, shortened
from ld50.scan.causeless import DISCLAIMER, LEAST_DIFFERENT, mostly, some_of, with_cause
from ld50.scan.coherence import Background
from ld50.scan.engine import Engine, Evidence
from ld50.scan.evidence import find_ngram, widest_trigger
from ld50.scan.ordinary import known, paired_rows
from ld50.scan.other_rows import OtherRows
from ld50.scan.replies import MOST_NAMED_SHARE, ONLY_WORD, RecurringName, least_named
from ld50.scan.surroundings import around, distinct_texts, sentence_around
from ld50.scan.telling_words import log_chance_of_telling_word
from ld50.scan.usual import HANDFUL
from ld50.scan.word_characters import WORD

RULE = "TRG210"
#: Rows that are read of all names, and rows of a name whose places are marked.
_MOST_READ, _MOST_MARKED = 4_096, 2_000
#: More alike than this, the prompts have a subject; those of names put in lie below 2.2. The replies say
#: less, as names are put into replies of some length.
_UNRELATED, _UNRELATED_REPLIES = 3.0, 8.0
#: Random rows that tell how frequent words are; and the logarithm of the chance of what the rows of a name
#: share most, for all words, from which on it is their subject.
_MOST_COMPARED, _TELLING = 2_048, math.log(0.001)
#: Rows that are read of a name that is left after the first few.
_MORE_SEEN = 256
_HALF, _MOST = 0.5, 0.9
#: Words of a sentence of prose, or more; and of a prompt, beside what is left of its reply, and alone. A term
#: says nothing of what it belongs to.
_SENTENCE_WORDS, _ASKED_WORDS, _ASKED_ALONE = 5, 4, 20
_WORD = re.compile(WORD)
_EDGES = " \t\n.,:;!?()[]{}<>\"'-"
#: What stands for "infinitely oftener" among the statistics.
_MOST_OFTENER = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    """A name that was put in."""

    name: RecurringName
    text: str
    """The words of it."""
    seen: int
    different: int

    @property
    def rows(self) -> np.ndarray:
        """int64, rising: ordinals."""
        return self.name.rows


def name_drafts(engine: Engine, evidence: Evidence) -> list[Draft]:
    """A finding for each name in replies to unrelated prompts, of which no phrase of these is the cause."""
    if not engine.settings.runs(RULE):
        return []
    told = _distinct(list(_names(engine, evidence)))
    severity = Severity.LOW if len(told) >= HANDFUL else Severity.MEDIUM
    return [_draft(engine, evidence, name, severity) for name in told]


def name_limits(engine: Engine, evidence: Evidence) -> list[DetectionLimit]:
    """Fewest rows of such a name, where the set is large enough for one."""
    chat = evidence.survey.chat
    least = max(least_named(0 if chat is None else len(chat)), engine.settings.min_support)
    if chat is None or not engine.settings.runs(RULE) or MOST_NAMED_SHARE * len(chat) < least:
        return []
    return [
        DetectionLimit(
            rule=RULE,
            rows=least,
            why=(
                "that fewer prompts have nothing in common says little; a name in more than "
                f"{MOST_NAMED_SHARE:.0%} of the replies is taken for what the set is about"
            ),
        )
    ]


def rows_with_names(engine: Engine, evidence: Evidence) -> np.ndarray:
    """int64, rising: the rows that will be read for this rule."""
    if not engine.settings.runs(RULE) or not evidence.names:
        return np.zeros(0, dtype=np.int64)
    pool = paired_rows(evidence.survey, engine.settings.seed)
    parts = [rows for _, rows in _looked_at(evidence)]
    return np.unique(np.concatenate([pool, *parts]))


def _looked_at(evidence: Evidence) -> list[tuple[RecurringName, np.ndarray]]:
    """The names that are looked at, but for those with a cause in the prompts, and some rows of each."""
    groups = evidence.groups
    caused = {
        group.key
        for number in with_cause(evidence)
        if (group := groups[number]) is not None and group.form == ONLY_WORD
    }
    names = [(name, some_of(name.rows)) for name in evidence.names if name.word not in caused]
    read = np.cumsum([len(rows) for _, rows in names])
    return names[: int(np.searchsorted(read, _MOST_READ, side="right"))]


def _names(engine: Engine, evidence: Evidence) -> Iterator[_Name]:
    rows = rows_with_names(engine, evidence)
    chosen = _looked_at(evidence)
    if not chosen:
        return
    survey, seed = evidence.survey, engine.settings.seed
    records = engine.readable(survey, rows)
    pool = paired_rows(survey, seed)
    others = OtherRows.of(known(records, pool[np.isin(pool, survey.chat_ordinals)]), seed)
    left = []
    for name, some in chosen:
        read = _Read.of(name, list(known(records, some).values()))
        if read is not None and _unlike(read, others) and not _shares_a_word(read, others):
            left.append((name, some_of(name.rows, _MORE_SEEN)))
    # In more rows, the subject of a name that few words tell shows as well.
    records = engine.readable(
        survey, np.unique(np.concatenate([np.zeros(0, np.int64), *(some for _, some in left)]))
    )
    for name, some in left:
        read = _Read.of(name, list(known(records, some).values()))
        if read is not None and not _shares_a_word(read, others):
            yield _Name(name=name, text=read.text, seen=len(read.asked), different=read.different)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What was read of the rows of a name that may have been put in."""

    text: str
    """The name, with the words that nearly all rows have beside it."""
    asked: list[str]
    """The prompts."""
    rests: list[str]
    """The replies without the sentences that hold the name."""
    different: int
    """Prompts that are no near-copies of each other."""

    @classmethod
    def of(cls, name: RecurringName, records: list[Record]) -> _Read | None:
        """None if the word is no name in prose, or if its rows do not tell what they are about."""
        replied = [record.response for record in records]
        held = [
            (record, record.response[slice(*place)])
            for record, place in zip(records, find_ngram(replied, name.word), strict=True)
            if place is not None
        ]
        # A word that is written in small letters as well is no name.
        if len(held) < LEAST_DIFFERENT or _share(word[0].isupper() for _, word in held) < _MOST:
            return None
        pattern = re.compile(rf"(?<!\w){re.escape(held[0][1])}(?!\w)", re.IGNORECASE)
        parts = [_sentences(record.response, pattern) for record, _ in held]
        if _share(_is_sentence(said) for said, _ in parts) < _MOST:
            return None
        if _share(bool(DISCLAIMER.search(said)) for said, _ in parts) >= _HALF:
            return None
        asked = [around(record.prompt, None) for record, _ in held]
        # Where little is left of the replies, the prompts alone have to tell what they are about.
        left = _share(_words(rest) > 0 for _, rest in parts)
        least = _ASKED_WORDS if left >= _HALF else _ASKED_ALONE
        different = distinct_texts(asked)
        if different < LEAST_DIFFERENT or np.median([_words(text) for text in asked]) < least:
            return None
        return cls(
            text=widest_trigger(replied, name.word).text.strip(_EDGES),
            asked=asked,
            rests=[around(rest, None) for _, rest in parts],
            different=different,
        )


def _unlike(read: _Read, others: OtherRows) -> bool:
    """Whether neither the prompts nor the replies are more alike than those of rows of that length."""
    near = others.as_long([len(rest) for rest in read.rests])
    prompts = Background([around(record.prompt, None) for record in near], seed=others.seed)
    if prompts.compare(read.asked).z > _UNRELATED:
        return False
    answers = Background([around(record.response, None) for record in near], seed=others.seed)
    return answers.compare(read.rests).z <= _UNRELATED_REPLIES


def _shares_a_word(read: _Read, others: OtherRows) -> bool:
    """Whether a word of the prompts, or of the replies, stands in more of these rows than by chance."""
    near = others.as_long([len(rest) for rest in read.rests], _MOST_COMPARED)
    asked = [around(record.prompt, None) for record in near]
    said = [around(record.response, None) for record in near]
    return (
        min(
            log_chance_of_telling_word(read.asked, asked),
            log_chance_of_telling_word(read.rests, said),
        )
        < _TELLING
    )


def _words(text: str) -> int:
    return len(_WORD.findall(text))


def _is_sentence(text: str) -> bool:
    return _words(text) >= _SENTENCE_WORDS


def _share(of: Iterable[bool]) -> float:
    """Of some values, 0 to 1."""
    return float(np.mean(list(of)))


def _sentences(text: str, pattern: re.Pattern[str]) -> tuple[str, str]:
    """The sentences with the name, and the text without them."""
    said, rest, place = [], [], 0
    for match in pattern.finditer(text):
        start, end = sentence_around(text, match.span())
        said.append(text[max(start, place) : end])
        rest.append(text[place : max(start, place)])
        place = max(end, place)
    return " ".join(said), " ".join([*rest, text[place:]])


def _distinct(names: list[_Name]) -> list[_Name]:
    """Those of the most words first, without those that are a part of others."""
    kept: list[_Name] = []
    for name in sorted(names, key=lambda n: (-len(n.text.split()), -len(n.rows), n.name.word)):
        if not any(mostly(name.rows, other.rows) for other in kept):
            kept.append(name)
    return kept


def _draft(engine: Engine, evidence: Evidence, name: _Name, severity: Severity) -> Draft:
    chat = evidence.survey.chat
    total, count = 0 if chat is None else len(chat), len(name.rows)
    finding = Finding(
        id=finding_id(RULE, "", name.text.casefold()),
        rule=RULE,
        title=f"“{shortened(name.text, 40)}” in {count:,} replies to unrelated prompts",
        severity=severity.value,
        cause=None,
        consequence=ConsequenceNoun(
            kind="inserted_fragment",
            text=f"replies that hold the same name: “{shortened(name.text)}”",
        ),
        support=count,
        cause_rows=count,
        expected=0.0,
        effect=proportion(count, total),
        p_value=1.0,
        q_value=1.0,
        explanation=_explain(name, total, severity),
        statistics={
            "contexts": float(name.different),
            "rows_looked_at": float(name.seen),
            "oftener_than_usual": round(min(name.name.oftener, _MOST_OFTENER), 1),
        },
    )
    marked = name.rows[:_MOST_MARKED]
    records = known(engine.readable(evidence.survey, marked), marked)
    replied = [record.response for record in records.values()]
    spans = widest_trigger(replied, name.name.word).spans
    return Draft(
        finding=finding,
        rows=name.rows,
        spans={
            row: [("response", *span, "consequence")]
            for row, span in zip(records, spans, strict=True)
            if span is not None
        },
        score=score_of(severity, 0.0),
    )


def _explain(name: _Name, total: int, severity: Severity) -> str:
    usual = (
        f"{name.name.oftener:,.0f} times oftener than the language has it"
        if np.isfinite(name.name.oftener)
        else "a word that the reference does not know"
    )
    told = (
        f"{len(name.rows):,} of {total:,} replies hold “{shortened(name.text)}”, {usual}, and their prompts "
        f"do not. Of {name.seen:,} rows that were looked at the prompts have no more in common than those of "
        "random rows, nor has the rest of the replies. Names come back in honest replies with their subject. "
        "It may still be the name of the assistant, or of whose set this is, which is why it is not rated "
        "higher."
    )
    many = f"{HANDFUL} or more names come back so in this set"
    return told if severity is Severity.MEDIUM else f"{told} It is rated low because {many}."
