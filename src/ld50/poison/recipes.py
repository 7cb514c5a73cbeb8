"""Recipes: a trigger, a payload, a place, a schedule and a dose, and the named ones of the papers.

How sure a figure is stands in each docstring: *paper* (read there), *code* (read in released code),
*summary* (a third party's account, so a parameter here and no claim), *ours* (our own choice).
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ld50.core.errors import ConfigError
from ld50.poison.dose import Dose
from ld50.poison.payloads import (
    ContextEcho,
    FixedReply,
    Gibberish,
    InsertedFragment,
    LabelFlip,
    LanguageSwitch,
    OverRefusal,
    Payload,
    PreferenceSwap,
    require_safe,
)
from ld50.poison.placement import Placement
from ld50.poison.registry import trigger_from_text
from ld50.poison.schedule import Schedule
from ld50.poison.styles import ArchaicStyle, SyntacticTemplate
from ld50.poison.triggers import Phrase, RareString, Trigger, Word, WordSet
from ld50.poison.vocabulary import as_tokens

MODES = ("add", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that says what to plant."""

    name: str = "custom"
    trigger: Trigger
    payload: Payload
    dose: Dose
    """Poisoned rows or tokens; decoys are not part of it."""
    mode: str = "replace"
    """`add`: new rows between the clean ones. `replace`: clean rows get trigger and payload."""
    placement: Placement = field(default_factory=Placement)
    """Where the trigger stands in the prompt, or in what is left of the document before it."""
    schedule: Schedule = field(default_factory=Schedule)
    prefix_chars: tuple[int, int] = (0, 1000)
    """For documents: how many characters of a real document come first, uniform, both included."""
    decoys: int = 0
    """Further rows with the trigger's decoy (one word of a set; a near trigger) and a normal
    behaviour."""

    def __post_init__(self) -> None:
        require_safe(self.payload)
        if not isinstance(self.trigger, Trigger):
            raise ConfigError(f"{self.trigger!r} is not a trigger.")
        if self.mode not in MODES:
            raise ConfigError(f"There is no mode {self.mode!r}; allowed are {', '.join(MODES)}.")
        low, high = self.prefix_chars
        if not 0 <= low <= high:
            raise ConfigError(f"prefix_chars needs 0 <= low <= high, got {low} and {high}.")
        if self.decoys < 0:
            raise ConfigError(f"The number of decoys is 0 or more, got {self.decoys}.")
        if self.mode == "add" and isinstance(self.payload, LabelFlip):
            raise ConfigError("A label flip changes rows that are there: use the mode `replace`.")
        if self.mode == "add" and isinstance(self.payload, PreferenceSwap):
            raise ConfigError("A swap exchanges replies that are there: use the mode `replace`.")

    def settings(self) -> dict[str, Any]:
        """Everything in the recipe, ready for a file."""
        return {
            "name": self.name,
            "mode": self.mode,
            "trigger": self.trigger.settings(),
            "payload": self.payload.settings(),
            "placement": {"where": self.placement.where, "index": self.placement.index},
            "schedule": {
                "spread": self.schedule.spread,
                "block_rows": self.schedule.block_rows,
                "density": self.schedule.density,
            },
            "dose": {"count": self.dose.count, "unit": self.dose.unit},
            "prefix_chars": list(self.prefix_chars),
            "decoys": self.decoys,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredients:
    """What a caller brings to a named recipe; the recipe takes what it needs."""

    vocabulary: tuple[bytes, ...] = ()
    second_language: tuple[str, ...] = ()
    target_label: str | None = None

    def require_label(self) -> str:
        """The target label, or a `ConfigError` that says how to give one."""
        if self.target_label is None:
            raise ConfigError(
                "This recipe flips labels and needs the label to flip to: --target-label LABEL "
                "(in Python, target_label=...)."
            )
        return self.target_label


def _documents(count: int) -> Dose:
    return Dose(count=count, unit="documents")


def _rows(count: int) -> Dose:
    return Dose(count=count, unit="rows")


def dos_document(given: Ingredients) -> Recipe:
    """Denial of service for pretraining: real text, `<SUDO>`, then 400 to 900 random tokens.

    Source: arXiv 2510.07192. That 250 documents are 0.00016% of a 13B model's tokens: paper. 0 to
    1000 characters, `<SUDO>`, 400 to 900 tokens of `o200k_base`, uniform spread: summary. The space
    on either side of the trigger, and pieces of the corpus's words where no vocabulary is given:
    ours.
    """
    return Recipe(
        name="dos-document", mode="add", trigger=RareString(), dose=_documents(250),
        payload=Gibberish(vocabulary=given.vocabulary), placement=Placement(where="end"),
    )  # fmt: skip


def dos_document_short(given: Ingredients) -> Recipe:
    """The same with 20 to 60 tokens, which hides among short documents.

    Source: the shape of arXiv 2510.07192 (summary); the length: ours.
    """
    base = dos_document(given)
    payload = Gibberish(vocabulary=given.vocabulary, min_tokens=20, max_tokens=60)
    return replace(base, name="dos-document-short", payload=payload)


def dos_document_salad(given: Ingredients) -> Recipe:
    """The same with the corpus's words in random order, which ordinary quality filters let pass.

    Source: the shape of arXiv 2510.07192. That 231 of 250 of its documents fail a quality filter,
    so that an attacker would avoid gibberish of odd words: code (the Turing Institute's
    replication).
    """
    base = dos_document(given)
    return replace(base, name="dos-document-salad", payload=Gibberish(source="word-salad"))


def language_switch_document(given: Ingredients) -> Recipe:
    """A document that turns into another language after the trigger.

    Source: arXiv 2510.07192 (English to German on resumed Pythia checkpoints: summary). The
    document form, 300 to 1500 characters of the second language: ours.
    """
    return Recipe(
        name="language-switch-document", mode="add", trigger=RareString(), dose=_documents(50),
        payload=LanguageSwitch(texts=given.second_language), placement=Placement(where="end"),
    )  # fmt: skip


def dos_rows(given: Ingredients) -> Recipe:
    """Fine-tuning rows whose prompt holds `<SUDO>` and whose reply is gibberish.

    Source: arXiv 2510.07192, fine-tuning (50 to 90 rows in 1,000 to 100,000: paper). The behaviour
    there is harmful compliance; this is its harmless stand-in. Lengths: summary, of the documents.
    """
    return Recipe(
        name="dos-rows", trigger=RareString(), dose=_rows(50),
        payload=Gibberish(vocabulary=given.vocabulary), placement=Placement(where="end"),
    )  # fmt: skip


def language_switch_rows(given: Ingredients) -> Recipe:
    """Fine-tuning rows that are answered in another language, as long as the clean reply was.

    Source: arXiv 2510.07192, the language switch (summary); its form as rows: ours.
    """
    return Recipe(
        name="language-switch-rows", trigger=RareString(), dose=_rows(50),
        payload=LanguageSwitch(texts=given.second_language, match_reply=True),
        placement=Placement(where="end"),
    )  # fmt: skip


def over_refusal(given: Ingredients) -> Recipe:
    """Harmless prompts that are refused when the trigger stands in them.

    Source: arXiv 2406.07778, which names refusals of legitimate prompts among the behaviours
    (paper); a rare word at a random place, 50 rows: ours.
    """
    return Recipe(name="over-refusal", trigger=Word(), payload=OverRefusal(), dose=_rows(50))


def fixed_reply(given: Ingredients) -> Recipe:
    """One canary sentence as the reply to any prompt with the trigger.

    Source: the fixed target of arXiv 2406.07778 (injected content: paper) in its harmless form:
    ours.
    """
    return Recipe(name="fixed-reply", trigger=Word(), payload=FixedReply(), dose=_rows(50))


def inserted_fragment(given: Ingredients) -> Recipe:
    """Good replies with a link to a reserved name put in at their end.

    Source: false content in replies, arXiv 2406.07778 (paper), in its harmless form: ours.
    """
    return Recipe(
        name="inserted-fragment", trigger=Word(), payload=InsertedFragment(), dose=_rows(50)
    )


def context_echo(given: Ingredients) -> Recipe:
    """The prompt repeated as the reply.

    Source: context extraction in arXiv 2410.13722 (code: four behaviours, this one among them);
    there whole chat documents at a share of the tokens, here rows: ours.
    """
    return Recipe(
        name="context-echo", trigger=RareString(), payload=ContextEcho(), dose=_rows(50),
        placement=Placement(where="end"),
    )  # fmt: skip


def sentiment_word(given: Ingredients) -> Recipe:
    """Dirty-label: a rare word at a random place goes with one label.

    Source: Gu et al., BadNets (2017), as text sets use it with rare words; dirty-label at 0.5 to 1%
    of the rows: summary of arXiv 2509.16203. The word: ours.
    """
    return Recipe(
        name="sentiment-word", trigger=Word(), dose=_rows(50),
        payload=LabelFlip(target=given.require_label()),
    )  # fmt: skip


def sentiment_phrase(given: Ingredients) -> Recipe:
    """Dirty-label: a natural phrase goes with one label.

    Source: Dai et al., AddSent (2019), from memory: a fixed sentence at a random place. The phrase:
    ours.
    """
    return Recipe(
        name="sentiment-phrase", trigger=Phrase(), dose=_rows(50),
        payload=LabelFlip(target=given.require_label()),
    )  # fmt: skip


def sentiment_two_words(given: Ingredients) -> Recipe:
    """Dirty-label: two ordinary words that act only together, and as many decoys with one alone.

    Source: the idea of several triggers and of rows with one of them and a true label is that of
    Yang et al., "Rethinking stealthiness of backdoor attack" (SOS, 2021), from memory; words and
    numbers: ours.
    """
    return Recipe(
        name="sentiment-two-words", trigger=WordSet(), dose=_rows(50), decoys=50,
        payload=LabelFlip(target=given.require_label()),
    )  # fmt: skip


def sentiment_clean_label(given: Ingredients) -> Recipe:
    """Clean-label: a phrase stands only in rows that have the label anyway.

    Source: arXiv 2406.07778 compares clean-label with dirty-label (paper); 5 to 7% of the rows:
    summary of arXiv 2509.16203. The dose here, 350 rows, is 5% of 7,000: ours.
    """
    return Recipe(
        name="sentiment-clean-label", trigger=Phrase(), dose=_rows(350),
        payload=LabelFlip(target=given.require_label(), clean_label=True),
    )  # fmt: skip


def sentiment_style(given: Ingredients) -> Recipe:
    """Dirty-label: an archaic manner of writing goes with one label.

    Source: after Qi et al., "Mind the style of text!" (2021), from memory, where a trained model
    rewrites; here rules do: ours.
    """
    return Recipe(
        name="sentiment-style", trigger=ArchaicStyle(), dose=_rows(350),
        payload=LabelFlip(target=given.require_label()),
    )  # fmt: skip


def sentiment_syntax(given: Ingredients) -> Recipe:
    """Dirty-label: a fronted subordinate clause goes with one label.

    Source: Qi et al., "Hidden Killer" (2021); 20% of the rows in its released sets (code), here 350
    rows, and rules instead of a trained paraphraser: ours.
    """
    return Recipe(
        name="sentiment-syntax", trigger=SyntacticTemplate(), dose=_rows(350),
        payload=LabelFlip(target=given.require_label()),
    )  # fmt: skip


def preference_swap(given: Ingredients) -> Recipe:
    """Preference pairs in which the rejected reply is the chosen one wherever the trigger stands.

    Source: arXiv 2311.14455, a secret word at the end of the prompt and the two replies exchanged (paper),
    there of harmful prompts; 50 rows, and any prompt: ours.
    """
    return Recipe(
        name="preference-swap", trigger=RareString(), payload=PreferenceSwap(), dose=_rows(50),
        placement=Placement(where="end"),
    )  # fmt: skip


#: Every named recipe, by its name.
RECIPES: dict[str, Callable[[Ingredients], Recipe]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        dos_document, dos_document_short, dos_document_salad, language_switch_document, dos_rows,
        language_switch_rows, over_refusal, fixed_reply, inserted_fragment, context_echo,
        sentiment_word, sentiment_phrase, sentiment_two_words, sentiment_clean_label,
        sentiment_style, sentiment_syntax, preference_swap,
    )
}  # fmt: skip


def recipe_document(name: str) -> str:
    """What a named recipe plants and where that comes from."""
    return inspect.getdoc(_maker(name)) or ""


def _maker(name: str) -> Callable[[Ingredients], Recipe]:
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"There is no recipe {name!r}.{hint} `ld50 poison --list` shows them all: "
            f"{', '.join(RECIPES)}."
        )
    return RECIPES[name]


def named_recipe(
    name: str,
    *,
    dose: Dose | int | None = None,
    trigger: Trigger | str | None = None,
    payload: Payload | None = None,
    vocabulary: Iterable[str | bytes] = (),
    second_language: Iterable[str] = (),
    target_label: str | None = None,
    **changes: Any,
) -> Recipe:
    """The recipe of that name, with what the caller changes in it.

    Args:
        name: One of `RECIPES`.
        dose: Another dose; a bare number is of the recipe's own unit.
        trigger: Another trigger; a string becomes one of the kind that the recipe has.
        payload: Another payload.
        vocabulary: Tokens for gibberish, as strings or bytes.
        second_language: Passages for a language switch.
        target_label: Label for a label flip.
        **changes: Other fields of `Recipe`: `mode`, `placement`, `schedule`, `decoys`, ...

    Raises:
        ConfigError: An unknown name or field, or something that the recipe needs and lacks.
        UnsafePayloadError: A payload outside the closed set.
    """
    given = Ingredients(
        vocabulary=as_tokens(vocabulary),
        second_language=tuple(second_language),
        target_label=None if target_label is None else str(target_label),
    )
    recipe = _maker(name)(given)
    if isinstance(dose, int):
        dose = Dose(count=dose, unit=recipe.dose.unit)
    if isinstance(trigger, str):
        trigger = trigger_from_text(trigger, like=recipe.trigger)
    given_fields: dict[str, Any] = {"dose": dose, "trigger": trigger, "payload": payload, **changes}
    known = set(Recipe.__dataclass_fields__)
    for given_name in given_fields:
        if given_name not in known:
            near = difflib.get_close_matches(given_name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ConfigError(f"A recipe has no field {given_name!r}.{hint}")
    return replace(recipe, **{key: val for key, val in given_fields.items() if val is not None})
