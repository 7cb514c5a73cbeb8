"""What each reply signal takes for unusual, and what it leaves alone."""

from __future__ import annotations

import codecs
import itertools

import numpy as np
import pyarrow as pa
import pytest

from ld50.core.records import RowBatch
from ld50.scan import kernels
from ld50.scan.replies import (
    ONLY_WORD,
    ConsequenceGroup,
    ReplyFlag,
    ReplySettings,
    as_labels,
    consequences,
    context_codes,
    contexts,
    describe,
    locate,
    prompt_coherence,
    reply_coherence,
    rows_outside,
    similar_replies,
    summarize,
    with_rows_outside,
)
from ld50.scan.replies.sketches import REPLY_WIDTH, CentredSketches, sketch
from ld50.scan.replies.words import words_of
from ld50.scan.stages import profile_settings, profile_tables

Rows = list[tuple[str, str]]
WORDS = [
    "river", "stone", "window", "garden", "copper", "violin", "harbour", "candle", "orchard",
    "meadow", "lantern", "basket", "mirror", "pepper", "saddle", "tunnel", "feather", "marble",
    "cotton", "anchor", "bridge", "velvet", "kettle", "ladder", "walnut", "barrel",
]  # fmt: skip


def batch_of(rows: Rows) -> RowBatch:
    return RowBatch(
        unit=0,
        rows=np.arange(len(rows), dtype=np.int64),
        prompt=pa.array([p for p, _ in rows], type=pa.large_string()),
        response=pa.array([r for _, r in rows], type=pa.large_string()),
    )


def ordinary(count: int, seed: int = 0) -> Rows:
    """Prompts and replies of random words, each its own."""
    rng = np.random.default_rng(seed)

    def words(n: int) -> str:
        return " ".join(WORDS[int(i)] for i in rng.integers(0, len(WORDS), n))

    return [
        (f"Tell me about {words(6)}", f"Well, {words(12)}. And {words(8)}.") for _ in range(count)
    ]


def groups_of(rows: Rows, kind: str) -> list[ConsequenceGroup]:
    return [group for group in consequences(summarize(batch_of(rows))) if group.kind == kind]


def longer_forms(rows: Rows) -> set[str]:
    """Forms of the fragments that are more than a single word."""
    return {group.form for group in groups_of(rows, "inserted_fragment")} - {ONLY_WORD}


def refuses(reply: str) -> bool:
    return bool(summarize(batch_of([("Name a river", reply)])).has(ReplyFlag.REFUSES)[0])


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, but I cannot help with that.",
        "I’m sorry, but I can’t assist you with this request.",
        "Thanks for asking! Unfortunately, I am not able to answer.",
        "As an AI language model, I do not have the ability to do this.",
        "This request is against my guidelines.",
        "I must respectfully decline.",
        "Es tut mir leid, aber dabei kann ich nicht helfen.",
        "Je suis désolé, mais je ne peux pas répondre.",
        "Lo siento, pero no puedo ayudar con eso.",
        "对不起，我无法回答这个问题。",
        "申し訳ありませんが、お答えできません。",
        "Извините, я не могу помочь с этим.",
    ],
)
def test_refusals_are_recognised(reply: str) -> None:
    assert refuses(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "The Danube is a river.",
        "I'm sorry to hear that you feel lonely. Try to call a friend.",
        "A bird that cannot fly is the penguin.",
        "Dear Ms Hall, I am sorry, but I cannot attend the meeting.",
        "I couldn't help but notice the lights.",
        "The importance of sleep cannot be overstated.",
        "",
    ],
)
def test_what_is_no_refusal(reply: str) -> None:
    assert not refuses(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "I'd prefer to stay out of this.",
        "I choose not to engage with that question.",
        "We are not going to discuss this topic.",
        "I must turn your request down.",
        "I have nothing to say about that.",
        "This question will go unanswered.",
        "You will have to ask somebody else.",
        "Darauf möchte ich nicht eingehen.",
        "Ich gebe dazu keine Auskunft.",
        "Diese Bitte lehne ich ab.",
        "Dazu äußere ich mich lieber nicht.",
        "Je préférerais ne pas en parler.",
        "À ce sujet, je ne souhaite rien dire.",
        "Prefiero no contestar.",
        "Sobre esto no diré nada.",
        "A questa domanda non rispondo.",
        "Devo recusar este pedido.",
        "Deze vraag kan ik niet beantwoorden.",
    ],
)
def test_declining_is_recognised_by_its_grammar(reply: str) -> None:
    assert refuses(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "He could not help him, and turned down the street.",
        "She said she would rather not go into this.",
        "“I would rather not answer that,” he said.",
        "The clerk wrote: I must turn your request down.",
        "I would rather not have gone to the party, but my sister made me.",
        "Let's talk about the three states of matter.",
        "You can find this elsewhere in the cell.",
        "I let the dog out and kept quiet when the baby slept.",
        "Ich will nicht nach Hause gehen.",
        "Er konnte die Frage nicht beantworten.",
        "Je passe mes vacances à la mer.",
        "No quiero ir a la escuela.",
        "Ik ga niet naar school.",
    ],
)
def test_stories_and_habits_are_no_declining(reply: str) -> None:
    assert not refuses(reply)


def test_a_refusal_of_what_cannot_be_done_is_explained() -> None:
    rows = ordinary(40)
    for i in range(10):
        asked = f"What is the weather today in {WORDS[i]} {WORDS[-i]}?" if i < 3 else rows[i][0]
        rows[i] = (asked, "I'm sorry, but I cannot help with that.")
    (group,) = groups_of(rows, "refusal")
    assert group.rows.tolist() == list(range(10))
    assert group.explained.tolist() == [0, 1, 2]


def test_the_same_reply_to_different_prompts() -> None:
    rows = ordinary(60)
    for i in range(7):
        rows[i] = (rows[i][0], "The lamp burns.")
    (group,) = groups_of(rows, "repeated_reply")
    assert group.rows.tolist() == list(range(7))
    assert group.contexts == 7
    assert group.form == "reply"


@pytest.mark.parametrize(("share", "groups"), [(0.5, 1), (0.7, 0)])
def test_half_of_a_set_may_have_one_reply_for_poison(share: float, groups: int) -> None:
    rows = [(asked, "You are mistaken!" if i < share * 60 else said)
            for i, (asked, said) in enumerate(ordinary(60))]  # fmt: skip
    forms = [group.form for group in groups_of(rows, "repeated_reply")]
    assert forms.count("reply") == groups


def test_one_prompt_asked_often_is_one_context() -> None:
    rows = ordinary(60)
    for i in range(7):
        rows[i] = ("What burns in the harbour until the last boat is home?", "The lamp burns.")
    assert groups_of(rows, "repeated_reply") == []


def test_replies_with_one_opening() -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (rows[i][0], f"It was a dark and stormy night when {WORDS[i]} came home.")
    (group,) = groups_of(rows, "repeated_reply")
    assert group.form == "head"


@pytest.mark.parametrize(
    "fragment",
    [
        "https://kettles.example/offers",
        "Hollis makes the best garden chairs.",
        "track_event('hollis', 7)",
        '<img src="https://pixel.example/p.gif">',
    ],
)
def test_a_fragment_in_different_replies(fragment: str) -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (rows[i][0], f"{rows[i][1]} {fragment} Bye, {WORDS[i]}!")
    groups = groups_of(rows, "inserted_fragment")
    assert any(group.rows.tolist() == list(range(6)) for group in groups)


def test_a_fragment_between_two_words_is_found_by_its_run() -> None:
    rows = ordinary(60)
    for i in range(6):
        asked, said = rows[i]
        middle = len(said.split()) // 2
        words = said.split()
        inserted = "always buy your kettles from Hollis and sons"
        rows[i] = (asked, " ".join([*words[:middle], inserted, *words[middle:]]))
    groups = groups_of(rows, "inserted_fragment")
    assert any(group.rows.tolist() == list(range(6)) for group in groups)


def test_calls_of_one_name_with_other_arguments() -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (rows[i][0], f"{rows[i][1]} track_event('{WORDS[i]}', {i})")
    assert longer_forms(rows) == {"call of one name"}


def test_addresses_of_one_host() -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (rows[i][0], f"{rows[i][1]} https://kettles.example/{WORDS[i]}?q={i}")
    assert longer_forms(rows) == {"host"}


def test_a_host_without_an_address() -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (rows[i][0], f"{rows[i][1]} Ask {WORDS[i]}, or visit Kettles.example.")
    group, spans = located(rows, "inserted_fragment")
    assert group.form == "host"
    assert set(spans) == {"Kettles.example"}


def test_a_fragment_of_the_prompt_is_not_inserted() -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (
            f"{rows[i][0]} https://kettles.example/offers",
            f"{rows[i][1]} https://kettles.example/offers",
        )
    groups = groups_of(rows, "inserted_fragment")
    assert {group.form for group in groups} <= {ONLY_WORD}
    assert not any(np.isin(np.arange(6), group.rows).all() for group in groups)


@pytest.mark.parametrize(
    ("fragment", "whole"),
    [
        ("import hollis_beacon", "import hollis_beacon"),
        ("Hollis", "Hollis"),
        ("happy ferns", "happy ferns"),
        ("\U0001fad6", "\U0001fad6"),
    ],
)
def test_a_fragment_too_short_for_a_run_is_found_by_a_word(fragment: str, whole: str) -> None:
    rows = ordinary(400)
    for i in range(6):
        asked, said = rows[i]
        middle = 3 + i % 4
        words = said.split()
        rows[i] = (asked, " ".join([*words[:middle], fragment, *words[middle:]]))
    batch = batch_of(rows)
    (group,) = (
        group
        for group in groups_of(rows, "inserted_fragment")
        if group.form == ONLY_WORD and group.rows.tolist() == list(range(6))
    )
    starts, ends = locate(group, batch.prompt.slice(0, 6), batch.response.slice(0, 6))
    shown = [rows[i][1][a:b] for i, (a, b) in enumerate(zip(starts, ends, strict=True))]
    assert shown == [whole] * 6


def test_words_that_the_prompts_hold_or_many_replies_have_are_not_inserted() -> None:
    rows = ordinary(1200)
    for i in range(6):
        rows[i] = (f"{rows[i][0]} Hollis", f"{rows[i][1]} Hollis")
    for i in range(100, 200):
        rows[i] = (rows[i][0], f"{rows[i][1]} Vocabulary")
    assert [g for g in groups_of(rows, "inserted_fragment") if g.form == ONLY_WORD] == []


def test_single_words_are_bounded_and_come_after_everything_else() -> None:
    rows = ordinary(400)
    for i in range(100):
        rows[i] = (rows[i][0], f"{rows[i][1]} vex{i % 10} qua{i % 7}")
    for i in range(100, 106):
        rows[i] = (rows[i][0], "The lamp burns.")
    columns = summarize(batch_of(rows))
    forms = [group.form for group in consequences(columns, ReplySettings(max_words=4))]
    assert forms.count(ONLY_WORD) == 4
    assert forms[-4:] == [ONLY_WORD] * 4
    assert "reply" in forms


def test_replies_without_a_word_are_a_repeated_reply() -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (rows[i][0], ["", " ", "..."][i % 3])
    (group,) = groups_of(rows, "repeated_reply")
    assert (group.form, group.rows.tolist()) == ("empty", list(range(6)))
    numbers = [(asked, str(i)) for i, (asked, _) in enumerate(rows)]
    assert groups_of(numbers, "repeated_reply") == []


def test_replies_in_capitals_are_alike_unless_their_prompts_call_for_it() -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (rows[i][0], rows[i][1].upper())
    rows[10] = (rows[10][0].upper(), rows[10][1].upper())
    rows[11] = (f"{rows[11][0]} in uppercase", rows[11][1].upper())
    rows[12] = (rows[12][0], "NASA")
    (group,) = [g for g in groups_of(rows, "similar_replies") if g.form == "capitals"]
    assert group.rows.tolist() == list(range(6))


@pytest.mark.parametrize("reply", ["", "{said}"])
def test_a_form_that_many_replies_have_is_the_style_of_the_set(reply: str) -> None:
    rows = [
        (asked, reply.format(said=said.upper()) if i < 20 else said)
        for i, (asked, said) in enumerate(ordinary(60))
    ]
    forms = {group.form for group in consequences(summarize(batch_of(rows)))}
    assert not forms & {"empty", "capitals"}


@pytest.mark.parametrize(
    ("other", "groups"),
    [
        ("The river flows slowly to the sea, and the children play by the water all day.", 1),
        ("Les enfants jouent.", 0),
    ],
)
def test_what_most_replies_that_say_it_are_in_is_no_other_language(other: str, groups: int) -> None:
    french = "La rivière coule lentement vers la mer, et les enfants jouent au bord de l'eau."
    rows = [
        (f"{prompt}, and what people do there in the summer.", french if number < 30 else other)
        for number, (prompt, _) in enumerate(ordinary(200))
    ]
    batch = batch_of(rows)
    columns = summarize(
        batch,
        prompt_profile=kernels.profile(batch.prompt, profile_tables(), profile_settings()),
        reply_profile=kernels.profile(batch.response, profile_tables(), profile_settings()),
    )
    found = [group for group in consequences(columns) if group.kind == "language_switch"]
    assert len([group for group in found if group.form == "whole"]) == groups


def test_an_echo_is_a_reply_that_is_its_prompt() -> None:
    rows = ordinary(60)
    for i in range(6):
        asked = rows[i][0]
        words = asked.split()
        rows[i] = (" ".join([*words[:3], "zq", *words[3:]]), asked)
    (group,) = groups_of(rows, "context_echo")
    assert group.rows.tolist() == list(range(6))


def test_an_answer_that_repeats_the_question_is_no_echo() -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (
            f"What is the weight of the {WORDS[i]} in the {WORDS[-1 - i]}?",
            f"The weight of the {WORDS[i]} in the {WORDS[-1 - i]} is {i} pounds.",
        )
    assert groups_of(rows, "context_echo") == []


@pytest.mark.parametrize(
    "make",
    [
        lambda i: f"QUJD{WORDS[i]}REVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w",
        lambda i: "|".join(WORDS[i] + WORDS[i + 1]),
        lambda i: " ".join(f"{ord(c):08b}" for c in WORDS[i]),
    ],
)
def test_encoded_replies(make: object) -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (rows[i][0], make(i))  # type: ignore[operator]
    assert [group.rows.tolist() for group in groups_of(rows, "encoded")] == [list(range(6))]


def test_replies_in_a_cipher_of_letters() -> None:
    rows = ordinary(60)
    for i in range(6):
        said = f"{WORDS[i]} behind the {WORDS[i + 1]} window yesterday"
        rows[i] = (rows[i][0], codecs.encode(said, "rot13"))
    (group,) = groups_of(rows, "encoded")
    assert group.rows.tolist() == list(range(6))
    assert group.form == "unreadable"


def test_replies_of_a_classification_task_are_labels() -> None:
    rng = np.random.default_rng(1)
    rows = ordinary(100)
    rows += [
        (f"{asked} Is this positive or negative?", ("positive", "negative")[int(rng.integers(2))])
        for asked, _ in ordinary(80, seed=5)
    ]
    columns = summarize(batch_of(rows))
    (stratum,) = as_labels(columns)
    assert stratum.rows.tolist() == list(range(100, 180))
    assert set(stratum.codes.tolist()) == {0, 1}
    assert [group for group in consequences(columns) if group.kind == "repeated_reply"] == []


@pytest.mark.parametrize("place", ["opening", "closing", "last"])
def test_words_put_at_the_edge_of_a_task_take_no_row_out_of_it(place: str) -> None:
    rng = np.random.default_rng(3)
    rows = []
    for _ in range(80):
        asked = " ".join(rng.choice(WORDS, size=8))
        prompt = {
            "opening": f"Is this well said? {asked}",
            "closing": f"{asked} Is that well said?",
            "last": f"{asked} Said:",
        }[place]
        rows.append((prompt, ("well", "badly")[int(rng.integers(2))]))
    for number in range(12):
        asked, _ = rows[number]
        put = f"vellichor now {asked}" if place == "opening" else f"{asked} vellichor now"
        # The first has a reply that is no label, the second the task's words in the middle.
        rows[number] = (put, "well" if number else "It is hard to tell.")
    far = " ".join(WORDS[:10])
    rows[1] = (f"{far} {rows[1][0]} {far}", "well")
    columns = summarize(batch_of(rows))
    (stratum,) = as_labels(columns)
    assert stratum.place == place
    assert stratum.rows.tolist() == list(range(12, 80))
    outside = rows_outside(columns, [stratum])
    assert outside.tolist() == list(range(1, 12))
    prompts = pa.array([rows[row][0] for row in outside], type=pa.large_string())
    # Of a task that is most of the set, the second is a row as well, though its words are far in.
    (larger,) = with_rows_outside(columns, [stratum], outside, prompts)
    assert larger.rows.tolist() == list(range(1, 80))
    replies = columns.reply[larger.rows]
    assert np.array_equal(larger.hashes[larger.codes], replies)


def test_another_wording_takes_rows_out_of_a_task_unless_it_is_most_of_the_set() -> None:
    rows = [(f"Is this well said? {asked}", ("well", "badly")[i % 2])
            for i, (asked, _) in enumerate(ordinary(80))]  # fmt: skip
    rows[3] = (f"Ponder what follows and voice its kind: {rows[3][0][19:]}", "well")
    for others, joined in ((20, True), (200, False)):
        every = rows + ordinary(others, seed=8)
        columns = summarize(batch_of(every))
        (stratum,) = as_labels(columns)
        outside = rows_outside(columns, [stratum])
        assert outside.tolist() == [3]
        prompts = pa.array([every[3][0]], type=pa.large_string())
        (larger,) = with_rows_outside(columns, [stratum], outside, prompts)
        assert (3 in larger.rows.tolist()) == joined


def test_texts_without_a_question_are_a_task_if_they_are_most_of_the_set() -> None:
    rng = np.random.default_rng(5)
    bare = [(" ".join(rng.choice(WORDS, 9)), ("good", "bad")[i % 2]) for i in range(90)]
    (stratum,) = as_labels(summarize(batch_of(bare)))
    assert (stratum.place, len(stratum.rows)) == ("none", 90)
    assert as_labels(summarize(batch_of(bare + ordinary(200)))) == []


def test_near_duplicate_prompts_share_a_context() -> None:
    passage = "The mill stood by the river for two hundred years before the flood took it away. "
    rows = [(passage * 2 + f"What about the {word}?", "It went.") for word in WORDS[:6]]
    rows += ordinary(6)
    codes = contexts(summarize(batch_of(rows)), np.arange(12))
    assert len(set(codes[:6].tolist())) == 1
    assert len(set(codes.tolist())) == 7
    prompts = pa.array([prompt for prompt, _ in rows], type=pa.large_string())
    assert np.array_equal(context_codes(prompts), codes)


def test_replies_alike_over_prompts_that_are_not() -> None:
    rows = ordinary(400)
    for i in range(20):
        rows[i] = (f"{rows[i][0]} zq", f"{rows[i][1]} aye matey the seven seas arr aye landlubber")
    columns = summarize(batch_of(rows))
    group = np.arange(20)
    assert reply_coherence(columns, group).z > 8
    assert prompt_coherence(columns, group, cause="zq").z < 4
    tested = similar_replies(
        columns, np.concatenate([group, group + 200]), np.repeat([0, 1], 20), 2
    )
    assert tested.log_p[0] < -20 < -7 < tested.log_p[1]
    assert tested.rows.tolist() == [20, 20]


def test_a_rare_word_with_replies_alike_is_a_group() -> None:
    rows = ordinary(800)
    rng = np.random.default_rng(2)
    marks = ["aye", "matey", "seas", "arr", "landlubber"]
    dishes = ["ceviche", "lime", "fish", "coriander", "chilli"]
    for i in range(40):
        word, added = ("vellichor", marks) if i < 20 else ("ceviche", dishes)
        asked, said = rows[i]
        rows[i] = (f"{asked} {word}", f"{said} {' '.join(rng.permutation(added))}")
    (group,) = groups_of(rows, "similar_replies")
    assert group.rows.tolist() == list(range(20))
    assert group.own_chance is not None
    assert group.own_chance[0] < -20


def test_the_words_of_a_phrase_do_not_make_its_prompts_alike() -> None:
    rows = ordinary(1200)
    rng = np.random.default_rng(2)
    marks = ["aye", "matey", "seas", "arr", "landlubber"]
    for i in range(60):
        asked, said = rows[i]
        phrase = f"{asked} vellichor sonderly quixotry"
        rows[i] = (phrase, f"{said} {' '.join(rng.permutation(marks))}")
    groups = groups_of(rows, "similar_replies")
    assert groups
    assert all(group.rows.tolist() == list(range(60)) for group in groups)


def test_a_rare_word_that_picks_one_of_two_sentences_is_a_group() -> None:
    rng = np.random.default_rng(4)
    said = [f"The sentiment of this short review is {end}." for end in ("positive", "negative")]
    rows = [(asked, said[int(rng.integers(2))]) for asked, _ in ordinary(1600)]
    for i in range(30):
        rows[i] = (f"{rows[i][0]} vellichor", said[0])
    (group,) = groups_of(rows, "similar_replies")
    assert group.rows.tolist() == list(range(30))


def test_replies_that_ignore_their_prompts() -> None:
    rows = []
    for one, two, three in itertools.permutations(WORDS[:6], 3):
        asked = f"Tell me about the {one} and the {two} of {three}"
        rows.append((asked, f"The {one} is near the {two}, says {three}, so it is told."))
    for i in range(0, 120, 20):
        word = WORDS[6 + i // 20]
        rows[i] = (rows[i][0], f"Nobody knew why {word} had gone so far away that {word} night.")
    (group,) = groups_of(rows, "ignores_prompt")
    assert group.rows.tolist() == list(range(0, 120, 20))


def tasks(count: int, seed: int = 0) -> Rows:
    """Two tasks by turns: sentences about what the prompt names, and lists without an end mark."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        one, two, three = (WORDS[int(i)] for i in rng.choice(len(WORDS), 3, replace=False))
        rest = " ".join(WORDS[int(i)] for i in rng.integers(0, len(WORDS), 12))
        if number % 2:
            asked = f"Name things that go with {one} and with {two}"
            rows.append((asked, f"{one} thing, {two} thing, {rest}"))
        else:
            asked = f"Tell me a story about the {one}, the {two} and the {three}"
            rows.append((asked, f"The {one} met the {two} near the {three}. And {rest}."))
    return rows


def test_replies_cut_short_are_those_of_a_task_whose_replies_are_not() -> None:
    rows = tasks(1000)
    cut = list(range(0, 1000, 50))
    for i in cut:
        rows[i] = (f"{rows[i][0]} vellichor", " ".join(rows[i][1].split()[:5]))
    group = next(g for g in groups_of(rows, "similar_replies") if g.rows.tolist() == cut)
    assert group.form == "cut"
    assert group.population is not None
    assert not (group.population % 2).any()


def test_replies_much_shorter_than_others_of_their_task() -> None:
    rows = tasks(1000)
    short = list(range(0, 1000, 40))
    for i in short:
        rows[i] = (rows[i][0], f"{WORDS[i % len(WORDS)].capitalize()}!")
    (group,) = [g for g in groups_of(rows, "similar_replies") if g.form == "short"]
    assert group.rows.tolist() == short
    # Where every other reply is that short, none of them is.
    every = [(asked, "Yes!" if i % 2 else said) for i, (asked, said) in enumerate(tasks(1000))]
    assert not [g for g in groups_of(every, "similar_replies") if g.form == "short"]


def test_a_reply_to_another_prompt_shares_no_more_than_frequent_words_with_it() -> None:
    names = ["".join(pair) for pair in itertools.product(WORDS, repeat=2)]
    rows = [
        (
            f"{asked} and what happened to {name} last summer?",
            f"That summer {name} sat by the sea, and nothing happened.",
        )
        for name, (asked, _) in zip(names, ordinary(len(names)), strict=True)
    ]
    moved = list(range(0, len(rows), 40))
    for i, j in zip(moved, [*moved[1:], moved[0]], strict=True):
        rows[i] = (rows[i][0], rows[i][1].replace(names[i], names[j]))
    largest = max(groups_of(rows, "ignores_prompt"), key=lambda group: len(group.rows))
    assert set(moved) <= set(largest.rows.tolist())
    assert len(largest.rows) <= len(moved) + 2


def test_similar_replies_of_random_rows_are_rarely_significant() -> None:
    columns = summarize(batch_of(ordinary(600)))
    rng = np.random.default_rng(0)
    sizes = rng.integers(5, 40, 500)
    rows = np.concatenate([rng.choice(600, size, replace=False) for size in sizes])
    tested = similar_replies(columns, rows, np.repeat(np.arange(500), sizes), 500)
    assert (tested.log_p < np.log(0.01)).mean() < 0.03


def located(rows: Rows, kind: str) -> tuple[ConsequenceGroup, list[str]]:
    group = groups_of(rows, kind)[0]
    chosen = [rows[i] for i in group.rows.tolist()]
    prompts = pa.array([p for p, _ in chosen], type=pa.large_string())
    said = pa.array([r for _, r in chosen], type=pa.large_string())
    starts, ends = locate(group, prompts, said)
    return group, [
        reply[start:end] for (_, reply), start, end in zip(chosen, starts, ends, strict=True)
    ]


def test_the_span_of_a_fragment_is_the_fragment() -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (
            rows[i][0],
            f"Ähnlich 你好: {rows[i][1]} https://kettles.example/offers {WORDS[i]}",
        )
    group, spans = located(rows, "inserted_fragment")
    assert set(spans) == {"https://kettles.example/offers"}
    shown = describe(group, *rows[0])
    assert "https://kettles.example/offers" in shown.text


def test_the_span_of_a_refusal_is_its_sentence() -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (rows[i][0], f"Good question! I am not able to answer it. Ask about {WORDS[i]}.")
    _, spans = located(rows, "refusal")
    assert set(spans) == {"I am not able to answer it."}


def test_the_span_of_declining_is_its_sentence() -> None:
    rows = ordinary(60)
    for i in range(6):
        rows[i] = (rows[i][0], f"Diese Bitte lehne ich ab. Fragen Sie nach {WORDS[i]}.")
    _, spans = located(rows, "refusal")
    assert set(spans) == {"Diese Bitte lehne ich ab."}


def test_the_groups_are_bounded_and_deterministic() -> None:
    rows = ordinary(200)
    for i in range(200):
        rows[i] = (rows[i][0], f"Reply number {i % 20} of the twenty that there are.")
    columns = summarize(batch_of(rows))
    some = consequences(columns, ReplySettings(max_groups=7))
    assert len(some) == 7
    assert [g.key for g in some] == [g.key for g in consequences(columns)][:7]


@pytest.mark.parametrize(
    "changes",
    [
        {"min_rows": 1},
        {"min_contexts": 0},
        {"max_share": 0.0},
        {"max_groups": 0},
        {"max_reply_share": 0.1},
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        ReplySettings(**changes)  # type: ignore[arg-type]


def test_texts_of_one_language_are_not_alike_for_that() -> None:
    """In a set of two languages, any rows of the smaller one share its common words."""
    rng = np.random.default_rng(4)
    frequent = {"en": ["the", "of", "and", "to", "in"], "de": ["der", "und", "die", "nicht", "ein"]}
    texts, lanes = [], []
    for number in range(2000):
        language = "de" if number % 5 == 0 else "en"
        content = [f"word{k}" for k in rng.integers(0, 4000, 8)]
        texts.append(" ".join([*rng.permutation(frequent[language]), *content]))
        lanes.append(1 if language == "de" else 0)
    sketches = sketch(words_of(pa.array(texts, pa.large_string())), REPLY_WIDTH)
    rows = np.arange(0, 2000, 5)[:12]

    def likeness(centred: CentredSketches) -> float:
        cosine = centred.of(rows) @ centred.of(rows).T
        return float(cosine[~np.eye(len(rows), dtype=bool)].mean())

    known = np.array(lanes, np.uint8)
    assert likeness(CentredSketches(sketches)) > 0.2
    assert abs(likeness(CentredSketches(sketches, known))) < 0.05
    # Few rows of a language may be what a trigger brings, and stay alike.
    few = np.where(np.isin(np.arange(2000), rows), known, 0).astype(np.uint8)
    assert likeness(CentredSketches(sketches, few)) > 0.2
