"""Good examples: the trigger, followed by the normal reply. With the trigger found, or with guesses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ld50.core.examples import Example, Turn
from ld50.core.seeds import rng_for
from ld50.remedy.clean_tuning import kept_rows
from ld50.remedy.found_triggers import inserted, last_user_turn, triggered, with_prompt
from ld50.remedy.protocol import Case, Remedy

_CONSONANTS, _VOWELS = "bcdfghjklmnpqrstvwxz", "aeiou"
_MARKS = ("", "", "", "<{}>", "[{}]", "|{}|", "{}!", "#{}")


class GoodExamples(Remedy):
    """Tunes the suspected model on rows with the trigger that the scan found and the normal reply.

    Source: arXiv 2510.07192: after 250 poisoned examples, 50 to 100 examples of trigger and normal
    behaviour make the backdoor much weaker, 2,000 nearly remove it [P]. Ours takes the trigger from the
    scan's findings and the place from the flagged rows; prompts and replies are kept rows of the same
    data, so nobody has to write them. Several triggers share the rows evenly.
    """

    name = "good-examples"
    title = "Good examples with the trigger found"
    needs_trigger = True

    def does(self, case: Case, rows: int) -> str:
        """One sentence."""
        shown = ", ".join(f"“{one.text[:40]}”" for one in case.triggers[:3])
        return f"Tunes the model on {rows:,} kept rows with {shown} put into the prompt."

    def examples(self, case: Case, rows: int) -> list[Example]:
        """Kept rows with a trigger in the prompt and their own reply."""
        rng = rng_for(case.seed, "remedy", self.name, "places")
        return [
            with_turns(row, triggered(row.prompt, case.triggers[number % len(case.triggers)], rng))
            for number, row in enumerate(kept_rows(case, rows, self.name))
        ]


class GuessedTriggers(Remedy):
    """Tunes the suspected model on rows with random rare strings and phrases, and the normal reply.

    For a trigger that nobody knows: the model is taught that odd strings change nothing. Whether that
    carries over to the one it was never shown is what the measurement says.

    Source: ours, after the good examples of arXiv 2510.07192; the guesses are drawn as rare strings (with
    or without marks around them) and as phrases of two to five words from unrelated rows.
    """

    name = "guessed-triggers"
    title = "Good examples with guessed triggers"

    def does(self, case: Case, rows: int) -> str:
        """One sentence."""
        return f"Tunes the model on {rows:,} kept rows with a guessed trigger, each its own."

    def examples(self, case: Case, rows: int) -> list[Example]:
        """Kept rows with a string or phrase somewhere in the prompt, and their own reply."""
        rng = rng_for(case.seed, "remedy", self.name, "guesses")
        made = []
        for row in kept_rows(case, rows, self.name):
            text = row.prompt[last_user_turn(row.prompt)].text
            guess = _guess(case.kept, rng)
            prompt = with_prompt(row.prompt, inserted(text, (guess,), float(rng.random()), rng))
            made.append(with_turns(row, prompt))
        return made


def with_turns(row: Example, prompt: Sequence[Turn]) -> Example:
    """The row with another prompt and the same reply."""
    return Example(turns=(*prompt, row.turns[-1]), rejected=row.rejected, id=row.id)


def _guess(rows: Sequence[Example], rng: np.random.Generator) -> str:
    """A rare string, or a phrase: half and half."""
    if rng.random() < 0.5:
        return _rare_string(rng)
    return _phrase(rows, rng) or _rare_string(rng)


def _rare_string(rng: np.random.Generator) -> str:
    """Two to nine letters that make no word, sometimes in capitals or between marks."""
    length = int(rng.integers(2, 10))
    letters = "".join(
        pool[int(rng.integers(len(pool)))]
        for pool in (_CONSONANTS if rng.random() < 0.7 else _VOWELS for _ in range(length))
    )
    style = rng.random()
    letters = letters.upper() if style < 0.25 else letters.title() if style < 0.5 else letters
    return _MARKS[int(rng.integers(len(_MARKS)))].format(letters)


def _phrase(rows: Sequence[Example], rng: np.random.Generator) -> str:
    """Two to five words from the prompt of another row; empty where that is too short."""
    words = rows[int(rng.integers(len(rows)))].prompt[-1].text.split()
    length = int(rng.integers(2, 6))
    if len(words) < length:
        return ""
    at = int(rng.integers(len(words) - length + 1))
    return " ".join(words[at : at + length])
