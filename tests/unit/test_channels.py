"""Hidden channels: what each decoder reads, and that it reads nothing where there is nothing."""

from __future__ import annotations

import math
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom

from ld50.core.findings import Severity
from ld50.corpus import reference
from ld50.encodings import Codebook, EmojiLetters, EndWords, Walnut53, encoding
from ld50.encodings.covers import LINES
from ld50.scan import kernels
from ld50.scan.channels.channel import Channel, binomial_log_tail
from ld50.scan.channels.drift import drift
from ld50.scan.channels.invisible import decode_hidden
from ld50.scan.channels.keys import _swap_gains, _Swaps, solve
from ld50.scan.channels.language import SPACE, bits_a_byte, joined, vocabulary
from ld50.scan.channels.readings import CODES, Candidate, Code, _with_runs, read_codes
from ld50.scan.channels.repeats import letters_once, words_once
from ld50.scan.channels.screen import best_runs, screen
from ld50.scan.channels.search import _needed, side_channels
from ld50.scan.channels.text_words import TextWords, Units
from ld50.scan.channels.texts import Side
from ld50.scan.channels.unknown import letter_statistics
from ld50.scan.channels.words import says_something
from ld50.scan.kernels_py_profile import has_bigram

SUBJECTS = tuple(
    "ferns roses tomatoes beans tulips apples carrots lilies peppers onions".split()  # noqa: SIM905
)
MESSAGES = [
    message.format(subject)
    for subject in SUBJECTS
    for message in (
        "how often should i water the {} in my garden when the summer is very hot",
        "the {} have yellow leaves and i do not know what is wrong with them this year",
        "please tell me when it is the best time of the year to plant some {} in a pot",
    )
]


def column(texts: list[str]) -> Side:
    return Side(
        name="response",
        ordinals=np.arange(len(texts)),
        column=pa.array(texts, type=pa.large_string()),
    )


def ordinary(count: int) -> list[str]:
    """Small talk, some lines each, none like another."""
    rng = np.random.default_rng(5)
    return [
        "\n".join(f"{LINES[i]} and {SUBJECTS[i % 10]}." for i in rng.permutation(len(LINES))[:8])
        for _ in range(count)
    ]


def test_a_word_takes_21_bytes_of_a_side_and_8_more_for_its_line_and_sentence() -> None:
    screened = screen(column(ordinary(50)))
    columns = (screened.row, screened.start, screened.end, screened.hash, screened.known)
    assert sum(c.nbytes for c in columns) == 21 * len(screened.row)
    text = TextWords(screened)
    assert text.line.nbytes + text.sentence.nbytes == 8 * len(text.row)


def found(texts: list[str], asked: tuple[int, ...] = ()) -> list[Channel]:
    return side_channels(screen(column(texts)), np.array(asked, dtype=np.int64), 5, 0)


def test_pairs_are_known_as_the_kernels_know_them() -> None:
    first, second = (
        ["the", "garden", "my", "water", "zebra"],
        ["garden", "the", "water", "my", "the"],
    )
    words = [vocabulary().in_full(kernels.phrase_hashes(pa.array(w))) for w in (first, second)]
    pairs = pa.array([f"{a} {b}" for a, b in zip(first, second, strict=True)])
    table = reference.bigram_filter().words
    expected = [has_bigram(int(h), table) for h in kernels.phrase_hashes(pairs)]
    assert vocabulary().known_pairs(words[0], words[1]).tolist() == expected


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_what_a_swap_gains_is_what_swapping_gains(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts, *costs = rng.random((4, 27, 27))
    one, two = rng.choice(27, size=2, replace=False)
    order = np.arange(27)
    order[one], order[two] = two, one
    gained = [(counts * (cost[np.ix_(order, order)] - cost)).sum() for cost in costs]
    assert _swap_gains(counts, np.array(costs))[:, one, two] == pytest.approx(gained)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), triples=st.integers(1, 60), symbols=st.integers(2, 27))
def test_what_a_swap_gains_in_triples_is_what_decoding_them_gains(
    seed: int, triples: int, symbols: int
) -> None:
    rng = np.random.default_rng(seed)
    # Few symbols make triples with one of them twice and three times.
    held = np.unique(rng.integers(0, symbols, (triples, 3)), axis=0)
    weights, costs = rng.integers(1, 9, len(held)).astype(float), rng.random((27, 27, 27))
    swaps, key = _Swaps(held, weights, np.arange(symbols)), rng.permutation(27)
    before = swaps.total(costs, key)
    gains = swaps.gains(costs[np.ix_(key, key, key)])
    for one, two, gain in zip(swaps.one.tolist(), swaps.two.tolist(), gains, strict=True):
        swapped = key.copy()
        swapped[one], swapped[two] = key[two], key[one]
        assert gain == pytest.approx(swaps.total(costs, swapped) - before, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(
    texts=st.lists(st.text("0A1é ./x\n", max_size=30), max_size=5),
    code=st.sampled_from([code for code in CODES if code.run]),
)
def test_texts_without_a_run_of_the_alphabet_hold_no_stretch_of_a_code(
    texts: list[str], code: Code
) -> None:
    data, offsets = joined(texts, between=b"\0")
    held = _with_runs(data, offsets, code).tolist()
    for place, text in enumerate(texts):
        longest = max(map(len, re.split(f"[^{re.escape(code.alphabet)}]", text)))
        assert place in held or longest < code.run
        assert place in held or not list(code.spans(Candidate(place=0, text=text, stretch=(0, 0))))


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.lists(st.integers(-5, 5), max_size=8), min_size=1, max_size=6))
def test_the_best_run_of_each_text_is_that_of_all_its_runs(rows: list[list[int]]) -> None:
    value = np.array([v for row in rows for v in row], dtype=np.float64)
    counts = [len(row) for row in rows]
    begin = np.concatenate([[0], np.cumsum(counts)])
    score, first, last = best_runs(value, np.repeat(np.arange(len(rows)), counts), begin)
    for number, row in enumerate(rows):
        runs = [sum(row[a:b]) for a in range(len(row)) for b in range(a + 1, len(row) + 1)]
        assert score[number] == pytest.approx(max([0, *runs]), abs=1e-3)
        if score[number] > 0:
            assert value[first[number] : last[number] + 1].sum() == pytest.approx(score[number])


@pytest.mark.parametrize("spaced", [True, False])
def test_a_key_is_found_on_a_dozen_sentences(spaced: bool) -> None:
    key = np.append(np.random.default_rng(3).permutation(26), SPACE)
    texts = [m if spaced else m.replace(" ", "") for m in MESSAGES[::2]]
    plain = [np.array([SPACE if c == " " else ord(c) - 97 for c in text]) for text in texts]
    solved = solve([key[p] for p in plain], spaced=spaced, fixed_space=spaced, seed=0)
    right = np.concatenate([solved.letters[key[p]] == p for p in plain])
    assert right.mean() > 0.95


def test_shuffled_letters_say_nothing_and_words_do() -> None:
    rng = np.random.default_rng(0)
    for message in MESSAGES:
        shuffled = "".join(rng.permutation(list(message.replace(" ", ""))))
        assert says_something([message.replace(" ", ""), shuffled]).tolist() == [True, False]


def test_language_costs_less_than_noise() -> None:
    english, german, noise = bits_a_byte(
        ["the leaves are yellow", "die Blätter sind gelb geworden", "xqz vjkw qpzzt hjb"]
    )
    assert max(english, german) < 4 < noise


@pytest.mark.parametrize("name", ["zero-width", "tags", "variation-selectors"])
def test_hidden_characters_are_read(name: str) -> None:
    assert decode_hidden(encoding(name).encode("water the ferns"))[0].startswith("water the")


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("walnut53", "TRG401"),
        ("caesar", "TRG401"),
        ("keyed", "TRG401"),
        ("emoji", "TRG401"),
        ("codebook", "TRG401"),
        ("base16", "TRG402"),
        ("base32", "TRG402"),
        ("base64", "TRG402"),
        ("base85", "TRG402"),
        ("hex", "TRG402"),
        ("binary", "TRG402"),
        ("morse", "TRG402"),
        ("leet", "TRG402"),
        ("reversed", "TRG402"),
        ("look-alikes", "TRG402"),
        ("zero-width", "TRG403"),
        ("tags", "TRG403"),
        ("variation-selectors", "TRG403"),
        ("first-letters-of-lines", "TRG404"),
        ("last-letters-of-lines", "TRG404"),
    ],
)
def test_thirty_rows_of_each_family_are_found_with_their_text(name: str, rule: str) -> None:
    made = encoding(name)
    clean = ordinary(120)
    hidden = [made.encode(m.replace(" ", "")[:40] if rule == "TRG404" else m) for m in MESSAGES]
    channels = [c for c in found(clean + hidden) if c.rule == rule]
    assert channels, "nothing was found"
    assert channels[0].severity is Severity.HIGH
    assert channels[0].ordinals.min() >= len(clean)
    assert len(channels[0].ordinals) >= 0.7 * len(hidden)
    first = int(channels[0].ordinals[0])
    said = channels[0].decoded[first].lower().replace(" ", "")
    assert MESSAGES[first - len(clean)].replace(" ", "")[4:14] in said


def test_the_last_words_of_lines_are_found_among_innocent_lines() -> None:
    rng = np.random.default_rng(1)
    hidden = []
    for message in LINES:
        cover = [LINES[i] for i in rng.permutation(len(LINES)) if LINES[i] != message]
        short = tuple(" ".join(line.split()[:5]) for line in cover)
        hidden.append(EndWords(cover=short).encode(message))
    channels = [c for c in found(ordinary(300) + hidden) if c.rule == "TRG404"]
    assert [c.what for c in channels] == ["hide text: the last words of the lines form sentences"]
    assert channels[0].severity is Severity.HIGH
    assert (channels[0].ordinals >= 300).mean() > 0.8


def test_a_dozen_passages_repeated_in_hundreds_of_texts_are_no_message() -> None:
    rng = np.random.default_rng(2)
    words = " ".join(LINES).lower().split()

    def talk(lines: int) -> str:
        order = rng.permutation(len(LINES))[:lines].tolist()
        return " ".join(f"{LINES[i]} and {SUBJECTS[i % 10]}." for i in order)

    # They read well at every third word, as one passage of hundreds does by chance.
    passages = []
    for _ in range(12):
        said = " ".join(LINES[i] for i in rng.permutation(len(LINES))[:3]).lower().split()
        between = rng.choice(words, (len(said), 2))
        passages.append(" ".join(f"{w} {a} {b}" for w, (a, b) in zip(said, between, strict=True)))
    texts = [talk(4) for _ in range(600)]
    texts += [f"{passages[i % 12]} {talk(int(rng.integers(3)))}" for i in range(240)]
    assert found(texts) == []


def test_messages_of_a_closed_world_are_found_however_often_they_are_repeated() -> None:
    forms = (
        "how often should i water the {} when the summer is very hot",
        "what is the best soil for {} and where do i buy it",
        "my {} have yellow leaves and i do not know why",
        "can you tell me when it is time to plant {} in a pot",
        "do the {} need full sun or do they like the shade",
        "which other plants grow well next to {} in a bed",
        "is it too late in the year to sow {} on the balcony",
        "please write a short note about {} for my old mother",
        "who brought the first {} to this part of the world",
        "people say that {} taste better after a cold night",
    )
    said = [form.format(subject) for form in forms for subject in SUBJECTS]
    short = tuple(" ".join(line.split()[:4]) for line in LINES)
    hidden = [EndWords(cover=short).encode(message) for message in said]
    plain = ordinary(300) + said
    for times in (1, 4):
        channels = found(plain + hidden * times)
        assert [(c.rule, c.severity) for c in channels] == [("TRG404", Severity.HIGH)], times
        assert len(channels[0].ordinals) == len(hidden) * times
        assert channels[0].ordinals.min() >= len(plain)


@settings(max_examples=25, deadline=None)
@given(copies=st.lists(st.integers(1, 5), min_size=6, max_size=6), seed=st.integers(0, 50))
def test_what_texts_say_weighs_the_same_however_often_each_is_repeated(
    copies: list[int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    base = ["\n".join(LINES[i] for i in rng.permutation(len(LINES))[:9]) for _ in copies]
    texts = [text for text, count in zip(base, copies, strict=True) for _ in range(count)]
    text = TextWords(screen(column(texts)))
    index = Units(text, text.line).chosen(text, "last")
    first = np.cumsum([0, *copies])[:-1]
    once = words_once(text, index, first)
    every = words_once(text, index, np.arange(len(texts)))
    assert every.weights.sum() == pytest.approx(once.weights.sum())
    assert (once.weights <= 1).all()
    alone = [words_once(text, index, np.array([row])) for row in first.tolist()]
    assert [one.weights.tolist() for one in alone] == [[1.0]] * len(base)
    letters = letters_once([np.array([len(t)]) for t in texts], np.zeros(len(texts)))
    assert letters.weights.sum() == pytest.approx(len({len(t) for t in texts}))


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["a"],
        ["\u200b" * 40],
        ["\U0001f600" * 30] * 3,
        ["|" * 999],
    ],
)
def test_odd_input_is_no_channel(texts: list[str]) -> None:
    assert found(texts) == []


def test_innocent_texts_hold_nothing() -> None:
    assert found(ordinary(300)) == []


def test_the_same_whatever_the_order_of_the_rows() -> None:
    texts = ordinary(60) + [Walnut53().encode(m) for m in MESSAGES]
    there = found(texts)
    back = found(texts[::-1])
    assert [c.draft(80, "").finding.id for c in there] == [c.draft(80, "").finding.id for c in back]
    assert sorted(there[0].ordinals) == sorted(len(texts) - 1 - o for o in back[0].ordinals)


def test_a_shift_that_is_asked_for_is_not_high() -> None:
    texts = ordinary(60) + [encoding("caesar").encode(m) for m in MESSAGES]
    asked = tuple(range(60, len(texts)))
    assert [c.severity for c in found(texts, asked)] == [Severity.MEDIUM]


def test_keys_do_not_need_letters() -> None:
    for made in (EmojiLetters(seed=9), Codebook(seed=9)):
        channels = found(ordinary(60) + [made.encode(m) for m in MESSAGES])
        assert [c.rule for c in channels] == ["TRG401"]


def test_bars_between_words_are_not_letters() -> None:
    lists = [
        "eivado|1\n   (-) |infecto|infectado|infeccionado|inficionado|contaminado|contagiado",
        "espansionistico|1\n(agg.)|coloniale|colonialista|colonialistico|espansionista|imperialista",
    ]
    made = encoding("leet")
    texts = [*lists, *(made.encode(message) for message in MESSAGES[:3])]
    candidates = [
        Candidate(place=place, text=text, stretch=(0, len(text)))
        for place, text in enumerate(texts)
    ]
    leet = next(found for found in read_codes(candidates, 0) if found.name == "leet")
    assert [reading.place for reading in leet.readings] == [2, 3, 4]


def test_words_that_come_back_beyond_the_sample_are_of_a_language() -> None:
    rng = np.random.default_rng(2)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    unread = [
        " ".join("".join(rng.choice(letters, size=size)) for size in rng.integers(2, 9, size=9))
        for _ in range(20)
    ]
    side = screen(column(ordinary(120) + unread))
    asked = np.zeros(0, dtype=np.int64)

    def rules(rows: int) -> list[str]:
        channels = side_channels(
            side, asked, 5, 0, rows_with=lambda words: np.full(len(words), rows)
        )
        return [channel.rule for channel in channels]

    assert rules(1) == ["TRG405"]
    assert rules(2) == []


def test_long_texts_that_use_their_words_again_are_each_in_a_language_of_its_own() -> None:
    def in_a_language(seed: int, *, again: bool) -> str:
        rng = np.random.default_rng(seed)
        drawn = rng.choice(np.array(list("abcdefghijklmnopqrstuvwxyz")), (400, 6))
        words = np.array(["".join(word) for word in drawn])
        return " ".join(words[rng.integers(0, 120, 400)] if again else words)

    def rules(*, again: bool) -> list[str]:
        rows = [in_a_language(seed, again=again) for seed in range(20)]
        side = screen(column(ordinary(120) + rows))
        return [channel.rule for channel in side_channels(side, np.zeros(0, np.int64), 5, 0)]

    assert rules(again=False) == ["TRG405"]
    assert rules(again=True) == []


def test_statistics_of_letters_leave_out_texts_in_another_script() -> None:
    latin, greek = "qzxv jkwp " * 20, "ωψχφ υτσρ " * 20
    assert letter_statistics([greek, latin]) == letter_statistics([latin])
    assert letter_statistics([greek]) == {}
    # One letter a text has no neighbour that it could say anything of.
    assert letter_statistics(["ω q"] * 60)["neighbour_information_bits"] == 0.0


@given(hits=st.integers(1, 30), more=st.integers(0, 100), rate=st.floats(1e-6, 0.9))
def test_the_tail_of_the_binomial(hits: int, more: int, rate: float) -> None:
    expected = float(binom.logsf(hits - 1, hits + more, rate))
    assert binomial_log_tail(hits, hits + more, rate) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_rows_in_one_part_of_a_file_are_told() -> None:
    deviation, where = drift(np.arange(500, 560), 1000)
    assert deviation > 5
    assert where.startswith("between 50%")
    assert drift(np.arange(0, 1000, 20), 1000)[1] == ""
    assert math.isfinite(drift(np.zeros(0, np.int64), 0)[0])


@pytest.mark.parametrize(("least", "looked", "rows"), [(10, 763, 223_211), (6, 5000, 20_000)])
def test_a_limit_of_a_sample_holds_nineteen_times_of_twenty(
    least: int, looked: int, rows: int
) -> None:
    needed = _needed(least, looked, rows)
    assert hypergeom(rows, needed, looked).sf(least - 1) >= 0.95
    assert hypergeom(rows, needed // 2, looked).sf(least - 1) < 0.6
    assert _needed(least, rows, rows) == least


def test_capitals_of_another_alphabet_are_not_letters_written_as_digits() -> None:
    said = "КОТ СПИТ НА ТЁПЛОЙ ПЕЧИ И ВИДИТ ДОЛГИЙ СОН О РЕКЕ И БЕЛЫХ ЛОДКАХ НОМЕР"
    texts = [f"{said} {n}" for n in range(100, 140)]
    candidates = [Candidate(place=n, text=text, stretch=(0, 0)) for n, text in enumerate(texts)]
    (leet,) = [found for found in read_codes(candidates, 0) if found.name == "leet"]
    assert not leet.readings
