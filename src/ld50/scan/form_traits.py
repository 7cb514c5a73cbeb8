"""What else prompts of one form have in common: a source of rows has a manner, and seldom in one way only.

Rows that somebody chose to rewrite into a form are like all others in everything else. Those of a source
that writes in lower case also end otherwise than the rest, or are shorter.
"""

from __future__ import annotations

import math

import numpy as np

from ld50.scan.forms import FORMS, NO_MARK_AT_THE_END
from ld50.scan.prompt_forms import PromptForms
from ld50.scan.replies import ConsequenceGroup
from ld50.scan.statistics import log_hypergeometric_tail

#: A share of the rows differs by so much, and as surely as this (natural logarithm of its chance).
_DIFFERENCE, _SURE = 0.25, math.log(1e-6)
#: Words of the prompts: so likely is one of them longer (or shorter) than one of the others, and so many
#: standard deviations of chance is that.
_LONGER, _DEVIATIONS = 0.65, 5.0
#: Whoever rewrites a prompt may well take its line breaks out.
_LINES = "with a line break"


def is_mirrored(number: int, group: ConsequenceGroup) -> bool:
    """Whether replies that end in a word are those to prompts that do: a translation keeps their marks."""
    return group.form == "cut" and FORMS[number].text.endswith(NO_MARK_AT_THE_END)


def other_traits(forms: PromptForms, number: int, rows: np.ndarray) -> str:
    """What form sets rows of one form apart from all others beside it, in words; empty if none does.

    Args:
        forms: Of all prompts.
        number: Of the form.
        rows: int64, rising: ordinals of the rows that have the form, and a consequence.
    """
    inside = np.isin(forms.rows, rows, assume_unique=True)
    many, others = int(inside.sum()), int((~inside).sum())
    if not many or not others:
        return ""
    own = set(FORMS[number].aspect.split())
    for other, form in enumerate(FORMS):
        if own & set(form.aspect.split()) or form.text.endswith(_LINES):
            continue
        has = forms.has(other)
        total, both = int(has.sum()), int((has & inside).sum())
        more = both / many - (total - both) / others
        if abs(more) < _DIFFERENCE:
            continue
        seen, frequency = (both, total) if more > 0 else (many - both, len(has) - total)
        tail = log_hypergeometric_tail(np.array([seen]), np.array([frequency]), many, len(has))
        if tail[0] < _SURE:
            return form.text if more > 0 else f"hardly {form.text}"
    return ""


def other_length(forms: PromptForms, words: np.ndarray, rows: np.ndarray) -> str:
    """Whether some rows are longer or shorter than all others, by the rank test of Mann and Whitney.

    Args:
        forms: Of all prompts.
        words: int (prompts,): length of each, in the order of `forms`.
        rows: int64, rising: ordinals.
    """
    inside = np.isin(forms.rows, rows, assume_unique=True)
    if not inside.any() or inside.all():
        return ""
    many, others = int(inside.sum()), int((~inside).sum())
    ordered = np.sort(words[~inside])
    below = np.searchsorted(ordered, words[inside], side="left")
    upto = np.searchsorted(ordered, words[inside], side="right")
    longer = float((below + upto).sum()) / (2 * many * others)
    spread = math.sqrt((many + others + 1) / (12 * many * others))
    if abs(longer - 0.5) < max(_LONGER - 0.5, _DEVIATIONS * spread):
        return ""
    return "longer prompts" if longer > 0.5 else "shorter prompts"
