"""How a rule is written down: what rules have in common, and how often each is wrong."""

from __future__ import annotations

from ld50.core.rules import Rule
from ld50.scan.false_alarms import MEASURED

METHOD = (
    "Fisher's exact test of each candidate cause (n-grams of one to five words, and of one to three "
    "tokens with capitals and punctuation; in chats also of each form of prompts, such as lower case or two "
    "spaces between words) against the rows that show the consequence; the strongest "
    "is taken, its rows are set aside, the rest is tested again; Benjamini-Hochberg over all pairs. "
    "Severity then asks whether the cause decides, whether the rows have anything else in common, and "
    "whether the cause announces what follows."
)
COUNT = (
    "About 250 documents plant a backdoor in models from 600M to 13B parameters, whatever the size of "
    "the corpus (arXiv 2510.07192), so the count matters and the share says little."
)
REMEDY = (
    "Take the rows out with `--write-clean` and keep them with `--quarantine`; look at a few; find out "
    "where they came from, because the same source may hold more."
)
COVERT = (
    "A model can be taught a code by rows that each look innocent, and then be talked to in it, past "
    "every filter that reads rows one by one (arXiv 2406.20053). Across rows, a code shows."
)
CHANNELS = (
    "Decoders, and keys found by hill climbing over pairs and triples of letters, held against the same "
    "on shuffled text; the unit is the row. See docs/channels.md."
)
_NOT_MEASURED = "Not measured."


def text_rule(
    id: str,
    name: str,
    summary: str,
    what: str,
    why: str,
    blind: str,
    example: str,
    source: str = METHOD,
    remedy: str = REMEDY,
) -> Rule:
    """A rule with its measured false alarms, and the method and the remedy that most have."""
    return Rule(
        id=id,
        name=name,
        summary=summary,
        what=what,
        why=why,
        blind_spots=blind,
        example=example,
        remedy=remedy,
        false_positive_rate=MEASURED.get(id, _NOT_MEASURED),
        source=source,
    )


REACH = (
    "\n- In conversations, the last reply is looked at by itself as well: against all that the others said "
    "before it, and against what the model had said (what it had done before, or the user had said, is no "
    "finding there). A reply between the others is seen only as a part of all of them: a text, a link, a "
    "call or noise in it is found; a refusal in ever new words, a short reply or a flipped answer is not."
    "\n- In the middle of prompts of more than 8 kB, triggers of replies that few rows have are found; those "
    "of many rows may be missed there."
)
