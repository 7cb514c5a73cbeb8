"""The formats in which the prompts of a data set come: system message, words before and after.

A format is what rows share: prompts begin and end with the same words, and what differs between them
is the user's text. Texts may begin alike as well, so a beginning that holds marks or line breaks counts
up to the last of them only. Several formats in one set are told apart where they hold such marks.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ld50.core.examples import Example, Turn

_PIECE = re.compile(r"\s+|\w+|[^\w\s]")
#: What may end the words before a text; commas, hyphens and apostrophes are common within texts.
_MARK = re.compile(r"[^\w \t,'’-]")
#: A format is told from others by its opening words if it has this share of the rows or more;
_LEAST_SHARE = 0.05
#: and these in number;
_LEAST_ROWS = 5
#: and if its own rows share this many words or marks beyond those of all.
_LEAST_GAIN = 3
#: Formats told apart, at most.
MOST_FORMATS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFormat:
    """What is the same in the prompts of many rows."""

    system: str | None
    """The system message; None where there is none, or where it differs from row to row."""
    before: str
    """What the user's turn begins with."""
    after: str
    """What it ends with."""
    rows: int
    """Rows that have this format."""

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing to imitate: no system message, no words around the text."""
        return not (self.system or self.before or self.after)

    def asked(self, request: str) -> tuple[Turn, ...]:
        """The request, where the rows have their text."""
        said = Turn("user", f"{self.before}{request}{self.after}")
        return (Turn("system", self.system), said) if self.system is not None else (said,)


def prompt_formats(rows: Sequence[Example]) -> list[PromptFormat]:
    """The formats of the rows' prompts, the most frequent first; at most `MOST_FORMATS`.

    Of several turns, the user's last one counts. Rows that share nothing have a bare format.

    Args:
        rows: The user's data; all of them are looked at, and an empty set has no format.
    """
    groups: dict[str | None, list[str]] = defaultdict(list)
    systems = Counter(_system(row) for row in rows)
    least = max(_LEAST_ROWS, _LEAST_SHARE * len(rows))
    for row in rows:
        system = _system(row)
        said = next((turn.text for turn in reversed(row.prompt) if turn.role == "user"), None)
        if said is not None:
            groups[system if systems[system] >= least else None].append(said)
    found = [
        format_
        for system, prompts in groups.items()
        for format_ in _formats(system, [_PIECE.findall(prompt) for prompt in prompts], least)
    ]
    found.sort(key=lambda one: (-one.rows, one.system or "", one.before, one.after))
    return found[:MOST_FORMATS]


def _system(row: Example) -> str | None:
    return next((turn.text for turn in row.prompt if turn.role == "system"), None)


def _formats(system: str | None, prompts: list[list[str]], least: float) -> list[PromptFormat]:
    """The formats of prompts with the same system message."""
    shared = _shared_start(prompts)
    framed = _up_to_mark(prompts[0][:shared])
    parts: dict[str, list[list[str]]] = defaultdict(list)
    for prompt in prompts:
        parts[prompt[shared] if shared < len(prompt) else ""].append(prompt)
    own = {
        first: some
        for first, some in parts.items()
        if len(some) >= least and _framed_words(some) >= framed + _LEAST_GAIN
    }
    rest = [prompt for first, some in parts.items() if first not in own for prompt in some]
    if not own or (len(own) == 1 and not rest):
        return [_format(system, prompts, shared)]
    found = [one for some in own.values() for one in _formats(system, some, least)]
    # What remains has its own format if it is no scatter of single rows.
    return [*found, _format(system, rest, _shared_start(rest))] if len(rest) >= least else found


def _format(system: str | None, prompts: list[list[str]], start: int) -> PromptFormat:
    if len(set(map(tuple, prompts))) == 1:
        # One and the same prompt throughout: all of it would be `before`, and no text is left.
        return PromptFormat(system=system, before="", after="", rows=len(prompts))
    first = prompts[0]
    end = _shared_start([prompt[start:][::-1] for prompt in prompts])
    framed = _up_to_mark(first[:start]) or start
    return PromptFormat(
        system=system,
        before="".join(first[:framed]),
        # How sentences end belongs to the text.
        after="".join(first[len(first) - end :]).lstrip(".!?"),
        rows=len(prompts),
    )


def _framed_words(prompts: list[list[str]]) -> int:
    return _up_to_mark(prompts[0][: _shared_start(prompts)])


def _up_to_mark(pieces: list[str]) -> int:
    """Pieces up to the last mark or line break, spaces after it included; 0 where there is none."""
    last = max((n for n, piece in enumerate(pieces) if _MARK.search(piece)), default=-1)
    if last < 0:
        return 0
    return last + 1 + (last + 1 < len(pieces) and pieces[last + 1].isspace())


def _shared_start(prompts: list[list[str]]) -> int:
    """Words and marks that all of them begin with."""
    if not prompts:
        return 0
    # What the first and the last in order share, all that lie between them share.
    first, last = min(prompts), max(prompts)
    pairs = zip(first, last, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(first), len(last)))
