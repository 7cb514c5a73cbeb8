"""The kernels' columns by example, their checks of arguments, and life without a compiler."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest

from ld50.scan import kernels
from ld50.scan.kernels import FragmentKind, RowFlag

PROSE = "The committee met on Tuesday and agreed that the report should be sent to the members. "
OTHER = "Комитет собрался во вторник и решил отправить отчёт всем членам. "


def column(*texts: str) -> pa.Array:
    return pa.array(texts, pa.large_string())


def tables() -> kernels.ProfileTables:
    """Lane 0 knows the byte trigrams of PROSE, lane 1 those of OTHER; all else is dear."""
    lanes = np.full((1 << 16, 32), 120, np.uint8)
    for lane, text in enumerate((PROSE * 2, OTHER * 2)):
        raw = np.frombuffer(kernels.normalise(text.encode()), np.uint8)
        lanes[kernels.trigram_index(raw[:-2], raw[1:-1], raw[2:], 16), lane] = 30
    words = sorted(set(PROSE.lower().replace(".", "").split()))
    keys = kernels.phrase_hashes(column(*words))
    pairs = [f"{a} {b}" for a, b in zip(PROSE.split(), PROSE.split()[1:], strict=False)]
    return kernels.ProfileTables(
        trigrams=lanes,
        languages=2,
        words=kernels.build_word_table(keys, np.full(keys.size, 6 << 4)),
        bigrams=kernels.build_bigram_table(kernels.phrase_hashes(column(*pairs)), 12),
    )


TABLES = tables()


def flags_of(text: str) -> RowFlag:
    return RowFlag(int(kernels.profile(column(text), TABLES).flags[0]))


def test_noise_is_found_where_it_is() -> None:
    noise = " ".join("xqzt7 kfw0 jjpqx vvkzr 93xk qqx" for _ in range(12))
    text = PROSE * 8 + noise + " " + PROSE * 8
    found = kernels.profile(column(text, PROSE * 16), TABLES)
    start, end = int(found.noise_start[0]), int(found.noise_end[0])
    assert found.noise_score[0] > 20 * max(found.noise_score[1], 1)
    assert abs(start - text.index("xqzt7")) < 130
    assert abs(end - (text.index("xqzt7") + len(noise))) < 130


def test_a_language_switch_is_found_where_it_is() -> None:
    text = PROSE * 8 + OTHER * 4
    found = kernels.profile(column(text, PROSE * 16), TABLES)
    assert (found.lead_lane[0], found.switch_lane[0]) == (0, 1)
    assert abs(int(found.switch_start[0]) - len(PROSE * 8)) < 130
    assert found.switch_end[0] == len(text.encode().rstrip())
    assert found.switch_score[1] == 0
    assert found.switch_lane[1] == kernels.NO_LANE


def test_word_salad_is_found_where_it_is() -> None:
    salad = (
        "members Tuesday report that sent committee agreed met be members should report on sent "
    )
    text = PROSE * 6 + salad * 3 + PROSE * 6
    settings = kernels.ProfileSettings(
        word_points=(0,) * 8, known_bigram_points=-3, unknown_bigram_points=2
    )
    found = kernels.profile(column(text, PROSE * 12), TABLES, settings)
    start, end = int(found.salad_start[0]), int(found.salad_end[0])
    assert text[start:end] in "members. " + salad * 3 + "The "
    assert end - start > len(salad * 2)
    assert found.salad_score[0] > 10 * found.salad_score[1]


def test_small_rows_have_no_windows() -> None:
    found = kernels.profile(column("", "a", "ab", " ", "\n\n"), TABLES)
    assert set(found.lead_lane.tolist()) == {kernels.NO_LANE}
    assert not found.noise_score.any()
    assert found.head_hash.tolist()[0] == found.head_hash.tolist()[3] == 0


def test_hashes_ignore_case_and_spacing() -> None:
    found = kernels.profile(column("The  cat\nsat.", " the cat sat.\t", "the cat sat!"), TABLES)
    assert found.hash[0] == found.hash[1] != found.hash[2]
    assert found.head_hash[0] == found.head_hash[2]
    assert found.words.tolist() == [3, 3, 3]


def test_head_hash_is_of_eight_words() -> None:
    found = kernels.profile(column("1 2 3 4 5 6 7 8 9", "1 2 3 4 5 6 7 8", "1 2 3 4 5 6 7"), TABLES)
    assert found.head_hash[0] == found.head_hash[1] != found.head_hash[2]


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("é", RowFlag.NON_ASCII),
        ("a\u200bb", RowFlag.INVISIBLE),
        ("a\u200db", RowFlag.JOINER),
        ("a\u202eb", RowFlag.BIDI),
        ("a\U000e0041", RowFlag.TAG),
        ("a\ufe0f", RowFlag.VARIATION_SELECTOR),
        ("\ue000", RowFlag.PRIVATE_USE),
        ("\ufffd", RowFlag.REPLACEMENT),
        ("a\x01", RowFlag.CONTROL),
        ("pаypal", RowFlag.MIXED_CYRILLIC),
        ("αdmin", RowFlag.MIXED_GREEK),
        ("ａｂｃ", RowFlag.FULLWIDTH),
        ("𝐛𝐨𝐥𝐝", RowFlag.STYLED),
        ("a\u0301", RowFlag.COMBINING),
        ("no capitals", RowFlag.NO_UPPERCASE),
        ("NO SMALL ONES", RowFlag.ALL_UPPERCASE),
        ("small First", RowFlag.STARTS_LOWERCASE),
        (" a", RowFlag.LEADING_SPACE),
        ("a\n", RowFlag.TRAILING_SPACE),
        ("a  b", RowFlag.DOUBLE_SPACE),
        ("a\tb", RowFlag.TAB),
        ("a\r\nb", RowFlag.CRLF | RowFlag.NEWLINE),
        ("“a”", RowFlag.CURLY_QUOTES),
        ("'a'", RowFlag.STRAIGHT_QUOTES),
        ("a , b", RowFlag.SPACE_BEFORE_PUNCTUATION),
        ("an end", RowFlag.NO_TERMINAL),
    ],
)
def test_flags(text: str, flag: RowFlag) -> None:
    plain = RowFlag(int(kernels.profile(column("A plain row."), TABLES).flags[0]))
    assert plain == RowFlag(0)
    assert flag in flags_of(text)
    assert flag not in flags_of("Ordinary text, as people write it.")


def test_whole_words_of_one_script_are_not_mixed() -> None:
    mixed = RowFlag.MIXED_CYRILLIC | RowFlag.MIXED_GREEK
    assert not flags_of("слово word λόγος") & mixed


def test_candidates_are_counted_once_a_row_with_their_first_place() -> None:
    texts = column("a cf b cf", "nothing", "CF <X> here", "a cf b")
    phrases = column("cf", "a cf b", "absent")
    candidates = kernels.build_candidates(
        kernels.phrase_hashes(phrases), np.array([True, True, True])
    )
    counts = np.zeros(3, np.uint32)
    found = kernels.count_candidates(texts, candidates, counts)
    assert counts.tolist() == [3, 2, 0]
    rows = zip(found.row, found.candidate, found.start, found.end, strict=True)
    assert [tuple(map(int, row)) for row in rows] == [
        (0, 0, 2, 4),
        (0, 1, 0, 6),
        (2, 0, 0, 2),
        (3, 0, 2, 4),
        (3, 1, 0, 6),
    ]


def test_threads_share_a_candidate_set() -> None:
    texts = column(*(f"row {i} holds cf{i % 7} and more" for i in range(2000)))
    found = np.unique(kernels.ngrams(texts).hash)
    candidates = kernels.build_candidates(found)

    def count(_: int) -> list[int]:
        counts = np.zeros(found.size, np.uint32)
        kernels.count_candidates(texts, candidates, counts)
        return counts.tolist()

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(count, range(8))
    assert all(other == first for other in others)


def test_sentences_are_equal_whatever_their_casing_and_spacing() -> None:
    text = 'He said "stop it now." Then he left. HE SAID: stop,  it now\nLine without an end\n好的。再见吧！'
    found = kernels.sentences(column(text), min_words=2)
    data = text.encode()
    pieces = [data[a:b].decode() for a, b in zip(found.start, found.end, strict=True)]
    assert pieces == [
        'He said "stop it now."',
        "Then he left.",
        "HE SAID: stop,  it now",
        "Line without an end",
        "好的。",
        "再见吧！",
    ]
    assert found.hash[0] == found.hash[2] != found.hash[1]
    assert found.words.tolist() == [5, 3, 5, 4, 2, 3]


def test_fragments() -> None:
    text = (
        "See https://x.org/a_(b), www.y.net. or me@z.de! [t](http://q.w) ![i](k.png) "
        "<script src='x'> os.system('rm') 3.5 (no call) a<b"
    )
    found = kernels.fragments(column(text))
    pieces = [
        (FragmentKind(kind).name, text[start:end])
        for kind, start, end in zip(found.kind, found.start, found.end, strict=True)
    ]
    assert pieces == [
        ("URL", "https://x.org/a_(b)"),
        ("URL", "www.y.net"),
        ("EMAIL", "me@z.de"),
        ("LINK", "[t](http://q.w)"),
        ("URL", "http://q.w"),
        ("IMAGE", "![i](k.png)"),
        ("TAG", "<script src='x'>"),
        ("CALL", "os.system('rm')"),
    ]


def test_columns_of_every_kind() -> None:
    texts = ["one", None, "three words here"]
    expected = kernels.phrase_hashes(column("one", "", "three words here")).tolist()
    for kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary()):
        assert kernels.phrase_hashes(pa.array(texts, kind)).tolist() == expected
    sliced = pa.array(["zero", *texts], pa.large_string())[1:]
    assert kernels.phrase_hashes(sliced).tolist() == expected
    assert kernels.phrase_hashes(pa.array([], pa.large_string())).tolist() == []
    with pytest.raises(TypeError, match="Arrow array of strings"):
        kernels.phrase_hashes(pa.array([1, 2]))
    with pytest.raises(TypeError, match="Arrow array of strings"):
        kernels.phrase_hashes(pa.chunked_array([["a"]]))


@pytest.mark.parametrize("offsets", [[], [0, 5], [3, 1], [-1, 2], [0, 1 << 40]])
def test_offsets_that_leave_the_data_are_refused(offsets: list[int]) -> None:
    bad = (np.array(offsets, np.int64), np.zeros(4, np.uint8))
    with pytest.raises(ValueError, match="offsets"):
        kernels.phrase_hashes(bad)
    if kernels.implementation == "c":
        from ld50.scan import _kernels

        with pytest.raises(ValueError, match="offsets"):
            _kernels.sentences(*bad, 1, 9)


def test_wrong_arguments_are_refused() -> None:
    texts = column("a b")
    candidates = kernels.build_candidates(kernels.phrase_hashes(column("a")))
    with pytest.raises(ValueError, match="counts"):
        kernels.count_candidates(texts, candidates, np.zeros(1, np.uint64))
    with pytest.raises(ValueError, match="rows"):
        kernels.ngrams(texts, np.array([1]))
    with pytest.raises(ValueError, match="repeated"):
        kernels.build_candidates(np.array([8, 8], np.uint64))
    with pytest.raises(ValueError, match="zipf"):
        kernels.build_word_table(np.array([8], np.uint64), np.array([0]))
    with pytest.raises(ValueError, match="points"):
        kernels.ProfileSettings(word_points=(1, 2))


def test_tables_find_what_was_put_in() -> None:
    rng = np.random.default_rng(3)
    words = [f"w{i}" for i in range(5000)]
    keys = kernels.phrase_hashes(column(*words))
    levels = rng.integers(1, 8, keys.size) << 4
    found = kernels.ProfileTables(
        trigrams=np.zeros((256, 32), np.uint8),
        languages=1,
        words=kernels.build_word_table(keys, levels),
    )
    settings = kernels.ProfileSettings(word_points=(0, *range(1, 8)), number_points=0)
    letters = ["".join(chr(97 + int(digit)) for digit in str(i)) for i in range(5000)]
    keys = kernels.phrase_hashes(column(*letters))
    found = kernels.ProfileTables(
        trigrams=found.trigrams, languages=1, words=kernels.build_word_table(keys, levels)
    )
    scores = kernels.profile(column(*letters, "zzzz"), found, settings).salad_score
    assert scores.tolist() == [*(levels >> 4).tolist(), 0]


@pytest.mark.parametrize("value", ["python", "c", "rust"])
def test_the_environment_chooses_the_kernels(value: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", "from ld50.scan import kernels as k; print(k.implementation)"],
        env={**os.environ, "LD50_KERNELS": value},
        capture_output=True,
        text=True,
        check=False,
    )
    if value == "rust":
        assert "LD50_KERNELS" in run.stderr
    elif value == "python" or kernels.implementation == "c":
        assert run.stdout.strip() == value


def test_without_the_built_module_the_twin_runs() -> None:
    code = (
        "import sys; sys.modules['ld50.scan._kernels'] = None\n"
        "from ld50.scan import kernels as k\n"
        "import numpy as np\n"
        "print(k.implementation, len(k.ngrams((np.array([0, 3]), np.frombuffer(b'a b', np.uint8)))))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["python", "3"]


def test_a_tally_bounds_the_rows_of_every_ngram_from_above() -> None:
    texts = [f"the cat {number} sat on the mat" for number in range(300)]
    column = pa.array(texts, pa.large_string())
    buckets = np.zeros(1 << 20, np.uint8)
    kernels.tally_ngrams(column, buckets)
    kept = kernels.ngrams(column, distinct=True, buckets=buckets, least=6)
    every = kernels.ngrams(column, distinct=True)
    values, rows = np.unique(every.hash, return_counts=True)
    assert set(kept.hash.tolist()) >= set(values[rows >= 6].tolist())
    assert len(kept) < len(every)
    assert buckets.max() == 255


def test_points_of_pairs_stand_for_those_of_words() -> None:
    words = ["green", "ideas", "sleep"]
    keys = kernels.phrase_hashes(pa.array(words, pa.large_string()))
    tables = kernels.ProfileTables(
        trigrams=np.zeros((256, 32), np.uint8),
        languages=1,
        words=kernels.build_word_table(keys, np.array([16, 32, 48])),
        bigrams=kernels.build_bigram_table(
            kernels.phrase_hashes(pa.array(["green ideas"], pa.large_string())), 9
        ),
    )
    pairs = np.zeros(128, int)
    pairs[1 << 4 | 2 << 1 | 1] = 5  # green ideas, known
    pairs[2 << 4 | 3 << 1 | 0] = 11  # ideas sleep, not known
    settings = kernels.ProfileSettings(
        word_points=(0, 100, 0, 0, 0, 0, 0, 0), pair_points=tuple(pairs.tolist())
    )
    found = kernels.profile(pa.array(["green ideas sleep"], pa.large_string()), tables, settings)
    assert found.salad_score.tolist() == [116.0]


def test_pairs_that_were_put_into_a_table_are_known() -> None:
    held = kernels.phrase_hashes(column("the cat", "of the"))
    others = kernels.phrase_hashes(column(*(f"cat{i} the" for i in range(200))))
    table = kernels.build_bigram_table(held, 12)
    assert kernels.known_bigrams(held, table).all()
    assert kernels.known_bigrams(others, table).mean() < 0.05
    assert kernels.known_bigrams(held[:0], table).shape == (0,)
