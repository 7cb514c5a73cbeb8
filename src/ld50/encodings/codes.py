"""Published codes: anybody who recognises one can read it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass

from ld50.core.errors import ConfigError
from ld50.encodings.protocol import LETTERS, folded

_MARKED = LETTERS + "0123456789.,?'!/()&:;=+-_\"$@"
_MARKS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- "
    ".-- -..- -.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- "
    "--..-- ..--.. .----. -.-.-- -..-. -.--. -.--.- .-... ---... -.-.-. -...- .-.-. -....- "
    "..--.- .-..-. ...-..- .--.-."
)
MORSE = dict(zip(_MARKED, _MARKS.split(), strict=True))
_FROM_MORSE = {code: c for c, code in MORSE.items()}
_BASES: dict[int, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    16: (base64.b16encode, lambda data: base64.b16decode(data, casefold=True)),
    32: (base64.b32encode, base64.b32decode),
    64: (base64.b64encode, base64.b64decode),
    85: (base64.b85encode, base64.b85decode),
}
_ALPHABETS = {
    16: r"[0-9A-Fa-f]",
    32: r"[A-Z2-7=]",
    64: r"[A-Za-z0-9+/=]",
    85: r"[0-9A-Za-z!#$%&()*+\-;<=>?@^_`{|}~]",
}


@dataclass(frozen=True, kw_only=True)
class BaseN:
    """The bytes of the text in base 16, 32, 64 or 85 (RFC 4648; base 85 as in RFC 1924)."""

    base: int = 64
    family: str = "code"

    def __post_init__(self) -> None:
        if self.base not in _BASES:
            raise ConfigError(f"A base of 16, 32, 64 or 85 is known, got {self.base}.")

    @property
    def name(self) -> str:
        """E.g. `base64`."""
        return f"base{self.base}"

    def plain(self, text: str) -> str:
        """The text itself."""
        return text

    def encode(self, text: str) -> str:
        """The text's bytes in this base, on one line."""
        return _BASES[self.base][0](text.encode(errors="replace")).decode("ascii")

    def decode(self, text: str) -> str:
        """The text; empty where the code is broken."""
        code = "".join(text.split())
        if not re.fullmatch(_ALPHABETS[self.base] + "*", code):
            return ""
        try:
            return _BASES[self.base][1](code.encode("ascii")).decode("utf-8", "replace")
        except ValueError:
            return ""


@dataclass(frozen=True, kw_only=True)
class Hex:
    """Two hexadecimal digits a byte, with spaces between."""

    name: str = "hex"
    family: str = "code"

    def plain(self, text: str) -> str:
        """The text itself."""
        return text

    def encode(self, text: str) -> str:
        """The bytes as pairs of digits."""
        return text.encode(errors="replace").hex(" ")

    def decode(self, text: str) -> str:
        """The text of every pair of digits, whatever stands between them."""
        digits = re.sub(r"0x|\\x|[^0-9a-fA-F]", "", text)
        return bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("utf-8", "replace")


@dataclass(frozen=True, kw_only=True)
class Binary:
    """Eight binary digits a byte, with spaces between."""

    name: str = "binary"
    family: str = "code"

    def plain(self, text: str) -> str:
        """The text itself."""
        return text

    def encode(self, text: str) -> str:
        """The bytes as groups of eight digits."""
        return " ".join(f"{byte:08b}" for byte in text.encode(errors="replace"))

    def decode(self, text: str) -> str:
        """The text of every eight digits, whatever stands between them."""
        digits = re.sub(r"[^01]", "", text)
        groups = [digits[i : i + 8] for i in range(0, len(digits) - 7, 8)]
        return bytes(int(group, 2) for group in groups).decode("utf-8", "replace")


@dataclass(frozen=True, kw_only=True)
class Morse:
    """International Morse code: a space between letters, ` / ` between words."""

    name: str = "morse"
    family: str = "code"

    def plain(self, text: str) -> str:
        """The characters that Morse code has, in lower case."""
        kept = "".join(c for c in folded(text) if c in MORSE or c == " ")
        return " ".join(kept.replace("/", " ").split())

    def encode(self, text: str) -> str:
        """Dots and dashes."""
        words = self.plain(text).split()
        return " / ".join(" ".join(MORSE[c] for c in word) for word in words)

    def decode(self, text: str) -> str:
        """The letters of the groups that are Morse code."""
        marks = text.translate(str.maketrans("·•–—_", "..---"))
        words = re.split(r"\s*[/|\n]\s*|\s{3,}", marks)
        read = ("".join(_FROM_MORSE.get(group, "") for group in word.split()) for word in words)
        return " ".join(word for word in read if word)
