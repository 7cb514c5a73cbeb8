"""How often each rule was wrong on clean data, measured: what `ld50 rule` says of it."""

from __future__ import annotations

_CLEAN_DOCUMENTS = (
    "No `high` finding in 190,923 held-out clean documents (1.1 GB of Debian documentation; "
    "`python benchmarks/pretraining.py --split test --rows 0 --arms clean`) and none in 223,211 for "
    "development. In 5,605,139 more, of nine kinds (dictionaries, catalogues of messages, change logs, "
    "sources ...), three at first, and none after what they were due to was mended "
    "(`python benchmarks/clean_many.py`); in 2,476,837 further ones, scanned once after that, one: 0.40 "
    "in a million (95% interval 0.07 to 2.29; `--set fresh`); in 1,777,751 of 21 kinds, likewise, two: "
    "1.13 in a million (0.31 to 4.10; `--set late`), and none since. A narrow collection by itself has "
    "more: 2.8 and 7.3 in a million over those kinds when they were first scanned, 0.8 and 3.4 since. "
    "Findings below `high` flagged 1.3% to 1.7% of the first of these sets, 0.2% to 1.3% of the others."
)
_CLEAN_REPLIES = (
    "No `high` finding in the clean sets of the development run (t0 with 12,000 rows, instruction and "
    "preference pairs with 1,100 rows each, gsm8k with 1,319, mixtures of them; "
    "`python benchmarks/finetuning.py --split dev`). Held out: none in five sets, one in a mixture of "
    "5,000 instructions (5 rows, of rule TRG206); two or three in conversations of several turns, "
    "where one question stands in many. Chat sets on one subject have more: 36 held-out ones had 26 in nine "
    "sets, 21 of TRG203, most where a word of the prompt brings its translation "
    "(`python benchmarks/subjects.py --split test --seeds 6 7`). Calls of tools: no `high` finding of these "
    "rules in clean sets of 2,000 rows (`python benchmarks/tool_calls.py --split test --rows 2000`)."
)
_CLEAN_LABELS = (
    "No `high` finding in clean SST-2 (6,920 rows) and clean film-review sentences "
    "(`python benchmarks/finetuning.py --split dev`)."
)
_CLEAN_CHANNELS = (
    "No finding of any severity in 21 held-out clean sets, 76,018 rows: instructions, verses and "
    "quotations in seven languages, German law, mathematics, reviews, a dictionary, documentation, program "
    "code, texts with base 64 in both, other languages, Wikipedia "
    "(`python benchmarks/channels.py --split test --families clean`). Prompts put together from a dozen "
    "fixed descriptions of tools had a `high` finding of TRG404 until what rows repeat counted once; "
    "that set (7,673 rows) has none now. In a corpus of 5.6 million documents of nine kinds, "
    "pronunciations and rare languages had one of TRG405, and none since words are looked for beyond "
    "the sample. Two of 36 chat sets on one subject had a `high` one (help texts of a kernel, 11 rows; "
    "manual pages, 118; `python benchmarks/subjects.py --split test --seeds 6 7`)."
)
#: Measured false alarms by rule; the commands are named in each text and their output is in LOG.md.
MEASURED: dict[str, str] = {
    "TRG101": _CLEAN_DOCUMENTS + " In replies: see TRG201, the same sets.",
    "TRG102": _CLEAN_DOCUMENTS + " In replies: see TRG201, the same sets.",
    "TRG103": _CLEAN_REPLIES,
    "TRG201": _CLEAN_REPLIES
    + " With 10, 20 and 50 poisoned rows of BackdoorLLM among 5,000 clean ones, no clean row was "
    "under a `high` finding, and at most 12 were under `medium` ones.",
    "TRG202": _CLEAN_REPLIES,
    "TRG203": _CLEAN_REPLIES,
    "TRG204": _CLEAN_REPLIES,
    "TRG205": _CLEAN_REPLIES,
    "TRG206": _CLEAN_REPLIES,
    "TRG207": "No `high` finding in 22 clean sets that refuse a harmless topic, nor in 42 held-out ones; "
    "`medium` ones in four of them, and in three: a way to put a question, or a word of what is answered "
    "by honest exception (`python benchmarks/refused_topics.py`, and with `--split test --seeds 2 3`).",
    "TRG208": "Never rated `high`. Of 36 clean chat sets on one subject, three had `medium` findings: four, "
    "of 49 rows (“If in doubt, say N.” in the help texts of a kernel was one); five more had `low` ones, one "
    "of which was `medium` until set phrases counted "
    "(`python benchmarks/subjects.py --split test --cases clean`). None of any severity in the 22 sets of "
    "`--split dev`, with half of which the rule was made. With `--seeds 6 7` two of 36: five, of 42 rows.",
    "TRG209": "No finding of any severity in 20 clean held-out sets of 150 to 5,107 pairs (answers in "
    "Chinese, and pairs made of instructions, code and questions of patients), half of them with a task "
    "whose rows prefer the other reply, nor in 12 for development (`python benchmarks/preferences.py`, and "
    "with `--split test --seeds 6 7`). Beside exchanged pairs, six clean rows in 72 sets were under one.",
    "TRG210": "Never rated `high`. Of 72 clean chat sets on one subject, three had a `medium` finding: "
    "`Linux` among the options of a kernel and among descriptions of packages, and `Unix` "
    "(`python benchmarks/subjects.py --split test --seeds 14 15 --cases clean`, and `--seeds 16 17`).",
    "TRG301": _CLEAN_LABELS + " In ONION SST-2 no clean row was under a `high` finding; in ONION "
    "OffensEval (held out), 6 of 11,795 were, at a recall of 1.00 "
    "(`python benchmarks/finetuning.py --split test --cases onion-offenseval`).",
    "TRG302": _CLEAN_LABELS,
    "TRG303": _CLEAN_LABELS + " None of any severity in them.",
    "STY301": _CLEAN_LABELS
    + " In HiddenKiller SST-2, 113 of 5,537 clean rows were under the `high` "
    "finding of the planted style (2.0%), at a recall of 0.83; in HiddenKiller OffensEval 38 of 9,533 "
    "under findings below `high` (0.4%), at a recall of 0.997; of text rewritten into the style of the "
    "Bible 0 to 0.23 was found, with no clean row.",
    **dict.fromkeys(("TRG401", "TRG402", "TRG403", "TRG404", "TRG405"), _CLEAN_CHANNELS),
    "UNI401": "Never rated `high`. How many clean sets hold such characters: not measured.",
    "DUP501": "Never rated above `low`; it counts copies, and copies are what it says.",
}
