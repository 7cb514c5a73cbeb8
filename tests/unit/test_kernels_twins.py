"""The C kernels and their plain-Python twins give the same bytes for any input."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ld50.scan import kernels, kernels_py, kernels_py_profile, kernels_py_tokens

c_kernels = pytest.importorskip("ld50.scan._kernels", reason="the C kernels are not built")

ODD = [
    "the", "The", "THE", "cat", "sat", "on", "mat", "hyperlipidaemia", "<SUDO>", "don't", "x1",
    "3.14", "naïve", "Straße", "мир", "pаypal", "Ωm", "你好世界", "。", "！", "ภาษาไทย", "かな",
    "\u200b", "\u200d", "\ufe0f", "\U000e0041", "\ue000", "\ufffd", "\u202e", "🎉", "“q”", "’",
    "\x00", "\x7f", "\x85", "\xa0", "\u2028", "\u3000", "\t", "\r\n", "\n\n", "  ", ".", "!", "?",
    "http://a.b/c(d)e.", "www.x.org", "me@x.org", "[t](u)", "![i](j)", "<b a='1'>", "f(x, (y))",
    "a" * 15, "b" * 16, "c" * 17, "Dd" * 40, "ab " * 60, "zq jx " * 40, "é" * 70, "中" * 50,
]  # fmt: skip

pieces = st.one_of(
    st.sampled_from(ODD).map(str.encode),
    st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(st.characters(max_codepoint=127), max_size=30).map(str.encode),
    st.binary(max_size=6),
    st.sampled_from([b" ", b" ", b"  ", b"\n", b", "]),
)
rows = st.lists(pieces, max_size=60).map(b"".join)
columns = st.lists(rows, max_size=6)
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def column_of(texts: list[bytes]) -> tuple[Any, Any]:
    ends = np.cumsum([0, *(len(text) for text in texts)], dtype=np.int64)
    return ends, np.frombuffer(b"".join(texts), np.uint8)


def each_way(function: Any, *args: Any, **named: Any) -> list[Any]:
    """The result of the twin, of C for any CPU, and of C for newer ones as far as this one is."""
    results = []
    chosen = kernels._run
    try:
        for implementation, most in (
            (kernels_py, 1),
            (c_kernels, 1),
            (c_kernels, 3),
            (c_kernels, 4),
        ):
            kernels._run = implementation
            c_kernels.limit_variant(most)
            results.append(function(*args, **named))
    finally:
        kernels._run = chosen
        c_kernels.limit_variant(4)
    return results


def values_of(result: Any) -> Any:
    if dataclasses.is_dataclass(result):
        names = [field.name for field in dataclasses.fields(result)]
        return {name: values_of(getattr(result, name)) for name in names}
    if isinstance(result, list):
        return [values_of(each) for each in result]
    return str(result.dtype), result.tolist()


def assert_same(function: Any, *args: Any, **named: Any) -> None:
    oracle, *others = (values_of(result) for result in each_way(function, *args, **named))
    for other in others:
        assert other == oracle


def some_tables(seed: int, words: list[str] = ODD) -> kernels.ProfileTables:
    rng = np.random.default_rng(seed)
    keys = kernels.phrase_hashes(column_of([word.encode() for word in words]))
    pairs = [f"{a} {b}".encode() for a, b in zip(words, words[1:] + words[:1], strict=True)]
    bits = int(rng.integers(8, 17))
    some = np.unique(keys[keys > 0])[:128]
    return kernels.ProfileTables(
        trigrams=rng.integers(0, 256, (1 << bits, 32)).astype(np.uint8),
        languages=int(rng.integers(1, 33)),
        words=kernels.build_word_table(keys, rng.integers(1, 128, keys.size)),
        bigrams=kernels.build_bigram_table(
            kernels.phrase_hashes(column_of(pairs)), int(rng.integers(9, 13))
        )
        if seed % 3
        else np.zeros(0, np.uint64),
        frequent=kernels.build_frequent_pairs(some, rng.integers(-128, 128, (some.size, some.size)))
        if seed % 4
        else None,
    )


@quick
@given(columns, st.integers(0, 40))
def test_profile_is_the_twins(texts: list[bytes], seed: int) -> None:
    options = kernels.ProfileSettings(
        noise_bits_per_byte=seed % 9 + 0.3,
        lead_bytes=seed * 31,
        number_points=seed % 3 - 1,
        single_points=seed % 5 - 2,
        pair_points=tuple((7 * seed + 5 * at) % 23 - 11 for at in range(128)) if seed % 2 else (),
    )
    assert_same(kernels.profile, column_of(texts), some_tables(seed), options)


@quick
@given(columns, st.integers(0, 40), st.integers(0, 90))
def test_salads_at_the_ends_are_the_twins_and_those_of_the_ends_alone(
    texts: list[bytes], seed: int, most: int
) -> None:
    ways = [
        kernels.ProfileSettings(word_points=(2, 1, 1, -1, 0, -1, -2, -3), number_points=1),
        kernels.ProfileSettings(
            pair_points=tuple(range(-64, 64)), word_points=(1,) * 8, single_points=2
        ),
    ]
    tables = some_tables(seed)
    assert_same(kernels.tail_salads, column_of(texts), most, tables, ways)
    ends = column_of([text[max(0, len(text) - most) :] for text in texts])
    for way, found in zip(
        ways, kernels.tail_salads(column_of(texts), most, tables, ways), strict=True
    ):
        alone = kernels.profile(ends, tables, way)
        cut = np.where(found.score > 0, [max(0, len(text) - most) for text in texts], 0)
        assert found.score.tolist() == alone.salad_score.tolist()
        assert found.start.tolist() == (alone.salad_start + cut).tolist()
        assert found.end.tolist() == (alone.salad_end + cut).tolist()


@quick
@given(columns, st.integers(1, 12), st.integers(0, 4))
def test_tallies_and_what_they_leave_are_the_twins(
    texts: list[bytes], bits: int, least: int
) -> None:
    def tallied(column: Any) -> list[Any]:
        buckets = np.zeros(1 << bits, np.uint8)
        kernels.tally_ngrams(column, buckets)
        kept = kernels.ngrams(column, distinct=True, buckets=buckets, least=least)
        return [kept, np.flatnonzero(buckets), buckets[buckets > 0]]

    assert_same(tallied, column_of(texts))


@quick
@given(columns, st.sampled_from([0, 1]))
def test_phrase_hashes_are_the_twins(texts: list[bytes], stream: int) -> None:
    assert_same(kernels.phrase_hashes, column_of(texts), stream)


@quick
@given(columns)
def test_bytes_hashes_are_the_twins(texts: list[bytes]) -> None:
    assert_same(kernels.bytes_hashes, column_of(texts))


@quick
@given(columns.filter(len), st.data())
def test_ngrams_are_the_twins(texts: list[bytes], data: st.DataObject) -> None:
    picks = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=6))
    places = st.integers(0, max(map(len, texts)) + 2)
    starts = [data.draw(places) for _ in picks]
    ends = [data.draw(places) for _ in picks]
    zones = {
        "rows": np.array(picks, np.uint32),
        "starts": np.array(starts, np.uint32),
        "ends": np.array(ends, np.uint32),
    }
    options = {
        "kinds": data.draw(st.sampled_from([255, 31, 224, 1, 64])),
        "max_per_row": data.draw(st.sampled_from([0, 1, 7, 100000])),
        "distinct": data.draw(st.booleans()),
        "placed": data.draw(st.booleans()),
    }
    assert_same(kernels.ngrams, column_of(texts), **zones, **options)
    buckets = np.arange(1 << 10, dtype=np.uint8)
    assert_same(kernels.ngrams, column_of(texts), **zones, **options, buckets=buckets, least=128)
    assert_same(kernels.ngrams, column_of(texts))


@quick
@given(columns, st.integers(1, 5), st.booleans())
def test_counts_are_the_twins(texts: list[bytes], share: int, placed: bool) -> None:
    column = column_of(texts)
    found = np.unique(kernels.ngrams(column).hash)[::share]
    # Some are listed never, some in their first rows, some always.
    most = np.array([0, 1, 2, 0xFFFFFFFF], np.uint32)[np.arange(found.size) % 4]
    candidates = kernels.build_candidates(found, most)

    def counted() -> list[Any]:
        counts = np.ones(len(candidates), np.uint32)
        return [counts, kernels.count_candidates(column, candidates, counts, placed=placed)]

    assert_same(counted)


def test_rows_of_many_chunks_are_the_twins() -> None:
    """What is remembered of the words and n-grams before, and eight tokens at a time, change nothing."""
    rng = np.random.default_rng(5)
    words = [f"{'Wort' * (k % 7)}{k:x}"[: 1 + k % 21] for k in range(400)] + [*ODD, ", ", ".", "\n"]
    picks = (rng.pareto(0.7, 9000) * 3).astype(int) % len(words)
    text = " ".join(words[pick] for pick in picks).encode()
    column = column_of([text[:40000], b"", text[40000:40020], text[40020:]])
    assert_same(kernels.profile, column, some_tables(7, words))
    candidates = kernels.build_candidates(np.unique(kernels.ngrams(column).hash)[::5])

    def counted() -> list[Any]:
        counts = np.zeros(len(candidates), np.uint32)
        return [counts, kernels.count_candidates(column, candidates, counts)]

    assert_same(counted)


@quick
@given(columns, st.integers(0, 4))
def test_sentences_are_the_twins(texts: list[bytes], fewest: int) -> None:
    assert_same(kernels.sentences, column_of(texts), min_words=fewest, max_words=50)


@quick
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.sampled_from(
                    [
                        "http://",
                        "://",
                        "www.",
                        "w",
                        "@",
                        "a.b",
                        ".",
                        "(",
                        ")",
                        "[",
                        "]",
                        "](",
                        "!",
                        "<",
                        ">",
                        "/",
                        "name",
                        "_",
                        "\n",
                        " ",
                        "é",
                        "-",
                        "%",
                        "x" * 70,
                        "y1.",
                        "\0",
                    ]
                ),
                st.text(max_size=3),
            ),
            max_size=30,
        ).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass")),
        max_size=4,
    )
)
def test_fragments_are_the_twins(texts: list[bytes]) -> None:
    assert_same(kernels.fragments, column_of(texts))


def edge_codes() -> list[int]:
    """Code points at the edges of every range that a twin knows, and all of the first ones."""
    ranges = [
        *kernels_py_tokens.SPACE_RANGES,
        *kernels_py_tokens.PUNCT_RANGES,
        *kernels_py_tokens.SINGLE_RANGES,
        *(each for _, ranges in kernels_py_profile.CHARACTERS for each in ranges),
        *kernels_py_profile.LATIN,
        *kernels_py_profile.CYRILLIC,
        *kernels_py_profile.GREEK,
    ]
    edges = {edge + step for each in ranges for edge in each for step in (-1, 0, 1)}
    codes = {code for code in edges if 0 <= code < 0x110000} | set(range(0x600))
    return sorted(code for code in codes if not 0xD800 <= code <= 0xDFFF)


def test_every_range_of_characters_is_the_twins() -> None:
    codes = edge_codes()
    texts = [f"a{chr(code)}b Я{chr(code)}".encode() for code in codes]
    column = column_of(texts)
    assert_same(kernels.profile, column, some_tables(1))
    assert_same(kernels.ngrams, column)


def test_long_rows_are_the_twins() -> None:
    rng = np.random.default_rng(7)
    words = np.array([word.encode() for word in ODD], object)
    joins = np.array([b" ", b" ", b"", b"  ", b"\n"], object)
    texts = []
    for size in (3000, 9000):
        parts = [
            w + j for w, j in zip(rng.choice(words, size), rng.choice(joins, size), strict=True)
        ]
        texts.append(b"".join(parts))
    texts += [
        b"x" * 70_000,
        b" " * 9000 + b"y",
        bytes(rng.integers(0, 256, 20_000, dtype=np.uint8)),
        b"a \n" * 5000,
        "я".encode() * 9000,
        b"Ab cd ef gh " * 3000,
    ]
    column = column_of(texts)
    assert_same(kernels.profile, column, some_tables(2))
    assert_same(kernels.ngrams, column)
    assert_same(kernels.sentences, column, min_words=0, max_words=10**6)
    assert_same(kernels.fragments, column)


@quick
@given(columns, st.binary(min_size=256, max_size=256))
def test_byte_classes_are_the_twins(texts: list[bytes], classes: bytes) -> None:
    table = np.frombuffer(classes, np.uint8) & np.uint8(7)
    column = column_of(texts)
    assert_same(kernels.byte_classes, column, table)
    assert kernels.byte_classes(column, table).sum(axis=1).tolist() == list(map(len, texts))


@quick
@given(st.binary(max_size=50), st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50))))
def test_slices_are_the_pieces_one_after_the_other(
    data: bytes, some: list[tuple[int, int]]
) -> None:
    ranges = np.array([sorted(min(end, len(data)) for end in each) for each in some], np.int64)
    ranges = ranges.reshape(-1, 2)
    column = np.frombuffer(data, np.uint8)
    for offsets, out in each_way(kernels.slices, column, ranges[:, 0], ranges[:, 1]):
        assert [out[low:high].tobytes() for low, high in pairwise(offsets)] == [
            data[low:high] for low, high in ranges
        ]
