"""Ways to pick words or letters out of texts, and the texts in which they form language."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ld50.scan.channels.text_words import TextWords

#: Chances of a text by itself at which texts are counted; the first is also what is told of a text.
LEVELS = (0.02, 0.004, 0.0005)


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """Texts that count, with what several of them say counted once."""

    weights: np.ndarray = field(repr=False)
    """float64 (rows,), over 0 up to 1: how much of a text each is; of n copies, one over n."""
    chances: np.ndarray = field(repr=False)
    """float64 (rows,): of what each says apart from the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One way to pick words or letters out of texts, and the texts in which they form language."""

    name: str
    """As a finding names it, e.g. `the last words of the lines`."""
    places: np.ndarray = field(repr=False)
    """int64: texts that are beyond `LEVELS[0]`."""
    chances: np.ndarray = field(repr=False)
    """float64: chance of each."""
    once: Once = field(repr=False)
    """The same texts, with what several of them say counted once."""
    decoded: list[str] = field(repr=False)
    spans: list[list[tuple[int, int]]] = field(repr=False)
    """For each, the bytes of the words or letters."""
    eligible: int
    """Texts that could have counted."""
    rates: tuple[float, ...]
    """For each level, the share of texts beyond it by chance, or at the control if that is more."""
    known: np.ndarray = field(repr=False, default_factory=lambda: np.zeros(0))
    """float64: for words, the share of pairs that English has, by text; empty for letters."""


def rate_beyond(level: float, usual: np.ndarray, texts: int) -> float:
    """The share beyond a level: what the level says, or what the control shows in as many texts."""
    return max(level, (1 + int((usual <= level).sum())) / (2 + max(len(usual), texts)))


def told_scheme(
    text: TextWords,
    name: str,
    index: np.ndarray,
    rows: np.ndarray,
    chances: np.ndarray,
    once: Once,
    eligible: int,
    rates: tuple[float, ...],
) -> Scheme:
    """The scheme, with what stands at its places in the texts that count."""
    decoded, spans, known = [], [], []
    own = text.row[index]
    for row in rows.tolist():
        low, high = np.searchsorted(own, [row, row + 1])
        its = index[low:high]
        places = list(zip(text.start[its].tolist(), text.end[its].tolist(), strict=True))
        base = int(text.screened.offsets[row])
        raw = (text.screened.data[base + s : base + e].tobytes() for s, e in places)
        decoded.append(b" ".join(raw).decode("utf-8", "replace").lower())
        spans.append(places)
        known.append(text.pairs.known_share(its))
    return Scheme(
        name=name,
        places=rows,
        chances=chances,
        once=once,
        decoded=decoded,
        spans=spans,
        eligible=eligible,
        rates=rates,
        known=np.array(known),
    )
