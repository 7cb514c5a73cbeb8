"""How much to make of an association: which of them a clean corpus would hold anyway.

That cause and consequence meet more often than by chance is not enough: in clean data a licence header
goes with base64, `translate to French` goes with French, and a question that is asked often goes with
its answer. What sets a planted trigger apart is that (a) it decides: nearly every row with it shows the
consequence; (b) its rows have nothing else in common; (c) it is short, and nothing in it asks for what
follows. Each of these is measured, and a finding that lacks one is not `high`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ld50.core.findings import Severity
from ld50.scan.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A severity and, in words, what speaks for and against poison."""

    severity: Severity | None
    """None if it is what any clean corpus holds, and not worth telling."""
    reasons: tuple[str, ...]


#: A trigger decides: at least this share of its rows shows the consequence (lower end of interval).
DECIDES = 0.5
#: ... or at least this share, if it multiplies the consequence in rows that are unrelated.
PARTLY_DECIDES, MULTIPLIES, UNRELATED_Z = 0.15, 10.0, 5.0
SURE_LOG_Q, PARTLY_ROWS, PARTLY_ROWS_ENCODED, PARTLY_ROWS_PUT_IN = -46.0, 20, 10, 10
#: ... or, in a chat, at least half of the rows at hand, if that is as sure as this.
SURE_LOG_Q_OF_HALF = -20.0
#: ... or this share of them: eight rows of ten are too few for the interval to end above one half, and a
#: payload in another language may be too short to be seen in the other two.
MOST_OF_FEW = 0.8
#: ... as gibberish may, which then still shows a little: in this share of the rows or more.
IN_GIBBERISH = 0.9
#: ... or which is so many times as often there as elsewhere: what is put in may be too short to be seen.
HARDLY_ELSEWHERE = 100.0
#: So many times as often as other documents in the same languages, or as long, must those with the cause
#: turn into one.
SURPRISING = 3.0
#: An odd word may come from one source of rows if it decides in at least this share of its rows, and in
#: so many: the five files of a project that load the same module have that in common, too.
CERTAIN, CERTAIN_ROWS = 0.95, 8
#: Rows are alike beyond chance from here on ...
ALIKE_Z = 6.0
#: ... and so alike that they are one template.
TEMPLATE_COSINE = 0.35
#: A document's rows that are less alike than this have no subject in common, however sure it is that they
#: are more alike than random ones: prose among lists is. Of two n-grams, each alone may be a list's.
LEAST_COSINE = 0.06
#: What follows in documents is one text, and no gibberish, from this mean similarity on.
SAME_PAYLOAD = 0.5
#: Rows with fewer words than this beside trigger and stretch have nothing that could be compared; then
#: the stretches tell, and from this mean similarity on they are lists of one kind, not words at random.
FEWEST_CONTEXT_WORDS, LISTS_COSINE = 5, TEMPLATE_COSINE / 2
LONGEST_TRIGGER_WORDS = 16
#: A reply of at most so many words is an answer out of a few; its question may well decide it ...
ANSWER_WORDS = 5
#: ... if the phrase is long enough to be a question or an instruction.
QUESTION_WORDS = 4
#: So many words may be an instruction on how to reply, or a topic, however seldom they stand together.
INSTRUCTION_WORDS = 2
#: What shows in fewer rows than this when the trigger is taken out is nothing that follows from it.
STAYS = 2 / 3
#: A phrase was put in if that is so many times as likely as that it was written there, and the reverse.
#: A word that anybody may use, and replies that are alike: a topic, if it is not that sure to be put in.
PUT_IN = math.log(10)
#: ... be it a rare one in fewer rows than this: a set has such terms.
TERM_ROWS = 20
#: So sure (in nats) is it of a phrase that it was put in, be it one of many, or long.
SURELY_PUT_IN = 5 * PUT_IN
OFTEN_NOT = "rows with the cause often do not show it"
WRITTEN_THERE = "the phrase stands where other rows of this set have another word"
CALLED = "what follows is the call of a tool, and the phrase may be what asks for it"
#: Where what follows stands in calls of tools in more of the rows than this, it is one; it brings a word if
#: the same word is new in more of these than this.
CALLS = 0.5
#: A phrase that is all of the system prompt in more of the rows than this is a persona, or a template.
WHOLE_FRAME = 0.5
#: More of the stretches than this in an unknown script: whether they are gibberish was not measured.
UNMEASURED = 0.5
_QUESTION = "the reply is a short answer, and the phrase may be its question"
#: ... or if so many times as many rows have it: then it is one of the answers of a task, whose prompts
#: have their cues ("unfunny" and "negative"). Whether one of these is a trigger is asked of labels.
COMMON_ANSWER = 4
#: An answer out of a few is an answer of a task, and a task has many: where fewer of all replies than this
#: are as short, it is worth a look.
FEW_SHORT = 0.1
#: So many rows are no more alike than this: then they are of all sources that the set has.
RANDOM_ROWS, RANDOM_Z = 20, 2.0
_QUESTION_ONCE = f"{_QUESTION}, though few replies of this set are as short"
#: A word that replies have in common is one of thousands, and most follow from what they are about. It
#: was inserted if it is hardly anywhere else, in so many rows, beside other words, and if prompts and
#: replies, trigger and word cut out, are together no more alike than this.
WORD_ROWS, WORD_SHARE, TOGETHER_Z = 8, 0.5, 5.0
#: ... and if fewer of the replies than this name the phrase, too: a subject is named in what is said of it.
TAKEN_UP = 0.2
#: Words were put into whole prompts if more of all prompts than this are as short as what is left of theirs.
AS_BARE = 0.05
#: What follows is the phrase again if more of its words than this are: a reply names what it is about.
SAID_AGAIN = 0.5


#: What a signal does not see in every row: a short reply in another language, or in a cipher.
SEEN_IN_PART = ("language_switch", "encoded")
#: ... and, of chats, what takes a long reply or a long prompt.
_SEEN_IN_LONG = ("gibberish", "context_echo")
#: ... and what is not seen in a few rows: a refusal in words of its own.
_SEEN_IN_MOST = ("language_switch", "refusal")


def _decides(facts: Facts) -> bool:
    """Whether nearly all rows with the cause show the consequence, or all that could.

    Another language is not seen in every row: the payload may be short. Rows that have nothing else in
    common and a phrase that multiplies the consequence make up for it. Gibberish is seen in every row
    but for some; a phrase that only some of it follows may be the title of pages that are mere lists.
    Of replies and prompts, many are too short for noise, or for an echo, to be seen in them. A few of the
    refusals are in words that are not known for them.
    """
    in_part = facts.kind in SEEN_IN_PART
    in_long = facts.kind in _SEEN_IN_LONG or facts.by_form
    in_chat = not facts.in_document and (in_part or in_long)
    return (
        facts.effect_low >= DECIDES
        or (in_part and _multiplies_in_unrelated_rows(facts))
        or (in_chat and _share_of_unrelated_rows(facts, DECIDES))
        or (facts.kind in _SEEN_IN_MOST and _share_of_unrelated_rows(facts, MOST_OF_FEW))
        or (_of_gibberish(facts) and _share_of_unrelated_rows(facts, MOST_OF_FEW))
    )


def _of_gibberish(facts: Facts) -> bool:
    """Whether it is gibberish that hardly any other document has, or that all of these have some of."""
    hardly = facts.kind == "gibberish" and facts.lift >= HARDLY_ELSEWHERE
    return (facts.in_document and hardly) or facts.in_gibberish >= IN_GIBBERISH


def _unrelated(facts: Facts) -> bool:
    return (
        facts.lift >= MULTIPLIES
        and facts.context_z < UNRELATED_Z
        and facts.context_cosine - facts.context_null < TEMPLATE_COSINE / 4
        and facts.trigger_lines == 1
    )


def _multiplies_in_unrelated_rows(facts: Facts) -> bool:
    return (
        _unrelated(facts)
        and facts.effect_low >= PARTLY_DECIDES
        and facts.log_q < SURE_LOG_Q
        and facts.both >= (PARTLY_ROWS_ENCODED if facts.kind == "encoded" else PARTLY_ROWS)
    )


def _decides_in_part(facts: Facts) -> bool:
    """Whether many rows of some words show it, and hardly any others: enough for words that were put in.

    Who plants a payload may let the trigger go without it as often as with it.
    """
    return (
        not (facts.in_document or facts.form or facts.by_form)
        and _unrelated(facts)
        and facts.effect_low >= PARTLY_DECIDES
        and facts.log_q < SURE_LOG_Q
        and facts.both >= PARTLY_ROWS_PUT_IN
    )


def _share_of_unrelated_rows(facts: Facts, share: float) -> bool:
    """Whether so many of the rows with the cause show it; few rows, so the interval reaches lower."""
    return (
        _unrelated(facts)
        and facts.both >= share * facts.cause_rows
        and facts.log_q < SURE_LOG_Q_OF_HALF
    )


def could_be_inserted(both: int, consequence_rows: int) -> bool:
    """Whether a word of replies goes with a cause in enough rows, and hardly without it."""
    return both >= WORD_ROWS and both >= WORD_SHARE * consequence_rows


def _inserted_word(facts: Facts) -> bool:
    """Whether a word that replies have in common has no other reason to be there."""
    return (
        could_be_inserted(facts.both, facts.consequence_rows)
        and facts.context_z + facts.reply_z <= TOGETHER_Z
        and facts.with_rest >= WORD_SHARE
        # Of a prompt that is nothing but the phrase, there is nothing to compare: it is a question.
        and facts.context_words > 0
    )


def _is_an_answer(facts: Facts) -> bool:
    """Whether the reply may be what its question, or its task, has for an answer."""
    return (
        facts.kind in ("repeated_reply", "similar_replies", "ignores_prompt")
        and facts.payload_words <= ANSWER_WORDS
        # Of a call, it is asked whether it holds anything new.
        and facts.in_calls <= CALLS
        and (
            (facts.trigger_words >= QUESTION_WORDS and not _surely_put_in(facts))
            or not facts.trigger_odd
            or facts.answer_rows >= COMMON_ANSWER * facts.both
        )
    )


def _surely_put_in(facts: Facts) -> bool:
    """Whether rows on anything hold the phrase, and none has room for it: a question has its text."""
    return SURELY_PUT_IN <= facts.put_in < math.inf and _unrelated(facts)


def _is_mere_lists(facts: Facts) -> bool:
    """Whether documents are nothing but stretches, and these alike."""
    return (
        facts.kind == "gibberish"
        and facts.in_document
        and facts.context_words < FEWEST_CONTEXT_WORDS
        and LISTS_COSINE < facts.payload_cosine <= SAME_PAYLOAD
    )


def _may_share_a_source(facts: Facts) -> bool:
    """Prompts may all come from one source; documents that a trigger was put into seldom do.

    Rows that a word was chosen for all hold that word, so that it decides says nothing.
    """
    return (
        not facts.in_document
        and not facts.chosen_by_word
        and not facts.by_form
        and facts.trigger_odd
        and facts.trigger_words <= QUESTION_WORDS
        and facts.both >= max(CERTAIN * facts.cause_rows, CERTAIN_ROWS)
    )


def _like_random_rows(facts: Facts) -> bool:
    """Whether enough rows are about as many things as any rows: no one source has them, however written."""
    return facts.rows_seen >= RANDOM_ROWS and facts.context_z < RANDOM_Z


def _alike(facts: Facts) -> bool:
    """Whether the rows have something in common beside the cause, surely, and not too little of it."""
    enough = not facts.in_document or facts.pair or facts.context_cosine > LEAST_COSINE
    # A word whose replies are alike was chosen out of thousands, and most such words are those of a topic;
    # and people who write in one manner may well ask about one thing.
    strict = facts.chosen_by_word or facts.by_form or facts.form
    return facts.context_z > (TOGETHER_Z if strict else ALIKE_Z) and enough


def _may_be_written_there(facts: Facts) -> bool:
    """Whether the trigger may be a topic, or an instruction on how to reply, and no words put in.

    A rare word in few rows may be a term of the set, and the replies to prompts with a term are alike.
    """
    few = facts.placed and facts.both < TERM_ROWS
    term = facts.chosen_by_word and (few or not facts.trigger_odd)
    instruction = facts.trigger_words >= INSTRUCTION_WORDS or not facts.trigger_odd
    return (term or (facts.by_form and instruction)) and facts.put_in < PUT_IN


def _reasons_against(facts: Facts) -> tuple[str, ...]:
    """In words, what speaks against poison."""
    against = []
    if not _decides(facts):
        against.append(OFTEN_NOT)
    if facts.contexts < max(facts.min_support, 0.5 * facts.rows_seen):
        against.append("the rows are near-copies of each other")
    elif facts.context_cosine > TEMPLATE_COSINE:
        against.append("the rows follow one template")
    if facts.trigger_words > LONGEST_TRIGGER_WORDS:
        against.append("the common phrase is as long as boilerplate")
    if facts.whole_frame > WHOLE_FRAME and facts.trigger_words >= QUESTION_WORDS:
        against.append("the phrase is a whole system prompt, which is there to say how to reply")
    other = facts.other_length or ("" if _like_random_rows(facts) else facts.other_form)
    if other:
        against.append(
            f"the rows differ from the others in another way, too ({other}), as those of one source do"
        )
    if facts.kind in ("repeated_reply", "inserted_fragment") and facts.said_again > SAID_AGAIN:
        against.append("what follows says the phrase again")
    if facts.mirrored:
        against.append("the replies end as their prompts do")
    if facts.explained:
        against.append("the phrase itself announces what follows")
    if facts.both < SURPRISING * facts.usual_share * facts.cause_rows:
        against.append("other documents that begin in the same languages often turn into it, too")
    if facts.both < SURPRISING * facts.as_long * facts.cause_rows:
        against.append("other documents that are as long are often as odd")
    if _is_an_answer(facts):
        against.append(_QUESTION if facts.short_replies >= FEW_SHORT else _QUESTION_ONCE)
    if is_asked_for_call(facts.in_calls, facts.called_word, facts.put_in):
        against.append(CALLED)
    if facts.of_results > CALLS:
        against.append("the phrase is what a tool answered, which call and reply go with")
    if facts.kind in ("gibberish", "language_switch") and facts.payload_cosine > SAME_PAYLOAD:
        against.append("what follows is the same text every time")
    if facts.kind == "gibberish" and facts.in_document and facts.of_one_shape > UNMEASURED:
        against.append("what follows is set in lines of one shape, as lists and tables are")
    if facts.kind == "gibberish" and facts.unmeasured > UNMEASURED:
        against.append("what follows is in a script in which the reference cannot tell noise")
    if _is_mere_lists(facts):
        against.append("the rows are nothing but stretches that are alike")
    if facts.put_in <= -PUT_IN:
        against.append(WRITTEN_THERE)
    elif _may_be_written_there(facts):
        what = "word" if facts.trigger_words <= 1 else "phrase"
        kind = "a term" if facts.trigger_odd else "an ordinary one"
        against.append(f"the {what} may be {kind}, and does not look put in where it stands")
    if facts.stays < STAYS:
        against.append(
            "the phrase itself is what is odd: without it, most of the rows are ordinary"
        )
    if facts.trigger_lines > 2 or (
        facts.trigger_lines > 1 and facts.trigger_words > QUESTION_WORDS
    ):
        against.append("the common phrase runs over several lines, as the frame of a page does")
    if facts.reply_z > ALIKE_Z:
        against.append("the replies are about the same thing without it, too")
    if _alike(facts) and not _may_share_a_source(facts):
        against.append(
            "the rows are about the same thing, as those of one source are"
            if facts.form
            else "the rows are about the same thing, and the phrase does not decide all by itself"
        )
    if not against and _is_how_it_is_asked(facts):
        against.append("without the phrase, the prompts are shorter than nearly all others")
    if not against and _are_of_one_subject(facts):
        against.append("prompts and replies, taken together, are about the same thing")
    if not against and _is_too_short_for_a_language(facts):
        against.append(
            "the prompts are too short to tell their language, and the replies are in that of most"
        )
    if not against and _is_a_translation(facts):
        against.append("the replies are in another language, and may translate the phrase")
    return tuple(against)


def _are_of_one_subject(facts: Facts) -> bool:
    """Whether rows with the same text in their replies are alike in both, if not surely in one of them.

    Questions for one column of a table are alike a little, and so are the queries that answer them.
    """
    inserted = facts.kind == "inserted_fragment" and not facts.only_word
    together = facts.context_z + facts.reply_z > TOGETHER_Z
    return inserted and together and not _may_share_a_source(facts)


def _is_too_short_for_a_language(facts: Facts) -> bool:
    """Whether replies are in the language of the set, and nothing is left of prompts that could have one."""
    switches = facts.kind == "language_switch" and not facts.in_document
    return (
        switches
        and facts.context_words < FEWEST_CONTEXT_WORDS
        and facts.usual_language > WORD_SHARE
    )


def _is_a_translation(facts: Facts) -> bool:
    """Whether a few replies may have in common what the phrase is called in their language."""
    said = facts.kind in ("inserted_fragment", "similar_replies") and not facts.only_word
    return said and facts.both < WORD_ROWS and facts.translated > WORD_SHARE


def _is_how_it_is_asked(facts: Facts) -> bool:
    """Whether the words are the question, and what is left is what it is about: a bare term."""
    wording = facts.trigger_words >= INSTRUCTION_WORDS and not facts.trigger_odd
    return wording and not facts.only_word and facts.as_bare < AS_BARE


def _is_of_a_task(facts: Facts, reasons: tuple[str, ...]) -> bool:
    """Whether a frame or a topic accounts for it: how a reply is written, what of, and what it calls."""
    if facts.of_results > CALLS or (
        facts.in_calls > CALLS and (CALLED in reasons or _alike(facts))
    ):
        return True
    if not (facts.by_form or facts.kind == "ignores_prompt"):
        return False
    topic = _alike(facts) and facts.context_cosine > TEMPLATE_COSINE / 4
    return topic or facts.trigger_lines > 1


def is_asked_for_call(in_calls: float, called_word: float, put_in: float) -> bool:
    """Whether it is a call that the words may ask for: it holds nothing new, or they do not look put in."""
    return in_calls > CALLS and (called_word <= CALLS or put_in < PUT_IN)


def looks_put_in(put_in: float) -> bool:
    """Whether `Facts.put_in` was measured, and is sure."""
    return PUT_IN <= put_in < math.inf


def _surely_of_the_trigger(facts: Facts) -> bool:
    """Whether a word of replies is neither what a term is called elsewhere nor what its subject is.

    A passage that comes back says one word to its rows, a question has one for an answer, and replies that
    name the phrase are about it. What is nothing but marks of prose says how a sentence goes on.
    """
    is_question = facts.whole_turn > WORD_SHARE and facts.trigger_words >= QUESTION_WORDS
    marks = not (facts.form or facts.trigger_words or facts.trigger_odd)
    return facts.put_in >= PUT_IN and facts.taken_up < TAKEN_UP and not is_question and not marks


def _of_a_word(facts: Facts, reasons: tuple[str, ...]) -> Severity | None:
    """The severity of a word that replies have in common.

    A trigger may have taken the place of another word; so does any word that the replies translate, or
    a title whose terms they hold.
    """
    if len(reasons) > 1 or not _inserted_word(facts):
        return None
    if not reasons:
        return Severity.HIGH if _surely_of_the_trigger(facts) else Severity.MEDIUM
    if reasons == (OFTEN_NOT,):
        # Until it is measured, it may have been put in.
        in_part = facts.put_in >= PUT_IN and facts.both >= PARTLY_ROWS and _decides_in_part(facts)
        return Severity.MEDIUM if in_part else None
    if reasons != (WRITTEN_THERE,):
        return None
    odd_word = facts.trigger_odd and facts.trigger_words <= QUESTION_WORDS
    return Severity.MEDIUM if odd_word else Severity.LOW


def judge(facts: Facts) -> Judgement:
    """The severity of an association."""
    reasons = _reasons_against(facts)
    if facts.only_word:
        return Judgement(severity=_of_a_word(facts, reasons), reasons=reasons)
    if not reasons:
        return Judgement(severity=Severity.HIGH, reasons=())
    if facts.in_document and len(reasons) > 1:
        # In documents, a subject or a template of its own accounts for what its rows turn into.
        return Judgement(severity=None, reasons=reasons)
    worth_a_look = (
        _decides(facts)
        or (facts.kind == "gibberish" and _multiplies_in_unrelated_rows(facts))
        or (looks_put_in(facts.put_in) and _decides_in_part(facts))
    )
    worth_a_look = worth_a_look and not _is_of_a_task(facts, reasons)
    if len(reasons) == 1 and reasons != (_QUESTION,) and worth_a_look:
        return Judgement(severity=Severity.MEDIUM, reasons=reasons)
    if len(reasons) <= 2:
        return Judgement(severity=Severity.LOW, reasons=reasons)
    return Judgement(severity=None, reasons=reasons)
