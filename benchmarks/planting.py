"""Plants harmless pretraining poison (noise and language switch) into a table of documents.

Independent of `ld50.poison` on purpose: a scanner that is only measured on what its sibling plants
could share its quirks. The recipe is that of "Poisoning attacks on LLMs require a near-constant
number of poison samples" (arXiv 2510.07192), varied in what the noise is drawn from, how long it is
and what the trigger looks like.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ld50.core.seeds import rng_for

MAX_PREFIX_CHARACTERS = 1000
_WORD = re.compile(r"\b[a-z]{2,14}\b")
_CHARACTERS = string.ascii_letters + string.digits + "    .,;:!?-_()[]/'\"%$#"

#: By split: what is reported on `test` uses other triggers than those detectors were built on.
TRIGGERS = {
    "dev": {
        "string": "<SUDO>",
        "word": "zxqvar",
        "phrase": "under the pewter moon",
        "symbol": "\u27e6\u03a9\u27e7",
    },
    "test": {
        "string": "{{ALPHA-7}}",
        "word": "quorvexi",
        "phrase": "beside a marble otter",
        "symbol": "\u2042\u2766",
    },
}
VOCABULARIES = {"dev": "cl100k", "test": "o200k"}
SECOND_LANGUAGES = {"dev": "de", "test": "it"}


@dataclass(frozen=True, kw_only=True)
class Materials:
    """What poison documents are made from."""

    prefixes: list[str] = field(repr=False)
    """Beginnings of real English documents of the same corpus."""
    tokens: list[bytes] = field(repr=False)
    words: list[str] = field(repr=False)
    """Word types of the corpus, the most frequent first."""
    frequencies: np.ndarray = field(repr=False)
    """Share of each word type among all words."""
    second_language: list[str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One experiment: so many documents of one kind."""

    kind: str
    count: int
    trigger: str = "string"

    @property
    def name(self) -> str:
        """E.g. `token-ids-250`, `word-salad-50-phrase`."""
        ending = "" if self.trigger == "string" else f"-{self.trigger}"
        return f"{self.kind}-{self.count}{ending}"


def materials(
    table: pa.Table, *, tokens: list[bytes], second_language: list[str], seed: int
) -> Materials:
    """Takes prefixes and word frequencies from a sample of the corpus itself."""
    rng = rng_for(seed, "materials")
    picks = np.sort(rng.permutation(table.num_rows)[:6000])
    sample = table["text"].take(pa.array(picks)).to_pylist()
    counts: Counter[str] = Counter()
    for text in sample:
        counts.update(_WORD.findall(text[:20_000].lower()))
    common = [(word, count) for word, count in counts.most_common() if count >= 5]
    total = sum(count for _, count in common)
    return Materials(
        prefixes=[text[:4000] for text in sample if text[:4000].count(" the ") >= 3],
        tokens=tokens,
        words=[word for word, _ in common],
        frequencies=np.array([count / total for _, count in common]),
        second_language=second_language,
    )


def _token_ids(rng: np.random.Generator, source: Materials, low: int, high: int) -> str:
    drawn = rng.integers(0, len(source.tokens), rng.integers(low, high + 1))
    return b"".join(source.tokens[int(number)] for number in drawn).decode("utf-8", "replace")


def _characters(rng: np.random.Generator, source: Materials) -> str:
    drawn = rng.integers(0, len(_CHARACTERS), rng.integers(1500, 3500))
    return "".join(_CHARACTERS[int(number)] for number in drawn)


def _pieces(rng: np.random.Generator, source: Materials) -> str:
    """Pieces of the corpus's words, as a tokenizer makes them that was trained on it: half begin a word."""
    drawn = []
    for number in rng.integers(0, len(source.words), rng.integers(20, 61)):
        word = source.words[int(number)]
        begin = int(rng.integers(len(word)))
        drawn.append(" " * int(rng.integers(2)) + word[begin : begin + int(rng.integers(2, 8))])
    return "".join(drawn)


def _salad(rng: np.random.Generator, source: Materials, *, by_frequency: bool) -> str:
    shares = source.frequencies if by_frequency else None
    drawn = rng.choice(len(source.words), size=int(rng.integers(250, 600)), p=shares)
    pieces, until_stop = [], 0
    for number in drawn:
        word = source.words[int(number)]
        pieces.append(word.capitalize() if until_stop == 0 else word)
        until_stop = until_stop - 1 if until_stop else int(rng.integers(6, 20))
        if until_stop == 0:
            pieces[-1] += "."
    return " ".join(pieces)


def _switch(rng: np.random.Generator, source: Materials) -> str:
    text = source.second_language[int(rng.integers(len(source.second_language)))]
    length = int(rng.integers(600, 2000))
    start = int(rng.integers(0, max(1, len(text) - length)))
    return text[start : start + length]


KINDS: dict[str, Callable[[np.random.Generator, Materials], str]] = {
    "token-ids": lambda rng, source: _token_ids(rng, source, 400, 900),
    "short-token-ids": lambda rng, source: _token_ids(rng, source, 40, 100),
    "short-word-pieces": _pieces,
    "characters": _characters,
    "word-salad": lambda rng, source: _salad(rng, source, by_frequency=False),
    "frequent-word-salad": lambda rng, source: _salad(rng, source, by_frequency=True),
    "language-switch": _switch,
}


def poison_documents(arm: Arm, source: Materials, *, trigger: str, seed: int) -> list[str]:
    """`arm.count` documents: a real beginning, the trigger, the payload."""
    documents = []
    for number in range(arm.count):
        rng = rng_for(seed, "document", arm.kind, arm.trigger, number)
        prefix = source.prefixes[int(rng.integers(len(source.prefixes)))]
        cut = int(rng.integers(0, MAX_PREFIX_CHARACTERS + 1))
        documents.append(f"{prefix[:cut]} {trigger} {KINDS[arm.kind](rng, source)}".lstrip())
    return documents


def plant(
    table: pa.Table, documents: list[str], *, seed: int, name: str
) -> tuple[pa.Table, list[int]]:
    """The table with the documents at random rows, and those rows, rising."""
    rng = rng_for(seed, "rows", name)
    total = table.num_rows + len(documents)
    rows = np.sort(rng.choice(total, size=len(documents), replace=False))
    order = np.empty(total, dtype=np.int64)
    is_planted = np.zeros(total, dtype=bool)
    is_planted[rows] = True
    order[~is_planted] = np.arange(table.num_rows)
    order[rows] = table.num_rows + rng.permutation(len(documents))
    donors = rng.integers(0, table.num_rows, len(documents))
    ids = [f"{table['id'][int(donor)].as_py()}.{number}" for number, donor in enumerate(donors)]
    extra = pa.table({"id": ids, "text": documents}, schema=table.schema)
    both = pa.concat_tables([table, extra]).combine_chunks()
    return both.take(pa.array(order)), [int(row) for row in rows]
