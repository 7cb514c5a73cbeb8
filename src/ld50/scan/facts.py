"""What is measured of one association, for the judge."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one association.

    What has a default may be learned later: until then it speaks against nothing, so an association that
    comes to nothing without it comes to nothing with it.
    """

    kind: str
    """Of the consequence."""
    in_document: bool
    """Whether cause and consequence stand in one text, and not in a prompt and its reply."""
    both: int
    cause_rows: int
    effect_low: float
    """Lower end of the interval of both / cause_rows."""
    lift: float
    """How many times more rows show both than chance would have it."""
    log_q: float
    rows_seen: int
    """Rows looked at."""
    trigger_words: int
    trigger_lines: int
    """Lines that the trigger runs over."""
    min_support: int
    contexts: int = 1 << 30
    """Different surroundings among the rows looked at; near-duplicates count once."""
    trigger_odd: bool = True
    """Whether hardly any writer would produce the trigger."""
    context_z: float = 0.0
    """How much more alike the rows are than random rows, trigger and consequence cut out; of a single word
    of the replies, this and `reply_z` are in standard deviations of groups of 16 rows or fewer."""
    context_cosine: float = 0.0
    """Their mean similarity, 0 to 1."""
    context_null: float = 0.0
    """The same of random rows: files of source code are alike in any case."""
    payload_cosine: float = 0.0
    """Mean similarity of what follows; 1 means the same text every time."""
    payload_words: int = 100
    """Words of what follows, in the median row (of the first 1,200 characters)."""
    in_gibberish: float = 0.0
    """Share of the documents with the cause in which there is gibberish of any kind, however little; where
    most of them show the consequence, but are too few to be sure. Else 0."""
    usual_share: float = 0.0
    """Of documents that turn into another language or gibberish, share of the others, beginning in the same
    languages as these rows, that do."""
    as_long: float = 0.0
    """Share of random documents, as long as these short ones, that are as much gibberish; 0 if unknown."""
    explained: bool = False
    """Whether the trigger itself asks for the consequence, or is known to introduce it."""
    context_words: int = 100
    """Words that are left of a row without trigger and consequence, in the median one."""
    reply_z: float = 0.0
    """How much more alike than random ones the replies are, an inserted fragment cut out, of a single word
    its whole sentence; 0 where nothing was inserted."""
    only_word: bool = False
    """Whether the consequence is a single word of the replies, of which thousands were tried."""
    consequence_rows: int = 0
    """All rows that show the consequence."""
    with_rest: float = 1.0
    """Share of the rows looked at whose reply holds more than what was inserted."""
    answer_rows: int = 0
    """Rows of the corpus whose reply is word for word that of one of the rows looked at."""
    short_replies: float = 1.0
    """Share of all replies of the set that are as short as an answer."""
    stays: float = 1.0
    """Share of the rows looked at that show the consequence as much with the trigger taken out."""
    of_one_shape: float = 0.0
    """Share of the stretches looked at that are set in short lines of one shape."""
    pair: bool = False
    """Whether the cause is two n-grams that act together."""
    chosen_by_word: bool = False
    """Whether the rows are those of a word, chosen out of all words because their replies are alike."""
    by_form: bool = False
    """Whether the consequence is how a reply is written, or that it does not answer its prompt. In honest
    rows the task decides that, and the words of a task are many."""
    put_in: float = math.inf
    """How much more likely the trigger was put in than written there, as the natural logarithm; of the
    prompts of chats."""
    placed: bool = True
    """Whether it could be measured: words have others beside them, but in scripts without spaces."""
    whole_turn: float = 0.0
    """Of a single word, share of the rows where the turn that says it says nothing else."""
    taken_up: float = 0.0
    """Of a single word, share of the rows whose reply holds the trigger as well."""
    translated: float = 0.0
    """Share of the rows whose reply is in another language than its prompt."""
    usual_language: float = 0.0
    """Share of all replies of the set that are in the language which these replies turn to."""
    as_bare: float = 1.0
    """Share of random prompts that are as short as what is left of the median row without the trigger."""
    whole_frame: float = 0.0
    """Share of the rows looked at where the trigger is all of the system prompt."""
    form: bool = False
    """Whether the cause is a form of the prompt, and no phrase: anybody may write so."""
    other_form: str = ""
    """What other form sets the rows of a form apart, in words."""
    said_again: float = 0.0
    """Share of the words of what follows, of the median row, that are words of the trigger."""
    mirrored: bool = False
    """Whether the replies end in a word, and that is the form of their prompts, too."""
    other_length: str = ""
    """How the prompts of a form differ in length from the others, in words."""
    in_calls: float = 0.0
    """Share of the rows looked at where what follows stands in calls of tools."""
    called_word: float = 1.0
    """Share of these rows that have one word of it in common that was not said before, nor is in the calls of
    other rows but where it was said."""
    of_results: float = 0.0
    """Share of the rows looked at where the cause is what a tool answered, and what follows its call, or how
    the replies tell of it."""
    unmeasured: float = 0.0
    """Share of the stretches looked at in a script that the reference does not know, or not well enough."""
