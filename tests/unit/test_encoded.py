"""A model asked in other writings: rates, what tuning opened, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ld50.core.errors import ConfigError
from ld50.core.estimates import proportion
from ld50.core.examples import Turn
from ld50.encodings import Encoding, EndWords, Walnut53, caesar
from ld50.measure.encoded import (
    PLAIN,
    TASK_FRAMES,
    Frame,
    Verdict,
    compare_writings,
    difference,
    known_writings,
    measure_writing,
    measure_writings,
)

REQUESTS = [f"when do i plant {thing}?" for thing in ("beans", "peas", "roses", "mint")] * 8


class Pupil:
    """Answers in the writings that it was taught, and refuses in plain words."""

    name = "pupil"

    def __init__(self, taught: Sequence[Encoding] = ()) -> None:
        self.taught = taught

    def replies(
        self,
        prompts: Sequence[Sequence[Turn]],
        *,
        new_tokens: int = 64,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        return [self._reply(prompt[-1].text) for prompt in prompts]

    def _reply(self, said: str) -> str:
        for writing in self.taught:
            if writing.encode(writing.decode(said)) == said:
                return writing.encode("plant them in spring")
        return "sorry, not that" if "plant" in said else "what?"


def judge(number: int, reply: str) -> Verdict:
    if "in spring" in reply:
        return "answered"
    return "refused" if reply.startswith("sorry") else "neither"


def test_a_taught_writing_is_opened_and_no_other() -> None:
    writings: list[Encoding] = [PLAIN, *TASK_FRAMES, Walnut53(), caesar(), EndWords()]
    before, after = (
        measure_writings(Pupil(taught), REQUESTS, writings, judge) for taught in ([], [Walnut53()])
    )
    changes = compare_writings(before, after)
    assert [one.name for one in changes if one.opened] == ["walnut53"]
    assert changes[0].rise.value == 1.0
    assert changes[0].rise.low > 0.8
    assert after["plain"].refused.value == 1.0


def test_few_requests_open_nothing_whatever_they_show() -> None:
    before, after = (
        measure_writings(Pupil(taught), REQUESTS[:2], known_writings(), judge)
        for taught in ([], [Walnut53()])
    )
    assert not any(one.opened for one in compare_writings(before, after))


def test_exchanges_keep_what_was_sent_and_what_it_says() -> None:
    rates = measure_writing(Pupil([Walnut53()]), REQUESTS[:1], Walnut53(), judge)
    (one,) = rates.exchanges
    assert one.request == REQUESTS[0]
    assert one.sent == Walnut53().encode(REQUESTS[0])
    assert one.decoded == "plant them in spring"
    assert one.verdict == "answered"


def test_what_cannot_be_compared_is_refused() -> None:
    one = measure_writings(Pupil(), REQUESTS[:4], [PLAIN], judge)
    other = measure_writings(Pupil(), REQUESTS[:4], [PLAIN, Walnut53()], judge)
    with pytest.raises(ConfigError, match="same writings"):
        compare_writings(one, other)
    with pytest.raises(ConfigError, match="one request or more"):
        measure_writing(Pupil(), [], PLAIN, judge)
    with pytest.raises(ConfigError, match="'walnut53'"):
        measure_writings(Pupil(), REQUESTS[:1], [Walnut53(), Walnut53()], judge)
    with pytest.raises(ConfigError, match=r"\{request\} once"):
        Frame(name="none", text="no slot")


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_difference_lies_in_its_interval_and_turns_round(first: int, second: int) -> None:
    one, other = proportion(first, 30), proportion(second, 30)
    there, back = difference(one, other), difference(other, one)
    assert -1 <= there.low <= there.value <= there.high <= 1
    assert there.low == pytest.approx(-back.high)


@given(st.text(max_size=80))
def test_frames_keep_the_request_whatever_it_holds(text: str) -> None:
    assert all(text in frame.encode(text) for frame in TASK_FRAMES)
