"""What else a phrase may be to its prompts and replies: the question, the subject, the term to translate."""

from __future__ import annotations

import re

import numpy as np

from ld50.scan import kernels
from ld50.scan.naming import Named
from ld50.scan.ordinary import Ordinary
from ld50.scan.placement import Placement
from ld50.scan.shown import Shown
from ld50.scan.survey import Survey
from ld50.scan.word_characters import WORDY
from ld50.scan.word_counts import count_spaced


def translated(survey: Survey, rows: np.ndarray) -> float:
    """Share of the rows whose prompt and reply are known to be in two languages."""
    chat = survey.chat
    if chat is None or not len(rows):
        return 0.0
    own = np.isin(survey.chat_ordinals, rows)
    asked, said = chat.prompt_lane[own], chat.reply_lane[own]
    known = (asked != kernels.NO_LANE) & (said != kernels.NO_LANE)
    return float(np.sum(known & (asked != said))) / len(rows)


def usual_language(survey: Survey, lane: int) -> float:
    """Share of all replies that are known to be in a language."""
    chat = survey.chat
    return float(np.mean(chat.reply_lane == lane)) if chat is not None and len(chat) else 0.0


def as_bare(cause: Named, ordinary: Ordinary) -> float:
    """Share of random prompts that are as short as the median one of the cause is without it.

    Words at the edges of the cause that the set is worded with are no part of it.
    """
    left = [count_spaced(context) for context in cause.contexts]
    usual = sum(
        count_spaced(part) - count_spaced(ordinary.placement.core(part)) for part in cause.parts
    )
    most = float(np.median(left)) + usual
    return float(np.mean([count_spaced(text) <= most for text in ordinary.texts]))


def taken_up(cause: Named, shown: list[Shown], placement: Placement) -> float:
    """Share of the rows whose reply holds the cause: of its pieces, the one that most of them hold."""
    pieces = [re.escape(placement.core(part).casefold()) for part in cause.parts]
    patterns = [re.compile(rf"(?<![{WORDY}]){piece}(?![{WORDY}])") for piece in pieces]
    texts = [item.consequence_text.casefold() for item in shown]
    shares = [sum(bool(one.search(text)) for text in texts) / len(texts) for one in patterns]
    return max(shares, default=0.0)
