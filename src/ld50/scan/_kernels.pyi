from typing import Any, TypeAlias

from numpy.typing import NDArray

Buffer: TypeAlias = NDArray[Any] | bytes | bytearray

def profile(
    offsets: Buffer,
    data: Buffer,
    trigrams: Buffer,
    languages: int,
    words: Buffer,
    bigrams: Buffer,
    points: Buffer,
    threshold: int,
    lead_bytes: int,
    out: Buffer,
    /,
) -> None: ...
def tail_salads(
    offsets: Buffer,
    data: Buffer,
    most: int,
    words: Buffer,
    bigrams: Buffer,
    points: Buffer,
    frequent: Buffer,
    numbers: Buffer,
    pairs: Buffer,
    out: Buffer,
    /,
) -> None: ...
def ngrams(
    offsets: Buffer,
    data: Buffer,
    rows: Buffer,
    starts: Buffer,
    ends: Buffer,
    kinds: int,
    max_per_row: int,
    distinct: bool,
    buckets: Buffer | None,
    least: int,
    tally: bool,
    placed: bool,
    /,
) -> tuple[bytearray, ...]: ...
def slices(data: Buffer, starts: Buffer, ends: Buffer, out: Buffer, /) -> None: ...
def gatherer(key: int, /) -> object: ...
def gather(
    into: object,
    hashes: Buffer,
    begins: Buffer,
    ends: Buffer,
    rows: Buffer,
    numbers: Buffer,
    starts: Buffer,
    /,
) -> None: ...
def gathered(into: object, /) -> bytearray: ...
def renumber(
    numbers: Buffer,
    begins: Buffer,
    ends: Buffer,
    instead: Buffer,
    out: Buffer,
    out_starts: Buffer,
    /,
) -> int: ...
def tally(numbers: Buffer, begins: Buffer, ends: Buffer, counts: Buffer, met: Buffer, /) -> int: ...
def phrase_hashes(offsets: Buffer, data: Buffer, stream: int, out: Buffer, /) -> None: ...
def bytes_hashes(offsets: Buffer, data: Buffer, out: Buffer, /) -> None: ...
def count_candidates(
    offsets: Buffer,
    data: Buffer,
    hashes: Buffer,
    listed: Buffer,
    filter: Buffer,
    slots: Buffer,
    kinds: int,
    counts: Buffer,
    placed: bool,
    bits: int,
    /,
) -> tuple[bytearray, ...]: ...
def sentences(
    offsets: Buffer, data: Buffer, min_words: int, max_words: int, /
) -> tuple[bytearray, ...]: ...
def limit_variant(most: int, /) -> None: ...
def fragments(offsets: Buffer, data: Buffer, /) -> tuple[bytearray, ...]: ...
