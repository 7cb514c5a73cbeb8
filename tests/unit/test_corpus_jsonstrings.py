"""JSON lines read in C give what the decoder gives, or are left to it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ld50.corpus.fields import Field, Layout
from ld50.corpus.jsonrows import JsonDecoder
from ld50.corpus.tally import UnitTally

jsonstrings = pytest.importorskip("ld50.corpus._jsonstrings", reason="the C kernels are not built")

PLAIN = Layout(name="text", fields=(Field(name="text", role="text", shape="string"),))
PAIR = Layout(
    name="pair",
    fields=(
        Field(name="prompt", role="prompt", shape="string"),
        Field(name="antwört", role="response", shape="string"),
    ),
)


def read(layout: Layout, data: bytes, *, in_c: bool) -> Any:
    decoder = JsonDecoder(layout)
    assert decoder._strings is not None
    if not in_c:
        decoder._strings = None
    tally = UnitTally()
    found = decoder.block(data, tally)
    counts = (tally.rows, dict(tally.skipped), tally.text_bytes)
    if found is None:
        return counts
    sides = {name: array.to_pylist() for name, array in found.sides.columns.items()}
    return counts, found.numbers.tolist(), sides, found.sides.present.tolist()


def assert_same(layout: Layout, data: bytes) -> None:
    assert read(layout, data, in_c=True) == read(layout, data, in_c=False)


def taken(data: bytes) -> bool:
    """Whether the C reader reads these lines itself."""
    ends = np.cumsum([len(line) for line in data.splitlines(keepends=True)]).astype(np.int64)
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    offsets, valid = np.empty(len(ends) + 1, np.int64), np.empty(len(ends), np.uint8)
    out = np.empty(len(data) + 16, np.uint8)
    took: bool = jsonstrings.strings(data, starts, ends, (b"text",), offsets, valid, (out,))
    return took


texts = st.text(st.characters(codec="utf-8"), max_size=60)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
rows = st.dictionaries(
    st.sampled_from(["text", "prompt", "antwört", "other", "tex", "ext", ""]),
    texts | st.none() | values,
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(rows, max_size=6), st.booleans(), st.sampled_from(["", " ", "\r"]), st.booleans())
def test_sound_rows(objects: list[dict[str, Any]], ascii_only: bool, end: str, last: bool) -> None:
    lines = [json.dumps(each, ensure_ascii=ascii_only) + end for each in objects]
    data = ("\n".join(lines) + "\n" * last).encode()
    for layout in (PLAIN, PAIR):
        assert_same(layout, data)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(rows, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=2)), min_size=1, max_size=3),
)
def test_damaged_rows(objects: list[dict[str, Any]], damage: list[tuple[int, bytes]]) -> None:
    data = "\n".join(json.dumps(each) for each in objects).encode()
    for place, bytes_ in damage:
        data = data[: place % (len(data) + 1)] + bytes_ + data[place % (len(data) + 1) + 1 :]
    for layout in (PLAIN, PAIR):
        assert_same(layout, data)


ODD = [
    rb'{"text": "a", "x": 01}',
    rb'{"text": "a", "x": 1.}',
    rb'{"text": "a", "x": -}',
    rb'{"text": "a", "x": 1e}',
    rb'{"text": "a", "text": "b"}',
    rb'{"te\u0078t": "a"}',
    rb'{"text": "\ud800"}',
    rb'{"text": "\ude00"}',
    rb'{"text": "\ud83d\u0041"}',
    rb'{"text": "a",}',
    rb'{"text": "a"} {}',
    rb'{"text": "a"',
    rb'{"text": "a',
    rb'{"text": "\q"}',
    rb'{"text": "\u12',
    rb'{"text": 1}',
    rb'{"text": ["a"]}',
    b'{"text": "a\tb"}',
    b'{"text": "\xff"}',
    b'{"text": "a", "\xff": 1}',
    b'\xef\xbb\xbf{"text": "a"}',
    b'["text"]',
    b'{"text": "a", "deep": ' + b"[" * 200 + b"]" * 200 + b"}",
]


@pytest.mark.parametrize("line", ODD)
def test_what_is_odd_is_left_to_the_decoder(line: bytes) -> None:
    sound = b'{"text": "before"}\n'
    assert_same(PLAIN, sound + line + b"\n" + sound)
    assert_same(PLAIN, line)
    if b"\xff" not in line:
        assert not taken(line)


def test_plainly_sound_lines_are_taken() -> None:
    lines = [
        '{"text": "a \\"b\\" \\n \\u00e9 \\ud83d\\ude00 \\u0000", "n": -1.5e+3, "d": {"e": [1, {}]}}',
        " { } ",
        '{"text": null, "t": true}',
        '{"other": "é", "text": "' + "x" * 100 + 'ü"}',
    ]
    data = "\n".join(lines).encode()
    assert taken(data)
    assert_same(PLAIN, data)


NAMES = (b"text", "antwört".encode(), b"")
SLACK, UNTOUCHED = 16, 0xA5
#: Pieces of lines, sound and unsound, put together at random.
PIECES = (
    *(bytes([byte]) for byte in b'{}[]",: \\\n\r\t\0\x1f\x7f\xff01-x'),
    *('"text":', '"antwört":', '"":', '"other":', "null", "true", "01", "-1.5e+3", "1E", "NaN"),
    *('{"text":"a"}', '"text":"b",', '"n":[1,{"y":"\\n"}],', "x" * 16, "é", "🙂", "9" * 65),
    *("\\u0000", "\\u00e9", "\\ud83d\\ude00", "\\ud83d", "\\ude00", "\\u12", '\\"', "\\\\", "\\q"),
    *("[" * 31 + "]" * 31, "[" * 33 + "]" * 33, '"' + "y" * 40 + '"'),
)
SOUND = (
    '{"text": "a \\"b\\" \\n \\u00e9 \\ud83d\\ude00", "n": -1.5e+3, "antwört": "é"}',
    '{"": null, "d": {"e": [1, {}, "\\\\"]}, "text": "' + "x" * 40 + '🙂"}',
    ' { "other" : true , "antwört" : "" } ',
)
pieces = st.lists(st.sampled_from(PIECES), max_size=6).map(
    lambda parts: b"".join(p if isinstance(p, bytes) else str(p).encode() for p in parts)
)
#: A sound line with a few pieces put over some bytes of it; or pieces only.
lines = (
    st.tuples(
        st.sampled_from(SOUND), st.integers(0, 90), st.integers(0, 3), pieces | st.just(b"")
    ).map(lambda made: _over(made[0].encode(), *made[1:]))
    | pieces
)


def _over(line: bytes, place: int, size: int, piece: bytes) -> bytes:
    return line[:place] + piece + line[place + size :]


def plainly(line: bytes) -> dict[bytes, bytes | None]:
    """The strings of the named members, by Python's own decoder; raises for what is no such row."""
    pairs = json.loads(
        line.decode("utf-8", "surrogateescape"), object_pairs_hook=lambda pairs: ["object", pairs]
    )
    assert isinstance(pairs, list)
    assert pairs[0] == "object"
    found: dict[bytes, bytes | None] = {}
    for name, value in pairs[1]:
        key = name.encode("utf-8", "surrogateescape")
        if key in NAMES:
            assert key not in found
            assert value is None or isinstance(value, str)
            found[key] = None if value is None else value.encode("utf-8", "surrogateescape")
    return found


@settings(max_examples=300, deadline=None)
@given(
    st.lists(lines, min_size=1, max_size=3),
    st.none() | st.tuples(st.integers(0, 300), st.integers(0, 300)),
)
def test_what_is_taken_is_what_python_reads_and_nothing_beside_the_buffers_is_written(
    parts: list[bytes], cut: tuple[int, int] | None
) -> None:
    raw = b"".join(part + b"\n" for part in parts)
    ends = np.cumsum([len(part) + 1 for part in parts]).astype(np.int64)
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    if cut is not None:
        # A line that begins and ends anywhere, in the middle of a string or a character, too.
        bounds = np.sort(np.minimum(cut, len(raw))).astype(np.int64)
        starts, ends = bounds[:1].copy(), bounds[1:].copy()
    offsets = np.empty((len(NAMES), len(starts) + 1), np.int64)
    valid = np.empty((len(NAMES), len(starts)), np.uint8)
    room = len(raw) + SLACK
    outs = [np.full(room + SLACK, UNTOUCHED, np.uint8) for _ in NAMES]
    data = np.frombuffer(raw, np.uint8)
    took = jsonstrings.strings(
        data, starts, ends, NAMES, offsets, valid, tuple(out[:room] for out in outs)
    )
    assert all((out[room:] == UNTOUCHED).all() for out in outs)
    if not took:
        return
    for row, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        expected = plainly(raw[start:end])
        for number, name in enumerate(NAMES):
            low, high = offsets[number, row : row + 2].tolist()
            said = outs[number][low:high].tobytes()
            assert (said if valid[number, row] else None) == expected.get(name)
            assert valid[number, row] or low == high


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 40), min_size=2, max_size=6))
def test_lines_that_overlap_fall_or_lie_outside_are_not_taken(numbers: list[int]) -> None:
    data = b'{"text": "a"}\n{"text": "b"}\n'
    starts = np.array(numbers[: len(numbers) // 2], np.int64)
    ends = np.array(numbers[-len(starts) :], np.int64)
    offsets, valid = np.empty(len(starts) + 1, np.int64), np.empty(len(starts), np.uint8)
    out = np.empty(len(data) + SLACK, np.uint8)
    took = jsonstrings.strings(data, starts, ends, (b"text",), offsets, valid, (out,))
    bounds = np.stack([starts, ends], axis=1).ravel()
    apart = bounds[0] >= 0 and bounds[-1] <= len(data) and (bounds[:-1] <= bounds[1:]).all()
    assert apart or not took


def test_buffers_that_are_too_small_are_refused() -> None:
    data, numbers = b'{"text": "a"}', np.array([13], np.int64)
    zero, two, one = np.zeros(1, np.int64), np.zeros(2, np.int64), np.zeros(1, np.uint8)
    enough = np.zeros(64, np.uint8)
    with pytest.raises(ValueError, match="too small"):
        jsonstrings.strings(data, zero, numbers, (b"text",), two, one, (enough[:13],))
    with pytest.raises(ValueError, match="fit together"):
        jsonstrings.strings(data, zero, numbers, (b"text",), zero, one, (enough,))
    assert not jsonstrings.strings(data, zero, numbers + 1, (b"text",), two, one, (enough,))


@pytest.mark.parametrize(
    ("names", "outs", "error"),
    [
        ((), (), ValueError),
        ((b"text",), (), ValueError),
        ((b"a",) * 9, (bytearray(64),) * 9, ValueError),
        (("text",), (bytearray(64),), TypeError),
        ((b"text",), (b"read only" * 9,), BufferError),
        ((b"text",), (np.zeros(64, np.uint8)[::2],), ValueError),
        ([b"text"], (bytearray(64),), TypeError),
    ],
)
def test_what_is_no_buffer_for_a_field_is_refused(
    names: Any, outs: Any, error: type[Exception]
) -> None:
    data, zero, numbers = b'{"text": "a"}', np.zeros(1, np.int64), np.array([13], np.int64)
    offsets, valid = np.zeros(2 * len(names), np.int64), np.zeros(len(names), np.uint8)
    with pytest.raises(error):
        jsonstrings.strings(data, zero, numbers, names, offsets, valid, outs)


def test_numbers_that_lie_askew_in_memory_are_refused() -> None:
    data, valid, out = b'{"text": "a"}', np.zeros(1, np.uint8), bytearray(64)
    room = np.zeros(64, np.uint8)
    zero, numbers, two = np.zeros(1, np.int64), np.array([13], np.int64), np.zeros(2, np.int64)
    for starts, ends, offsets in ((room[1:9], numbers, two), (zero, numbers, room[1:17])):
        with pytest.raises(ValueError, match="fit together"):
            jsonstrings.strings(data, starts, ends, (b"text",), offsets, valid, (out,))
