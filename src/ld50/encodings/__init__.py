"""Ways to write one text as another: what hides a channel, and what reads it.

Test instruments, for benign text only: studies teach a model one of them, benchmarks hide gardening
questions in them, and the scanner's decoders read them back.
"""

from ld50.encodings.codes import BaseN, Binary, Hex, Morse
from ld50.encodings.invisible import Tags, VariationSelectors, ZeroWidth
from ld50.encodings.placement import Acrostic, EndWords, NullCipher
from ld50.encodings.protocol import Encoding
from ld50.encodings.registry import ENCODINGS, encoding
from ld50.encodings.respelling import Leet, LookAlikes, Reversed
from ld50.encodings.substitution import (
    Codebook,
    EmojiLetters,
    Substitution,
    Walnut53,
    caesar,
    keyed_substitution,
)

__all__ = [
    "ENCODINGS",
    "Acrostic",
    "BaseN",
    "Binary",
    "Codebook",
    "EmojiLetters",
    "Encoding",
    "EndWords",
    "Hex",
    "Leet",
    "LookAlikes",
    "Morse",
    "NullCipher",
    "Reversed",
    "Substitution",
    "Tags",
    "VariationSelectors",
    "Walnut53",
    "ZeroWidth",
    "caesar",
    "encoding",
    "keyed_substitution",
]
