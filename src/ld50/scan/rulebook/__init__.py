"""Every rule of the scanner, with what it finds, what it cannot, and how often it is wrong."""

from __future__ import annotations

from ld50.core.rules import RuleBook
from ld50.scan.rulebook import channels, labels, presence, replies, texts

RULES = RuleBook(
    [
        *texts.RULES,
        *replies.RULES,
        *labels.RULES,
        *channels.RULES,
        *presence.RULES,
    ]
)
