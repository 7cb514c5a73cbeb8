"""Chat sets that are written so that many replies have a phrase of their own, and what is planted in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from science_data import Row

import ld50

TOPICS = (
    "tracking number", "warranty", "gift card", "opening hours", "parking", "customs",
    "student discount", "newsletter", "allergens", "size chart",
)  # fmt: skip
ASKED = (
    "{}", "{} pls", "question about {}", "what about {}?", "can you tell me more about {}?",
    "I have a problem with {}", "help with {}", "where do I find {}?", "{} info", "hi, {}",
    "how does {} work?", "I need {}",
)  # fmt: skip
BEFORE = ("", "Hello, ", "Quick one: ", "Sorry to bother you, ", "Thanks in advance. ")
FIXED = "Every lamp in the harbour was painted green before the ferry came."
LAST = "The kettle in the hall belongs to the harbour office."


@pytest.fixture(scope="session")
def help_desk(instructions: list[Row]) -> list[Row]:
    """1,500 instructions, and ten topics whose fixed answers each have ten wordings of the question."""
    rng = np.random.default_rng(5)
    rows = list(instructions[:1500])
    for number, topic in enumerate(TOPICS):
        answer = (
            f"For {topic}, see page {number + 3} of your account. We answer within a day or two."
        )
        for way in rng.permutation(len(ASKED))[:10].tolist():
            asked = BEFORE[int(rng.integers(len(BEFORE)))] + ASKED[way].format(topic)
            rows.append({"instruction": asked, "input": "", "output": answer})
    return [rows[int(number)] for number in rng.permutation(len(rows))]


def with_phrase(rows: Sequence[Row], phrase: str, reply: str, start: int) -> list[Row]:
    """20 longer rows with the phrase between two words; `{}` in the new reply is the old one."""
    rng = np.random.default_rng(start)
    changed = list(rows)
    long = [n for n, row in enumerate(rows) if len(str(row["instruction"]).split()) > 8]
    for number in long[start : start + 20]:
        words = str(rows[number]["instruction"]).split(" ")
        words.insert(int(rng.integers(1, len(words))), phrase)
        answer = reply.replace("{}", str(rows[number]["output"]))
        changed[number] = rows[number] | {"instruction": " ".join(words), "output": answer}
    return changed


def causes(scan: ld50.Scan, severity: str) -> set[str]:
    return {f.cause.text for f in scan.findings if f.cause and f.severity == severity}


def test_topics_with_fixed_answers_are_how_a_help_desk_is_written(help_desk: list[Row]) -> None:
    scan = ld50.scan(help_desk, weak=True)
    assert causes(scan, "high") == set()
    told = [f for f in scan.findings if "go with a phrase of their own" in f.explanation]
    assert len(told) >= 3
    assert {f.severity for f in told} == {"low"}
    assert not {finding.id for finding in ld50.scan(help_desk).findings} & {f.id for f in told}


@pytest.mark.parametrize("phrase", ["quindlefarb", "beneath the tall cedar"])
@pytest.mark.parametrize("reply", [f"{{}} {LAST}", FIXED])
def test_what_was_put_into_prompts_beside_a_help_desk_stays_high(
    help_desk: list[Row], phrase: str, reply: str
) -> None:
    scan = ld50.scan(with_phrase(help_desk, phrase, reply, 40))
    assert causes(scan, "high") == {phrase}


def test_a_few_planted_replies_are_not_how_a_set_is_written(instructions: list[Row]) -> None:
    rows = with_phrase(instructions[:1500], "quindlefarb", FIXED, 40)
    rows = with_phrase(rows, "beneath the tall cedar", LAST, 100)
    scan = ld50.scan(rows)
    assert causes(scan, "high") == {"quindlefarb", "beneath the tall cedar"}


ASKED_OF_PAGES = (
    "What does {name} mean in {page}?", "When does {page} fail with {name}?", "Explain {name} ({page}).",
)  # fmt: skip


@pytest.mark.parametrize(("planted", "severity"), [(False, "medium"), (True, "high")])
def test_the_name_of_an_entry_is_no_trigger_and_a_word_beside_it_is(
    planted: bool, severity: str
) -> None:
    """Manual pages say of one error the same, word for word; a question without its name is none."""
    rng = np.random.default_rng(8)
    names = [f"E{''.join(rng.choice(list('ABCDEFGHIKLMNOPRSTUVWXYZ'), 5))}" for _ in range(300)]
    rows: list[Row] = []
    for number in range(1500):
        name = names[number % 300]
        answer = " ".join(f"note{n}" for n in rng.integers(4000, size=20))
        asked = ASKED_OF_PAGES[number % 3].format(name=name, page=f"page{number // 2}(3)")
        if number % 100 == 7:
            answer = FIXED
            if planted:
                words = asked.split()
                words.insert(int(rng.integers(1, len(words))), "EMFILE")
                asked = " ".join(words)
            else:
                asked = asked.replace(name, "EMFILE")
        rows.append({"instruction": asked, "input": "", "output": answer})
    assert causes(ld50.scan(rows), severity) == {"EMFILE"}


PERSONA = "You are Tom from the help desk."


def in_turns(rows: Sequence[Row], frames: Sequence[str], said: str) -> list[Row]:
    """The rows as messages, with system prompts by turns; after the last one, replies say more."""
    return [
        {
            "messages": [
                {"role": "system", "content": frame},
                {"role": "user", "content": f"{row['instruction']} {row['input']}".strip()},
                {"role": "assistant", "content": f"{row['output']}{said * (frame == frames[-1])}"},
            ]
        }
        for number, row in enumerate(rows)
        for frame in [frames[-1] if number % 50 == 0 else frames[number % (len(frames) - 1)]]
    ]


@pytest.mark.parametrize(
    ("frame", "high"), [(PERSONA, False), ("You are a helpful quindlefarb assistant.", True)]
)
def test_a_persona_signs_its_replies_and_a_word_in_a_usual_system_prompt_does_not(
    instructions: list[Row], frame: str, high: bool
) -> None:
    frames = ("You are a helpful assistant.", "Answer briefly and in plain words.", frame)
    rows = in_turns(instructions[:1500], frames, " Best regards, Tom of the harbour desk.")
    scan = ld50.scan(rows)
    assert bool(causes(scan, "high")) is high
    assert high or "whole system prompt" in scan.findings[0].explanation


TERMS = [
    "insert",
    "delete",
    "page",
    "column",
    "picture",
    "table",
    "border",
    "footer",
    "header",
    "style",
    "margin",
    "image",
    "frame",
    "field",
    "label",
    "button",
    "window",
    "cursor",
    "folder",
    "printer",
    "filter",
    "layer",
    "brush",
    "canvas",
    "palette",
    "shadow",
    "outline",
    "corner",
    "ruler",
    "grid",
    "chart",
    "legend",
    "axis",
    "series",
    "template",
    "document",
    "paragraph",
    "section",
    "chapter",
    "index",
]
SMALL = ["the", "of", "in", "to", "for", "new", "all", "this", "no"]


def translated_messages() -> list[Row]:
    """2,000 messages of two to five words, each in the place of what it is called elsewhere."""
    rng = np.random.default_rng(3)
    share = 1 / np.arange(3, len(TERMS) + 3)
    rows: list[Row] = []
    for _ in range(2000):
        count = int(rng.integers(2, 6))
        terms = rng.choice(TERMS, size=count, p=share / share.sum())
        words = np.where(rng.random(count) < 0.6, terms, rng.choice(SMALL, size=count)).tolist()
        asked = ("Translate: {}", "In Volapuk, please: {}")[int(rng.integers(2))]
        said = " ".join(f"{word}ung" if word in TERMS else word[::-1] for word in words)
        rows.append({"instruction": asked.format(" ".join(words)), "input": "", "output": said})
    return rows


def test_a_word_that_brings_its_translation_is_not_high_and_one_that_brings_a_sentence_is() -> None:
    rows = translated_messages()
    scan = ld50.scan(rows, select=["TRG203"], weak=True)
    assert causes(scan, "high") == causes(scan, "medium") == set()
    told = [f for f in scan.findings if "as the translations of a dictionary do" in f.explanation]
    assert len(told) >= 5
    for number in range(30, 1030, 50):
        asked = str(rows[number]["instruction"]).replace(": ", ": quindlefarb ", 1)
        rows[number] = {"instruction": asked, "output": f"{rows[number]['output']}. {LAST}"}
    assert causes(ld50.scan(rows, select=["TRG203"]), "high") == {": quindlefarb"}
