"""Associations with their texts: what is fetched, where the trigger stands, and what speaks against it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ld50.core.estimates import proportion
from ld50.core.findings import Severity
from ld50.core.records import Record
from ld50.corpus import reference
from ld50.scan import replies
from ld50.scan.any_gibberish import nearly_gibberish, share_in_gibberish
from ld50.scan.associate import Association, Consequence
from ld50.scan.calls import of_results
from ld50.scan.coherence import Background
from ld50.scan.continuations import gibberish_kind
from ld50.scan.corpus_sample import CorpusSample
from ld50.scan.engine import Engine, Evidence
from ld50.scan.evidence import Trigger
from ld50.scan.facts import Facts
from ld50.scan.form_traits import is_mirrored, other_length, other_traits
from ld50.scan.judge import (
    ANSWER_WORDS,
    CALLS,
    DECIDES,
    MOST_OF_FEW,
    PARTLY_DECIDES,
    SEEN_IN_PART,
    Judgement,
    could_be_inserted,
    judge,
)
from ld50.scan.language_rates import usual_share
from ld50.scan.likeness import likeness
from ld50.scan.naming import Named, named, named_form, with_pieces
from ld50.scan.naturalness import in_language, naturalness
from ld50.scan.ordinary import Ordinary, known, ordinary_of, paired_rows, random_rows
from ld50.scan.phrasing import as_bare, taken_up, translated, usual_language
from ld50.scan.placement import Cause, Placement
from ld50.scan.recounting import among_those_that_could, counted_anew
from ld50.scan.removal import share_as_long, share_that_stays
from ld50.scan.shown import Shown, show
from ld50.scan.surroundings import (
    around,
    different_rows,
    frame_of,
    share_of_whole_frames,
)
from ld50.scan.survey import Survey

#: A line drawn with one mark.
_RULE = re.compile(r"([^\w\s])\1{7,}")
#: Rows of an association that are looked at in full.
ROWS_SEEN = 64
#: Associations that are looked at: so many, and so many where that many decide.
_MOST_CASES, _MOST_DECIDING = 200, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One association, looked at."""

    association: Association
    consequence: Consequence
    ngrams: tuple[int, ...]
    """Kernel hashes of the n-gram, or of both where two act together; none if a form is the cause."""
    trigger: Trigger
    facts: Facts
    judgement: Judgement
    seen: np.ndarray = field(repr=False)
    """int64: ordinals of the rows looked at."""
    form: int | None = None
    """The number of the form that is the cause; None if it is an n-gram."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at."""

    cases: list[Case]
    ordinary: Ordinary | None
    """None if there was nothing to look at."""


def look(engine: Engine, evidence: Evidence) -> Looked:
    """Looks at the rows of every association and judges it, the strongest associations first."""
    chosen = _chosen(replace(evidence, associations=among_those_that_could(engine, evidence)))
    if not chosen:
        return Looked([], None)
    seen = [_spread(association.rows, ROWS_SEEN) for association in chosen]
    seed = engine.settings.seed
    background, paired = random_rows(evidence.survey, seed), paired_rows(evidence.survey, seed)
    wanted = np.unique(np.concatenate([*seen, background, paired]))
    records = engine.readable(evidence.survey, wanted)
    read = list(known(records, background).values())
    ordinary = ordinary_of(read, known(records, paired), seed)
    kinds = {evidence.consequences[association.consequence].kind for association in chosen}
    said = read if "inserted_fragment" in kinds else []
    answers = Background([around(record.response, None) for record in said], seed=seed)
    usual = _Usual(
        ordinary,
        answers,
        {frame_of(record) for record in read},
        _short(evidence.survey),
        {row: record.text for row, record in known(records, background).items()},
        evidence.survey.sample,
        share_in_gibberish(engine, evidence, chosen),
    )
    cases = [
        _case(engine, evidence, association, rows, records, usual)
        for association, rows in zip(chosen, seen, strict=True)
    ]
    return Looked([case for case in cases if case is not None], ordinary)


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
    if nearly_gibberish(evidence, association):
        return 0
    return 1 if in_part and low >= PARTLY_DECIDES else 2


@dataclass(frozen=True)
class _Usual:
    """What the rows of an association are compared with."""

    rows: Ordinary
    replies: Background
    frames: set[str]
    """System prompts of random rows."""
    short_replies: float
    """Share of all replies that are as short as an answer."""
    texts: dict[int, str]
    """Random documents, by their ordinals."""
    sample: CorpusSample
    """What is ordinary in the corpus."""
    in_gibberish: dict[int, float]
    """By candidate, the share of its documents that hold gibberish of any kind, where that is asked."""


def _case(
    engine: Engine,
    evidence: Evidence,
    association: Association,
    rows: np.ndarray,
    records: dict[int, Record],
    usual: _Usual,
) -> Case | None:
    """The association, looked at; None if it cannot be shown, or is what any clean corpus holds."""
    ordinary, answers = usual.rows, usual.replies
    consequence = evidence.consequences[association.consequence]
    form = evidence.forms.form_of(association.candidate)
    shown = show(evidence, association.consequence, records, rows)
    candidates = () if form is not None else (association.candidate, association.partner)
    ngrams = tuple(int(evidence.hashes[c]) for c in candidates if c is not None)
    same_text = bool(shown) and shown[0].cause_side == shown[0].consequence_side
    cause = named(ngrams, shown, same_text=same_text) if form is None else named_form(form, shown)
    if form is None and not same_text and association.both >= DECIDES * association.cause_rows:
        cause = with_pieces(cause, shown, ordinary)
        if len(cause.ngrams) > len(ngrams):
            association = counted_anew(engine, evidence, association, cause.ngrams)
    trigger, contexts = cause.trigger, cause.contexts
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
        trigger_words=trigger.words if form is None else 0,
        trigger_lines=_lines(trigger.text),
        min_support=engine.settings.min_support,
        pair=association.partner is not None,
        only_word=group is not None and group.form == replies.ONLY_WORD,
        consequence_rows=len(consequence.rows),
        in_gibberish=usual.in_gibberish.get(association.candidate, 0.0),
        chosen_by_word=consequence.own_chance is not None,
        form=form is not None,
        by_form=group is not None and replies.by_form(group),
    )
    inserted = consequence.kind == "inserted_fragment"
    said = answers if inserted else None
    alike = likeness(shown, trigger, contexts, ordinary, said, only_word=facts.only_word)
    rest = _rest(evidence, association, rows, shown, cause, usual)
    for more in itertools.chain(alike, rest):
        # Of documents, most associations come to nothing, and what the first facts say is enough.
        if judge(facts).severity is None:
            return None
        facts = replace(facts, **more)
    facts = replace(
        facts,
        answer_rows=_answer_rows(evidence.survey, rows, facts.payload_words),
        short_replies=usual.short_replies,
    )
    facts, judgement = _judged(facts, shown, cause.parts, association, consequence, usual)
    if judgement.severity is None:
        return None
    return Case(
        association=association,
        consequence=consequence,
        ngrams=cause.ngrams,
        trigger=trigger,
        facts=facts,
        judgement=judgement,
        seen=rows,
        form=form,
    )


def _lines(text: str) -> int:
    """Lines that a phrase runs over.

    A run of spaces is how plain text sets a table, and a run of dashes how it sets a rule: they part cells
    and headings as line breaks part lines.
    """
    return text.strip().count("\n") + 2 * text.count("    ") + 2 * len(_RULE.findall(text)) + 1


def _rest(
    evidence: Evidence,
    association: Association,
    rows: np.ndarray,
    shown: list[Shown],
    cause: Named,
    usual: _Usual,
) -> Iterator[dict[str, Any]]:
    """The other facts, one after the other."""
    group = evidence.groups[association.consequence]
    consequence = evidence.consequences[association.consequence]
    if consequence.kind in ("language_switch", "gibberish") and group is None:
        yield {"usual_share": usual_share(evidence.survey, consequence, association.rows)}
    of_calls = usual.rows.calls.facts(shown, association.rows)
    yield of_calls
    asked_only = of_calls["in_calls"] > CALLS
    contexts = different_rows(shown, cause.trigger, cause.contexts, asked_only=asked_only)
    yield {"contexts": contexts}
    # Of two that act together, each could be written by anybody.
    # A form takes no odd word at all.
    odd = bool(cause.parts) and all(naturalness(part).odd for part in cause.parts)
    yield {"trigger_odd": odd}
    manner = consequence.kind == "similar_replies" or (group is not None and replies.by_form(group))
    yield {"of_results": of_results(shown, cause.trigger.spans, manner=manner)}
    if cause.parts and shown[0].cause_side == "prompt":
        yield _put_in(cause, shown, association.rows, usual.rows.placement)
        yield {
            "as_bare": as_bare(cause, usual.rows),
            "translated": translated(evidence.survey, association.rows),
        }
    if group is not None and consequence.kind == "language_switch":
        yield {"usual_language": usual_language(evidence.survey, consequence.key - 1)}
    if group is not None and group.form == replies.ONLY_WORD:
        yield {"taken_up": taken_up(cause, shown, usual.rows.placement)}
    asked = _announces(cause, shown, consequence) or _asked_for(evidence, group, rows)
    yield {"explained": asked}
    yield {"whole_frame": share_of_whole_frames(shown, cause.trigger, usual.frames)}
    form = evidence.forms.form_of(association.candidate)
    if form is not None and evidence.survey.chat is not None:
        lengths = evidence.survey.chat.prompt_words
        yield {
            "other_form": other_traits(evidence.forms.forms, form, association.rows),
            "other_length": other_length(evidence.forms.forms, lengths, association.rows),
            "mirrored": group is not None and is_mirrored(form, group),
        }


def _put_in(
    cause: Named, shown: list[Shown], rows: np.ndarray, placement: Placement
) -> dict[str, Any]:
    """How sure it is that a cause was put into its prompts: of its pieces, the one that it is surest of.

    Words that stand in most of the rows by themselves may be among the pieces, or at the edges of one.
    """
    pieces = [
        (part, None if number else cause.trigger.spans) for number, part in enumerate(cause.parts)
    ]
    cores = [(placement.core(part), part) for part in cause.parts]
    pieces += [(core, None) for core, part in cores if core != part]
    found, placed = [], False
    for part, spans in pieces:
        piece = Cause([part])
        met = [
            meeting
            for number, item in enumerate(shown)
            for meeting in piece.meetings(item.record, spans[number] if spans else None)
        ]
        found.append(placement.put_in(met, rows, [item.record for item in shown]))
        placed = placed or any(met)
    return {"put_in": max(found), "placed": placed}


def _judged(
    facts: Facts,
    shown: list[Shown],
    parts: tuple[str, ...],
    association: Association,
    consequence: Consequence,
    usual: _Usual,
) -> tuple[Facts, Judgement]:
    """The severity, and the facts; what gibberish owes to the cause and to length, where it matters."""
    judgement = judge(facts)
    gibberish = facts.in_document and consequence.kind == "gibberish"
    if not gibberish or judgement.severity in (None, Severity.LOW):
        return facts, judgement
    kind = gibberish_kind(consequence.key)
    texts = [item.cause_text for item in shown]
    facts = replace(facts, stays=share_that_stays(texts, parts, kind, usual.sample))
    whole = [item.record.text for item in shown]
    its = set(association.rows.tolist())
    others = [text for row, text in usual.texts.items() if row not in its]
    facts = replace(facts, as_long=share_as_long(whole, others, kind, usual.sample))
    return facts, judge(facts)


def _spread(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the rows, evenly over all of them."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


def _answer_rows(survey: Survey, rows: np.ndarray, payload_words: int) -> int:
    """How many rows have a reply that is, word for word, that of one of these; 0 if it is no short one."""
    if survey.chat is None or payload_words > ANSWER_WORDS:
        return 0
    own = survey.chat.reply[np.isin(survey.chat_ordinals, rows)]
    return int(np.isin(survey.chat.reply, own).sum())


def _short(survey: Survey) -> float:
    """Share of all replies that have no more words than an answer; 1 where there are none."""
    if survey.chat is None or len(survey.chat) == 0:
        return 1.0
    return float(np.mean(survey.chat.reply_words <= ANSWER_WORDS))


def _asked_for(
    evidence: Evidence, group: replies.ConsequenceGroup | None, rows: np.ndarray
) -> bool:
    """Whether most of the prompts ask for another language: `Translate this to English`."""
    if group is None or group.kind != "language_switch":
        return False
    asked = evidence.survey.chat_ordinals[group.explained]
    return bool(np.isin(rows, asked).mean() > 0.5)


def _announces(cause: Named, shown: list[Shown], consequence: Consequence) -> bool:
    """Whether the phrase itself, or what stands right before the stretch, explains what follows."""
    heads = [
        item.cause_text[max(0, item.payload[0] - 200) : item.payload[0] + 150].lower()
        if item.cause_side == item.consequence_side
        else item.cause_text.lower()
        for item in shown
    ]
    if consequence.kind == "language_switch" and consequence.key:
        return bool(cause.parts) and in_language(cause.trigger.text, consequence.key - 1)
    if consequence.kind in ("gibberish", "encoded"):
        # Few of them stand in any of the texts, and one look at all texts together tells which.
        together = "\0".join(heads)
        literals = [context.literal for context in reference.BENIGN_CONTEXTS]
        literals = [literal for literal in literals if literal in together]
        known = sum(any(literal in head for literal in literals) for head in heads)
        return known > 0.5 * len(heads)
    return False
