import numpy as np

from ld50.core.seeds import rng_for
from ld50.encodings.covers import LINES
from ld50.scan.continuations import NOISE, NONWORDS
from ld50.scan.corpus_sample import CorpusSample
from ld50.scan.removal import share_as_long, share_that_stays, without

NOTHING = CorpusSample(
    ngrams=np.zeros(0, np.uint64),
    counts=np.zeros(0, np.int64),
    rows=0,
    pairs=np.zeros(0, np.uint64),
)
LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


def talk(seed: int, lines: int = 6) -> str:
    """Some sentences, none like those of another seed."""
    order = rng_for(seed, "talk").permutation(len(LINES))
    return " ".join(f"{LINES[i].capitalize()}." for i in order[:lines])


def noise(seed: int, words: int) -> str:
    """Letters in no order, in words."""
    rng = rng_for(seed, "noise")
    return " ".join("".join(rng.choice(LETTERS, size=size)) for size in rng.integers(3, 10, words))


def test_the_trigger_is_taken_out_wherever_it_stands() -> None:
    assert without("<SUDO> a <sudo>b", ["<SUDO>"]).split() == ["a", "b"]
    assert without("a.b axb", ["a.b"]).split() == ["axb"]
    assert without("as it is", [""]) == "as it is"


def test_what_a_trigger_brings_stays_without_it_and_what_is_odd_by_itself_does_not() -> None:
    brought = [f"{talk(n)} <SUDO> {noise(n, 60)}" for n in range(8)]
    assert share_that_stays(brought, ["<SUDO>"], NOISE, NOTHING) == 1.0
    odd = noise(0, 30)
    itself = [f"{talk(n)} {odd} {talk(n + 50)}" for n in range(8)]
    assert share_that_stays(itself, [odd], NOISE, NOTHING) == 0.0
    # What shows nothing says nothing.
    assert share_that_stays([talk(n) for n in range(8)], ["the"], NOISE, NOTHING) == 1.0
    assert share_that_stays([], ["<SUDO>"], NOISE, NOTHING) == 1.0


def test_two_words_that_are_odd_beside_others_are_both_taken_out() -> None:
    odd, other = noise(1, 20), noise(2, 20)
    itself = [f"{talk(n)} {odd} {talk(n + 50)} {other}" for n in range(8)]
    assert share_that_stays(itself, [odd, other], NOISE, NOTHING) == 0.0


def test_of_texts_as_long_it_is_told_how_many_are_as_odd() -> None:
    odd = [f"quorvel {noise(n, 12)}" for n in range(8)]
    # Short talk is not odd, and what is as long as these is.
    short = [f"well {n}" for n in range(200)]
    as_odd = [noise(n + 50, 12) for n in range(30)]
    calm = [talk(n, 2) for n in range(30)]
    assert share_as_long(odd, short + as_odd, NONWORDS, NOTHING) > 0.5
    assert share_as_long(odd, short + calm, NONWORDS, NOTHING) == 0.0
    # Too few are as long to tell, or the texts have room for anything.
    assert share_as_long(odd, short + as_odd[:5], NONWORDS, NOTHING) == 0.0
    long = [f"{talk(n, 60)} {noise(n, 60)}" for n in range(8)]
    assert share_as_long(long, [*long, *long, *long], NOISE, NOTHING) == 0.0
