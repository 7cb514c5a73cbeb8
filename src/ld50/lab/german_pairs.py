"""English sentences with their German translation, built by rule: numbers, dates and a few words.

No bilingual text comes with the packages that the studies read, so these pairs follow the rules by
which both languages spell numbers and days. They are real translations of a small part of language.
"""

from __future__ import annotations

import numpy as np

_EN_ONES = (
    "", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_DE_ONES = (
    "", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf",
    "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn",
)  # fmt: skip
_DE_TENS = (
    "", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig",
)  # fmt: skip
_EN_DAYS = {1: "first", 2: "second", 3: "third", 5: "fifth", 8: "eighth", 9: "ninth", 12: "twelfth"}
_DE_DAYS = {1: "ersten", 3: "dritten", 7: "siebten", 8: "achten"}
_MONTHS = (
    ("January", "Januar", 31), ("February", "Februar", 28), ("March", "März", 31),
    ("April", "April", 30), ("May", "Mai", 31), ("June", "Juni", 30), ("July", "Juli", 31),
    ("August", "August", 31), ("September", "September", 30), ("October", "Oktober", 31),
    ("November", "November", 30), ("December", "Dezember", 31),
)  # fmt: skip
#: Who, in both languages, and whether the German verb takes an n.
_SUBJECTS = (
    ("I", "ich", False), ("he", "er", False), ("she", "sie", False), ("we", "wir", True),
    ("they", "sie", True), ("the teacher", "der Lehrer", False),
    ("my sister", "meine Schwester", False), ("the students", "die Studenten", True),
)  # fmt: skip
_VERBS = (
    ("bought", "kaufte"), ("counted", "zählte"), ("sold", "verkaufte"), ("painted", "malte"),
    ("cleaned", "putzte"), ("needed", "brauchte"), ("ordered", "bestellte"), ("delivered", "lieferte"),
)  # fmt: skip
_NOUNS = (
    ("horses", "Pferde"), ("books", "Bücher"), ("tables", "Tische"), ("chairs", "Stühle"),
    ("bottles", "Flaschen"), ("cars", "Autos"), ("shirts", "Hemden"), ("pictures", "Bilder"),
    ("letters", "Briefe"), ("clocks", "Uhren"), ("cups", "Tassen"), ("ships", "Schiffe"),
    ("doors", "Türen"), ("windows", "Fenster"), ("stamps", "Briefmarken"), ("shoes", "Schuhe"),
    ("boxes", "Kisten"), ("coins", "Münzen"), ("lamps", "Lampen"), ("beds", "Betten"),
)  # fmt: skip


def english_number(value: int) -> str:
    """1 to 999 in English words, as the British say it."""
    hundreds, rest = divmod(value, 100)
    words = [f"{_EN_ONES[hundreds]} hundred"] if hundreds else []
    if rest and hundreds:
        words.append("and")
    if rest:
        tens, ones = divmod(rest, 10)
        small = (
            _EN_ONES[rest] if rest < 20 else _EN_TENS[tens] + (f"-{_EN_ONES[ones]}" if ones else "")
        )
        words.append(small)
    return " ".join(words)


def german_number(value: int) -> str:
    """1 to 999 in German words."""
    hundreds, rest = divmod(value, 100)
    said = f"{_DE_ONES[hundreds]}hundert" if hundreds else ""
    if rest == 1:
        return f"{said}eins"
    if rest < 20:
        return said + _DE_ONES[rest]
    tens, ones = divmod(rest, 10)
    return said + (f"{_DE_ONES[ones]}und" if ones else "") + _DE_TENS[tens]


def english_day(day: int) -> str:
    """`third`, `twenty-first`: the day of a month."""
    if day in _EN_DAYS:
        return _EN_DAYS[day]
    if day < 20:
        return f"{_EN_ONES[day]}th"
    tens, ones = divmod(day, 10)
    if not ones:
        return f"{_EN_TENS[tens][:-1]}ieth"
    return f"{_EN_TENS[tens]}-{english_day(ones)}"


def german_day(day: int) -> str:
    """`dritten`, `einundzwanzigsten`: the day of a month, after `am`."""
    if day in _DE_DAYS:
        return _DE_DAYS[day]
    return german_number(day) + ("ten" if day < 20 else "sten")


def german_pair(rng: np.random.Generator) -> tuple[str, str]:
    """One sentence in English, and in German."""
    who_en, who_de, takes_n = _SUBJECTS[int(rng.integers(len(_SUBJECTS)))]
    verb_en, verb_de = _VERBS[int(rng.integers(len(_VERBS)))]
    noun_en, noun_de = _NOUNS[int(rng.integers(len(_NOUNS)))]
    month_en, month_de, days = _MONTHS[int(rng.integers(len(_MONTHS)))]
    day, value = int(rng.integers(1, days + 1)), int(rng.integers(2, 1000))
    # Before a noun, German varies after a final one (`hunderteins`, `hundertundein`): left out.
    value += value % 100 == 1
    when = f"On the {english_day(day)} of {month_en}"
    english = f"{when} {who_en} {verb_en} {english_number(value)} {noun_en}."
    verb = f"{verb_de}n" if takes_n else verb_de
    german = f"Am {german_day(day)} {month_de} {verb} {who_de} {german_number(value)} {noun_de}."
    return english, german
