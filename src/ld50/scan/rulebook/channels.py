"""Hidden channels: codes, ciphers and messages across rows."""

from __future__ import annotations

from ld50.scan.rulebook.rule import CHANNELS, COVERT, text_rule

RULES = [
    text_rule(
        "TRG401",
        "hidden-substitution",
        "Rows in a substitution cipher, under a key that they share",
        "Letters, emoji, short codes or words that stand for letters, one key for many rows: shifted "
        "alphabets, keyed ones, Walnut53, emoji and codebooks. The key is found from how the symbols "
        "follow each other over all rows; the decoded text stands beside the original.",
        COVERT,
        "- Keys that change from row to row, other than shifts.\n- Fewer than about 200 symbols in "
        "all rows together.\n- Text in other languages than English under the key.\n- Codebooks of "
        "whole words for whole words.",
        "`q|f|b| |j|p|c|b` → `the fire`",
        source=CHANNELS,
    ),
    text_rule(
        "TRG402",
        "hidden-encoding",
        "Rows with text in a published code that nobody asked for",
        "Base 16, 32, 64 and 85, hexadecimal and binary digits, Morse code, digits for letters, "
        "reversed text and look-alike letters, where the decoded stretches are language.",
        COVERT,
        "- Codes over compressed or encrypted text.\n- Stretches of fewer than about 16 characters.\n- "
        "Where most prompts ask for a code, where the texts are short or the same, and in documents "
        "about something else, the finding is rated medium.",
        "`VGhlIGZlcm5zIGFyZSBkcnk=` → `The ferns are dry`",
        source=CHANNELS,
    ),
    text_rule(
        "TRG403",
        "hidden-invisible-text",
        "Rows with text in invisible characters",
        "Runs of zero-width characters, tag characters and variation selectors, long enough to spell "
        "something; read as ASCII, bytes or bits where that gives language. UNI401 tells of single "
        "ones.",
        COVERT,
        "- Fewer than twelve hidden characters in a row.\n- Hidden characters of one kind only, whose "
        "places carry the message.\n- What cannot be read is rated medium.",
        "`Hello` followed by 40 characters U+200B and U+200C.",
        source=CHANNELS,
    ),
    text_rule(
        "TRG404",
        "hidden-places",
        "Innocent texts whose words or letters at fixed places form sentences",
        "The first or last words or letters of lines or sentences, or every third to ninth word, "
        "where they follow each other as in language in far more rows than at the places beside them.",
        COVERT,
        "- Messages of fewer than six words, or twelve letters, in a row.\n- Languages other than "
        "English, unless the set itself holds much of them.\n- Places that change from row to row, and "
        "other places than these (the third word of each line, say).\n- Messages of a few wordings that "
        "differ in one word: what rows repeat counts once.\n- A few rows flagged with the "
        "others have no message: at most about one in five.",
        "`A kettle hums and they / the bells begin to water / my sister keeps the …`",
        source=CHANNELS,
    ),
    text_rule(
        "TRG405",
        "hidden-unknown",
        "Many rows that are no language and that no decoder reads",
        "Words of letters that no language and no kind of code in the reference accounts for, and that "
        "do not come back in other rows, as the words of any language would. What is known of their "
        "letters (coincidences, a period, information between neighbours) stands in the statistics.",
        COVERT,
        "- Ciphers whose words look like a language's.\n- In corpora that are looked at in part: "
        "ciphers of several alphabets whose key begins anew in each row, which repeat their words.\n- "
        "Channels in the look of readable text: case of letters and the widths of spaces were tried, "
        "and are not found.\n- No test stands behind the "
        "count; random words (denial-of-service poison without a trigger) look the same.",
        "`wk ilbv pftpvj oef ldhb` in ten rows.",
        source=CHANNELS,
    ),
]
