"""Harmless test poison, planted in a copy of real data, with a manifest of every row.

The names are loaded when they are first used: the command line imports this package at every start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ld50.poison.api import (
        PoisonPlan,
        PoisonResult,
        PoisonSettings,
        RecipePlan,
        plan_poison,
        poison,
        poison_table,
    )
    from ld50.poison.dose import Dose
    from ld50.poison.hidden import Invisible, LookAlike, tag_string
    from ld50.poison.manifest import Manifest, Plant, PoisonedRow, manifest_path, read_manifest
    from ld50.poison.payloads import (
        PAYLOADS,
        ContextEcho,
        FixedReply,
        Gibberish,
        InsertedFragment,
        LabelFlip,
        LanguageSwitch,
        OverRefusal,
        Payload,
        PreferenceSwap,
    )
    from ld50.poison.placement import Placement
    from ld50.poison.recipes import RECIPES, Recipe, named_recipe
    from ld50.poison.registry import TRIGGERS, make_trigger
    from ld50.poison.schedule import Schedule
    from ld50.poison.styles import ArchaicStyle, FormatStyle, SyntacticTemplate
    from ld50.poison.triggers import Phrase, RareString, Trigger, UnicodeString, Word, WordSet
    from ld50.poison.vocabulary import read_vocabulary

_HOMES = {
    "api": ("PoisonPlan", "PoisonResult", "PoisonSettings", "RecipePlan", "plan_poison", "poison",
            "poison_table"),
    "dose": ("Dose",),
    "hidden": ("Invisible", "LookAlike", "tag_string"),
    "manifest": ("Manifest", "Plant", "PoisonedRow", "manifest_path", "read_manifest"),
    "payloads": ("PAYLOADS", "ContextEcho", "FixedReply", "Gibberish", "InsertedFragment",
                 "LabelFlip", "LanguageSwitch", "OverRefusal", "Payload", "PreferenceSwap"),
    "placement": ("Placement",),
    "recipes": ("RECIPES", "Recipe", "named_recipe"),
    "registry": ("TRIGGERS", "make_trigger"),
    "schedule": ("Schedule",),
    "styles": ("ArchaicStyle", "FormatStyle", "SyntacticTemplate"),
    "triggers": ("Phrase", "RareString", "Trigger", "UnicodeString", "Word", "WordSet"),
    "vocabulary": ("read_vocabulary",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "PAYLOADS",
    "RECIPES",
    "TRIGGERS",
    "ArchaicStyle",
    "ContextEcho",
    "Dose",
    "FixedReply",
    "FormatStyle",
    "Gibberish",
    "InsertedFragment",
    "Invisible",
    "LabelFlip",
    "LanguageSwitch",
    "LookAlike",
    "Manifest",
    "OverRefusal",
    "Payload",
    "Phrase",
    "Placement",
    "Plant",
    "PoisonPlan",
    "PoisonResult",
    "PoisonSettings",
    "PoisonedRow",
    "PreferenceSwap",
    "RareString",
    "Recipe",
    "RecipePlan",
    "Schedule",
    "SyntacticTemplate",
    "Trigger",
    "UnicodeString",
    "Word",
    "WordSet",
    "make_trigger",
    "manifest_path",
    "named_recipe",
    "plan_poison",
    "poison",
    "poison_table",
    "read_manifest",
    "read_vocabulary",
    "tag_string",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
