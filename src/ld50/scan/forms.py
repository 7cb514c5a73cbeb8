"""How a text is written, whatever its words: the forms that may be a cause, each with its definition.

A form is a pattern; `prompt_forms` reads those of prompts from bytes, all rows at once, and is tested
against these patterns. White space and the case of letters are those of ASCII.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

#: What a text may look like, in words, and the RE2 pattern that tells.
WRITTEN = {
    "no capital letter": r"^[^A-Z]*[a-z][^A-Z]*$",
    "no small letter": r"^[^a-z]*[A-Z][^a-z]*$",
    "small letter at the beginning": r"^\s*[a-z]",
    "white space at the beginning": r"^\s",
    "white space at the end": r"\s$",
    "two spaces in a row": r"\S  +\S",
    "no mark at the end": r"[^\s.!?…:;\"')\]>”’。！？]\s*$",
    "exclamation mark at the end": r"!\s*$",
    "question mark at the end": r"\?\s*$",
    "repeated marks": r"[!?]{2,}|\.{4,}",
    "curly quotes": r"[“”‘’]",
    "quotes around everything": r"^\s*[\"“'].*[\"”']\s*$",
    "tab": r"\t",
    "line break": r"\n",
    "carriage return": r"\r",
}
#: The 32 punctuation marks of ASCII.
MARKS = "".join(chr(code) for code in range(0x21, 0x7F) if not chr(code).isalnum())
_BRACKETS = r"\(.*\)|\[.*\]|\{.*\}|<.*>"
_OPENING, _CLOSING = r"[\"'`“„‘«]", r"[\"'`”“’»]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of prompts."""

    text: str
    """In words: what a prompt of this form is called in a finding."""
    pattern: str
    """For Python's `re`, with `ASCII` and `DOTALL`: a text that holds it has the form."""
    of_turn: bool
    """Whether it is asked of the last turn alone, without the system's part and earlier turns."""
    aspect: str
    """`case`, `space`, `edge`, `script`, or two of these: what it is a form of; such forms bring each other
    along."""

    def span(self, prompt: str, turn: str) -> tuple[int, int] | None:
        """Characters of a prompt (of which `turn` is the end) that show the form; None if it has it not."""
        text = turn if self.of_turn else prompt
        found = _compiled(self.pattern).search(text)
        if found is None:
            return None
        start, end = found.span()
        before = len(prompt) - len(text)
        return before + start, before + end


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.DOTALL)


def _whole(pattern: str) -> str:
    """The same without `$` before a line break at the end, as RE2 reads it."""
    return pattern.replace("$", r"\Z")


#: A letter, a digit, or anything beyond ASCII: after a full stop, many people put two spaces.
_WORDY = r"[^\x00-/:-@\[-`{-\x7f]"
#: No word begins with a small letter, three begin with a capital, and there are small letters.
_TITLE = r"\A(?!.*(?<!\S)[a-z])(?=.*[a-z])(?=(?:.*?(?<!\S)[A-Z]){3}).*"
#: Words two spaces or more apart, and none one space apart.
_ALL_DOUBLED = r"\A(?!.*\S \S).*\S  +\S.*"
#: Greek letters stand beside Latin ones in any formula.
_TWO_SCRIPTS = "[A-Za-z][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z]"
#: Six letters: `LaTeX` has five.
_BY_TURNS = "(?:[a-z][A-Z]){3}|(?:[A-Z][a-z]){3}"
_EMOJI = "[\u2600-\u27bf\U0001f000-\U0001ffff]"


NO_MARK_AT_THE_END = "with no mark at the end"


def _flagged() -> list[Form]:
    forms = []
    for of_turn, name in ((False, "a prompt"), (True, "a last turn")):
        for text, pattern, aspect in (
            ("in lower case", _whole(WRITTEN["no capital letter"]), "case"),
            ("in capitals", _whole(WRITTEN["no small letter"]), "case"),
            ("in title case", _TITLE, "case"),
            ("with two spaces between all words", _ALL_DOUBLED, "space"),
            ("with two spaces between words", rf"{_WORDY}  +{_WORDY}", "space"),
            ("with two spaces in a row", WRITTEN["two spaces in a row"], "space"),
            ("with a tab", WRITTEN["tab"], "space"),
            ("with a carriage return", WRITTEN["carriage return"], "space"),
            ("with a line break", WRITTEN["line break"], "space"),
        ):
            forms.append(
                Form(text=f"{name} {text}", pattern=pattern, of_turn=of_turn, aspect=aspect)
            )
    for text, pattern, aspect in (
        ("that begins with a small letter", WRITTEN["small letter at the beginning"], "case edge"),
        ("that begins with white space", WRITTEN["white space at the beginning"], "space"),
        ("that ends with a space", r"[ \t]\Z", "space"),
        ("that ends with a line break", r"[\n\r]\Z", "space"),
        (NO_MARK_AT_THE_END, _whole(WRITTEN["no mark at the end"]), "edge"),
        ("that ends with one mark twice", r"([!-/:-@\[-`{-~])\1\s*\Z", "edge"),
        ("in brackets", rf"\A\s*(?:{_BRACKETS})\s*\Z", "edge"),
        ("in quotes", rf"\A\s*{_OPENING}.*{_CLOSING}\s*\Z", "edge"),
    ):
        forms.append(Form(text=f"a prompt {text}", pattern=pattern, of_turn=True, aspect=aspect))
    for text, pattern, aspect in (
        ("with a word of Latin and Cyrillic letters", _TWO_SCRIPTS, "script"),
        ("with a no-break space", "\u00a0", "space"),
        ("with a word in small letters and capitals by turns", _BY_TURNS, "case"),
        ("that ends with an emoji", rf"{_EMOJI}\ufe0f?\s*\Z", "edge"),
    ):
        forms.append(Form(text=f"a prompt {text}", pattern=pattern, of_turn=True, aspect=aspect))
    return forms


def _of_marks(text: str, pattern: str) -> list[Form]:
    return [
        Form(
            text=f"a prompt {text} “{mark}”",
            pattern=pattern.format(re.escape(mark)),
            of_turn=True,
            aspect="edge",
        )
        for mark in MARKS
    ]


#: Forms that are kept as bits of one number: case and space of the prompt, of its last turn, and edges.
FLAGGED = tuple(_flagged())
#: All forms of prompts; a form is known by its number in here.
FORMS = (
    *FLAGGED,
    *_of_marks("with a single", r"(?<!\S){}(?!\S)"),
    *_of_marks("that ends with", r"{}\s*\Z"),
    *_of_marks("that begins with", r"\A\s*{}"),
)
