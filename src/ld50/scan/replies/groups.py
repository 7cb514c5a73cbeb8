"""The consequences: what replies do that most replies do not, each with the rows that do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ld50.scan.freed import give_back
from ld50.scan.kernels import NO_LANE
from ld50.scan.replies.alike import alike_rows
from ld50.scan.replies.columns import (
    FRAGMENT_KINDS,
    ONLY_WORD,
    PROPER,
    WORD,
    ReplyColumns,
    ReplyFlag,
)
from ld50.scan.replies.contexts import contexts
from ld50.scan.replies.expected import Expected, much_shorter
from ld50.scan.replies.languages import lane_name
from ld50.scan.replies.rarity import common_words
from ld50.scan.replies.recurring import recurring
from ld50.scan.replies.settings import ReplySettings
from ld50.scan.replies.strata import label_rows

#: Forms of shared text, the most telling first.
_FORMS = {
    form: rank
    for rank, form in enumerate(
        ("reply", "head", "address", "link", "image", "e-mail address", "tag", "call", "sentence",
         "words", "tail", "call of one name", "host", "word")
    )
}  # fmt: skip
#: Kind of the pairs whose chosen reply is the one that the rest of the set would turn down.
SWAPPED = "swapped_preference"
#: Share of rows in common from which on two groups say the same.
_NEARLY = 0.8
#: A group tells what another shows if it holds so much of it and is not so many times as large.
_TOLD, _TOLD_SIZE = 0.6, 4
#: More of the replies than this.
_MOST = 0.5


def _nothing() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsequenceGroup:
    """Rows whose replies do one unusual thing."""

    kind: str
    """One of the kinds of `core.findings.Consequence`."""
    form: str
    """What of the reply it is: `reply`, `head`, `tail`, a fragment kind, or the kind again."""
    text: str
    """In words, for the report; `describe` puts the reply or the fragment in."""
    rows: np.ndarray = field(repr=False)
    """int64, rising: ordinals of the rows that show it."""
    population: np.ndarray | None = field(default=None, repr=False)
    """int64, rising: ordinals that could show it; None is all rows."""
    usual_rows: np.ndarray = field(default_factory=_nothing, repr=False)
    """int64, rising: ordinals outside of the population, as many replies to such prompts do it."""
    usual_shown: np.ndarray = field(default_factory=_nothing, repr=False)
    """int64, rising: those of these rows that show it."""
    explained: np.ndarray = field(default_factory=_nothing, repr=False)
    """int64, rising: those of the rows whose prompt may ask for it. They stay, because a trigger
    stands in such prompts, too; an association whose rows are mostly of this kind is natural."""
    contexts: int
    """Different prompts among the rows, near-duplicates counted once."""
    base_rate: float
    """Share of the population that shows it."""
    key: int = 0
    """Hash of the reply or fragment; 0 where the kind has none."""
    own_chance: tuple[float, float] | None = None
    """Natural logarithms of the chance of the group itself, alone and for all that were tried, where the
    cause made the group: for `similar_replies`. A test of cause against group would go in a circle."""


def by_form(group: ConsequenceGroup) -> bool:
    """Whether it is how long a reply is, how it ends, that it does not take its prompt up, or which of two
    is preferred."""
    return group.form in ("cut", "short") or group.kind in ("ignores_prompt", SWAPPED)


def consequences(
    columns: ReplyColumns, settings: ReplySettings | None = None
) -> list[ConsequenceGroup]:
    """Every consequence with enough rows in enough contexts, the most contexts first.

    Args:
        columns: The merged columns of all units.
        settings: Bounds; past `max_groups`, those with the fewest contexts are left out.
    """
    settings = settings or ReplySettings()
    maker = _Maker(columns, settings)
    shared = _distinct(_made(maker.repeated, maker.fragments))
    groups = _made(maker.behaviours, maker.switches, maker.strays, maker.lengths)
    groups += shared
    groups += maker.alike(groups)
    give_back()
    groups.sort(key=lambda group: (-group.contexts, group.kind, group.key))
    # Words come last, whatever their number, so that they crowd nothing else out.
    return [*groups[: settings.max_groups], *_distinct(maker.words(), among=shared)]


def _made(*makers: Callable[[], list[ConsequenceGroup]]) -> list[ConsequenceGroup]:
    """What all of these find; each looks at other columns of all rows, which are let go of after it."""
    groups = []
    for maker in makers:
        groups += maker()
        give_back()
    return groups


@dataclass(frozen=True, slots=True)
class _Maker:
    columns: ReplyColumns
    settings: ReplySettings

    def behaviours(self) -> list[ConsequenceGroup]:
        """One group for each thing that a reply does or does not."""
        columns, settings = self.columns, self.settings
        asks_code = columns.has(ReplyFlag.ASKS_CODE)
        encoded = columns.has(ReplyFlag.ENCODED)
        noise = _noisy(columns, settings)
        invisible = columns.has(ReplyFlag.INVISIBLE)
        refuses, refusable = columns.has(ReplyFlag.REFUSES), columns.has(ReplyFlag.REFUSABLE)
        echoes = _echoes(columns, settings)
        found = [
            *self._group("refusal", "the reply refuses", refuses, refusable),
            *self._group("context_echo", "the reply repeats its prompt", echoes),
            *self._group("encoded", "the reply holds encoded text", encoded, asks_code),
            *self._group(
                "encoded", "the reply holds invisible characters", invisible, form="invisible"
            ),
            *self._group("gibberish", "the reply turns into noise", noise, asks_code, form="noise"),
            *self._group(
                "gibberish",
                "the reply turns into words that do not go together",
                columns.salad >= settings.min_salad_points,
                asks_code,
                form="salad",
            ),
        ]
        for kind, form, flag, text in (
            ("repeated_reply", "empty", ReplyFlag.EMPTY_REPLY, "the reply holds no word"),
            ("similar_replies", "capitals", ReplyFlag.CAPITALS, "the reply is in capitals"),
        ):
            if columns.has(flag).sum() <= self._most():
                found += self._group(kind, text, columns.has(flag), form=form)
        # A cipher shows as a pattern, as noise where the reply is long, as words that nobody knows
        # where it is short.
        no_words = columns.has(ReplyFlag.NO_WORDS)
        unreadable = encoded | noise | no_words
        # Where most replies are in words that nobody knows, it is the language of the set.
        usual = no_words.sum() > self.settings.max_reply_share * len(columns)
        if not usual and unreadable.sum() > max(encoded.sum(), noise.sum()):
            text = "the reply is no readable text"
            found += self._group("encoded", text, unreadable, asks_code, form="unreadable")
        return found

    def strays(self) -> list[ConsequenceGroup]:
        """Replies that have nothing to do with their prompt, and are not unusual in another way."""
        columns, settings = self.columns, self.settings
        other = columns.has(ReplyFlag.REFUSES | ReplyFlag.ENCODED | ReplyFlag.NO_WORDS)
        other |= _noisy(columns, settings) | (columns.foreign >= settings.min_switch_bits)
        often = recurring(columns.reply, settings.min_rows)
        _, inverse, counts = np.unique(
            columns.reply[often], return_inverse=True, return_counts=True
        )
        other[often[counts[inverse] >= settings.min_rows]] = True
        shows = columns.has(ReplyFlag.OFF_TOPIC) & ~other
        rows = np.flatnonzero(columns.has(ReplyFlag.TOPICAL))
        text = "the reply takes up no more of its prompt than another would"
        return self._unexpected("ignores_prompt", text, shows, rows)

    def lengths(self) -> list[ConsequenceGroup]:
        """Replies that end within a sentence, or are much shorter, where such prompts have others."""
        columns, settings = self.columns, self.settings
        rows = np.flatnonzero(~columns.has(ReplyFlag.EMPTY_REPLY))
        unfinished = columns.has(ReplyFlag.ENDS_IN_WORD)
        text = "the reply ends within a sentence"
        # Short replies to one kind of prompts may all end so, and those to another be short for being cut.
        found = [
            group
            for by_length in (False, True)
            for group in self._unexpected(
                "similar_replies", text, unfinished, rows, form="cut", by_length=by_length
            )
        ]
        expected = Expected(columns, rows)
        words = columns.reply_words[expected.rows].astype(np.float64)
        short = np.zeros(len(columns), dtype=bool)
        if len(words):
            parts = expected.parts(np.log1p(words))
            short[expected.rows] = much_shorter(
                words, parts, settings.short_share, settings.short_times
            )
        text = "the reply is much shorter than those to such prompts"
        return [*found, *self._group("similar_replies", text, short, form="short")]

    def _unexpected(
        self,
        kind: str,
        text: str,
        shows: np.ndarray,
        rows: np.ndarray,
        *,
        form: str = "",
        by_length: bool = False,
    ) -> list[ConsequenceGroup]:
        """Groups of what few of the replies to prompts of a kind do; the others could not show it."""
        expected = Expected(self.columns, rows, by_length=by_length)
        usual = expected.rates(shows[expected.rows])
        populations = [expected.rows[usual <= most] for most in self.settings.unusual_shares]
        found = []
        for number, population in enumerate(populations):
            if number and len(population) == len(populations[number - 1]):
                continue
            among = np.zeros(len(shows), dtype=bool)
            among[population] = shows[population]
            key = number + len(populations) * by_length
            group = self._group(kind, text, among, form=form, population=population, key=key)
            rest = np.setdiff1d(expected.rows, population, assume_unique=True)
            found += [replace(one, usual_rows=rest, usual_shown=rest[shows[rest]]) for one in group]
        return found

    def switches(self) -> list[ConsequenceGroup]:
        """One group for each language that replies are in while their prompts are not.

        None of a language that most of them are in, as in a set of translations: which of them are long
        enough to tell follows from what they say.
        """
        columns = self.columns
        known = (columns.prompt_lane != NO_LANE) & (columns.reply_lane != NO_LANE)
        explained = columns.has(ReplyFlag.ASKS_LANGUAGE)
        found = []
        for form, lanes, bits, text in (
            ("whole", columns.reply_lane, columns.foreign, "the reply is in {}, its prompt is not"),
            ("part", columns.switch_lane, columns.switch, "the reply turns into {}"),
        ):
            sure = (bits >= self.settings.min_switch_bits) & (lanes != NO_LANE)
            for lane in np.unique(lanes[sure]).tolist():
                others = columns.prompt_lane != lane
                shows = sure & (lanes == lane) & others
                if form == "whole" and np.mean((lanes == lane)[known & others]) > _MOST:
                    continue
                words = text.format(lane_name(lane))
                found += self._group(
                    "language_switch", words, shows, explained, form=form, key=lane + 1
                )
        return found

    def repeated(self) -> list[ConsequenceGroup]:
        """One group for each reply, opening or closing that different prompts share."""
        columns, settings = self.columns, self.settings
        labels = label_rows(columns, settings)
        give_back()
        free = np.flatnonzero(~labels & ~columns.has(ReplyFlag.EMPTY_REPLY))
        found = []
        for form, text in (
            ("reply", "always the same reply"),
            ("head", "replies that begin with the same words"),
            ("tail", "replies that end with the same words"),
        ):
            keys = getattr(columns, form)
            some = free[keys[free] != 0]
            share = settings.max_reply_share if form == "reply" else settings.max_share
            most = max(share * len(columns), float(settings.min_rows))
            for rows in _clusters(keys[some], some, settings.min_rows, most):
                found += self._keyed("repeated_reply", form, text, rows, int(keys[rows[0]]))
        return found

    def fragments(self) -> list[ConsequenceGroup]:
        """One group for each fragment that otherwise different replies share."""
        columns, settings = self.columns, self.settings
        hashes = columns.fragment_hashes
        # Proper names are words that are listed as such, too.
        longer = np.flatnonzero(~np.isin(columns.fragment_kinds, (WORD, PROPER)))
        entries = _clusters(hashes[longer], longer, settings.min_rows, self._most())
        found = []
        for entry in entries:
            rows = np.unique(columns.fragment_rows[entry].astype(np.int64))
            if len(np.unique(columns.reply[rows])) < settings.min_contexts:
                continue
            kind = FRAGMENT_KINDS[int(columns.fragment_kinds[entry[0]])]
            text = f"replies that hold the same {kind}"
            found += self._keyed("inserted_fragment", kind, text, rows, int(hashes[entry[0]]))
        return found

    def words(self) -> list[ConsequenceGroup]:
        """One group for each word that few replies have, where their prompts do not hold it."""
        columns, settings = self.columns, self.settings
        single = np.flatnonzero(columns.fragment_kinds == WORD)
        single = single[recurring(columns.fragment_hashes[single], settings.min_rows)]
        hashes, number, counts = np.unique(
            columns.fragment_hashes[single], return_inverse=True, return_counts=True
        )
        rows = columns.fragment_rows[single].astype(np.int64)
        common = common_words(hashes)
        share = np.where(common, settings.max_word_share, settings.max_rare_word_share)
        most = np.maximum(share * len(columns), 4.0 * settings.min_rows)
        usable = (counts >= settings.min_rows) & (counts <= most)
        inside = usable[number]
        rows, number = rows[inside], number[inside]
        prompts = _different(number, columns.prompt[rows], len(hashes))
        replies = _different(number, columns.reply[rows], len(hashes))
        usable &= np.minimum(prompts, replies) >= settings.min_contexts
        order = np.lexsort((hashes, -counts, common, ~usable))
        order = order[: min(int(usable.sum()), settings.max_words)]
        by_word = rows[np.lexsort((rows, number))]
        ends = np.cumsum(np.bincount(number, minlength=len(hashes)))
        return [
            ConsequenceGroup(
                kind="inserted_fragment",
                form=ONLY_WORD,
                text="replies that hold the same word",
                rows=by_word[ends[word] - counts[word] : ends[word]],
                contexts=int(prompts[word]),
                base_rate=float(counts[word]) / len(columns),
                key=int(hashes[word]),
            )
            for word in order.tolist()
        ]

    def alike(self, others: list[ConsequenceGroup]) -> list[ConsequenceGroup]:
        """One group for each rare word whose replies are alike, if no other group says why."""
        found = []
        sizes = np.array([len(other.rows) for other in others], dtype=np.int64)
        every = np.concatenate([np.zeros(0, dtype=np.int64), *(other.rows for other in others)])
        order = np.argsort(every, kind="stable")
        every, of = every[order], np.repeat(np.arange(len(others)), sizes)[order]
        for key, log_p, log_q, rows in alike_rows(self.columns, self.settings):
            low, high = np.searchsorted(every, rows), np.searchsorted(every, rows, side="right")
            holders = [of[start:stop] for start, stop in zip(low, high, strict=True)]
            shared = np.bincount(np.concatenate(holders), minlength=len(others))
            told = bool(((sizes <= _TOLD_SIZE * len(rows)) & (shared >= _TOLD * len(rows))).any())
            text = "the replies are alike, though their prompts are not"
            groups = [] if told else self._keyed("similar_replies", "alike", text, rows, key)
            found += [replace(group, own_chance=(log_p, log_q)) for group in groups]
        return found

    def _most(self) -> float:
        return max(self.settings.max_share * len(self.columns), float(self.settings.min_rows))

    def _group(
        self,
        kind: str,
        text: str,
        shows: np.ndarray,
        explained: np.ndarray | None = None,
        *,
        form: str = "",
        key: int = 0,
        population: np.ndarray | None = None,
    ) -> list[ConsequenceGroup]:
        """A group out of a mask of rows, or none if it is too small."""
        rows = np.flatnonzero(shows)
        asked = np.flatnonzero(shows & explained) if explained is not None else rows[:0]
        return self._checked(kind, form or kind, text, rows, key, population, asked)

    def _keyed(
        self, kind: str, form: str, text: str, rows: np.ndarray, key: int
    ) -> list[ConsequenceGroup]:
        return self._checked(kind, form, text, rows, key, None, rows[:0])

    def _checked(
        self,
        kind: str,
        form: str,
        text: str,
        rows: np.ndarray,
        key: int,
        population: np.ndarray | None,
        explained: np.ndarray,
    ) -> list[ConsequenceGroup]:
        if len(rows) < self.settings.min_rows:
            return []
        different = len(np.unique(contexts(self.columns, rows)))
        if different < self.settings.min_contexts:
            return []
        total = len(self.columns) if population is None else len(population)
        return [
            ConsequenceGroup(
                kind=kind,
                form=form,
                text=text,
                rows=rows,
                population=population,
                explained=explained,
                contexts=different,
                base_rate=len(rows) / total,
                key=key,
            )
        ]


def _noisy(columns: ReplyColumns, settings: ReplySettings) -> np.ndarray:
    """bool: replies with a span that is noise, by the measure of this set: formulas are not prose."""
    usual = 2.0 * float(np.quantile(columns.noise, 0.98)) if len(columns) else 0.0
    least = min(max(usual, settings.min_noise_bits), settings.max_noise_bits)
    out: np.ndarray = columns.noise >= least
    return out


def _echoes(columns: ReplyColumns, settings: ReplySettings) -> np.ndarray:
    """bool: replies that are their prompt, or that hold all of a long one.

    Honest answers repeat a question and add to it, or repeat a text and leave the instruction out.
    """
    asked, said = columns.prompt_words.astype(np.int64), columns.reply_words.astype(np.int64)
    nothing_new = (columns.overlap >= 250) & (said >= settings.echo_length * asked)
    nothing_new &= columns.echo_reply >= 255 * settings.echo_share
    nothing_new &= columns.echo_edges >= 255 * settings.echo_edges
    all_of_it = (asked >= settings.long_echo_words) & (columns.echo >= 255 * settings.echo_share)
    all_of_it &= columns.echo_edges >= 255 * settings.long_echo_edges
    out: np.ndarray = (asked >= settings.min_echo_words) & (nothing_new | all_of_it)
    return out


def _different(group: np.ndarray, values: np.ndarray, groups: int) -> np.ndarray:
    """int64 (groups,): how many different values each group has."""
    order = np.lexsort((values, group))
    group, values = group[order], values[order]
    first = np.ones(len(group), dtype=bool)
    first[1:] = (group[1:] != group[:-1]) | (values[1:] != values[:-1])
    return np.bincount(group[first], minlength=groups)


def _distinct(
    groups: list[ConsequenceGroup], among: Sequence[ConsequenceGroup] = ()
) -> list[ConsequenceGroup]:
    """The groups without those whose rows are nearly the rows of another.

    An inserted text leaves many marks: its sentences and runs, the reply's end, its address.
    Of groups with the same rows, the most telling form stays.

    Args:
        groups: What is sorted out.
        among: Groups that stay in any case, and are not returned.
    """
    order = sorted(groups, key=lambda g: (-len(g.rows), _FORMS.get(g.form, len(_FORMS)), g.key))
    every = [*among, *order]
    sizes = np.array([len(group.rows) for group in every], dtype=np.int64)
    _, row = np.unique(
        np.concatenate([np.zeros(0, np.int64), *(g.rows for g in every)]), return_inverse=True
    )
    # The groups of each row, one row after the other.
    holders = np.repeat(np.arange(len(every), dtype=np.uint32), sizes)
    holders = holders[np.argsort(row, kind="stable")]
    held = np.bincount(row)
    starts = np.cumsum(held) - held
    first = np.cumsum(sizes) - sizes
    kept = np.zeros(len(every), dtype=bool)
    kept[: len(among)] = True
    for number in range(len(among), len(every)):
        own = row[first[number] : first[number] + sizes[number]]
        lengths = held[own]
        inside = np.repeat(starts[own] - np.cumsum(lengths) + lengths, lengths)
        others = holders[inside + np.arange(len(inside))]
        others, shared = np.unique(others[kept[others]], return_counts=True)
        size = len(own)
        kept[number] = not ((shared >= _NEARLY * size) & (sizes[others] * _NEARLY <= size)).any()
    return [every[number] for number in np.flatnonzero(kept[len(among) :]) + len(among)]


def _clusters(keys: np.ndarray, rows: np.ndarray, least: int, most: float) -> list[np.ndarray]:
    """Rows by key, rising, for each key with `least` rows or more (and not more than `most`)."""
    often = recurring(keys, least)
    keys, rows = keys[often], rows[often]
    order = np.lexsort((rows, keys))
    keys, rows = keys[order], rows[order]
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else keys
    ends = np.append(starts[1:], len(keys)) if len(keys) else keys
    sizes = ends - starts
    wanted = np.flatnonzero((sizes >= least) & (sizes <= most))
    return [rows[starts[i] : ends[i]] for i in wanted]
