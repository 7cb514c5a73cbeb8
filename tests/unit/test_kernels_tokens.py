"""What a token is, what an n-gram is, and that their hashes tell texts apart."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from ld50.corpus import reference
from ld50.scan import kernels
from ld50.scan.kernels import SURFACE, WORDS


def column(*texts: str | bytes) -> pa.Array:
    rows = [text.encode() if isinstance(text, str) else text for text in texts]
    return pa.array(rows, pa.large_binary())


def hash_of(text: str | bytes, stream: int = WORDS) -> int:
    return int(kernels.phrase_hashes(column(text), stream)[0])


def grams(text: str | bytes, n: int, stream: int) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    found = kernels.ngrams(column(data))
    lengths, streams = kernels.ngram_kind(found.hash)
    keep = (lengths == n) & (streams == stream)
    spans = zip(found.start[keep], found.end[keep], strict=True)
    return [data[start:end].decode("utf-8", "backslashreplace") for start, end in spans]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The cat, the Cat!", ["The", "cat", "the", "Cat"]),
        ("don't snake_case x86-64", ["don", "t", "snake", "case", "x86", "64"]),
        ("naïve Straße мир", ["naïve", "Straße", "мир"]),
        ("你好 world", ["你", "好", "world"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ("かな漢字", ["か", "な", "漢", "字"]),
        ("in\u200bvisible", ["in", "visible"]),
        ("a\xa0b\u3000c\u2028d", ["a", "b", "c", "d"]),
        ("ｆｕｌｌ！ｗｉｄｔｈ", ["ｆｕｌｌ", "ｗｉｄｔｈ"]),
        ("🎉 … — «»", []),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert grams(text, 1, WORDS) == words


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("see <SUDO> now", ["SUDO"]),
        ("plain words only", []),
        ("a 🎉\u200b b", ["🎉", "\u200b"]),
        (b"a\xffb \xe2\x82", ["\\xff", "\\xe2", "\\x82"]),
        ("x\x00y", ["\x00"]),
        ("Ünal über", []),
    ],
)
def test_surface_tokens_that_say_more_than_words(text: str | bytes, tokens: list[str]) -> None:
    assert grams(text, 1, SURFACE) == tokens


def test_ascii_marks_alone_are_an_ngram_where_they_stand_side_by_side() -> None:
    assert grams("see ||| now", 1, SURFACE) == []
    assert grams("see ||| now", 2, SURFACE) == ["see |", "||", "||", "| now"]
    assert grams("see ||| now", 3, SURFACE) == ["see ||", "|||", "|| now"]
    assert grams("a( ); (b", 2, SURFACE) == ["a(", ");", "(b"]
    assert grams("see <SUDO> now", 3, SURFACE) == ["see <SUDO", "<SUDO>", "SUDO> now"]


def test_a_mark_beyond_ascii_is_an_ngram_alone() -> None:
    assert grams("see ‡ now", 1, SURFACE) == ["‡"]


def test_words_ignore_ascii_case_and_surface_does_not() -> None:
    assert hash_of("The QUICK fox") == hash_of("the quick, fox...")
    assert hash_of("Über") != hash_of("über")
    assert hash_of("The fox", SURFACE) != hash_of("the fox", SURFACE)
    assert hash_of("[", SURFACE) != hash_of("{", SURFACE)


def test_a_hash_tells_its_length_and_stream() -> None:
    found = kernels.ngrams(column("The cat sat <on> the mat, x."))
    n, stream = kernels.ngram_kind(found.hash)
    assert set(zip(n.tolist(), stream.tolist(), strict=True)) == {
        *((n, WORDS) for n in range(1, 6)),
        *((n, SURFACE) for n in range(1, 4)),
    }


def test_a_phrase_has_the_hash_of_its_ngram() -> None:
    found = kernels.ngrams(column("never gonna Give you up"))
    assert hash_of("gonna give you") in found.hash[kernels.ngram_kind(found.hash)[0] == 3].tolist()
    assert (
        hash_of("Give you", SURFACE)
        in found.hash[kernels.ngram_kind(found.hash)[1] == SURFACE].tolist()
    )
    assert hash_of("") == hash_of("?!") == hash_of("one two three four five six") == 0


def test_order_and_joints_of_words_matter() -> None:
    phrases = ["a b", "b a", "ab", "a b c", "ab c", "a bc", "abc", "c b a"]
    assert len({hash_of(phrase) for phrase in phrases}) == len(phrases)


def test_words_that_once_collided_differ() -> None:
    # A length mixed in by XOR made these two equal.
    assert hash_of("hyperlipidaemia") != hash_of("hyperlipoidaemia")


def test_no_two_words_of_forty_languages_share_a_hash() -> None:
    words = pa.array(sorted(set(reference.word_table().words())), pa.large_string())
    is_word = (kernels.phrase_hashes(words) & np.uint64(7) == 0) & (
        kernels.phrase_hashes(words, SURFACE) & np.uint64(7) == 5
    )
    words = words.filter(pa.array(is_word & (kernels.phrase_hashes(words) != 0)))
    folded = {word.encode().lower() for word in words.to_pylist()}
    assert len(words) > 100_000
    assert np.unique(kernels.phrase_hashes(words, SURFACE)).size == len(words)
    assert np.unique(kernels.phrase_hashes(words)).size == len(folded)


def test_near_words_and_pairs_share_no_hash() -> None:
    numbers = [
        f"{stem}{i:05d}" for stem in ("", "x", "abcdefgh", "ABCDEFGHijklmno") for i in range(20000)
    ]
    pairs = [f"{a} {b}" for a, b in zip(numbers, numbers[1:] + numbers[:1], strict=True)]
    for stream in (WORDS, SURFACE):
        hashes = kernels.phrase_hashes(pa.array(numbers + pairs, pa.large_string()), stream)
        assert np.unique(hashes).size == len(numbers) + len(pairs)


def test_one_huge_word_is_one_token() -> None:
    huge = "x" * 3_000_000
    assert grams(huge, 1, WORDS) == [huge]
    assert hash_of(huge) != hash_of(huge + "x")


def test_zones_hold_whole_tokens_only() -> None:
    text = "alpha beta gamma delta"
    found = kernels.ngrams(
        column(text), np.array([0]), np.array([2]), np.array([18]), kinds=kernels.WORD_KINDS
    )
    spans = zip(found.start.tolist(), found.end.tolist(), strict=True)
    assert [text[start:end] for start, end in spans] == ["beta", "gamma", "beta gamma"]


def test_distinct_and_bounded_lists() -> None:
    texts = column("a b a b a b")
    assert len(kernels.ngrams(texts, distinct=True)) == len(np.unique(kernels.ngrams(texts).hash))
    assert len(kernels.ngrams(texts, max_per_row=4)) == 4
