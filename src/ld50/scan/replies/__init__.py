"""What replies do that their prompts do not explain: the consequences of a trigger in chat data."""

from ld50.scan.replies.columns import ONLY_WORD, ReplyColumns, ReplyFlag, merge, thin
from ld50.scan.replies.contexts import context_codes, contexts
from ld50.scan.replies.groups import SWAPPED, ConsequenceGroup, by_form, consequences
from ld50.scan.replies.recurring_names import (
    MOST_NAMED_SHARE,
    RecurringName,
    least_named,
    recurring_names,
)
from ld50.scan.replies.settings import ReplySettings
from ld50.scan.replies.sketches import (
    Coherence,
    SimilarReplies,
    prompt_coherence,
    reply_coherence,
    similar_replies,
)
from ld50.scan.replies.spans import describe, holds, locate
from ld50.scan.replies.strata import LabelStratum, as_labels, rows_outside, with_rows_outside
from ld50.scan.replies.summary import summarize

__all__ = [
    "MOST_NAMED_SHARE",
    "ONLY_WORD",
    "SWAPPED",
    "Coherence",
    "ConsequenceGroup",
    "LabelStratum",
    "RecurringName",
    "ReplyColumns",
    "ReplyFlag",
    "ReplySettings",
    "SimilarReplies",
    "as_labels",
    "by_form",
    "consequences",
    "context_codes",
    "contexts",
    "describe",
    "holds",
    "least_named",
    "locate",
    "merge",
    "prompt_coherence",
    "recurring_names",
    "reply_coherence",
    "rows_outside",
    "similar_replies",
    "summarize",
    "thin",
    "with_rows_outside",
]
