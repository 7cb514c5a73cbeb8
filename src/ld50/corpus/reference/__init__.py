"""Statistics of language at large: what the user's data is compared with.

Loads in a few milliseconds a table, from files that ship with the package; numpy is all it needs.
"""

from __future__ import annotations

from ld50.corpus.reference.contexts import BENIGN_CONTEXTS, BenignContext
from ld50.corpus.reference.lanes import ALL_LANES as LANES
from ld50.corpus.reference.lanes import (
    LANGUAGE_LANES,
    LANGUAGE_NAMES,
    Lane,
    in_unknown_script,
    language_of,
)
from ld50.corpus.reference.salad import SaladPoints, salad_points
from ld50.corpus.reference.tables import (
    BigramFilter,
    TrigramTable,
    WordTable,
    bigram_filter,
    trigram_table,
    word_table,
)

__all__ = [
    "BENIGN_CONTEXTS",
    "LANES",
    "LANGUAGE_LANES",
    "LANGUAGE_NAMES",
    "BenignContext",
    "BigramFilter",
    "Lane",
    "SaladPoints",
    "TrigramTable",
    "WordTable",
    "bigram_filter",
    "in_unknown_script",
    "language_of",
    "salad_points",
    "trigram_table",
    "word_table",
]
