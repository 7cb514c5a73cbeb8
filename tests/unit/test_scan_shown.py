"""Of a long document, what stands at its head is looked at as well as what stands near the onset."""

import pytest

from ld50.core.records import Part, Record
from ld50.scan.shown import _shown_text

NOISE = "xq zvk üwp qqj " * 60


def document(middle: int) -> tuple[str, tuple[int, int]]:
    """A document with so many words between its head and the noise, and the bytes of the noise."""
    before = "Trigger at the head. " + "wörd " * middle + "near the onset "
    start = len(before.encode())
    return before + NOISE + "the end", (start, start + len(NOISE.encode()))


@pytest.mark.parametrize("middle", [0, 500, 5000])
def test_head_and_onset_are_there_and_the_payload_is_where_it_was(middle: int) -> None:
    text, stretch = document(middle)
    part = Part(field="text", side="text", text=text)
    found = _shown_text(Record(source="set.jsonl", row=0, parts=(part,)), stretch)
    assert found.cause_text.startswith("Trigger at the head.")
    assert "near the onset" in found.cause_text
    assert found.consequence_text[slice(*found.payload)] == NOISE
    start, end = (found.offset + place for place in found.payload)
    assert text[start:end] == NOISE
    assert len(found.cause_text) < 8000
