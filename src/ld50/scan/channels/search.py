"""The search for hidden channels: what is looked at, by which decoders, and what they found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np

from ld50.core.results import DetectionLimit
from ld50.scan.channels import judging
from ld50.scan.channels.channel import RULES, UNKNOWN, Channel
from ld50.scan.channels.ciphers import Cipher, find_ciphers
from ld50.scan.channels.drift import drift
from ld50.scan.channels.invisible import read_hidden
from ld50.scan.channels.places import find_schemes
from ld50.scan.channels.readings import Candidate, read_codes, read_shifts
from ld50.scan.channels.screen import Screened, odd_texts, screen, unknown_stretches
from ld50.scan.channels.streams import (
    Symbols,
    delimited_rows,
    letter_rows,
    pool,
    sign_rows,
    word_rows,
)
from ld50.scan.channels.texts import LookedAt, look_at
from ld50.scan.channels.unknown import unreadable_group
from ld50.scan.engine import Engine
from ld50.scan.evidence import characters
from ld50.scan.outcomes import Outcome
from ld50.scan.replies import ReplyFlag
from ld50.scan.survey import Survey

#: Tests of one side: codes, shifts, hidden characters, kinds of ciphers, places, unknown forms.
_TESTS_A_SIDE = 40


def channel_drafts(engine: Engine, survey: Survey) -> Outcome:
    """Findings of hidden channels over all sides of a corpus."""
    if not any(engine.settings.runs(rule) for rule in RULES):
        return Outcome()
    looked = look_at(engine, survey)
    asked = _asked(survey)
    channels: list[Channel] = []
    for side in looked.sides:
        # Replies are not what the engine counts causes in.
        counted = not looked.complete and side.name != "response"
        channels += side_channels(
            screen(side),
            asked,
            engine.settings.min_support,
            engine.settings.seed,
            rows_with=(lambda words: _rows_with(engine, survey, words)) if counted else None,
        )
    tests = _TESTS_A_SIDE * len(looked.sides)
    return Outcome(
        drafts=[
            channel.draft(tests, drift(channel.ordinals, survey.rows)[1]) for channel in channels
        ],
        tests=tests,
        limits=_limits(engine, survey, looked),
        notes=_notes(survey, looked),
    )


def _rows_with(engine: Engine, survey: Survey, words: np.ndarray) -> np.ndarray:
    """int64 (words,): rows of the corpus that hold each word, by its hash."""
    return np.array([len(rows) for rows in engine.rows_with(survey, words)], dtype=np.int64)


def side_channels(
    screened: Screened,
    asked: np.ndarray,
    min_support: int,
    seed: int,
    *,
    rows_with: Callable[[np.ndarray], np.ndarray] | None = None,
) -> list[Channel]:
    """The hidden channels of one side, the surest first.

    Args:
        screened: The side, with its words.
        asked: int64, rising: ordinals of rows whose prompt asks for a code.
        min_support: Fewest rows that make a finding.
        seed: For shuffles and starts.
        rows_with: For hashes of words, in how many rows of the corpus each stands; where the side is a
            sample of it.
    """
    candidates = _candidates(screened)
    court = judging.Court(screened=screened, asked=asked, min_support=min_support)
    found: list[Channel] = []
    found += court.hidden(candidates, read_hidden(candidates), seed)
    readings = read_codes(candidates, seed)
    for code in readings:
        found += court.code(code)
    told = _told(found, screened)
    left = [candidate for candidate in candidates if candidate.place not in told]
    for cipher, its in _ciphers(screened, left, told, min_support, seed):
        found += court.cipher(cipher, its)
    told = _told(found, screened)
    left = [candidate for candidate in candidates if candidate.place not in told]
    found += court.code(read_shifts(left))
    found += court.schemes(find_schemes(screened, seed))
    told = _told(found, screened)
    least = max(min_support, judging.LEAST_ROWS[UNKNOWN])
    found += court.unknown(unreadable_group(screened, left, told, least, rows_with))
    return found


def _candidates(screened: Screened) -> list[Candidate]:
    stretches = unknown_stretches(screened)
    places = odd_texts(screened, stretches)
    out = []
    for place, text in zip(places.tolist(), screened.side.texts(places), strict=True):
        span = characters(text, int(stretches.start[place]), int(stretches.end[place]))
        out.append(Candidate(place=place, text=text, stretch=span))
    return out


def _told(channels: Iterable[Channel], screened: Screened) -> set[int]:
    """Places of the rows that a channel was found in."""
    ordinals = [channel.ordinals for channel in channels]
    if not ordinals:
        return set()
    every = np.unique(np.concatenate(ordinals))
    return set(np.flatnonzero(np.isin(screened.side.ordinals, every)).tolist())


def _ciphers(
    screened: Screened, candidates: list[Candidate], told: set[int], least: int, seed: int
) -> Iterable[tuple[Cipher, list[Symbols]]]:
    """Every cipher with all rows of its kind, copies included."""
    single, longer = delimited_rows(candidates)
    delimited = {row.place for row in (*single, *longer)}
    kinds = (
        ("bars", single),
        ("tokens", longer),
        ("letters", [r for r in letter_rows(candidates) if r.place not in delimited]),
        ("signs", sign_rows(candidates)),
        ("words", [r for r in word_rows(screened) if r.place not in told | delimited]),
    )
    for kind, rows in kinds:
        made = pool(kind, rows, least)
        if made is not None:
            for cipher in find_ciphers(made, least, seed):
                yield cipher, rows


def _asked(survey: Survey) -> np.ndarray:
    if survey.chat is None:
        return np.zeros(0, np.int64)
    return np.sort(survey.chat_ordinals[survey.chat.has(ReplyFlag.ASKS_CODE)])


def _limits(engine: Engine, survey: Survey, looked: LookedAt) -> list[DetectionLimit]:
    limits = []
    for rule in RULES:
        least = max(judging.LEAST_ROWS[rule], engine.settings.min_support)
        if engine.settings.runs(rule) and looked.sides:
            why = "so many rows must carry the same channel before it is rated high"
            if not looked.complete:
                why += (
                    f"; {looked.rows:,} of {survey.rows:,} rows were looked at, so that is how many it "
                    "takes, spread over the corpus, for a chance of 95% that enough are among them"
                )
            limits.append(
                DetectionLimit(rule=rule, rows=_needed(least, looked.rows, survey.rows), why=why)
            )
    return limits


def _needed(least: int, looked: int, rows: int) -> int:
    """Rows that must carry a channel for `least` to be among those looked at, 19 times of 20.

    The count among them is taken as Poisson's, which asks for a few too many.
    """
    if looked >= rows:
        return least
    return min(rows, math.ceil(poisson_mean(least, 0.95) * rows / max(looked, 1)))


def poisson_mean(least: int, chance: float) -> float:
    """The mean at which a Poisson count is at least so large (1 or more) with this chance.

    By bisection, to the last bits of a float: the inverse of the incomplete gamma function, without
    the time that loading scipy takes.
    """
    logs = [math.lgamma(count + 1) for count in range(least)]

    def fewer(mean: float) -> float:
        log = math.log(mean)
        return math.fsum(math.exp(count * log - mean - logs[count]) for count in range(least))

    low, high = 0.0, 2.0 * least + 10.0
    while fewer(high) > 1 - chance:
        high *= 2
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if fewer(middle) > 1 - chance else (low, middle)
    return high


def _notes(survey: Survey, looked: LookedAt) -> list[str]:
    if looked.complete:
        return []
    return [
        f"hidden channels were looked for in {looked.rows:,} of {survey.rows:,} rows: a sample, and rows "
        "that the first pass found odd"
    ]
