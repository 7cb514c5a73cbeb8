"""Forms of prompts: read from bytes as their patterns say, and judged by what else their rows share."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import judge_samples
from ld50.core.findings import Severity
from ld50.corpus.columns import assemble
from ld50.corpus.fields import Field, Layout
from ld50.corpus.turns import Turns
from ld50.scan.associate import AssociationSettings, Consequence
from ld50.scan.form_causes import FormCandidates
from ld50.scan.form_traits import other_length, other_traits
from ld50.scan.forms import FORMS
from ld50.scan.judge import judge
from ld50.scan.prompt_forms import PromptForms, read_forms

PIECES = [
    *("a", "B", "Word", "two", "THREE", "7", "é", "Ä", "…", "“", "”", "«", "»", "。"),
    *("\u00a0", "о", "ж", "μ", "aBaB", "AbAb", "☀", "☀\ufe0f", "😀", "㋡", "\ufe0f", "\U00020000"),
    *(" ", "  ", "   ", "\n", "\t", "\r", "\v", "!", "?", ".", "(", ")", "[", '"', "'", "|", "~"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)
PROMPTS = st.lists(st.tuples(st.none() | TEXTS, TEXTS), min_size=1, max_size=8)


def forms_of_texts(prompts: list[str], turns: list[str] | None = None) -> PromptForms:
    sizes = None if turns is None else np.array([len(turn.encode()) for turn in turns])
    flags, edges = read_forms(pa.array(prompts, pa.large_string()), sizes)
    return PromptForms(rows=np.arange(len(prompts)), flags=flags, edges=edges)


def named(name: str) -> int:
    return next(number for number, form in enumerate(FORMS) if form.text == name)


def test_every_form_has_a_name_of_its_own() -> None:
    assert len({form.text for form in FORMS}) == len(FORMS)


@settings(max_examples=300, deadline=None)
@given(PROMPTS)
def test_forms_are_read_from_bytes_as_their_patterns_say(
    rows: list[tuple[str | None, str]],
) -> None:
    turns = [turn for _, turn in rows]
    prompts = [turn if before is None else f"{before}\n{turn}" for before, turn in rows]
    forms = forms_of_texts(prompts, turns)
    for number, form in enumerate(FORMS):
        wanted = [form.span(p, t) is not None for p, t in zip(prompts, turns, strict=True)]
        assert forms.has(number).tolist() == wanted, form.text


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("what is a fern", "a prompt in lower case"),
        ("What Is A Fern?", "a prompt in title case"),
        ("WHAT IS A FERN?", "a prompt in capitals"),
        ("What  is a fern?", "a prompt with two spaces between words"),
        ("What  is  a  fern?", "a prompt with two spaces between all words"),
        ("What is a fern?\n\n", "a prompt that ends with a line break"),
        ("«What is a fern?»", "a prompt in quotes"),
        ("[What is a fern?]", "a prompt in brackets"),
        ("What is a fern? ~", "a prompt that ends with “~”"),
        ("What is ^ a fern?", "a prompt with a single “^”"),
        ("What is a fern", "a prompt with no mark at the end"),
        ("What is a f\u0435rn?", "a prompt with a word of Latin and Cyrillic letters"),
        ("What is\u00a0a fern?", "a prompt with a no-break space"),
        ("WhAt Is A fErNsEeD?", "a prompt with a word in small letters and capitals by turns"),
        ("What is a fern? \N{HERB}", "a prompt that ends with an emoji"),
        ("What is a fern? \N{SHAMROCK}\ufe0f", "a prompt that ends with an emoji"),
    ],
)
def test_a_form_is_what_it_is_called(prompt: str, name: str) -> None:
    forms = forms_of_texts(["What is a fern?", prompt])
    assert forms.of(named(name)).tolist() == [1]


def test_formulas_and_brands_have_no_form_of_these() -> None:
    forms = forms_of_texts(
        ["What is LaTeX, μm or Δt? …", "Что такое IT? →", "Ask iPhone McDonald."]
    )
    for name in ("of Latin and Cyrillic letters", "in small letters and capitals by turns"):
        assert forms.of(named(f"a prompt with a word {name}")).tolist() == []
    assert forms.of(named("a prompt that ends with an emoji")).tolist() == []


def test_what_the_system_says_is_no_part_of_the_last_turn() -> None:
    forms = forms_of_texts(["You are Kind.\nwhat is a fern"], ["what is a fern"])
    assert forms.of(named("a last turn in lower case")).tolist() == [0]
    assert forms.of(named("a prompt in lower case")).tolist() == []


def test_the_last_turn_of_fields_is_all_but_the_system_prompt() -> None:
    fields = tuple(Field(name=n, role="prompt") for n in ("system", "instruction", "input"))
    columns = {
        "system": pa.array(["Be kind.", "", "Be kind."], pa.large_string()),
        "instruction": pa.array(["Add.", "Add.", "Add."], pa.large_string()),
        "input": pa.array(["1 é", None, ""], pa.large_string()),
    }
    sides = assemble(Layout(name="fields", fields=fields), columns, 3)
    assert sides.last_turn is not None
    prompts = sides.columns["prompt"].to_pylist()
    turns = [p.encode()[-n:].decode() for p, n in zip(prompts, sides.last_turn, strict=True)]
    assert turns == ["Add.\n1 é", "Add.", "Add."]


def test_the_last_turn_of_a_chat_is_what_the_user_said_last() -> None:
    said = ["Be kind.", "Hello", "Hi!", "And é?", "So.", "Why?", "Hm."]
    speakers = ["system", "user", "assistant", "user", "assistant", "user", "assistant"]
    turns = Turns(
        counts=np.array([5, 2, 0]),
        speakers=pa.array(speakers, pa.large_string()),
        said=pa.array(said, pa.large_string()),
        missing=np.array([False, False, True]),
    )
    chat = Field(name="messages", role="chat", shape="turns", reply_role="assistant")
    sides = assemble(Layout(name="messages", fields=(chat,)), {"messages": turns}, 3)
    assert sides.last_turn is not None
    assert sides.last_turn.tolist() == [len("And é?".encode()), 4, 0]


PLANTED = replace(
    judge_samples.PLANTED,
    kind="repeated_reply",
    trigger_words=0,
    trigger_odd=False,
    form=True,
)


def test_a_form_that_decides_in_rows_like_any_others_is_high() -> None:
    assert judge(PLANTED).severity is Severity.HIGH
    assert judge(replace(PLANTED, other_form="a prompt in quotes")).severity is Severity.HIGH


@pytest.mark.parametrize(
    "source",
    [
        {"context_z": 5.5},
        {"other_length": "shorter prompts"},
        {"other_form": "a prompt in quotes", "context_z": 3.0},
        {"other_form": "a prompt in quotes", "rows_seen": 10},
    ],
)
def test_a_form_that_one_source_of_rows_may_have_is_not_high(source: dict[str, object]) -> None:
    assert judge(replace(PLANTED, **source)).severity is Severity.MEDIUM


def test_a_form_that_answers_of_a_few_words_go_with_is_not_high() -> None:
    assert judge(replace(PLANTED, payload_words=2)).severity is not Severity.HIGH


def test_what_else_the_rows_of_a_form_share_is_told() -> None:
    plain = [f"What is number {n}?" for n in range(300)]
    chosen = [f"what is number {n}?" for n in range(300, 330)]
    source = [f'"what is it {n}"' for n in range(330, 360)]
    forms = forms_of_texts([*plain, *chosen, *source])
    lower = named("a prompt in lower case")
    assert other_traits(forms, lower, np.arange(300, 330)) == ""
    assert other_traits(forms, lower, np.arange(330, 360)) == "a prompt in quotes"
    words = np.append(np.arange(330) % 40, np.full(30, 39))
    assert other_length(forms, words, np.arange(300, 330)) == ""
    assert other_length(forms, words, np.arange(330, 360)) == "longer prompts"


def test_a_form_that_decides_a_consequence_goes_with_it() -> None:
    prompts = [f"What is number {n}?" for n in range(300)]
    for number in range(0, 60, 3):
        prompts[number] = prompts[number].lower()
    shown = Consequence(kind="refusal", text="", rows=np.arange(0, 70, 3))
    causes = FormCandidates.of(forms_of_texts(prompts), 1000, 5)
    found = causes.associations([shown], 300, 10_000, AssociationSettings())
    assert [causes.form_of(one.candidate) for one in found] == [named("a prompt in lower case")]
    assert [(one.both, one.cause_rows) for one in found] == [(20, 20)]
    assert causes.form_of(999) is None


def test_which_forms_rows_have_is_noted_of_those_that_show_something_alone() -> None:
    rows = 400_000
    rng = np.random.default_rng(2)
    forms = PromptForms(
        rows=np.arange(rows),
        flags=rng.integers(0, 1 << 20, rows, dtype=np.uint64),
        edges=rng.integers(0, 8, rows).astype(np.uint16),
    )
    causes = FormCandidates.of(forms, 0, 5)
    shown = Consequence(kind="refusal", text="", rows=np.arange(0, rows, 4))
    tracemalloc.start()
    causes.associations([shown], rows, 10_000, AssociationSettings())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    held = sum(int(forms.has(number).sum()) for number in causes.numbers)
    assert held > 9 * rows
    # Of each pair of row and form, a number of four bytes, held twice while they are put together.
    assert peak < 8 * held
