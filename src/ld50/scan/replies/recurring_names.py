"""Names that come back in replies oftener than the language has them, to prompts that may be unrelated."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ld50.corpus import reference
from ld50.scan.replies.columns import PROPER, WORD, ReplyColumns
from ld50.scan.replies.proper import name_keys
from ld50.scan.replies.rarity import frequency
from ld50.scan.replies.recurring import recurring
from ld50.scan.replies.sketches import CentredSketches

#: A name in a larger share of the replies is what the set is about.
MOST_NAMED_SHARE = 0.1
#: Replies with a name, and share of them, that are enough: the subject of ten to fifteen often does not show,
#: and of more names, more come back by chance.
_LEAST_ROWS, _LEAST_SHARE = 16, 0.001
#: So many times oftener than its language has it, a name is not what writers fall back on.
_OFTENER = 20.0
#: Most names that are returned.
_MOST_NAMES = 128
#: Prompts that are more alike than this, by their sketches, have a subject. Sketches are coarse.
_SURELY_RELATED = 8.0
#: Languages that write all nouns with a capital.
_NOUNS_LIKE_NAMES = [n for n, lane in enumerate(reference.LANES) if "German" in lane.name]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringName:
    """A name, and the rows whose replies hold it while their prompts do not."""

    word: int
    """Hash of the word."""
    oftener: float
    """How many times oftener than its language has it; infinite if none has."""
    rows: np.ndarray = field(repr=False)
    """int64, rising: ordinals."""

    def at(self, ordinals: np.ndarray) -> RecurringName:
        """The same with other numbers of rows (int64, rising), one for each of the chats."""
        return replace(self, rows=ordinals[self.rows])


def least_named(rows: int) -> int:
    """Replies that have to hold a name, in a set of so many."""
    return max(_LEAST_ROWS, int(np.ceil(_LEAST_SHARE * rows)))


def recurring_names(columns: ReplyColumns) -> list[RecurringName]:
    """Names in enough replies, those with the least related prompts first.

    Args:
        columns: All rows.
    """
    keys, rows = _listed(columns)
    keys, number, counts = np.unique(keys, return_inverse=True, return_counts=True)
    expected = float(columns.reply_words.sum(dtype=np.int64)) * frequency(name_keys(keys))
    usable = np.flatnonzero(
        (counts >= least_named(len(columns)))
        & (counts <= MOST_NAMED_SHARE * len(columns))
        & (counts >= _OFTENER * expected)
    )
    by_name = rows[np.lexsort((rows, number))]
    ends = np.cumsum(counts)
    names = [
        RecurringName(
            word=int(name_keys(keys[name])),
            oftener=float(counts[name] / expected[name]) if expected[name] else np.inf,
            rows=by_name[ends[name] - counts[name] : ends[name]],
        )
        for name in usable.tolist()
    ]
    likeness = _likeness(columns, names)
    order = np.argsort(likeness, kind="stable")
    order = order[likeness[order] <= _SURELY_RELATED]
    return _with_all_rows(columns, [names[number] for number in order[:_MOST_NAMES].tolist()])


def _listed(columns: ReplyColumns) -> tuple[np.ndarray, np.ndarray]:
    """Keys (uint64) and rows (int64) of the names that may be in enough replies."""
    listed = np.flatnonzero(columns.fragment_kinds == PROPER)
    rows = columns.fragment_rows[listed].astype(np.int64)
    own = ~np.isin(columns.reply_lane[rows], _NOUNS_LIKE_NAMES)
    keys, rows = columns.fragment_hashes[listed[own]], rows[own]
    often = recurring(keys, least_named(len(columns)))
    return keys[often], rows[often]


def _with_all_rows(columns: ReplyColumns, names: list[RecurringName]) -> list[RecurringName]:
    """The names with the rows that hold them where a sentence begins, too.

    Only of those that are no word to speak of: others may stand there as the word that they are.
    """
    words = [name.word for name in names if len(name.rows) < name.oftener]
    wanted = np.array(words, dtype=np.uint64)
    held = np.flatnonzero(
        (columns.fragment_kinds == WORD) & np.isin(columns.fragment_hashes, wanted)
    )
    hashes, rows = columns.fragment_hashes[held], columns.fragment_rows[held].astype(np.int64)
    more = {word: rows[hashes == np.uint64(word)] for word in words}
    return [
        replace(name, rows=np.union1d(name.rows, more[name.word])) if name.word in more else name
        for name in names
    ]


def _likeness(columns: ReplyColumns, names: list[RecurringName]) -> np.ndarray:
    """float64 (names,): how much more alike the prompts of each are than those of random rows.

    In deviations of the mean cosine of their sketches, by the moments that `similar_replies` explains.
    """
    if not names or len(columns.sketch_rows) == 0:
        return np.zeros(len(names))
    centred = CentredSketches(columns.prompt_sketches)
    spread = np.sqrt(max(2.0 * float((centred.covariance**2).sum()), 1e-12))
    out = np.zeros(len(names))
    for number, name in enumerate(names):
        place = np.searchsorted(columns.sketch_rows, name.rows)
        place[place == len(columns.sketch_rows)] = 0
        place = place[(columns.sketch_rows[place] == name.rows) & centred.held[place]]
        if len(place) < 3:
            continue
        pairs = len(place) * (len(place) - 1.0)
        total = centred.of(place).sum(axis=0, dtype=np.float64)
        out[number] = (total @ total - len(place)) / np.sqrt(pairs) / spread
    return out
