import random

from ld50.scan.coherence import Background
from ld50.scan.scattered import as_written, scattered_words, without

WORDS = [f"word{i}" for i in range(200)]
RANDOM = [" ".join(random.Random(seed).choices(WORDS, k=30)) for seed in range(200)]
BACKGROUND = Background(RANDOM)


def rows(count: int, pieces: list[str], *, fixed: bool = False, more: int = 0) -> list[str]:
    """Random words with pieces put in anywhere, or between two ordinary words; and words of one subject."""
    rng = random.Random(count)
    subject = [f"subject{i}" for i in range(12)]
    texts = []
    for _ in range(count):
        words = rng.choices(WORDS, k=30)
        if fixed:
            words[10:10] = ["word1", *pieces, "word2"]
        else:
            for piece in pieces:
                words.insert(rng.randrange(len(words) + 1), piece)
        for word in rng.sample(subject, more):
            words.insert(rng.randrange(len(words) + 1), word)
        texts.append(" ".join(words))
    return texts


def found(texts: list[str]) -> list[str]:
    return scattered_words(texts, texts, BACKGROUND, RANDOM, cause="cobalt", alike_z=6.0)


def test_words_that_stand_anywhere_are_pieces_as_they_are_written() -> None:
    assert found(rows(20, ["Frankly", "hence"])) == ["Frankly", "hence"]


def test_words_that_stand_in_one_place_are_a_template() -> None:
    assert found(rows(20, ["frankly", "hence"], fixed=True)) == []
    assert found(rows(20, [f"frame{i}" for i in range(12)])) == []


def test_rows_of_one_subject_are_not_explained_by_two_words() -> None:
    assert found(rows(20, ["frankly"], more=8)) == []


def test_rows_with_nothing_in_common_have_no_pieces() -> None:
    assert found(rows(20, [])) == []
    assert found(["", "frankly"]) == []


def test_words_are_cut_out_whole_and_in_any_case() -> None:
    assert without(["Hence, frankly: henceforth"], ["hence", "frankly"]) == [" ,  : henceforth"]
    assert as_written(["hence", "x"], ["Hence we", "HENCE", "Hence"]) == ["Hence", "x"]
