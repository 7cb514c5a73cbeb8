"""What is told without a test: copies, and characters that cannot be seen."""

from __future__ import annotations

from ld50.scan.rulebook.rule import text_rule

RULES = [
    text_rule(
        "UNI401",
        "unusual-characters",
        "Characters that a reader does not see, or takes for others, in a few rows",
        "Zero-width, tag, bidirectional and private-use characters, and words that mix alphabets, "
        "where they are rare in the corpus. Told even without a consequence, never rated high "
        "alone.",
        "A trigger that nobody can see is still a token for the model.",
        "- Corpora in which more than 1% of the rows hold them.\n- Characters that only few fonts "
        "tell apart but that belong to one alphabet.",
        "`the pay\u200bment was late` with U+200B inside the word.",
        source="Counting. Used as causes by the other rules as well.",
        remedy="Normalise the text, or take the rows out after a look.",
    ),
    text_rule(
        "DUP501",
        "duplicated-rows",
        "The same row again and again",
        "Groups of at least ten rows with the same text, once case and white space are ignored.",
        "Repeats of one document multiply its dose.",
        "- Near-duplicates.\n- In corpora of more than 4 million rows a sample by hash is looked "
        "at, each text with all of its copies, and counts are of the sample.",
        "One document, 250 times.",
        source="Counting of 64-bit hashes.",
        remedy="Deduplicate before training. `--remove low` leaves these rows alone: those listed are "
        "examples.",
    ),
]
