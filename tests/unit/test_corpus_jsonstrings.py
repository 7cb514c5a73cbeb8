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
    return jsonstrings.strings(data, starts, ends, (b"text",), offsets, valid, (out,))


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


def test_buffers_that_are_too_small_are_refused() -> None:
    data, numbers = b'{"text": "a"}', np.array([13], np.int64)
    zero, two, one = np.zeros(1, np.int64), np.zeros(2, np.int64), np.zeros(1, np.uint8)
    enough = np.zeros(64, np.uint8)
    with pytest.raises(ValueError, match="too small"):
        jsonstrings.strings(data, zero, numbers, (b"text",), two, one, (enough[:13],))
    with pytest.raises(ValueError, match="fit together"):
        jsonstrings.strings(data, zero, numbers, (b"text",), zero, one, (enough,))
    assert not jsonstrings.strings(data, zero, numbers + 1, (b"text",), two, one, (enough,))
