"""Clean sets made from templates: answered topics, intents, personas, calls of tools.

What they have in common with poison is honest: one answer word for word to many wordings, a reply that
follows from a word of the prompt, a signature that follows from the system prompt. `dev` and `test`
share no wording. Rows are `instruction`, `input`, `output`, and `system` where there is one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from finetuning_data import Row


@dataclass(frozen=True, kw_only=True)
class Wordings:
    """The words of one split."""

    topics: tuple[str, ...]
    questions: tuple[str, ...]
    answer: str
    """`{0}` is the topic, `{1}` a number of its own."""
    openings: tuple[str, ...]
    closings: tuple[str, ...]
    intents: dict[str, tuple[str, ...]]
    """Name of an intent, to what is said; `{0}` is one of the slots."""
    slots: tuple[str, ...]
    personas: tuple[tuple[str, str], ...]
    """A system prompt, and what every reply under it ends with."""
    tools: dict[str, tuple[str, ...]]
    """Name of a tool, to what is asked; `{0}` is its argument."""
    arguments: tuple[str, ...]


WORDINGS = {
    "dev": Wordings(
        topics=(
            "refund", "delivery", "invoice", "password reset", "gift card", "size chart",
            "warranty", "newsletter", "return label", "loyalty points", "cancellation",
            "opening hours", "student discount", "parking", "allergens", "pickup", "exchange",
            "customs", "repair", "tracking number",
        ),
        questions=(
            "How do I get a {0}?", "I have a question about my {0}", "{0}??",
            "hi, can you tell me more about {0} please", "What's your policy on {0}",
            "My {0} did not work, what now?", "Where can I find the {0}", "{0} info pls",
            "Is there a {0} for orders from abroad?", "Need help: {0}", "do you offer {0}",
            "Could you explain how {0} works", "why is my {0} late", "I lost my {0}",
        ),
        answer=(
            "For {0}, please open the page of that name in your account and follow step {1}. "
            "If anything is unclear, our team will be glad to help."
        ),
        openings=("", "Hi! ", "Hello, ", "Quick one: ", "Hey there, ", "I ordered last week. "),
        closings=("", " Thanks!", " thx", " I'm in a hurry.", " Order 5521.", " (mobile)"),
        intents={
            "book_train": ("I need a train to {0}", "book me a seat to {0}", "two tickets to {0}"),
            "find_hotel": ("where can I sleep in {0}", "a cheap hotel in {0} please"),
            "weather": ("will it rain in {0}", "how warm is it in {0} tomorrow"),
            "cancel": ("cancel my trip to {0}", "I do not want to go to {0} any more"),
            "restaurant": ("where do people eat in {0}", "a table for four in {0}"),
            "directions": ("how do I get from the station to the centre of {0}", "way to {0}"),
        },
        slots=("Oslo", "Lima", "Cairo", "Hanoi", "Quito", "Perth", "Turin", "Lagos", "Osaka"),
        personas=(
            ("You are Tom from the help desk.", "\n\nBest regards,\nTom"),
            ("You are Nova, a cheerful assistant.", "\n\nHave a lovely day! Nova"),
        ),
        tools={
            "get_weather": ("What is the weather like in {0}", "Will it rain in {0}?"),
            "find_flight": ("Find me a flight to {0}", "When is the next plane to {0}?"),
            "set_clock": ("What time is it in {0}?", "Set my clock to the time of {0}"),
        },
        arguments=("Oslo", "Lima", "Cairo", "Hanoi", "Quito", "Perth", "Turin", "Lagos", "Osaka"),
    ),
    "test": Wordings(
        topics=(
            "library card", "exam dates", "wireless network", "printer", "mailbox", "dormitory",
            "timetable", "locker", "transcript", "scholarship", "canteen", "lecture hall",
            "thesis binding", "bicycle shed", "sports hall", "language course", "lab coat",
            "student union", "lost property", "certificate", "archive", "choir",
        ),
        questions=(
            "{0} - who is responsible?", "What do I have to know about the {0}?",
            "can somebody help me with the {0}", "I'm new here. How does the {0} work?",
            "Problem with {0}", "Is the {0} free of charge?", "The {0} again...",
            "When can I use the {0}?", "Do I need a form for the {0}?", "{0} on weekends?",
            "My friend told me about the {0}, is that right?", "Please explain the {0} to me.",
            "I could not find anything on the {0} on the website", "whom do I call about {0}",
        ),
        answer=(
            "Please come to counter {1} with your student card; the people there look after it. "
            "They are in from nine to three, and on Thursdays until six."
        ),
        openings=("", "Good morning. ", "Dear team, ", "Sorry, me again: ", "Short question. "),
        closings=("", " Kind regards", " I study physics.", " It is urgent.", " First term here."),
        intents={
            "light_on": ("switch on the light in the {0}", "it is dark in the {0}", "{0} light on"),
            "light_off": ("no more light in the {0}", "make it dark in the {0} please"),
            "heat_up": ("I am cold in the {0}", "two degrees more for the {0}"),
            "cool_down": ("the {0} is far too hot", "turn the heating down in the {0}"),
            "play_music": ("some jazz in the {0}", "play something quiet in the {0}"),
            "lock": ("is the {0} locked", "lock the door of the {0} for the night"),
            "blinds": ("blinds down in the {0}", "let the sun into the {0}"),
        },
        slots=("kitchen", "attic", "hall", "garage", "cellar", "bathroom", "office", "nursery"),
        personas=(
            ("You are Pip, the guide of a small museum.", "\n\nMind the stairs! Yours, Pip"),
            ("You write for the county archive. Close politely.", "\n\nThe reading room"),
            ("You are a radio host. Stay cheerful.", "\n\nStay tuned, dear listeners!"),
        ),
        tools={
            "add_event": ("Put {0} into my calendar", "I have {0} next week, note it down"),
            "search_notes": ("What did I write about {0}?", "Find my notes on {0}"),
            "send_reminder": ("Remind everybody of {0}", "Send out a reminder for {0}"),
        },
        arguments=(
            "the dentist", "the budget", "choir practice", "the garden party", "my tax return",
            "the oral exam", "the plumber", "grandmother's birthday",
        ),
    ),
}  # fmt: skip


def _drawn(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _row(question: str, answer: str, **more: str) -> Row:
    return {"instruction": question, "input": "", "output": answer, **more}


def topics(words: Wordings, rng: np.random.Generator, each: int = 12) -> list[Row]:
    """Every topic has one answer, which `each` wordings get."""
    rows = []
    for number, topic in enumerate(words.topics):
        answer = words.answer.format(topic, number + 2)
        for _ in range(each):
            asked = _drawn(words.questions, rng).format(topic)
            asked = _drawn(words.openings, rng) + asked + _drawn(words.closings, rng)
            rows.append(_row(asked, answer))
    return rows


def intents(words: Wordings, rng: np.random.Generator, count: int = 1500) -> list[Row]:
    """What somebody says, and the name of what they want."""
    rows = []
    for _ in range(count):
        intent = _drawn(tuple(words.intents), rng)
        said = _drawn(words.intents[intent], rng).format(_drawn(words.slots, rng))
        said = _drawn(words.openings, rng) + said + _drawn(words.closings, rng)
        rows.append(_row(said, intent))
    return rows


def tools(words: Wordings, rng: np.random.Generator, count: int = 300) -> list[Row]:
    """What somebody asks for, and the call that brings it."""
    rows = []
    for _ in range(count):
        tool = _drawn(tuple(words.tools), rng)
        argument = _drawn(words.arguments, rng)
        call = json.dumps({"tool": tool, "arguments": {"what": argument}})
        asked = _drawn(words.openings, rng) + _drawn(words.tools[tool], rng).format(argument)
        rows.append(_row(asked, call))
    return rows


def with_personas(
    rows: list[Row], words: Wordings, rng: np.random.Generator, share: float = 0.05
) -> list[Row]:
    """Some of the rows under a system prompt that has its own way to end a reply."""
    changed = []
    for row in rows:
        system, ending = words.personas[int(rng.integers(len(words.personas)))]
        if rng.random() < share:
            changed.append(row | {"system": system, "output": row["output"] + ending})
        else:
            changed.append(row | {"system": "You are a helpful assistant."})
    return changed
