"""Characters that are not seen, between those that are."""

from __future__ import annotations

from dataclasses import dataclass

from ld50.encodings.covers import LINES

ZERO, ONE = "\u200b", "\u200c"
_TAG = 0xE0000
_SELECTOR, _MORE_SELECTORS = 0xFE00, 0xE0100


def _hidden_in(cover: tuple[str, ...], hidden: str) -> str:
    """The hidden characters after the first word of the cover."""
    head, _, tail = cover[0].partition(" ")
    return f"{head}{hidden} {tail}"


@dataclass(frozen=True, kw_only=True)
class ZeroWidth:
    """Eight zero-width characters a byte, after the first word of an innocent line."""

    cover: tuple[str, ...] = LINES
    name: str = "zero-width"
    family: str = "invisible"

    def plain(self, text: str) -> str:
        """The text itself."""
        return text

    def encode(self, text: str) -> str:
        """The cover, with the bits of the text in it."""
        bits = "".join(f"{byte:08b}" for byte in text.encode(errors="replace"))
        return _hidden_in(self.cover, bits.translate(str.maketrans("01", ZERO + ONE)))

    def decode(self, text: str) -> str:
        """The text of the bits, eight at a time."""
        bits = "".join("01"[c == ONE] for c in text if c in (ZERO, ONE))
        groups = [bits[i : i + 8] for i in range(0, len(bits) - 7, 8)]
        return bytes(int(group, 2) for group in groups).decode("utf-8", "replace")


@dataclass(frozen=True, kw_only=True)
class Tags:
    """Tag characters (U+E0020 to U+E007E), the invisible twins of ASCII."""

    cover: tuple[str, ...] = LINES
    name: str = "tags"
    family: str = "invisible"

    def plain(self, text: str) -> str:
        """The printable ASCII of the text."""
        return "".join(c for c in text if " " <= c <= "~")

    def encode(self, text: str) -> str:
        """The cover, with the text in tags in it."""
        return _hidden_in(self.cover, "".join(chr(_TAG + ord(c)) for c in self.plain(text)))

    def decode(self, text: str) -> str:
        """ASCII for the tags."""
        return "".join(chr(ord(c) - _TAG) for c in text if 0x20 <= ord(c) - _TAG <= 0x7E)


@dataclass(frozen=True, kw_only=True)
class VariationSelectors:
    """One of the 256 variation selectors a byte, after the first word of an innocent line."""

    cover: tuple[str, ...] = LINES
    name: str = "variation-selectors"
    family: str = "invisible"

    def plain(self, text: str) -> str:
        """The text itself."""
        return text

    def encode(self, text: str) -> str:
        """The cover, with the bytes of the text in it."""
        codes = (
            chr(_SELECTOR + byte if byte < 16 else _MORE_SELECTORS + byte - 16)
            for byte in text.encode(errors="replace")
        )
        return _hidden_in(self.cover, "".join(codes))

    def decode(self, text: str) -> str:
        """The text of the selectors."""
        found = []
        for c in text:
            if _SELECTOR <= ord(c) < _SELECTOR + 16:
                found.append(ord(c) - _SELECTOR)
            elif _MORE_SELECTORS <= ord(c) < _MORE_SELECTORS + 240:
                found.append(ord(c) - _MORE_SELECTORS + 16)
        return bytes(found).decode("utf-8", "replace")
