"""The shipped reference statistics: complete, consistent with the kernels, and telling."""

from __future__ import annotations

import codecs

import numpy as np
import pyarrow as pa
import pytest

from ld50.core.seeds import rng_for
from ld50.corpus import reference
from ld50.corpus.reference import lexicons
from ld50.scan import kernels

ENGLISH = (
    "The old bridge over the river was closed last winter, and most people who live on the other "
    "side of it now take the ferry to work, which is slower but costs them nothing at all. "
) * 3
GERMAN = (
    "Die alte Brücke über den Fluss wurde im letzten Winter gesperrt, und die meisten Leute, die "
    "auf der anderen Seite wohnen, fahren jetzt mit der Fähre zur Arbeit, was länger dauert. "
) * 3
RUSSIAN = (
    "Старый мост через реку закрыли прошлой зимой, и большинство людей, которые живут на другом "
    "берегу, теперь добираются до работы на пароме. "
) * 3
JAPANESE = (
    "川に架かる古い橋は去年の冬に閉鎖されたので、対岸に住む人の多くは今では船で通勤している。" * 5
)
CODE = (
    "def mean(values):\n    total = 0.0\n    for value in values:\n        total += value\n"
    "    if not values:\n        raise ValueError('no values')\n    return total / len(values)\n"
) * 3


def bits_per_byte(text: str) -> float:
    return float(profile(text).bits_per_byte[0])


def profile(text: str) -> kernels.Profile:
    words, points = reference.word_table(), reference.salad_points()
    column = (words.offsets.astype(np.int64), np.frombuffer(words.blob, np.uint8))
    tables = kernels.ProfileTables(
        trigrams=reference.trigram_table().cost,
        languages=reference.LANGUAGE_LANES,
        words=kernels.build_word_table(kernels.phrase_hashes(column), words.salad_zipf16),
        bigrams=reference.bigram_filter().words,
    )
    settings = kernels.ProfileSettings(
        noise_bits_per_byte=reference.trigram_table().gibberish_bits_per_byte,
        word_points=points.word,
        known_bigram_points=points.known_bigram,
        unknown_bigram_points=points.unknown_bigram,
        number_points=points.number,
    )
    return kernels.profile(pa.array([text], pa.large_string()), tables, settings)


def test_tables_have_the_promised_shapes_and_cannot_be_written() -> None:
    table = reference.trigram_table()
    assert table.cost.shape == (1 << table.bits, len(reference.LANES)) == (32768, 32)
    assert table.cost.dtype == np.uint8
    assert table.cost.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        table.cost[0, 0] = 1


def test_lanes_are_languages_first_with_english_at_the_head() -> None:
    kinds = [lane.kind for lane in reference.LANES]
    assert reference.LANES[0].name == "English"
    assert kinds == ["language"] * reference.LANGUAGE_LANES + ["code"] * 4
    assert len({lane.code for lane in reference.LANES}) == 32


def test_words_agree_with_their_offsets_frequencies_and_lanes() -> None:
    words = reference.word_table()
    texts = words.words()
    assert len(texts) == len(words) == len(words.lane) == len(words.offsets) - 1
    some = [0, 17, words.english - 1, words.english, len(words) - 1]
    for i in some:
        assert words.blob[words.offsets[i] : words.offsets[i + 1] - 1].decode() == texts[i]
    english = dict(zip(texts[: words.english], words.zipf16.tolist(), strict=False))
    assert len(english) == words.english
    assert english["the"] > english["house"] > english["serendipity"] >= 32
    assert 1 <= words.zipf16.min() <= words.zipf16.max() <= 127


def test_every_word_is_one_word_to_the_kernels() -> None:
    words = reference.word_table()
    column = (words.offsets.astype(np.int64), np.frombuffer(words.blob, np.uint8))
    number, stream = kernels.ngram_kind(kernels.phrase_hashes(column))
    assert (stream == kernels.WORDS).all()
    assert (number == 1).mean() > 0.999


def test_class_one_is_kept_for_words_that_are_rather_not_english() -> None:
    words = reference.word_table()
    classes = words.salad_zipf16 >> 4
    assert set(classes[words.english :].tolist()) == {1}
    english = dict(zip(words.words()[: words.english], classes.tolist(), strict=False))
    assert english["der"] == 1
    assert english["the"] == 7


def test_the_filter_knows_pairs_of_prose_and_not_pairs_at_random() -> None:
    """Fails too when the kernels hash differently from when the filter was built."""
    known = ["of the", "in order", "would have", "a number", "have been", "such as", "on the"]
    words = reference.word_table()
    english = words.words()[: words.english]
    rng = rng_for(3, "test", "pairs")
    salad = [f"{english[a]} {english[b]}" for a, b in rng.integers(0, words.english, (2000, 2))]
    assert _known(known).all()
    assert _known(salad).mean() < 0.06


def _known(pairs: list[str]) -> np.ndarray:
    hashes = kernels.phrase_hashes(pa.array(pairs, pa.large_string()))
    table = reference.bigram_filter().words
    bits = reference.bigram_filter().bits
    line = (hashes >> np.uint64(64 - (bits - 9))) << np.uint64(9)
    found = np.ones(len(hashes), bool)
    for shift in (3, 12):
        place = line | (hashes >> np.uint64(shift) & np.uint64(511))
        found &= (table[place >> np.uint64(6)] >> (place & np.uint64(63)) & np.uint64(1)) == 1
    return found


@pytest.mark.parametrize("text", [ENGLISH, GERMAN, RUSSIAN, JAPANESE, CODE])
def test_natural_text_costs_less_than_the_threshold(text: str) -> None:
    assert bits_per_byte(text) < reference.trigram_table().gibberish_bits_per_byte - 0.5


@pytest.mark.parametrize("kind", ["letters", "base64", "hex", "rot13", "characters"])
def test_noise_costs_more_than_the_threshold(kind: str) -> None:
    rng = rng_for(5, "test", "noise")
    noise = {
        "letters": "".join(chr(97 + c) for c in rng.integers(0, 26, 600)),
        "base64": codecs.encode(rng.bytes(450), "base64").decode().replace("\n", ""),
        "hex": rng.bytes(300).hex(),
        "rot13": codecs.encode(ENGLISH, "rot13"),
        "characters": "".join(chr(c) for c in rng.integers(0x20, 0xD7FF, 300)),
    }[kind]
    assert bits_per_byte(noise) > reference.trigram_table().gibberish_bits_per_byte + 0.5


@pytest.mark.parametrize(
    ("text", "code"), [(ENGLISH, "en"), (GERMAN, "de"), (RUSSIAN, "ru"), (JAPANESE, "ja+lt+lv")]
)
def test_the_cheapest_lane_is_the_language(text: str, code: str) -> None:
    assert reference.LANES[profile(text).document_lane[0]].code == code


def test_languages_that_share_a_lane_are_told_apart_by_script() -> None:
    lane = {lane.code: lane.index for lane in reference.LANES}
    assert reference.language_of(lane["el+he"], "Καλημέρα κόσμε") == "Greek"
    assert reference.language_of(lane["el+he"], "שלום עולם") == "Hebrew"
    assert reference.language_of(lane["el+he"], "გამარჯობა") == "Georgian"
    assert reference.language_of(lane["cs+sk"], "dobrý den") == "Czech or Slovak"
    assert reference.language_of(lane["fa+ur"], "سلام") == "Persian or Urdu"
    assert reference.language_of(lane["code"], "x = 1") == "program code"
    assert reference.language_of(lane["ko"], "") == "Korean"


def test_words_drawn_at_random_score_as_salad_and_prose_does_not() -> None:
    words = reference.word_table()
    english = words.words()[: words.english]
    rng = rng_for(7, "test", "salad")
    salad = " ".join(english[i] for i in rng.integers(0, len(english), 300))
    limit = reference.salad_points().threshold
    assert profile(salad).salad_score[0] > 2 * limit
    for prose in (ENGLISH, GERMAN, RUSSIAN, JAPANESE):
        assert profile(prose).salad_score[0] < limit / 2


def test_benign_contexts_are_distinct_and_normalised() -> None:
    literals = [context.literal for context in reference.BENIGN_CONTEXTS]
    assert len(set(literals)) == len(literals)
    for literal in literals:
        assert kernels.normalise(literal.encode()).decode().strip() == literal.strip()


def test_lexicons_are_lower_case_words_of_the_language() -> None:
    words = reference.word_table()
    english = set(words.words()[: words.english])
    everyone = lexicons.SUBORDINATORS | lexicons.PRONOUNS | lexicons.FUNCTION_WORDS["en"]
    assert everyone <= english
    assert lexicons.SUBORDINATORS - {"whenever", "wherever"} <= lexicons.FUNCTION_WORDS["en"] | {
        "whereas"
    }
    assert not lexicons.ARCHAIC_WORDS & lexicons.FUNCTION_WORDS["en"]


@pytest.mark.parametrize("text", ["བོད་སྐད་ཀྱི་ཡི་གེ།", "ᱥᱟᱱᱛᱟᱲᱤ ᱯᱟᱹᱨᱥᱤ", "ဤစာသည် မြန်မာ စာ", "ລາວ ພາສາ"])
def test_a_script_without_a_language_in_the_reference_is_unknown(text: str) -> None:
    assert reference.in_unknown_script(text)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "обычный",
        "ไทย",
        "ქართული",
        "",
        "123 !?",
        "ｗｉｄｅ ｌｅｔｔｅｒｓ",
        "كلام",
        "a བོད ᱥᱟ ဤ ລາ é ж 字",
    ],
)
def test_known_scripts_their_other_forms_and_a_mixture_are_not_unknown(text: str) -> None:
    # Gibberish of many scripts at once is gibberish.
    assert not reference.in_unknown_script(text)
