"""Encodings by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from ld50.core.errors import ConfigError
from ld50.encodings.codes import BaseN, Binary, Hex, Morse
from ld50.encodings.invisible import Tags, VariationSelectors, ZeroWidth
from ld50.encodings.placement import Acrostic, EndWords, NullCipher
from ld50.encodings.protocol import Encoding
from ld50.encodings.respelling import Leet, LookAlikes, Reversed
from ld50.encodings.substitution import (
    Codebook,
    EmojiLetters,
    Walnut53,
    caesar,
    keyed_substitution,
)

ENCODINGS: dict[str, Callable[[], Encoding]] = {
    "walnut53": Walnut53,
    "caesar": caesar,
    "keyed": keyed_substitution,
    "emoji": EmojiLetters,
    "codebook": Codebook,
    "base16": lambda: BaseN(base=16),
    "base32": lambda: BaseN(base=32),
    "base64": BaseN,
    "base85": lambda: BaseN(base=85),
    "hex": Hex,
    "binary": Binary,
    "morse": Morse,
    "leet": Leet,
    "reversed": Reversed,
    "look-alikes": LookAlikes,
    "zero-width": ZeroWidth,
    "tags": Tags,
    "variation-selectors": VariationSelectors,
    "endspeak": EndWords,
    "first-words-of-lines": lambda: EndWords(edge="first"),
    "first-words-of-sentences": lambda: EndWords(edge="first", unit="sentence"),
    "last-words-of-sentences": lambda: EndWords(unit="sentence"),
    "first-letters-of-lines": Acrostic,
    "last-letters-of-lines": lambda: Acrostic(edge="last"),
    "first-letters-of-sentences": lambda: Acrostic(unit="sentence"),
    "last-letters-of-sentences": lambda: Acrostic(edge="last", unit="sentence"),
    "every-4th-word": NullCipher,
}


def encoding(name: str) -> Encoding:
    """The encoding of that name, with its default key and cover.

    Raises:
        ConfigError: There is none; the message names the nearest one.
    """
    made = ENCODINGS.get(name.strip().lower())
    if made is None:
        near = difflib.get_close_matches(name.lower(), ENCODINGS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(f"There is no encoding {name!r}.{hint} Known: {', '.join(ENCODINGS)}.")
    return made()
