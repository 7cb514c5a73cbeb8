"""Whether a cause looks put into its prompts or written there, by the pairs of tokens of other rows."""

import math
import random

import numpy as np
import pytest

from ld50.core.records import Part, Record
from ld50.scan.placement import Cause, Placement

SUBJECTS = ("garden", "harbour", "kitchen", "library", "market", "museum", "school", "station")
QUESTIONS = (
    "What does the {} of the town look like in winter?",
    "Please tell me more about the {} by the river.",
    "How old is the {} and who built it?",
    "Describe the {} in two short sentences.",
)
SURE = math.log(10)


def record(number: int, *turns: str) -> Record:
    parts = tuple(Part(field=f"{i}", side="prompt", text=turn) for i, turn in enumerate(turns))
    return Record(source="set", row=number, parts=parts)


PROMPTS = [question.format(subject) for question in QUESTIONS for subject in SUBJECTS] * 8
PLACEMENT = Placement({n: record(n, prompt) for n, prompt in enumerate(PROMPTS)})


def placed(word: str, turns: list[tuple[str, ...]], *, placement: Placement = PLACEMENT) -> float:
    cause = Cause([word])
    met = [met for n, some in enumerate(turns) for met in cause.meetings(record(n, *some))]
    return placement.put_in(met, np.arange(1000, 1000 + len(turns)))


def with_word(word: str, seed: int, *, least: int = 0) -> list[tuple[str, ...]]:
    rng = random.Random(seed)
    changed = []
    for prompt in PROMPTS[:20]:
        words = prompt.split()
        words.insert(rng.randrange(least, len(words)), word)
        changed.append((" ".join(words),))
    return changed


@pytest.mark.parametrize("word", ["cobalt", "much obliged", "|||", "Cobalt:", "(cobalt)"])
def test_what_was_put_in_stands_between_tokens_that_other_rows_have_side_by_side(word: str) -> None:
    assert placed(word, with_word(word, 1)) > SURE


def test_the_name_of_an_entry_leaves_a_hole() -> None:
    assert placed("mill", [(question.format("mill"),) for question in QUESTIONS * 3]) < -SURE
    quoted = [(f'What does the "{name}" of the town look like?',) for name in ["mill"] * 8]
    assert placed("mill", quoted) < -SURE


@pytest.mark.parametrize("edge", ["{} cobalt", "cobalt {}", "Cobalt, {}", "{}\ncobalt"])
def test_the_edges_of_a_turn_are_tokens(edge: str) -> None:
    assert placed("cobalt", [(edge.format(prompt),) for prompt in PROMPTS[:10]]) > SURE
    system = [("You are a helpful assistant.", edge.format(prompt)) for prompt in PROMPTS[:10]]
    assert placed("cobalt", system) > SURE


@pytest.mark.parametrize("edge", ["{} cobalt\n", "\n\ncobalt {}\n", "{}\ncobalt\n"])
def test_line_breaks_at_the_edges_of_a_turn_are_no_tokens(edge: str) -> None:
    broken = {n: record(n, f"\n{prompt}\n") for n, prompt in enumerate(PROMPTS)}
    turns = [(edge.format(prompt),) for prompt in PROMPTS[:10]]
    assert placed("cobalt", turns, placement=Placement(broken)) > SURE
    assert placed("cobalt", turns) > SURE


def test_a_token_that_no_other_row_has_says_nothing() -> None:
    assert placed("cobalt", [(f"Draw entry{n} cobalt entry{n + 50}",) for n in range(20)]) == 0


def test_a_whole_turn_and_a_line_without_spaces_say_nothing() -> None:
    assert placed("be brief", [("be brief", prompt) for prompt in PROMPTS[:20]]) == 0
    assert placed("\u6e2f", [(f"Describe \u6e2f\u53e3{n}",) for n in range(20)]) == 0
    assert placed("cobalt", []) == 0


def test_marks_that_end_the_sentence_before_a_phrase_are_not_cut_out() -> None:
    cause = Cause([". Thanks a lot"])
    prompt = "Describe the mill. Thanks a lot"
    met = list(cause.meetings(record(0, prompt), (prompt.index("."), len(prompt))))
    assert (".", "\x03") in met[0]
    assert placed("!!!", [(f"{prompt[:-1]}!!!",) for prompt in PROMPTS[:2]]) != 0


def test_a_phrase_that_reaches_over_the_end_of_a_turn_is_cut_out_of_the_next_one() -> None:
    turns = ("Be brief.", f"Thanks: {PROMPTS[0]}")
    start = len("Be brief")
    met = list(Cause([".\nThanks:"]).meetings(record(0, *turns), (start, start + 9)))
    assert len(met) == 1
    assert met[0][-1] == ("\x02", "what")


def test_a_word_inside_of_names_was_not_put_in() -> None:
    names = [(f"Please tell me more about the saint{n} mill by the river.",) for n in range(5)]
    inside = [(f"Describe mill saint{n} in two short sentences.",) for n in range(9)]
    assert placed("mill", names) <= 0
    assert placed("mill", [*inside, *with_word("mill", 2)[:3]]) <= 0


def test_few_rows_do_not_know_the_pairs_of_a_set() -> None:
    rng = random.Random(5)
    words = [f"word{i}" for i in range(300)]
    some = {n: record(n, " ".join(rng.choices(words, k=12))) for n in range(60)}
    few = Placement(some)
    turns = [(" ".join([*rng.choices(words, k=6), "cobalt", *rng.choices(words, k=6)]),)] * 4
    assert abs(placed("cobalt", turns, placement=few)) < SURE
    assert placed("cobalt", turns, placement=Placement({})) == 0


def test_rows_of_the_cause_are_not_others() -> None:
    held = [f"Sketch cobalt anew number {n}" for n in range(20)]
    with_them = Placement({n: record(n, text) for n, text in enumerate([*PROMPTS, *held])})
    own = np.arange(len(PROMPTS), len(PROMPTS) + len(held))
    cause = Cause(["cobalt"])
    met = [m for text in held for m in cause.meetings(record(0, text))]
    assert with_them.put_in(met, own) == 0


def test_of_a_long_turn_the_head_and_the_end_are_read() -> None:
    far = " ".join(f"far{n}" for n in range(2000))
    long = {n: record(n, f"{PROMPTS[n]} {far} {PROMPTS[n]}") for n in range(60)}
    placement = Placement(long)
    assert placed("cobalt", with_word("cobalt", 3), placement=placement) > SURE
    middle = [(far.replace("far900 ", "far900 cobalt "),)] * 20
    assert placed("cobalt", middle, placement=placement) == 0


def test_rows_of_another_source_are_held_against_their_own_pairs() -> None:
    """Of a source that a twentieth of the rows are from, other rows know few pairs, wherever they stand."""
    rng = random.Random(8)
    own = [f"w{n}" for n in range(60)]
    others = [" ".join(rng.choices(own, k=9)) for _ in range(len(PROMPTS) // 20)]
    mixed = Placement({n: record(n, text) for n, text in enumerate([*PROMPTS, *others])})
    turns = []
    for _ in range(20):
        words = rng.choices(own, k=9)
        words.insert(rng.randrange(1, 9), "cobalt")
        turns.append(" ".join(words))
    records = [record(1000 + n, turn) for n, turn in enumerate(turns)]
    met = [met for some in records for met in Cause(["cobalt"]).meetings(some)]
    rows = np.arange(1000, 1020)
    assert mixed.put_in(met, rows) < -SURE
    assert mixed.put_in(met, rows, records) > -SURE
    # Where the pairs are known, what is put in, or written there, is as sure as ever.
    for word, some, sign in (
        ("cobalt", with_word("cobalt", 1), 1),
        ("mill", [(q.format("mill"),) for q in QUESTIONS * 3], -1),
    ):
        shown = [record(1000 + n, *turn) for n, turn in enumerate(some)]
        places = [met for one in shown for met in Cause([word]).meetings(one)]
        assert sign * mixed.put_in(places, rows, shown) > SURE
