"""Rows that no decoder reads and no language accounts for, many of them alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ld50.scan import kernels
from ld50.scan.channels.language import byte_costs, joined
from ld50.scan.channels.letters import letter_count
from ld50.scan.channels.readings import Candidate, stretch_of
from ld50.scan.channels.screen import Screened

#: Bits a byte, in every language and kind of code, from which on letters are noise.
_NOISE_BITS = 4.3
_LEAST_LETTERS, _LETTER_SHARE = 24, 0.8
#: Words of a language come back in its other texts: of any language, known or not, most do.
_MOST_SHARED = 0.25
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SINGLE_WORD = 1
_LEAST_WORD, _MOST_WORD = 2.0, 9.0
#: Words of a text from which on those of a language come back within it.
_LONG_TEXT = 200
#: Letters from which on a word of a cipher hardly comes back by chance, in a corpus of any size.
_LONG_WORD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownGroup:
    """Rows of words in no language that have nothing in common."""

    places: list[int]
    spans: list[tuple[int, int]] = field(repr=False)
    """Characters, one a place."""
    statistics: dict[str, float]


def unreadable_group(
    screened: Screened,
    candidates: list[Candidate],
    told: set[int],
    least: int,
    rows_with: Callable[[np.ndarray], np.ndarray] | None = None,
) -> UnknownGroup | None:
    """Stretches of words that no language has, and that do not come back from row to row.

    Args:
        screened: The side, with its words.
        candidates: Texts that may hold something encoded.
        told: Places of rows that a channel was found in.
        least: Fewer stretches than so many are no group.
        rows_with: For hashes of words, in how many rows of the corpus each stands; where the side is a
            sample. A language that few rows are in has too few rows in a sample for its words to
            come back there.
    """
    found: list[tuple[int, int, int, str]] = []
    for candidate in candidates:
        if candidate.place in told:
            continue
        start, end = stretch_of(candidate)
        text = candidate.text[start:end]
        letters = letter_count(text)
        words = text.split()
        dense = letters >= max(_LEAST_LETTERS, _LETTER_SHARE * len(text.replace(" ", "")))
        if dense and len(words) >= 4 and _LEAST_WORD <= letters / len(words) <= _MOST_WORD:
            found.append((candidate.place, start, end, text))
    if not found:
        return None
    bits = _any_lane_bits([text for *_, text in found])
    found = [item for item, cost in zip(found, bits, strict=True) if cost >= _NOISE_BITS]
    found = list({item[3]: item for item in found}.values())
    shared = _shared_words(screened, [text for *_, text in found])
    found = [item for item, share in zip(found, shared, strict=True) if share <= _MOST_SHARED]
    whole = {candidate.place: candidate.text for candidate in candidates}
    found = [item for item in found if _coming_back(item[3], whole[item[0]]) <= _MOST_SHARED]
    if len(found) < least:
        return None
    if rows_with is not None:
        # A pass over the corpus, so only where there would be a finding without it.
        shared = _shared_long_words(screened, [text for *_, text in found], rows_with)
        found = [item for item, share in zip(found, shared, strict=True) if share <= _MOST_SHARED]
    if not found:
        return None
    texts = [text for *_, text in found]
    return UnknownGroup(
        places=[place for place, *_ in found],
        spans=[(start, end) for _, start, end, _ in found],
        statistics=letter_statistics(texts),
    )


def _any_lane_bits(texts: list[str]) -> np.ndarray:
    """float64 (texts,): bits a byte in the lane that fits best, code and markup included."""
    data, offsets = joined([text[:600] for text in texts])
    sums = byte_costs(data, offsets, languages=False)
    out: np.ndarray = sums.min(axis=1) / np.diff(offsets) / 16
    return out


def _coming_back(stretch: str, text: str) -> float:
    """The share of the words of a stretch that stand in its text twice; 0 where it is no long text.

    A language that one row alone is in has no other row to use its words again, but has the row.
    """
    words = Counter(text.split())
    if words.total() < _LONG_TEXT:
        return 0.0
    of_stretch = [word for word in stretch.split() if len(word) > 1]
    return sum(words[word] > 1 for word in of_stretch) / max(len(of_stretch), 1)


def _shared_words(screened: Screened, texts: list[str]) -> list[float]:
    """For each stretch, the share of its words of two letters and more that other texts hold, too."""
    if not texts:
        return []
    column = pa.array(texts, type=pa.large_string())
    found = kernels.ngrams(column, kinds=_SINGLE_WORD)
    long = (found.end - found.start) >= 2
    return _share(found.row, long, _in_two_texts(screened, found.hash), len(texts))


def _shared_long_words(
    screened: Screened, texts: list[str], rows_with: Callable[[np.ndarray], np.ndarray]
) -> list[float]:
    """The same of the long words, with all rows of the corpus as the other texts."""
    encoded = [text.encode() for text in texts]
    found = kernels.ngrams(pa.array(encoded, type=pa.large_binary()), kinds=_SINGLE_WORD)
    spans = zip(found.row.tolist(), found.start.tolist(), found.end.tolist(), strict=True)
    letters = [len(encoded[row][start:end].decode(errors="ignore")) for row, start, end in spans]
    long = np.array(letters, dtype=np.int64) >= _LONG_WORD
    common = _in_two_texts(screened, found.hash)
    # What is frequent is in the sample already, so what is looked for stands in few rows.
    rare = np.unique(found.hash[long & ~common])
    common |= np.isin(found.hash, rare[rows_with(rare) >= 2] if len(rare) else rare)
    return _share(found.row, long, common, len(texts))


def _in_two_texts(screened: Screened, hashes: np.ndarray) -> np.ndarray:
    """bool: whether each word stands in two texts of the side, or more."""
    keys, first = np.unique(
        screened.hash ^ (screened.row.astype(np.uint64) * _MIX), return_index=True
    )
    del keys
    # Each word once a text; places by 20 bits of the hash, which is enough to tell rare from common.
    slots = (screened.hash[first] >> np.uint64(44)).astype(np.int64)
    holders = np.bincount(slots, minlength=1 << 20)
    return np.asarray(holders[(hashes >> np.uint64(44)).astype(np.int64)] >= 2)


def _share(row: np.ndarray, counted: np.ndarray, held: np.ndarray, texts: int) -> list[float]:
    words = np.bincount(row[counted], minlength=texts)
    hits = np.bincount(row[counted & held], minlength=texts)
    return (hits / np.maximum(words, 1)).tolist()  # type: ignore[no-any-return]


def letter_statistics(texts: list[str]) -> dict[str, float]:
    """What the letters of unread texts look like, for whoever goes on where the search stopped.

    The index of coincidence is 0.066 for English letters, in any order and under any one-to-one
    substitution, and 0.038 for letters drawn evenly; a key that repeats makes letters coincide more
    often at its period. Mutual information between neighbours is 0.7 to 0.9 bits in English, and the
    same under a substitution; letters in another order have hardly any.
    """
    # Stretches in another script have no letter of these, and an array of nothing is not of integers.
    streams = [
        np.array([ord(c) - 97 for c in t.lower() if "a" <= c <= "z"], dtype=np.int64) for t in texts
    ]
    every = np.concatenate([np.zeros(0, np.int64), *streams])
    if len(every) < 50:
        return {}
    share = np.bincount(every, minlength=26) / len(every)
    rates = {lag: _coincidence(streams, lag) for lag in range(1, 21)}
    period = max(rates, key=lambda lag: (rates[lag], -lag))
    return {
        "letters": float(len(every)),
        "coincidence_index": round(float((share**2).sum()), 4),
        "neighbour_information_bits": round(_information(streams), 3),
        "best_period": float(period),
        "coincidence_at_best_period": round(rates[period], 4),
    }


def _coincidence(streams: list[np.ndarray], lag: int) -> float:
    same = sum(int(np.count_nonzero(s[lag:] == s[:-lag])) for s in streams if len(s) > lag)
    total = sum(max(len(s) - lag, 0) for s in streams)
    return float(same / max(total, 1))


def _information(streams: list[np.ndarray]) -> float:
    """Bits that a letter says of the next one, less what chance gives (Miller and Madow)."""
    pairs = [s[:-1] * 26 + s[1:] for s in streams if len(s) > 1]
    if not pairs:
        return 0.0
    counts = np.bincount(np.concatenate(pairs), minlength=676).reshape(26, 26).astype(np.float64)
    total = counts.sum()
    joint = counts / total
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    some = joint > 0
    information = float((joint[some] * np.log2(joint[some] / product[some])).sum())
    bias = (int(np.count_nonzero(some)) - 51) / (2 * float(total) * math.log(2))
    return max(0.0, information - bias)
