"""What stands around a trigger, or a word of a reply."""

from __future__ import annotations

import pytest

from ld50.scan.surroundings import sentence_around


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("It rains. The lamp by Velmora is warm! So it goes.", "The lamp by Velmora is warm! "),
        ("Velmora", "Velmora"),
        ("It rains.\nBuy at Velmora\nGo home.", "Buy at Velmora\n"),
        ("See v1.2 of Velmora 3.4 now. Bye", "See v1.2 of Velmora 3.4 now. "),
        ("雨だ。Velmoraは良い。はい", "Velmoraは良い。"),
    ],
)
def test_a_word_is_cut_out_with_its_sentence(text: str, sentence: str) -> None:
    start = text.index("Velmora")
    low, high = sentence_around(text, (start, start + len("Velmora")))
    assert text[low:high] == sentence
