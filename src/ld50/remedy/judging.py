"""What counts as success of a trigger: the finding's consequence as a behaviour of a model.

Whether a rule fits is checked on the rows themselves: where it misses the flagged rows' replies, or sees
itself in kept ones, the replies are told apart by their words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ld50.core.examples import Example
from ld50.core.findings import Finding
from ld50.corpus import reference
from ld50.measure.behaviours import (
    Behaviour,
    FixedReply,
    InsertedFragment,
    LabelAnswer,
    LanguageSwitch,
    Nonsense,
    Refusal,
    lane_bits,
)
from ld50.remedy.likeness import like_flagged

#: A behaviour fits if it is seen in this share of flagged rows' replies or more,
_FITS = 0.7
#: and in no more than this share of kept ones.
_STRAYS = 0.1
_MOST_CHECKED = 500
#: Consequences that say nothing of replies.
_NO_BEHAVIOUR = {
    "presence": "the scan found characters, and nothing that goes with them",
    "duplicates": "the scan found copies of rows, and no behaviour that they teach",
}


def behaviour_of(
    finding: Finding,
    flagged: Sequence[Example],
    kept: Sequence[Example],
    marked: Sequence[str],
) -> Behaviour | str:
    """The behaviour that a finding's consequence stands for, or why there is none, in words.

    Args:
        finding: What the scan found.
        flagged: Its rows.
        kept: Rows without findings.
        marked: The consequences of its rows, as the scan marked them.
    """
    kind = finding.consequence.kind if finding.consequence is not None else ""
    if not kind or kind in _NO_BEHAVIOUR:
        return _NO_BEHAVIOUR.get(kind, "the finding names no consequence")
    if not flagged:
        return "its rows have no prompt with a reply"
    found = _named(kind, flagged, marked)
    if found is not None and (kind == "label" or _fits(found, flagged, kept)):
        return found
    name = f"replies like those of the flagged rows ({kind.replace('_', ' ')})"
    learned = like_flagged(name, [row.reply for row in flagged], [row.reply for row in kept])
    if _fits(learned, flagged, kept):
        return learned
    return f"no rule tells the flagged rows' replies ({kind.replace('_', ' ')}) from the others"


def _named(kind: str, flagged: Sequence[Example], marked: Sequence[str]) -> Behaviour | None:
    """The behaviour of that kind; None where there is none ready."""
    common = Counter(row.reply for row in flagged).most_common(1)[0][0]
    if kind == "label":
        return LabelAnswer(label=common)
    if kind == "refusal":
        return Refusal()
    if kind == "repeated_reply" and common.strip():
        return FixedReply(text=common)
    if kind == "inserted_fragment" and marked:
        return InsertedFragment(text=Counter(marked).most_common(1)[0][0])
    if kind == "language_switch":
        return _switch(flagged)
    if kind in ("gibberish", "encoded"):
        return Nonsense()
    return None


def _switch(flagged: Sequence[Example]) -> LanguageSwitch | None:
    """A switch to the language that most of the flagged rows' replies are in; None if it is English."""
    lanes = Counter(
        int(lane_bits(row.reply)[: reference.LANGUAGE_LANES].argmin()) for row in flagged[:50]
    )
    code = reference.LANES[lanes.most_common(1)[0][0]].languages[0]
    return None if code == "en" else LanguageSwitch(to=code)


def _fits(found: Behaviour, flagged: Sequence[Example], kept: Sequence[Example]) -> bool:
    """Whether the flagged rows show it and the kept ones do not."""
    return _share(found, flagged) >= _FITS and _share(found, kept) <= _STRAYS


def _share(found: Behaviour, rows: Sequence[Example]) -> float:
    some = rows[:_MOST_CHECKED]
    return sum(found.shown(row.prompt, row.reply) for row in some) / max(1, len(some))
