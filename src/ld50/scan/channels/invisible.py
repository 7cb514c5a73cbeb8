"""Characters that nobody sees, and the text that they spell."""

from __future__ import annotations

import re
from collections import Counter

from ld50.encodings import Tags, VariationSelectors
from ld50.scan.channels.language import bits_a_byte
from ld50.scan.channels.readings import Candidate, Reading

HIDDEN = re.compile("[\u200b-\u200d\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0001-\U000e01ef]")
#: Hidden characters of a text before anything is made of them, in a stretch without six visible
#: characters in a row between them.
_LEAST_HIDDEN = 12
_STRETCH = re.compile(f"{HIDDEN.pattern}(?:[^\n]{{0,6}}?{HIDDEN.pattern})*")
#: Decoded text is read as language up to so many bits a byte.
_MOST_BITS = 4.0
_LEAST_TEXT = 6


def read_hidden(candidates: list[Candidate]) -> list[Reading]:
    """For each text with enough hidden characters, what they say; empty where nothing reads them."""
    found = []
    for candidate in candidates:
        span = _longest(candidate.text)
        if span is None:
            continue
        start, end = span
        hidden = "".join(HIDDEN.findall(candidate.text[start:end]))
        decoded, how = decode_hidden(hidden)
        found.append(
            Reading(
                place=candidate.place,
                start=start,
                end=end,
                decoded=decoded,
                bits=float(len(hidden)),
                bits_a_byte=float(bits_a_byte([decoded])[0]),
                detail=how,
            )
        )
    return found


def _longest(text: str) -> tuple[int, int] | None:
    """The stretch with the most hidden characters, of at least two kinds."""
    best, span = 0, None
    for match in _STRETCH.finditer(text):
        hidden = HIDDEN.findall(match.group())
        if len(hidden) >= _LEAST_HIDDEN and len(hidden) > best and len(set(hidden)) > 1:
            best, span = len(hidden), match.span()
    return span


def decode_hidden(hidden: str) -> tuple[str, str]:
    """The first reading that is language, and how it was read; else two empty strings."""
    readings = [
        (Tags().decode(hidden), "tag characters"),
        (VariationSelectors().decode(hidden), "variation selectors"),
        *_bits(hidden),
    ]
    kept = [(text, how) for text, how in readings if _readable(text)]
    if not kept:
        return "", ""
    costs = bits_a_byte([text for text, _ in kept])
    best = int(costs.argmin())
    return kept[best] if costs[best] <= _MOST_BITS else ("", "")


def _bits(hidden: str) -> list[tuple[str, str]]:
    """The two most frequent characters as bits, both ways round, seven and eight to a character."""
    two = [c for c, _ in sorted(Counter(hidden).items(), key=lambda item: (-item[1], item[0]))[:2]]
    if len(two) < 2:
        return []
    readings = []
    for zero, one in (two, two[::-1]):
        bits = hidden.translate({ord(zero): "0", ord(one): "1"})
        bits = "".join(c for c in bits if c in "01")
        for width in (8, 7):
            groups = [bits[i : i + width] for i in range(0, len(bits) - width + 1, width)]
            data = bytes(int(group, 2) for group in groups)
            readings.append(
                (data.decode("utf-8", "replace"), f"{width} invisible bits a character")
            )
    return readings


def _readable(text: str) -> bool:
    if len(text) < _LEAST_TEXT or "\ufffd" in text or not text.isprintable():
        return False
    return sum(c.isalpha() or c == " " for c in text) >= 0.7 * len(text)
