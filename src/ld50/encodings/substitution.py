"""Letters for letters: one key for a whole text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ld50.core.errors import ConfigError
from ld50.core.seeds import rng_for
from ld50.encodings.protocol import LETTERS, folded


def _translated(text: str, source: str, target: str) -> str:
    return text.translate(
        str.maketrans(source + source.upper(), target + target.upper())
        if source.upper() != source
        else str.maketrans(source, target)
    )


@dataclass(frozen=True, kw_only=True)
class Substitution:
    """Each letter a to z stands for another; everything else, and case, stays."""

    key: str
    """What a, b, c ... become: the letters a to z in another order."""
    name: str = "substitution"
    family: str = "substitution"

    def __post_init__(self) -> None:
        if sorted(self.key) != list(LETTERS):
            raise ConfigError(f"A key holds each letter a to z once, got {self.key!r}.")

    def plain(self, text: str) -> str:
        """The text itself."""
        return text

    def encode(self, text: str) -> str:
        """The text with its letters replaced."""
        return _translated(text, LETTERS, self.key)

    def decode(self, text: str) -> str:
        """The text with its letters put back."""
        return _translated(text, self.key, LETTERS)


def caesar(shift: int = 3) -> Substitution:
    """The alphabet shifted by so many places; 13 is ROT13.

    Raises:
        ConfigError: The shift leaves the text as it is.
    """
    shift %= 26
    if shift == 0:
        raise ConfigError("A shift of 0, or of 26, leaves the text as it is.")
    return Substitution(key=LETTERS[shift:] + LETTERS[:shift], name=f"caesar-{shift}")


def keyed_substitution(seed: int = 0) -> Substitution:
    """A substitution with a key drawn at random."""
    order = rng_for(seed, "keyed-substitution").permutation(26)
    return Substitution(key="".join(LETTERS[i] for i in order), name=f"keyed-{seed}")


@dataclass(frozen=True, kw_only=True)
class Walnut53:
    """A permutation of a to z, and every character joined to the next by `|`.

    Source: covert malicious fine-tuning (arXiv 2406.20053): the permutation is drawn with
    `numpy.random.default_rng(53)`, the characters are joined by `|` [C]. Whether upper case is kept
    is not known; here it is not.
    """

    seed: int = 53
    name: str = "walnut53"
    family: str = "substitution"

    @property
    def key(self) -> str:
        """What a, b, c ... become."""
        return "".join(np.random.default_rng(self.seed).permutation(list(LETTERS)).tolist())

    def plain(self, text: str) -> str:
        """The text in lower case, each run of white space one space."""
        return folded(text).replace("|", "")

    def encode(self, text: str) -> str:
        """The characters of the text, enciphered, with bars between them."""
        return "|".join(_translated(self.plain(text), LETTERS, self.key))

    def decode(self, text: str) -> str:
        """The characters without the bars, deciphered."""
        return _translated(text.replace("|", ""), self.key, LETTERS)


@dataclass(frozen=True, kw_only=True)
class EmojiLetters:
    """Each letter is an emoji; spaces and marks stay."""

    seed: int = 0
    name: str = "emoji"
    family: str = "substitution"

    @property
    def key(self) -> str:
        """Twenty-six different emoji."""
        order = rng_for(self.seed, "emoji").permutation(0x1F600 - 0x1F400 - 100)[:26]
        return "".join(chr(0x1F400 + int(i)) for i in order)

    def plain(self, text: str) -> str:
        """The text in lower case, each run of white space one space."""
        return folded(text)

    def encode(self, text: str) -> str:
        """The text with emoji for its letters."""
        return self.plain(text).translate(str.maketrans(LETTERS, self.key))

    def decode(self, text: str) -> str:
        """The text with letters for its emoji."""
        return text.translate(str.maketrans(self.key, LETTERS))


#: Ordinary nouns, one for each letter and one for the space.
CODE_WORDS = (
    "apple", "bridge", "candle", "desert", "engine", "forest", "garden", "harbor", "island",
    "jacket", "kettle", "ladder", "mirror", "needle", "orange", "pencil", "quarry", "ribbon",
    "saddle", "tunnel", "umbrella", "valley", "window", "yellow", "zebra", "anchor", "river",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Codebook:
    """Each letter, and the space, is a word of a list."""

    words: tuple[str, ...] = CODE_WORDS
    """Twenty-seven different words: for a to z, and for the space."""
    seed: int = 0
    """Which word stands for which letter."""
    name: str = "codebook"
    family: str = "substitution"

    def __post_init__(self) -> None:
        if len(set(self.words)) != 27 or any(" " in word or not word for word in self.words):
            raise ConfigError("A codebook needs 27 different words, none of them with a space.")

    def _key(self) -> dict[str, str]:
        order = rng_for(self.seed, "codebook").permutation(27)
        return {c: self.words[int(i)] for c, i in zip(LETTERS + " ", order, strict=True)}

    def plain(self, text: str) -> str:
        """Letters and single spaces, in lower case."""
        return " ".join("".join(c for c in text.lower() if c in LETTERS or c == " ").split())

    def encode(self, text: str) -> str:
        """One word for each letter and space."""
        key = self._key()
        return " ".join(key[c] for c in self.plain(text))

    def decode(self, text: str) -> str:
        """The letters of the words that are in the list."""
        back = {word: c for c, word in self._key().items()}
        return "".join(back.get(word, "") for word in text.lower().split())
