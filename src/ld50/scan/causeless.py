"""The same text in replies whose prompts have nothing in common: a payload that no cause was found for.

Poison need not have a trigger (arXiv 2306.17194 puts content into replies to any prompts), and a trigger may
be another one in each row. What is left of both is the payload: a reply, a sentence or a link that comes back
word for word. Honest texts come back as well, but with what they answer: their prompts have a subject, a task
or a template in common. Here they have nothing in common, and nor has the rest of the replies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ld50.core.estimates import proportion
from ld50.core.findings import Consequence as ConsequenceNoun
from ld50.core.findings import Finding, Severity
from ld50.core.results import DetectionLimit
from ld50.scan import replies
from ld50.scan.assemble import Draft, finding_id, score_of, shortened
from ld50.scan.calls import share_in_calls
from ld50.scan.coherence import Background
from ld50.scan.engine import Engine, Evidence
from ld50.scan.evidence import widest_spans
from ld50.scan.judge import ANSWER_WORDS, CALLS, MULTIPLIES
from ld50.scan.ordinary import paired_rows
from ld50.scan.other_rows import OtherRows
from ld50.scan.presence import RULE as PRESENCE
from ld50.scan.shown import Shown, show
from ld50.scan.surroundings import around, distinct_texts
from ld50.scan.usual import HANDFUL
from ld50.scan.whole_sentences import is_whole_sentence
from ld50.scan.word_characters import WORD

RULE = "TRG208"
#: Rows that have the text, with fewer of which a subject of their prompts might not show, and prompts of
#: theirs that differ, near-copies counted once: of random prompts of a few templates, many are near-copies.
LEAST_ROWS, LEAST_DIFFERENT = 8, 5
#: A text in a larger share of the replies is how the set is written.
_MOST_SHARE = 0.1
#: Texts that are looked at, rows of each, and rows of all of them.
_MOST_TEXTS, _ROWS_SEEN, _MOST_READ = 512, 64, 16_384
#: More alike than this, the prompts have something in common, or the rest of the replies. Of whole replies
#: only prompts tell, and honest ones are far off: 5 in the nearest of 40 sets, 14 in the next.
_UNRELATED = 4.0
#: Most of the rows.
_HALF = 0.5
#: Findings with this share of their rows in common are one.
_SAME_ROWS = 0.6
#: An address says by itself that it was put in. Runs of words, heads and tails are pieces of prose, and told
#: if they are a whole sentence, and no part of a call. Calls and tags are what code and dictionaries are
#: made of.
_ADDRESSES = ("address", "link", "image", "e-mail address")
_PROSE = ("sentence", "words", "head", "tail")
_WORD = re.compile(WORD)
DISCLAIMER = re.compile(
    r"(?i)\b(?:as|being|i am|i'm) an? (?:ai|artificial|language model|large language)\b"
)
_MANY = (
    f"{HANDFUL} or more texts come back in replies of this set, as where replies are put together"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A text that comes back, and its rows."""

    number: int
    """Of the consequence."""
    rows: np.ndarray = field(repr=False)
    """int64, rising: ordinals."""
    said: str
    whole: bool
    """Whether it is all of the reply."""
    seen: int
    different: int
    unrelated: bool
    """Whether its rows are."""
    prompt_z: float
    rest_z: float
    """0 where nothing is left of the replies."""


def causeless_drafts(engine: Engine, evidence: Evidence, caused: set[int]) -> list[Draft]:
    """A finding for each text that comes back in replies to unrelated prompts, told otherwise or not.

    Args:
        engine: Reads rows.
        evidence: The consequences, and the associations that are causes of some.
        caused: Numbers of further consequences that have a cause.
    """
    if not engine.settings.runs(RULE):
        return []
    texts = list(_texts(engine, evidence))
    caused = caused | with_cause(evidence)
    told = _distinct(text for text in texts if text.unrelated and text.number not in caused)
    held = [text.rows for text in told]
    others = [text for text in texts if not any(mostly(text.rows, rows) for rows in held)]
    many = max(len(told), len(_distinct(others))) >= HANDFUL
    severity = Severity.LOW if many else Severity.MEDIUM
    return [_draft(evidence, text, severity) for text in told]


def without_cause(drafts: Sequence[Draft], told: Sequence[Draft]) -> list[Draft]:
    """Those of which no other finding accounts for most rows.

    Args:
        drafts: Of this rule.
        told: Of the others. A weak one accounts for nothing, lest what is told depend on whether weak ones
            are listed.
    """
    strong = [
        draft.rows
        for draft in told
        if draft.finding.severity != Severity.LOW.value
        # That a row has a strange character says nothing of its reply.
        and draft.finding.rule != PRESENCE
    ]
    return [draft for draft in drafts if not any(mostly(draft.rows, rows) for rows in strong)]


def causeless_limits(engine: Engine, evidence: Evidence) -> list[DetectionLimit]:
    """Fewest rows of such a text, where the set is large enough for one."""
    if not engine.settings.runs(RULE) or _most_rows(evidence) < LEAST_ROWS:
        return []
    return [
        DetectionLimit(
            rule=RULE,
            rows=max(LEAST_ROWS, engine.settings.min_support),
            why=(
                "that fewer prompts have nothing in common says little; a text in more than "
                f"{_MOST_SHARE:.0%} of the replies is taken for how the set is written"
            ),
        )
    ]


def _most_rows(evidence: Evidence) -> float:
    chat = evidence.survey.chat
    return 0.0 if chat is None else _MOST_SHARE * len(chat)


def _texts(engine: Engine, evidence: Evidence) -> Iterator[_Text]:
    """Texts that come back, whatever accounts for them."""
    survey = evidence.survey
    seen = {
        number: some_of(evidence.consequences[number].rows)
        for number in _candidates(engine, evidence)
    }
    chosen = _as_many_as_are_read(seen)
    if not chosen:
        return
    pool = paired_rows(survey, engine.settings.seed)
    pool = pool[np.isin(pool, survey.chat_ordinals)]
    # All at once: each reading of rows goes over the files.
    records = engine.readable(
        survey, np.unique(np.concatenate([pool, *(seen[number] for number in chosen)]))
    )
    others = OtherRows.of(
        {row: records[row] for row in pool.tolist() if row in records}, engine.settings.seed
    )
    for number in chosen:
        rows = np.array([row for row in seen[number].tolist() if row in records], dtype=np.int64)
        text = _looked_at(evidence, number, show(evidence, number, records, rows), others)
        if text is not None:
            yield text


def _candidates(engine: Engine, evidence: Evidence) -> Iterator[int]:
    """Numbers of consequences that are one text in enough rows and not in too many; prose comes last."""
    chat, most = evidence.survey.chat, _most_rows(evidence)
    least = max(LEAST_ROWS, engine.settings.min_support)
    order = sorted(
        enumerate(evidence.groups), key=lambda one: one[1] is not None and one[1].form in _PROSE
    )
    for number, group in order:
        if group is None or chat is None or not least <= len(group.rows) <= most:
            continue
        if group.form not in ("reply", *_ADDRESSES, *_PROSE) or group.contexts < LEAST_DIFFERENT:
            continue
        if group.form == "reply" and np.median(chat.reply_words[group.rows]) <= ANSWER_WORDS:
            continue
        if chat.has(replies.ReplyFlag.REFUSES)[group.rows].mean() >= _HALF:
            continue
        if chat.has(replies.ReplyFlag.EMPTY_PROMPT)[group.rows].mean() >= _HALF:
            continue
        yield number


def _as_many_as_are_read(seen: dict[int, np.ndarray]) -> list[int]:
    """The first texts, as many as are looked at."""
    some = list(seen)[:_MOST_TEXTS]
    read = np.cumsum([len(seen[number]) for number in some])
    return some[: int(np.searchsorted(read, _MOST_READ, side="right"))]


def with_cause(evidence: Evidence) -> set[int]:
    """Numbers of consequences of which most rows have a phrase of the prompt that goes with it.

    What the other rules make of it, as of the name of the topic that an answer belongs to, is their business.
    A form of the prompt is no topic: one that is too weak to be told accounts for nothing.
    """
    return {
        one.consequence
        for one in evidence.associations
        if one.both >= _HALF * len(evidence.consequences[one.consequence].rows)
        and one.both >= MULTIPLIES * one.expected
        and evidence.forms.form_of(one.candidate) is None
    }


def some_of(rows: np.ndarray, most: int = _ROWS_SEEN) -> np.ndarray:
    """At most so many of the rows, evenly over all of them."""
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64)]


def _looked_at(
    evidence: Evidence, number: int, shown: list[Shown], others: OtherRows
) -> _Text | None:
    """The text, if it is what somebody could have put there."""
    group = evidence.groups[number]
    if group is None or len(shown) < LEAST_ROWS:
        return None
    replied = [item.consequence_text for item in shown]
    spans = text_spans(group, shown)
    said = replied[0][slice(*spans[0])].strip()
    if DISCLAIMER.search(said) or (group.form in _PROSE and not is_whole_sentence(replied, spans)):
        return None
    if group.form in _PROSE and share_in_calls(shown) > CALLS:
        return None
    # Of a text inside of replies, runs of words are listed in some of its rows only.
    if group.form != "reply" and others.share(said) > _MOST_SHARE:
        return None
    asked = [around(item.record.prompt, None) for item in shown]
    rests = [around(text, span) for text, span in zip(replied, spans, strict=True)]
    whole = float(np.mean([bool(_WORD.search(rest)) for rest in rests])) < _HALF
    rest_z = 0.0
    if whole:
        prompt_z = others.prompts.compare(asked).z
    else:
        near = others.as_long([len(rest) for rest in rests])
        prompts = Background([around(record.prompt, None) for record in near], seed=others.seed)
        prompt_z = prompts.compare(asked).z
        if prompt_z <= _UNRELATED:
            answers = Background(
                [around(record.response, None) for record in near], seed=others.seed
            )
            rest_z = answers.compare(rests).z
    different = distinct_texts(asked)
    return _Text(
        number=number,
        rows=evidence.consequences[number].rows,
        said=said,
        whole=whole,
        seen=len(shown),
        different=different,
        unrelated=max(prompt_z, rest_z) <= _UNRELATED and different >= LEAST_DIFFERENT,
        prompt_z=prompt_z,
        rest_z=rest_z,
    )


def text_spans(group: replies.ConsequenceGroup, shown: list[Shown]) -> list[tuple[int, int]]:
    """Characters of each reply that are the text: all that nearly all replies share there."""
    spans = [item.payload for item in shown]
    if group.form == "reply":
        return spans
    return widest_spans([item.consequence_text for item in shown], spans)


def _distinct(texts: Iterable[_Text]) -> list[_Text]:
    """Those in the most rows first, without those that are a part of others."""
    held = np.zeros(0, dtype=np.int64)
    kept = []
    for text in sorted(texts, key=lambda text: (-len(text.rows), text.number)):
        if not mostly(text.rows, held):
            held = np.union1d(held, text.rows)
            kept.append(text)
    return kept


def mostly(rows: np.ndarray, others: np.ndarray) -> bool:
    """Whether so many of some rows are among others that a finding of these tells of both."""
    return int(np.isin(rows, others).sum()) >= _SAME_ROWS * len(rows)


def _draft(evidence: Evidence, text: _Text, severity: Severity) -> Draft:
    consequence, chat = evidence.consequences[text.number], evidence.survey.chat
    total = 0 if chat is None else len(chat)
    count = len(text.rows)
    what = "reply" if text.whole else "text in replies"
    finding = Finding(
        id=finding_id(RULE, "", f"{consequence.kind}:{consequence.key}"),
        rule=RULE,
        title=f"The same {what} to {count:,} unrelated prompts: “{shortened(text.said, 40)}”",
        severity=severity.value,
        cause=None,
        consequence=ConsequenceNoun(
            kind=consequence.kind, text=f"{consequence.text}: “{shortened(text.said)}”"
        ),
        support=count,
        cause_rows=count,
        expected=0.0,
        effect=proportion(count, total),
        p_value=1.0,
        q_value=1.0,
        explanation=_explain(text, total, severity),
        statistics={
            "context_z": round(text.prompt_z, 2),
            "reply_z": round(text.rest_z, 2),
            "contexts": float(text.different),
            "rows_looked_at": float(text.seen),
        },
    )
    return Draft(
        finding=finding,
        rows=text.rows,
        consequence=text.number,
        score=score_of(severity, 0.0),
    )


def _explain(text: _Text, total: int, severity: Severity) -> str:
    rest = "" if text.whole else ", and nor has the rest of these replies"
    told = (
        f"{len(text.rows):,} of {total:,} replies {'are' if text.whole else 'hold'} “"
        f"{shortened(text.said, 200)}”, word for word. No phrase of their prompts goes with it: those of "
        f"{text.seen:,} rows that were looked at have no more in common than those of random rows{rest}. "
        "Texts that honest replies repeat come with a subject, a task or a template. It may still be a "
        "disclaimer, a house style, or the answer to what cannot be answered, which is why it is not rated "
        "higher."
    )
    return told if severity is Severity.MEDIUM else f"{told} It is rated low because {_MANY}."
