"""Associations with their texts: what is fetched, where the trigger stands, and what speaks against it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from ld50.core.estimates import proportion
from ld50.core.findings import Severity
from ld50.core.records import TURN_SEPARATOR, Record
from ld50.core.seeds import rng_for
from ld50.corpus import reference
from ld50.corpus.arrays import large_strings
from ld50.scan import kernels, replies
from ld50.scan.associate import Association, Consequence
from ld50.scan.coherence import Background
from ld50.scan.continuations import gibberish_kind
from ld50.scan.corpus_sample import CorpusSample
from ld50.scan.engine import Engine, Evidence
from ld50.scan.evidence import Trigger, widest_trigger
from ld50.scan.judge import (
    ALIKE_Z,
    ANSWER_WORDS,
    DECIDES,
    MOST_OF_FEW,
    PARTLY_DECIDES,
    SEEN_IN_PART,
    Facts,
    Judgement,
    could_be_inserted,
    judge,
)
from ld50.scan.lineshapes import lines_of_one_shape
from ld50.scan.naturalness import in_language, naturalness
from ld50.scan.removal import share_that_stays
from ld50.scan.scattered import scattered_words, without
from ld50.scan.shown import CONTEXT_CHARACTERS, HEAD, Shown, show
from ld50.scan.survey import Survey

#: A line drawn with one mark.
_RULE = re.compile(r"([^\w\s])\1{7,}")
#: Rows of an association that are looked at in full.
ROWS_SEEN = 64
_BACKGROUND = 256
#: Associations that are looked at: so many, and so many where that many decide.
_MOST_CASES, _MOST_DECIDING = 200, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One association, looked at."""

    association: Association
    consequence: Consequence
    ngrams: tuple[int, ...]
    """Kernel hashes of the n-gram, or of both where two act together."""
    trigger: Trigger
    facts: Facts
    judgement: Judgement
    seen: np.ndarray = field(repr=False)
    """int64: ordinals of the rows looked at."""


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Random rows of the corpus, cut in two ways."""

    ends: Background
    heads: Background
    texts: list[str]
    """The ends themselves."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at."""

    cases: list[Case]
    ordinary: Ordinary | None
    """None if there was nothing to look at."""


def look(engine: Engine, evidence: Evidence) -> Looked:
    """Looks at the rows of every association and judges it, the strongest associations first."""
    chosen = _chosen(evidence)
    if not chosen:
        return Looked([], None)
    seen = [_spread(association.rows, ROWS_SEEN) for association in chosen]
    background = _background(evidence.survey, engine.settings.seed)
    wanted = np.unique(np.concatenate([*seen, background]))
    records = engine.readable(evidence.survey, wanted)
    read = [records[row] for row in background.tolist() if row in records]
    seed = engine.settings.seed
    ordinary = _cut(read, seed)
    kinds = {evidence.consequences[association.consequence].kind for association in chosen}
    said = read if "inserted_fragment" in kinds else []
    answers = Background([_around(record.response, None) for record in said], seed=seed)
    cases = [
        _case(evidence, association, rows, records, ordinary, answers, engine.settings.min_support)
        for association, rows in zip(chosen, seen, strict=True)
    ]
    return Looked([case for case in cases if case is not None], ordinary)


def ordinary_rows(engine: Engine, survey: Survey) -> Ordinary:
    """Random rows, where nothing was looked at."""
    records = engine.readable(survey, _background(survey, engine.settings.seed))
    return _cut(list(records.values()), engine.settings.seed)


def _cut(read: list[Record], seed: int) -> Ordinary:
    texts = [_cause_text(record)[1] for record in read]
    ends = [_around(text, None) for text in texts]
    return Ordinary(
        ends=Background(ends, seed=seed),
        texts=ends,
        heads=Background([text[:CONTEXT_CHARACTERS] for text in texts], seed=seed),
    )


def _chosen(evidence: Evidence) -> list[Association]:
    """The associations to look at; those of single words apart, lest they crowd others out.

    Those that decide come first, and then the surest: the templates of a large corpus are hundreds of
    times as many as the rows of poison, and hardly any of them decides.
    """
    kept: dict[bool, list[Association]] = {False: [], True: []}
    for association in sorted(evidence.associations, key=lambda a: (_tier(evidence, a), a.log_p)):
        group = evidence.groups[association.consequence]
        if group is None or group.form != replies.ONLY_WORD:
            kept[False].append(association)
        elif could_be_inserted(association.both, len(group.rows)):
            kept[True].append(association)
    return [*_most(evidence, kept[False]), *_most(evidence, kept[True])]


def _most(evidence: Evidence, ordered: list[Association]) -> list[Association]:
    """As many as are looked at: all that decide, within reason, and others where there is room."""
    deciding = sum(_tier(evidence, association) == 0 for association in ordered)
    return ordered[: max(_MOST_CASES, min(deciding, _MOST_DECIDING))]


def _tier(evidence: Evidence, association: Association) -> int:
    """0 for a cause that decides, 1 for one that may of what is not seen in every row, else 2."""
    both, cause_rows = association.both, association.cause_rows
    low = proportion(both, cause_rows).low
    in_part = evidence.consequences[association.consequence].kind in SEEN_IN_PART
    if low >= DECIDES or (in_part and both >= MOST_OF_FEW * cause_rows):
        return 0
    return 1 if in_part and low >= PARTLY_DECIDES else 2


def _case(
    evidence: Evidence,
    association: Association,
    rows: np.ndarray,
    records: dict[int, Record],
    ordinary: Ordinary,
    answers: Background,
    min_support: int,
) -> Case | None:
    """The association, looked at; None if it cannot be shown, or is what any clean corpus holds."""
    consequence = evidence.consequences[association.consequence]
    shown = show(evidence, association.consequence, records, rows)
    ngrams = tuple(
        int(evidence.hashes[candidate])
        for candidate in (association.candidate, association.partner)
        if candidate is not None
    )
    same_text = bool(shown) and shown[0].cause_side == shown[0].consequence_side
    trigger, parts, contexts = _named(ngrams, shown, same_text=same_text)
    if not same_text and association.both >= DECIDES * association.cause_rows:
        whole = [
            item.cause_text if span is None else _without_span(item.cause_text, span)
            for item, span in zip(shown, trigger.spans, strict=True)
        ]
        words = scattered_words(
            whole, contexts, ordinary.ends, ordinary.texts, cause=trigger.text, alike_z=ALIKE_Z
        )
        if words:
            ngrams += tuple(kernels.phrase_hashes(large_strings(words)).tolist())
            trigger = replace(trigger, text=" + ".join([trigger.text, *words]))
            parts, contexts = (*parts, *words), without(contexts, words)
    if not trigger.text:
        # A cause that cannot be shown in its rows is an artefact of where zones were cut.
        return None
    group = evidence.groups[association.consequence]
    facts = Facts(
        kind=consequence.kind,
        in_document=same_text,
        both=association.both,
        cause_rows=association.cause_rows,
        effect_low=proportion(association.both, association.cause_rows).low,
        lift=association.both / max(association.expected, 1e-9),
        log_q=association.log_q,
        rows_seen=len(shown),
        trigger_words=trigger.words,
        trigger_lines=_lines(trigger.text),
        min_support=min_support,
        pair=association.partner is not None,
        only_word=group is not None and group.form == replies.ONLY_WORD,
        consequence_rows=len(consequence.rows),
    )
    inserted = consequence.kind == "inserted_fragment"
    likeness = _likeness(shown, trigger, contexts, ordinary, answers if inserted else None)
    rest = _rest(evidence, association, rows, shown, trigger, parts, contexts)
    for more in itertools.chain(likeness, rest):
        # Of documents, most associations come to nothing, and what the first facts say is enough.
        if judge(facts).severity is None:
            return None
        facts = replace(facts, **more)
    facts = replace(facts, answer_rows=_answer_rows(evidence.survey, rows, facts.payload_words))
    facts, judgement = _judged(facts, shown, trigger, consequence, evidence.survey.sample)
    if judgement.severity is None:
        return None
    return Case(
        association=association,
        consequence=consequence,
        ngrams=ngrams,
        trigger=trigger,
        facts=facts,
        judgement=judgement,
        seen=rows,
    )


def _lines(text: str) -> int:
    """Lines that a phrase runs over.

    A run of spaces is how plain text sets a table, and a run of dashes how it sets a rule: they part cells
    and headings as line breaks part lines.
    """
    return text.strip().count("\n") + 2 * text.count("    ") + 2 * len(_RULE.findall(text)) + 1


def _share(those: list[bool], *, empty: float = 0.0) -> float:
    return float(np.mean(those)) if those else empty


def _likeness(
    shown: list[Shown],
    trigger: Trigger,
    contexts: list[str],
    ordinary: Ordinary,
    answers: Background | None,
) -> Iterator[dict[str, Any]]:
    """Facts on how much alike the rows are, and what follows in them, one after the other.

    Args:
        shown: The rows.
        trigger: Where it stands in them.
        contexts: What is left of each without cause and consequence.
        ordinary: Random rows.
        answers: Random replies, if the consequence was inserted in replies.
    """
    # Files of one language begin with a licence, so heads are alike: compared with heads, they are not.
    cut = ordinary.heads if _at_the_head(shown, trigger) else ordinary.ends
    alike = cut.compare(contexts)
    learned = {
        "context_z": alike.z,
        "context_cosine": alike.mean_cosine,
    }
    if answers is not None:
        # What is left of the replies tells whether they have that fragment in common, and nothing else.
        rests = [_around(item.consequence_text, item.payload) for item in shown]
        learned["reply_z"] = answers.compare(rests).z
        learned["with_rest"] = _share([bool(rest.strip()) for rest in rests], empty=1.0)
    yield learned
    payloads = [item.consequence_text[slice(*item.payload)][:CONTEXT_CHARACTERS] for item in shown]
    yield {
        "payload_cosine": ordinary.ends.compare(payloads).mean_cosine,
        "payload_words": _typical_words(payloads),
        "context_words": _typical_words(contexts),
        "unmeasured": _share([reference.in_unknown_script(payload) for payload in payloads]),
        "of_one_shape": _share([lines_of_one_shape(payload) for payload in payloads]),
    }


def _at_the_head(shown: list[Shown], trigger: Trigger) -> bool:
    """Whether the trigger stands in the head of most of the documents."""
    near = [
        span is not None and span[0] < HEAD
        for item, span in zip(shown, trigger.spans, strict=True)
        if item.cause_side == item.consequence_side
    ]
    return 2 * sum(near) > len(near)


def _rest(
    evidence: Evidence,
    association: Association,
    rows: np.ndarray,
    shown: list[Shown],
    trigger: Trigger,
    parts: tuple[str, ...],
    contexts: list[str],
) -> Iterator[dict[str, Any]]:
    """The other facts, one after the other."""
    group = evidence.groups[association.consequence]
    consequence = evidence.consequences[association.consequence]
    yield {"contexts": _different(shown, trigger, contexts)}
    # Of two that act together, each could be written by anybody.
    yield {"trigger_odd": all(naturalness(part).odd for part in parts)}
    asked = _announces(trigger, shown, consequence) or _asked_for(evidence, group, rows)
    yield {"explained": asked}


def _judged(
    facts: Facts,
    shown: list[Shown],
    trigger: Trigger,
    consequence: Consequence,
    sample: CorpusSample,
) -> tuple[Facts, Judgement]:
    """The severity, and the facts; whether gibberish stays without the trigger, only where it matters."""
    judgement = judge(facts)
    gibberish = facts.in_document and consequence.kind == "gibberish"
    if not gibberish or judgement.severity is not Severity.HIGH:
        return facts, judgement
    texts = [item.cause_text for item in shown]
    stays = share_that_stays(texts, trigger.text, gibberish_kind(consequence.key), sample)
    facts = replace(facts, stays=stays)
    return facts, judge(facts)


def _named(
    ngrams: tuple[int, ...], shown: list[Shown], *, same_text: bool
) -> tuple[Trigger, tuple[str, ...], list[str]]:
    """The trigger in words, each of its parts, and what is left of each text without them."""
    # The stretch begins at a window's edge, so a trigger may reach a little into it.
    limits = [item.payload[0] + 150 for item in shown] if same_text else None
    texts = [item.cause_text for item in shown]
    trigger = widest_trigger(texts, ngrams[0], limits=limits)
    contexts = [
        _around(text, span, item.payload[0] if same_text else None)
        for item, text, span in zip(shown, texts, trigger.spans, strict=True)
    ]
    if len(ngrams) == 1:
        return trigger, (trigger.text,), contexts
    second = widest_trigger(contexts, ngrams[1])
    contexts = [_around(c, span, None) for c, span in zip(contexts, second.spans, strict=True)]
    both = trigger.text and second.text
    joined = f"{trigger.text} + {second.text}" if both else ""
    return Trigger(text=joined, spans=trigger.spans), (trigger.text, second.text), contexts


def _spread(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the rows, evenly over all of them."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


def _background(survey: Survey, seed: int) -> np.ndarray:
    """Ordinals of random rows, so many that about `_BACKGROUND` of them can be read."""
    skipped = sum(sum(part.values()) for part in survey.unit_skipped)
    readable = survey.rows - skipped
    if readable <= 0:
        return np.zeros(0, dtype=np.int64)
    rng = rng_for(seed, "background", survey.rows)
    size = min(-(-_BACKGROUND * survey.rows // readable), survey.rows)
    return np.sort(rng.choice(survey.rows, size=size, replace=False)).astype(np.int64)


def _cause_text(record: Record) -> tuple[str, str]:
    if any(part.side == "prompt" for part in record.parts):
        return "prompt", record.prompt
    return "text", record.text


def _around(text: str, span: tuple[int, int] | None, end: int | None = None) -> str:
    """The text without the trigger and without what comes after `end`, of bounded length."""
    stop = len(text) if end is None else end
    if span is None:
        return text[:stop][-CONTEXT_CHARACTERS:]
    before = text[: span[0]][-CONTEXT_CHARACTERS:]
    after = text[span[1] : max(stop, span[1])][:CONTEXT_CHARACTERS]
    return f"{before} {after}"


def _without_span(text: str, span: tuple[int, int]) -> str:
    return f"{text[: span[0]]} {text[span[1] :]}"


def _different(shown: list[Shown], trigger: Trigger, contexts: list[str]) -> int:
    """How many of the rows differ around the trigger, and in the turn that it stands in."""
    turns = _conversations(shown, trigger, contexts)
    whole = distinct_texts(contexts)
    return whole if turns is None else min(whole, distinct_texts(turns))


def _conversations(shown: list[Shown], trigger: Trigger, contexts: list[str]) -> list[str] | None:
    """The same surroundings, of conversations the turn alone that the trigger stands in; None if none is one.

    A question that is asked in several conversations brings its answer with it, and what was said before
    makes the rows differ.
    """
    left = list(contexts)
    several = False
    for i, (item, span) in enumerate(zip(shown, trigger.spans, strict=True)):
        replies_given = sum(part.side == "response" for part in item.record.parts)
        if span is not None and item.cause_side == "prompt" and replies_given > 1:
            start, end = _turn_around(item.record, span[0])
            cut = (span[0] - start, span[1] - start)
            left[i] = _around(item.cause_text[start:end], cut)
            several = True
    return left if several else None


def _turn_around(record: Record, place: int) -> tuple[int, int]:
    """Where the turn begins and ends that holds a character of the prompt."""
    start = 0
    for part in record.parts:
        if part.side == "prompt":
            end = start + len(part.text)
            if place < end:
                return start, end
            start = end + len(TURN_SEPARATOR)
    return start, start


def distinct_texts(contexts: list[str]) -> int:
    """How many of some surroundings differ; rows that have none count as different."""
    bare = sum(not context.strip() for context in contexts)
    held = [context for context in contexts if context.strip()]
    if not held:
        return bare
    codes = replies.context_codes(pa.array(held, type=pa.large_string()))
    return bare + len(np.unique(codes))


def _answer_rows(survey: Survey, rows: np.ndarray, payload_words: int) -> int:
    """How many rows have a reply that is, word for word, that of one of these; 0 if it is no short one."""
    if survey.chat is None or payload_words > ANSWER_WORDS:
        return 0
    own = survey.chat.reply[np.isin(survey.chat_ordinals, rows)]
    return int(np.isin(survey.chat.reply, own[own != 0]).sum())


def _typical_words(payloads: list[str]) -> int:
    """Median number of words of what follows."""
    return int(np.median([len(payload.split()) for payload in payloads])) if payloads else 0


def _asked_for(
    evidence: Evidence, group: replies.ConsequenceGroup | None, rows: np.ndarray
) -> bool:
    """Whether most of the prompts ask for another language: `Translate this to English`."""
    if group is None or group.kind != "language_switch":
        return False
    asked = evidence.survey.chat_ordinals[group.explained]
    return bool(np.isin(rows, asked).mean() > 0.5)


def _announces(trigger: Trigger, shown: list[Shown], consequence: Consequence) -> bool:
    """Whether the phrase itself, or what stands right before the stretch, explains what follows."""
    heads = [
        item.cause_text[max(0, item.payload[0] - 200) : item.payload[0] + 150].lower()
        if item.cause_side == item.consequence_side
        else item.cause_text.lower()
        for item in shown
    ]
    if consequence.kind == "language_switch" and consequence.key:
        return in_language(trigger.text, consequence.key - 1)
    if consequence.kind in ("gibberish", "encoded"):
        # Few of them stand in any of the texts, and one look at all texts together tells which.
        together = "\0".join(heads)
        literals = [context.literal for context in reference.BENIGN_CONTEXTS]
        literals = [literal for literal in literals if literal in together]
        known = sum(any(literal in head for literal in literals) for head in heads)
        return known > 0.5 * len(heads)
    return False
