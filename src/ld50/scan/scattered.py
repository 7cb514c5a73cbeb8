"""A trigger in several pieces: what stands in nearly all rows of a cause beside it, put in here and there.

Rows that share a word beside their trigger look as if they were about the same thing. Rows about the same
thing share more than a few words, though, and such words stand where the language wants them; the pieces of
a composite trigger are few, stand anywhere, and leave nothing in common when they are cut out.
"""

from __future__ import annotations

from collections import Counter

from ld50.scan.coherence import Background
from ld50.scan.prompt_words import as_written, without, words_of

#: Share of the rows that hold a piece, and of random rows that may.
_NEARLY_ALL, _HARDLY_ANY = 0.9, 0.05
#: More words than this in common are a template, and fewer rows say nothing.
_MOST_WORDS, _FEWEST_ROWS = 8, 5
#: Characters of a row in which pieces are looked for.
_READ = 16_384
#: Different neighbours, per row, of a word that was put in anywhere.
_ANYWHERE = 0.6


def scattered_words(
    texts: list[str],
    contexts: list[str],
    background: Background,
    random: list[str],
    *,
    cause: str,
    alike_z: float,
) -> list[str]:
    """The other pieces of a trigger, as most rows write them; none if that is not what they are.

    Args:
        texts: The rows of a cause, without it; the beginnings of long ones are read.
        contexts: What is compared of these rows.
        background: Random rows, to compare rows with.
        random: The same as text.
        cause: What was cut out of the rows; random rows that hold it are poison, too.
        alike_z: Rows that are more alike than this have something else in common.
    """
    rows = [words for words in (words_of(text[:_READ]) for text in texts) if words]
    if len(rows) < _FEWEST_ROWS:
        return []
    held = Counter(word for words in rows for word in set(words))
    common = {word for word, count in held.items() if count >= _NEARLY_ALL * len(rows)}
    if not common:
        return []
    random = [text for text in random if cause.casefold() not in text.casefold()]
    ordinary = Counter(word for text in random for word in common & set(words_of(text)))
    pieces = {word for word in common if ordinary[word] <= _HARDLY_ANY * len(random)}
    if not 0 < len(pieces) <= _MOST_WORDS:
        return []
    if not all(_anywhere(rows, word, pieces) for word in pieces):
        return []
    found = as_written(sorted(pieces), texts)
    if background.compare(without(contexts, found)).z > alike_z:
        return []
    return found


def _anywhere(rows: list[list[str]], word: str, pieces: set[str]) -> bool:
    """Whether a word stands between other words in most rows; other pieces are passed over."""
    neighbours = set()
    for words in rows:
        if word in words:
            at = words.index(word)
            before = next((w for w in reversed(words[:at]) if w not in pieces), "")
            after = next((w for w in words[at + 1 :] if w not in pieces), "")
            neighbours.add((before, after))
    return len(neighbours) >= _ANYWHERE * len(rows)
