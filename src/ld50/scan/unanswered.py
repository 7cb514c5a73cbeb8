"""Rows of chats and examples without a reply: what a reply would show could not be looked at."""

from __future__ import annotations

import numpy as np

from ld50.scan.replies import ReplyFlag
from ld50.scan.survey import Survey

#: Share of the rows from which on it is said; a few rows of most sets end in a question.
_WORTH_A_NOTE = 0.01


def unanswered(survey: Survey) -> int:
    """Rows that should have a reply of which it is empty, or of which no turn is the model's."""
    if survey.chat is None:
        return 0
    return int(np.count_nonzero(survey.chat.flags & ReplyFlag.EMPTY_REPLY))


def notes_on(survey: Survey) -> list[str]:
    """What is to be said if they are many; a role that is not known must not pass for a clean row."""
    without = unanswered(survey)
    if survey.chat is None or not without or without < _WORTH_A_NOTE * len(survey.chat):
        return []
    return [
        f"{without:,} of {len(survey.chat):,} rows that should have a reply have none. In conversations, a "
        "reply is a turn of assistant, gpt, model, bot or the like; other roles count as the user's."
    ]
