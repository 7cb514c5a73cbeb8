"""Rows under one key: solved together, checked on rows that the key was not found on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ld50.core.seeds import rng_for
from ld50.scan.channels.keys import GAP, Key, solve, stream_bits
from ld50.scan.channels.language import SPACE, letter_model
from ld50.scan.channels.streams import LEAST_SYMBOLS, Pool, Symbols
from ld50.scan.channels.words import says_something, segmented

#: Mean bits a letter up to which a row is read as English: with spaces, and without.
_READ = {True: 3.45, False: 3.9}
_ROW_READ = {True: 3.9, False: 4.3}
#: Letters that cost so little as they stand are words that no dictionary has, and no cipher.
_PLAIN = 4.3
#: How much worse a row may read with a key that was found without it.
_SLACK = 0.6
_SHUFFLES = 19
#: Shares of the rows that are tried as the first pool, those least like a language's letters first.
_POOLS = (1.0, 0.5, 0.2)
_MOST_ROWS = 400
_MOST_CIPHERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Cipher:
    """Rows that one key turns into language."""

    kind: str
    key: Key
    kinds: tuple[str, ...]
    """What each symbol number stands for."""
    rows: list[Symbols] = field(repr=False)
    decoded: list[str] = field(repr=False)
    bits: np.ndarray = field(repr=False)
    """float64: mean bits a letter of each row."""
    tested: int
    """Rows that were decoded with a key found without them."""
    passed: int
    """Those that it reads, and better than each of `shuffles` orders of their own symbols."""
    shuffles: int = _SHUFFLES

    @property
    def shift(self) -> int | None:
        """By how many places the alphabet is shifted, if it is; else None."""
        if self.kind not in ("letters", "bars"):
            return None
        shifts = {
            (ord(symbol) - ord("a") - int(letter)) % 26
            for symbol, letter in zip(self.kinds[:12], self.key.letters, strict=False)
            if letter < SPACE and len(symbol) == 1
        }
        return shifts.pop() if len(shifts) == 1 else None


def find_ciphers(pool: Pool, least_rows: int, seed: int) -> list[Cipher]:
    """The rows of a pool that one substitution turns into English, then those of the next one."""
    left = _strange_rows(pool)
    found: list[Cipher] = []
    while len(left) >= least_rows and len(found) < _MOST_CIPHERS:
        part = _only(pool, left)
        cipher = _find(part, least_rows, seed)
        if cipher is None:
            break
        found.append(cipher)
        told = {row.place for row in cipher.rows}
        left = np.array([i for i in left.tolist() if pool.rows[i].place not in told], np.int64)
    return found


def _only(pool: Pool, rows: np.ndarray) -> Pool:
    return replace(
        pool,
        rows=[pool.rows[i] for i in rows.tolist()],
        streams=[pool.streams[i] for i in rows.tolist()],
    )


def _strange_rows(pool: Pool) -> np.ndarray:
    """int64, rising: rows whose letters are no words as they stand, the strangest `_MOST_ROWS`."""
    rows = np.arange(len(pool.streams))
    if pool.kind not in ("letters", "bars"):
        return rows[:_MOST_ROWS]
    letters = np.full(28, GAP)
    letters[SPACE] = SPACE
    for number, kind in enumerate(pool.kinds):
        if len(kind) == 1 and "a" <= kind <= "z":
            letters[number] = ord(kind) - ord("a")
    plain = Key(letters=letters, spaced=pool.knows_spaces, bits=0.0)
    bits = stream_bits(pool.streams, plain)
    strange = np.flatnonzero(bits >= _PLAIN)
    return np.sort(strange[np.argsort(-bits[strange], kind="stable")[:_MOST_ROWS]])


def _find(pool: Pool, least_rows: int, seed: int) -> Cipher | None:
    size = np.array([int((stream < GAP).sum()) for stream in pool.streams])
    order = np.argsort(-_strangeness(pool), kind="stable")
    for share in _POOLS:
        first = np.sort(order[: max(least_rows, round(share * len(order)))])
        if size[first].sum() < LEAST_SYMBOLS:
            continue
        for spaced in (True, False) if not pool.knows_spaces else (True,):
            key = _settled(pool, first, spaced, seed)
            cipher = None if key is None else _checked(pool, key, seed)
            if cipher is not None and cipher.passed >= max(least_rows, 0.5 * cipher.tested):
                return cipher
    return None


def _strangeness(pool: Pool) -> np.ndarray:
    """float64 (rows,): how rare the letters of a row are in English, before anything is decoded."""
    costs = np.zeros(28)
    if pool.kind in ("letters", "bars"):
        single = letter_model(spaced=False).single
        for number, kind in enumerate(pool.kinds):
            if len(kind) == 1 and "a" <= kind <= "z":
                costs[number] = -single[ord(kind) - ord("a")]
    return np.array(
        [float(costs[s[s < SPACE]].mean()) if (s < SPACE).any() else 0.0 for s in pool.streams]
    )


def _settled(pool: Pool, first: np.ndarray, spaced: bool, seed: int) -> Key | None:
    """A key found on some rows, and again on all the rows that it reads."""
    rows, key = first, None
    for _ in range(3):
        if len(rows) < 3:
            return None
        key = _solved(pool, rows, spaced, seed)
        bits = stream_bits(pool.streams, key)
        read = np.flatnonzero(bits <= _ROW_READ[spaced])
        if np.array_equal(read, rows):
            break
        rows = read
    if key is None or len(rows) < 3:
        return None
    bits = stream_bits([pool.streams[i] for i in rows.tolist()], key)
    return key if float(bits.mean()) <= _READ[spaced] else None


def _solved(pool: Pool, rows: np.ndarray, spaced: bool, seed: int) -> Key:
    streams = [pool.streams[i] for i in rows[:_MOST_ROWS].tolist()]
    return solve(streams, spaced=spaced, fixed_space=pool.knows_spaces, seed=seed)


def _checked(pool: Pool, key: Key, seed: int) -> Cipher:
    """The rows that the key reads, each tested with a key that the other half of them gave."""
    bits = stream_bits(pool.streams, key)
    read = np.flatnonzero(bits <= _ROW_READ[key.spaced])
    texts = {i: _text(key.letters[pool.streams[i]]) for i in read.tolist()}
    read = read[says_something(list(texts.values()))]
    rng = rng_for(seed, "channels", "cipher", pool.kind)
    passed = 0
    for half in (0, 1) if len(read) >= 4 else ():
        fitted, held = read[half::2], read[1 - half :: 2]
        other = _solved(pool, fitted, key.spaced, seed)
        for i in held.tolist():
            stream = pool.streams[i]
            lots = [stream, *(_shuffled(stream, rng) for _ in range(_SHUFFLES))]
            costs = stream_bits(lots, other)
            readable = costs[0] <= _ROW_READ[key.spaced] + _SLACK
            passed += bool(readable and costs[0] < costs[1:].min())
    return Cipher(
        kind=pool.kind,
        key=key,
        kinds=pool.kinds,
        rows=[pool.rows[i] for i in read.tolist()],
        decoded=_printed([texts[i] for i in read.tolist()], key.spaced),
        bits=bits[read],
        tested=len(read),
        passed=passed,
    )


def _shuffled(stream: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The symbols in another order; spaces and gaps stay where they are."""
    out = stream.copy()
    moving = np.flatnonzero(stream < SPACE)
    out[moving] = rng.permutation(stream[moving])
    return out


def _printed(texts: list[str], spaced: bool) -> list[str]:
    return texts if spaced else segmented(texts, most=1000)


def _text(letters: np.ndarray) -> str:
    signs = "abcdefghijklmnopqrstuvwxyz ·"
    return "".join(signs[min(int(letter), GAP)] for letter in letters)
