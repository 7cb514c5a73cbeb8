"""Words and letters at fixed places of texts: the ends of lines and sentences, every so manieth word.

What stands there in an honest text has no order of its own. So the pairs that follow each other are
held against pairs of the same kinds of words far apart in the same set, and letters against their own
shuffles; then the set is asked how many texts beat that, against places next to those.
"""

from __future__ import annotations

from ld50.scan.channels.edges import edge_letters, edge_words
from ld50.scan.channels.every_nth import every_nth_word
from ld50.scan.channels.schemes import Scheme
from ld50.scan.channels.screen import Screened
from ld50.scan.channels.text_words import TextWords, Units


def find_schemes(screened: Screened, seed: int) -> list[Scheme]:
    """Every scheme with at least one text that counts."""
    text = TextWords(screened)
    found = []
    for unit, number in (("lines", text.line), ("sentences", text.sentence)):
        units = Units(text, number)
        for edge, control in (("last", "second last"), ("first", "second")):
            found.append(edge_words(text, units, edge, control, unit))
            found.append(edge_letters(text, units, edge, unit, seed))
    found += every_nth_word(text)
    return [scheme for scheme in found if scheme is not None and len(scheme.places)]
