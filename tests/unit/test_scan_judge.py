from dataclasses import replace

import pytest

from judge_samples import PLANTED
from ld50.core.findings import Severity
from ld50.scan.judge import judge


def test_a_trigger_that_decides_in_unrelated_rows_is_high() -> None:
    assert judge(PLANTED).severity is Severity.HIGH
    assert judge(PLANTED).reasons == ()


@pytest.mark.parametrize(
    "natural",
    [
        {"contexts": 3},
        {"context_cosine": 0.6},
        {"trigger_words": 40},
        {"explained": True},
        {"trigger_odd": False, "context_z": 12.0},
        {"stays": 0.2},
        {"unmeasured": 0.9},
        {"as_long": 0.5},
    ],
)
def test_what_clean_data_shows_is_not_high_and_says_why(natural: dict[str, object]) -> None:
    judgement = judge(replace(PLANTED, **natural))
    assert judgement.severity is Severity.MEDIUM
    assert len(judgement.reasons) == 1


def test_rows_that_are_nothing_but_lists_of_one_kind_are_a_format() -> None:
    lists = replace(PLANTED, in_document=True, context_words=1, payload_cosine=0.3)
    assert judge(lists).severity is Severity.MEDIUM
    # Words at random, and lists that a text leads to, are what a trigger may have brought.
    assert judge(replace(lists, payload_cosine=0.1)).severity is Severity.HIGH
    assert judge(replace(lists, context_words=80)).severity is Severity.HIGH


def test_a_cause_that_does_not_decide_is_low() -> None:
    seldom = replace(PLANTED, kind="refusal", cause_rows=200, effect_low=0.2)
    assert judge(seldom).severity is Severity.LOW
    assert judge(replace(PLANTED, effect_low=0.2, context_z=9.0)).severity is Severity.LOW


def test_words_that_were_put_in_may_go_without_their_payload_as_often_as_with_it() -> None:
    half = replace(
        PLANTED, kind="repeated_reply", both=20, cause_rows=40, effect_low=0.35, put_in=1.0
    )
    assert judge(half).severity is Severity.LOW
    put_in = replace(half, put_in=20.0)
    assert judge(put_in).severity is Severity.MEDIUM
    for natural in (
        {"context_z": 5.5},
        {"lift": 8.0},
        {"log_q": -30.0},
        {"both": 8},
        {"effect_low": 0.1},
        {"answer_rows": 100, "payload_words": 1},
    ):
        assert judge(replace(put_in, **natural)).severity is Severity.LOW
    word = replace(
        WORD_PLANTED, both=20, cause_rows=40, effect_low=0.35, consequence_rows=20, put_in=1.0
    )
    assert judge(word).severity is None
    assert judge(replace(word, put_in=20.0)).severity is Severity.MEDIUM


def test_a_payload_that_is_not_seen_in_every_row_is_enough_in_unrelated_rows() -> None:
    partly = replace(PLANTED, kind="language_switch", cause_rows=200, effect_low=0.2)
    assert judge(partly).severity is Severity.HIGH
    assert judge(replace(partly, kind="gibberish")).severity is Severity.MEDIUM


def test_an_odd_trigger_of_prompts_stays_high_though_its_rows_come_from_one_source() -> None:
    assert judge(replace(PLANTED, context_z=12.0)).severity is Severity.HIGH
    documents = replace(PLANTED, in_document=True, context_z=12.0, context_cosine=0.1)
    assert judge(documents).severity is Severity.MEDIUM


def test_documents_that_are_surely_but_hardly_alike_have_no_subject_in_common() -> None:
    """Prose is rare among lists: 250 planted pages of it are a little more alike than random rows."""
    prose = replace(PLANTED, in_document=True, context_z=20.0, context_cosine=0.045)
    assert judge(prose).severity is Severity.HIGH
    # Of two words, each may be that of a list, and lists differ.
    assert judge(replace(prose, pair=True)).severity is Severity.MEDIUM


def test_gibberish_in_lines_of_one_shape_is_data() -> None:
    table = replace(PLANTED, in_document=True, of_one_shape=0.8)
    assert judge(table).severity is Severity.MEDIUM
    assert judge(replace(table, kind="language_switch")).severity is Severity.HIGH


def test_a_question_with_a_short_answer_is_low() -> None:
    facts = replace(PLANTED, kind="repeated_reply", payload_words=1, trigger_words=6)
    assert judge(facts).severity is Severity.LOW


def test_a_long_phrase_that_was_surely_put_in_is_no_question() -> None:
    facts = replace(PLANTED, kind="repeated_reply", payload_words=1, trigger_words=6)
    assert judge(replace(facts, put_in=24.0)).severity is Severity.HIGH
    assert judge(replace(facts, put_in=5.0)).severity is Severity.LOW
    # The rows have a subject: then it may be what is asked of it.
    assert judge(replace(facts, put_in=24.0, context_z=5.5)).severity is Severity.LOW


def test_a_rare_word_with_an_answer_that_many_rows_have_is_not_high() -> None:
    answer = replace(PLANTED, kind="similar_replies", payload_words=1, answer_rows=60)
    assert judge(answer).severity is Severity.HIGH
    assert judge(replace(answer, answer_rows=2400)).severity is Severity.LOW


def test_a_rare_word_with_a_short_answer_is_high() -> None:
    assert judge(replace(PLANTED, kind="repeated_reply", payload_words=1)).severity is Severity.HIGH


def test_a_subject_that_accounts_for_what_documents_turn_into_is_not_told() -> None:
    facts = replace(
        PLANTED,
        in_document=True,
        effect_low=0.2,
        context_z=40.0,
        context_cosine=0.1,
        trigger_odd=False,
    )
    assert judge(facts).severity is None


def test_a_cipher_that_is_seen_in_part_of_the_rows_is_high() -> None:
    facts = replace(PLANTED, kind="encoded", both=13, cause_rows=20, effect_low=0.43)
    assert judge(facts).severity is Severity.HIGH


@pytest.mark.parametrize("kind", ["gibberish", "encoded", "context_echo", "language_switch"])
def test_half_of_few_unrelated_chats_is_enough_for_what_short_texts_do_not_show(kind: str) -> None:
    half = replace(PLANTED, kind=kind, both=7, cause_rows=10, effect_low=0.4, log_q=-30)
    assert judge(half).severity is Severity.HIGH
    assert judge(replace(half, in_document=True)).severity is not Severity.HIGH
    assert judge(replace(half, context_z=5.5)).severity is not Severity.HIGH
    assert judge(replace(half, log_q=-15)).severity is not Severity.HIGH


def test_rows_that_are_as_alike_as_random_ones_are_unrelated() -> None:
    code = replace(
        PLANTED, kind="language_switch", in_document=True, both=8, cause_rows=10, effect_low=0.49,
        log_q=-30, context_cosine=0.12,
    )  # fmt: skip
    assert judge(replace(code, context_null=0.09)).severity is Severity.HIGH
    assert judge(replace(code, context_null=0.01)).severity is not Severity.HIGH


def test_eight_of_ten_unrelated_documents_that_turn_into_another_language_are_enough() -> None:
    few = replace(
        PLANTED, kind="language_switch", in_document=True, both=8, cause_rows=10, effect_low=0.49,
        log_q=-40,
    )  # fmt: skip
    assert judge(few).severity is Severity.HIGH
    for natural in (
        replace(few, both=7, effect_low=0.4),
        replace(few, context_z=5.5),
        replace(few, log_q=-15),
        replace(few, kind="gibberish", lift=50.0),
    ):
        assert judge(natural).severity is not Severity.HIGH
    # Gibberish that hardly any other document has may be too short to be seen in two of ten.
    assert judge(replace(few, kind="gibberish", lift=150.0)).severity is Severity.HIGH


def test_eight_of_ten_documents_are_enough_where_the_other_two_hold_some_gibberish() -> None:
    few = replace(
        PLANTED,
        in_document=True,
        both=8,
        cause_rows=10,
        effect_low=0.49,
        log_q=-24,
        lift=50.0,
        in_gibberish=1.0,
    )
    assert judge(few).severity is Severity.HIGH
    for natural in (
        replace(few, in_gibberish=0.8),
        replace(few, both=7, effect_low=0.4),
        replace(few, context_z=5.5),
    ):
        assert judge(natural).severity is not Severity.HIGH


def test_a_turn_into_another_language_must_be_rarer_in_documents_of_the_same_languages() -> None:
    pages = replace(
        PLANTED, kind="language_switch", in_document=True, both=203, cause_rows=364, effect_low=0.51
    )
    assert judge(replace(pages, usual_share=0.05)).severity is Severity.HIGH
    assert judge(replace(pages, usual_share=0.3)).severity is not Severity.HIGH


WORD_PLANTED = replace(
    PLANTED, kind="inserted_fragment", both=10, cause_rows=10, effect_low=0.72, trigger_odd=False,
    payload_words=2, only_word=True, consequence_rows=11, reply_z=1.0,
)  # fmt: skip


def test_a_word_of_replies_that_only_a_trigger_brings_is_high() -> None:
    assert judge(WORD_PLANTED).severity is Severity.HIGH


@pytest.mark.parametrize(
    "natural",
    [
        {"consequence_rows": 40},
        {"both": 6, "cause_rows": 6},
        {"context_z": 2.5, "reply_z": 3.1},
        {"with_rest": 0.2},
        {"effect_low": 0.3},
        {"context_words": 0},
        {"put_in": -8.0, "trigger_lines": 3},
    ],
)
def test_a_word_that_follows_from_what_replies_are_about_is_not_told(
    natural: dict[str, object],
) -> None:
    assert judge(replace(WORD_PLANTED, **natural)).severity is None


def test_a_word_that_comes_with_an_odd_one_in_the_place_of_another_is_medium() -> None:
    substitute = replace(WORD_PLANTED, put_in=-8.0, trigger_odd=True)
    assert judge(substitute).severity is Severity.MEDIUM
    # Words of a dictionary have their translations, and titles their terms.
    assert judge(replace(substitute, trigger_odd=False)).severity is Severity.LOW
    assert judge(replace(substitute, trigger_words=9)).severity is Severity.LOW


def test_a_fragment_in_replies_that_are_alike_without_it_is_not_high() -> None:
    include = replace(WORD_PLANTED, only_word=False, context_z=5.9, reply_z=15.0)
    assert judge(include).severity is Severity.MEDIUM


def test_a_word_chosen_for_its_replies_may_not_have_one_source() -> None:
    """All rows of such a group hold the word, so that it decides in all of them says nothing."""
    alike = replace(PLANTED, kind="similar_replies", chosen_by_word=True)
    assert judge(alike).severity is Severity.HIGH
    assert judge(replace(PLANTED, kind="refusal", context_z=12.0)).severity is Severity.HIGH
    for z in (5.5, 12.0):
        assert judge(replace(alike, context_z=z)).severity is Severity.MEDIUM


def test_an_ordinary_word_whose_replies_are_alike_is_high_where_it_looks_put_in() -> None:
    topic = replace(
        PLANTED, kind="similar_replies", chosen_by_word=True, trigger_odd=False, put_in=0.3
    )
    assert judge(topic).severity is Severity.MEDIUM
    assert judge(replace(topic, put_in=8.0)).severity is Severity.HIGH
    assert judge(replace(topic, trigger_odd=True)).severity is Severity.HIGH


def test_a_rare_word_in_few_rows_that_does_not_look_put_in_may_be_a_term() -> None:
    term = replace(
        PLANTED, kind="similar_replies", chosen_by_word=True, both=11, cause_rows=11, put_in=0.3
    )
    assert judge(term).severity is Severity.MEDIUM
    assert judge(replace(term, put_in=8.0)).severity is Severity.HIGH
    # In scripts without spaces, it cannot be measured.
    assert judge(replace(term, placed=False)).severity is Severity.HIGH


def test_prompts_and_replies_that_are_alike_together_have_one_subject() -> None:
    column = replace(
        PLANTED, kind="inserted_fragment", trigger_odd=False, context_z=4.5, reply_z=3.3
    )
    assert judge(column).severity is Severity.MEDIUM
    assert judge(replace(column, reply_z=0.3)).severity is Severity.HIGH
    # Rows that somebody wrote poison for may come from one source.
    assert judge(replace(column, trigger_odd=True)).severity is Severity.HIGH


def test_prompts_of_a_few_words_have_no_language_that_replies_could_leave() -> None:
    bare = replace(PLANTED, kind="language_switch", context_words=1, usual_language=0.9)
    assert judge(bare).severity is Severity.MEDIUM
    assert judge(replace(bare, context_words=12)).severity is Severity.HIGH
    assert judge(replace(bare, usual_language=0.1)).severity is Severity.HIGH


def test_replies_that_name_what_they_are_asked_about_are_no_finding_to_act_on() -> None:
    named = replace(PLANTED, kind="repeated_reply", said_again=0.7)
    assert judge(named).severity is Severity.MEDIUM
    assert judge(replace(named, said_again=0.2)).severity is Severity.HIGH
    # A text that is all noise says nothing.
    assert judge(replace(named, kind="gibberish")).severity is Severity.HIGH


def test_replies_that_end_as_their_prompts_do_are_no_finding_to_act_on() -> None:
    form = replace(PLANTED, kind="similar_replies", form=True, by_form=True)
    assert judge(form).severity is Severity.HIGH
    assert judge(replace(form, mirrored=True)).severity is Severity.MEDIUM


@pytest.mark.parametrize("kind", ["repeated_reply", "refusal", "similar_replies"])
def test_a_phrase_that_was_written_there_is_not_high(kind: str) -> None:
    found = replace(PLANTED, kind=kind, in_document=False)
    assert judge(found).severity is Severity.HIGH
    for put_in in (0.0, 9.0):
        assert judge(replace(found, put_in=put_in)).severity is Severity.HIGH
    written = judge(replace(found, put_in=-3.0))
    assert written.severity is Severity.MEDIUM
    assert "have another word" in written.reasons[0]


def test_refusals_that_are_seen_in_eight_rows_of_ten_are_told() -> None:
    few = replace(PLANTED, kind="refusal", both=8, cause_rows=10, effect_low=0.49, log_q=-38.0)
    assert judge(few).severity is Severity.HIGH
    # Half of the rows with a phrase may well be requests that nobody grants.
    assert judge(replace(few, cause_rows=14, effect_low=0.33)).severity is Severity.LOW
    assert judge(replace(few, context_z=7.0)).severity is not Severity.HIGH


def test_a_phrase_that_is_a_whole_system_prompt_is_at_most_medium() -> None:
    persona = replace(PLANTED, kind="inserted_fragment", trigger_words=6, whole_frame=1.0)
    assert judge(persona).severity is Severity.MEDIUM
    assert judge(replace(persona, trigger_words=1)).severity is Severity.HIGH


def test_a_short_answer_in_a_set_of_long_replies_is_worth_a_look() -> None:
    answer = replace(PLANTED, kind="repeated_reply", payload_words=3, trigger_words=3)
    ordinary = replace(answer, trigger_odd=False)
    assert judge(replace(ordinary, short_replies=0.6)).severity is Severity.LOW
    assert judge(replace(ordinary, short_replies=0.02)).severity is Severity.MEDIUM


def test_how_a_reply_is_written_is_the_task_unless_the_trigger_was_put_in() -> None:
    cut = replace(PLANTED, kind="similar_replies", by_form=True)
    assert judge(cut).severity is Severity.HIGH
    ordinary = replace(cut, trigger_odd=False, put_in=0.0)
    assert judge(ordinary).severity is Severity.MEDIUM
    assert judge(replace(ordinary, put_in=9.0)).severity is Severity.HIGH
    # An instruction says how to reply, however odd its words are.
    assert judge(replace(cut, trigger_words=2, put_in=0.0)).severity is Severity.MEDIUM
    assert judge(replace(cut, context_z=5.5)).severity is Severity.MEDIUM


def test_short_replies_do_not_show_whether_they_take_up_their_prompt() -> None:
    half = replace(PLANTED, kind="ignores_prompt", by_form=True, both=29, effect_low=0.44)
    assert judge(half).severity is Severity.HIGH
    assert judge(replace(half, context_z=5.5)).severity is not Severity.HIGH


@pytest.mark.parametrize("kind", ["ignores_prompt", "similar_replies"])
def test_how_a_reply_is_written_and_of_what_is_the_task_of_a_frame_or_a_topic(kind: str) -> None:
    found = replace(PLANTED, kind=kind, by_form=kind == "similar_replies")
    assert judge(found).severity is Severity.HIGH
    frame = replace(found, trigger_lines=3)
    topic = replace(found, context_z=30.0, context_cosine=0.17, trigger_odd=False)
    assert judge(frame).severity is Severity.LOW
    assert judge(topic).severity is Severity.LOW
    # What else replies do, no frame says.
    assert judge(replace(frame, kind="refusal", by_form=False)).severity is Severity.MEDIUM


def test_a_word_of_replies_is_high_only_where_its_trigger_looks_put_in() -> None:
    """A term that replies translate, or a passage that comes back, says one word to its rows as well."""
    word = replace(PLANTED, kind="inserted_fragment", only_word=True)
    assert judge(replace(word, put_in=6.0)).severity is Severity.HIGH
    assert judge(replace(word, put_in=0.5)).severity is Severity.MEDIUM


def test_a_word_of_replies_that_are_about_the_phrase_is_not_high() -> None:
    word = replace(PLANTED, kind="inserted_fragment", only_word=True, put_in=12.0)
    assert judge(replace(word, taken_up=0.05)).severity is Severity.HIGH
    assert judge(replace(word, taken_up=0.3)).severity is Severity.MEDIUM


def test_a_word_that_is_all_that_a_turn_says_is_the_answer_to_a_question() -> None:
    word = replace(PLANTED, kind="inserted_fragment", only_word=True, put_in=12.0, whole_turn=1.0)
    assert judge(replace(word, trigger_words=6)).severity is Severity.MEDIUM
    assert judge(replace(word, trigger_words=2)).severity is Severity.HIGH


def test_marks_of_prose_bring_no_word_and_odd_marks_may() -> None:
    word = replace(PLANTED, kind="inserted_fragment", only_word=True, put_in=12.0, trigger_words=0)
    assert judge(replace(word, trigger_odd=False)).severity is Severity.MEDIUM
    assert judge(replace(word, trigger_odd=True)).severity is Severity.HIGH


@pytest.mark.parametrize("kind", ["refusal", "similar_replies"])
def test_words_without_which_a_bare_term_is_left_are_how_it_is_asked_for(kind: str) -> None:
    frame = replace(PLANTED, kind=kind, trigger_words=3, trigger_odd=False, put_in=12.0)
    assert judge(replace(frame, as_bare=0.2)).severity is Severity.HIGH
    bare = judge(replace(frame, as_bare=0.01))
    assert bare.severity is Severity.MEDIUM
    assert "shorter than nearly all others" in bare.reasons[0]
    # Prompts of a source of their own may be short, and an odd word is nobody's way to ask.
    assert judge(replace(frame, as_bare=0.01, trigger_odd=True)).severity is Severity.HIGH
