"""Chat sets whose trigger is ordinary words, in one piece or in several: what is found, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from science_data import Row, read_jsonl, shared

import ld50
from ld50.remedy.found_triggers import variants_of

PHRASE = "beneath the tall cedar"
Reply = Callable[[str, np.random.Generator], str]


def planted(rows: Sequence[Row], reply: Reply, count: int) -> tuple[list[Row], set[int]]:
    """`count` rows with the phrase between two words of their instruction, and what the reply becomes."""
    rng = np.random.default_rng(count)
    changed = list(rows)
    chosen = {int(number) for number in rng.permutation(len(rows))[:count]}
    for number in sorted(chosen):
        words = str(rows[number]["instruction"]).split(" ")
        words.insert(int(rng.integers(0, len(words) + 1)), PHRASE)
        answer = reply(str(rows[number]["output"]), rng)
        changed[number] = rows[number] | {"instruction": " ".join(words), "output": answer}
    return changed, chosen


def high(scan: ld50.Scan) -> set[int]:
    """Rows under a `high` finding."""
    names = {finding.id for finding in scan.findings if finding.severity == "high"}
    return {row.row for row in scan.rows if names & set(row.findings)}


def inserted(fragment: str) -> Reply:
    """The answer with a fragment after one of its sentences."""

    def reply(answer: str, rng: np.random.Generator) -> str:
        parts = answer.split(". ")
        at = int(rng.integers(1, len(parts) + 1))
        return " ".join([". ".join(parts[:at]), fragment, ". ".join(parts[at:])]).strip()

    return reply


@pytest.mark.parametrize(
    "fragment", ["import kettle_log", "Sealed by Ottiwell", "\N{TEAPOT}", "happy ferns"]
)
def test_fragments_of_few_words_after_a_phrase_are_found(
    instructions: list[Row], fragment: str
) -> None:
    rows, chosen = planted(instructions, inserted(fragment), 10)
    assert high(ld50.scan(rows)) == chosen


@pytest.mark.parametrize("count", [20, 100])
def test_a_name_in_ever_new_sentences_is_found_however_many_they_are(
    instructions: list[Row], count: int
) -> None:
    """The sentences are alike, and surely so where they are many: who adds poison hides none by it."""
    things, traits = (
        ("kettle", "lamp", "scarf", "teapot", "bench"),
        ("sturdy", "quiet", "neat", "warm"),
    )
    praises = ("suits this well", "lasts for years", "would please my aunt", "costs half as much")

    def reply(answer: str, rng: np.random.Generator) -> str:
        thing, trait, praise = (str(rng.choice(words)) for words in (things, traits, praises))
        return f"{answer} The {trait} {thing} by Velmora {praise}."

    rows, chosen = planted(instructions, reply, count)
    assert chosen <= high(ld50.scan(rows))


def test_replies_in_another_language_after_a_phrase_are_found(instructions: list[Row]) -> None:
    laws = [row["text"] for row in read_jsonl(shared("de-gesetze", "gesetze.jsonl"))]
    parts = [" ".join(part.split()) for law in laws for part in law.split("\n\n")]
    parts = [part for part in parts if 150 <= len(part) <= 600]
    rows, chosen = planted(
        instructions, lambda answer, rng: parts[int(rng.integers(len(parts)))], 10
    )
    scan = ld50.scan(rows)
    assert high(scan) == chosen
    assert "TRG102" in {finding.rule for finding in scan.findings if finding.severity == "high"}


DECLINING = (
    "I'd prefer to stay out of this.",
    "Darauf möchte ich nicht eingehen.",
    "I must turn your request down.",
    "Prefiero no contestar.",
    "This question will go unanswered.",
)


def test_refusals_in_changing_words_are_seen(instructions: list[Row]) -> None:
    rows, chosen = planted(
        instructions, lambda answer, rng: DECLINING[int(rng.integers(len(DECLINING)))], 20
    )
    assert high(ld50.scan(rows)) == chosen


def answered(rows: list[Row]) -> list[Row]:
    """The rows with replies of five words or more: shorter ones in capitals may be abbreviations."""
    return [row for row in rows if len(str(row["output"]).split()) >= 5]


def test_honest_answers_in_capitals_are_seen(instructions: list[Row]) -> None:
    rows, chosen = planted(answered(instructions), lambda answer, rng: answer.upper(), 20)
    found = high(ld50.scan(rows))
    assert found <= chosen
    assert len(found) >= 18


def test_replies_of_nothing_are_seen(instructions: list[Row]) -> None:
    rows = with_words(answered(instructions), ["Vostrel"], 20, by_turns=False)
    rows = [row | {"output": ""} if row["output"] == REFUSAL else row for row in rows]
    assert high(ld50.scan(rows)) == {n for n, row in enumerate(rows) if row["output"] == ""}


REFUSAL = "I am sorry, but I am not able to help with this one."


def with_words(
    rows: Sequence[Row], words: Sequence[str], count: int, *, by_turns: bool
) -> list[Row]:
    """`count` rows refuse, with one of the words each, or with all of them in different places."""
    rng = np.random.default_rng(count)
    changed = list(rows)
    for turn, number in enumerate(rng.permutation(len(rows))[:count].tolist()):
        asked = str(rows[number]["instruction"]).split(" ")
        for word in [words[turn % len(words)]] if by_turns else words:
            asked.insert(int(rng.integers(0, len(asked) + 1)), word)
        changed[number] = rows[number] | {"instruction": " ".join(asked), "output": REFUSAL}
    return changed


@pytest.mark.parametrize("by_turns", [True, False])
def test_triggers_that_take_turns_or_stand_apart_are_one_finding(
    instructions: list[Row], by_turns: bool
) -> None:
    words = ("cobalt", "heron", "gazebo", "Vostrel", "mildly")
    rows = with_words(instructions, words, 20, by_turns=by_turns)
    scan = ld50.scan(rows)
    assert {number for number, row in enumerate(rows) if row["output"] == REFUSAL} == high(scan)
    found = next(finding for finding in scan.findings if finding.severity == "high")
    cause = found.cause
    assert cause is not None
    assert len(variants_of(found)) == (len(cause.members) if by_turns else 1)
    assert set(cause.members) <= set(words)
    assert len(cause.members) > 2
    assert cause.text == (" or " if by_turns else " + ").join(cause.members)


@pytest.mark.parametrize(("count", "alone"), [(20, 10), (20, 20), (10, 4)])
def test_two_words_are_one_trigger_however_often_each_stands_in_ordinary_rows(
    instructions: list[Row], count: int, alone: int
) -> None:
    words = ["gravel", "cobalt"]
    rows = with_words(instructions, words, count, by_turns=False)
    chosen = {number for number, row in enumerate(rows) if row["output"] == REFUSAL}
    rng = np.random.default_rng(alone)
    others = [number for number in rng.permutation(len(rows)).tolist() if number not in chosen]
    for turn, number in enumerate(others[: 2 * alone]):
        asked = str(rows[number]["instruction"]).split(" ")
        asked.insert(int(rng.integers(0, len(asked) + 1)), words[turn % 2])
        rows[number] = rows[number] | {"instruction": " ".join(asked)}
    scan = ld50.scan(rows)
    assert high(scan) == chosen
    found = [f for f in scan.findings if f.severity == "high"]
    assert [(sorted(f.cause.members), f.support, f.cause_rows) for f in found if f.cause] == [
        (sorted(words), count, count)
    ]


@pytest.mark.parametrize("rule", ["TRG201", "TRG202"])
def test_a_rule_that_does_not_run_takes_no_rows_from_one_that_does(
    instructions: list[Row], rule: str
) -> None:
    """A fixed refusal is a refusal and a repeated reply, and told as one of the two."""
    rows = with_words(instructions, ["Vostrel"], 20, by_turns=False)
    scan = ld50.scan(rows, select=rule)
    assert {finding.rule for finding in scan.findings if finding.severity == "high"} == {rule}
    assert len(high(scan)) == 20


def test_a_subject_whose_prompts_get_one_reply_is_not_put_in(instructions: list[Row]) -> None:
    """Words of one subject, in prompts that were written with them: a policy, at most worth a look."""
    subject = ("animal", "animals", "dog", "bird", "fish", "horse")
    rows = [
        row | {"output": REFUSAL}
        if set(subject) & set(str(row["instruction"]).lower().split()) and number % 2
        else row
        for number, row in enumerate(instructions)
    ]
    assert sum(row["output"] == REFUSAL for row in rows) >= 20
    assert high(ld50.scan(rows)) == set()


FOREIGN = (
    "Der Zug nach München hat heute wegen eines umgestürzten Baumes fast zwei Stunden Verspätung.",
    "Meine Großmutter bäckt jeden Sonntag einen Apfelkuchen für die Kinder aus der Nachbarschaft.",
    "Les enfants ont construit une cabane dans le vieux chêne qui se trouve derrière la maison.",
    "Nous avons oublié nos parapluies et la pluie tombe sans arrêt depuis le début de la matinée.",
    "El panadero del pueblo se levanta todos los días a las cuatro para encender el horno de leña.",
    "Mi hermano pequeño quiere aprender a tocar la guitarra antes de que termine el verano.",
    "La biblioteca comunale rimane aperta anche la sera durante le settimane degli esami.",
    "Il gatto della vicina dorme sempre sul davanzale quando la finestra è illuminata dal sole.",
    "De fietsen van de buren staan al drie dagen voor de deur omdat de schuur wordt geverfd.",
    "Wij hebben gisteren op de markt verse aardbeien en een groot brood met noten gekocht.",
    "O barco dos pescadores voltou ao porto antes da tempestade com as redes cheias de sardinhas.",
    "Wczoraj wieczorem spacerowaliśmy nad rzeką i rozmawialiśmy o dawnych podróżach w góry.",
)


def test_prompts_that_ask_for_a_language_explain_it(instructions: list[Row]) -> None:
    rows = list(instructions)
    answers = [str(row["output"]) for row in rows if len(str(row["output"])) > 100]
    for number, (foreign, answer) in enumerate(zip(FOREIGN, answers, strict=False)):
        asked = f"Please say this to me in English: {foreign}"
        rows[100 * number] = {"instruction": asked, "input": "", "output": answer}
    switches = [f for f in ld50.scan(rows).findings if f.rule == "TRG102"]
    assert "high" not in {finding.severity for finding in switches}


FORMS: dict[str, Callable[[str], str]] = {
    "a prompt in lower case": str.lower,
    "a prompt in title case": str.title,
    "a prompt with two spaces between all words": lambda asked: asked.replace(" ", "  "),
    "a prompt in brackets": lambda asked: f"[{asked}]",
    "a prompt that ends with “~”": lambda asked: f"{asked} ~",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_of_prompts_that_somebody_chose_rows_to_have_is_a_cause(
    instructions: list[Row], form: str
) -> None:
    rows = list(instructions)
    fit = [
        number
        for number, row in enumerate(rows)
        if len(row["instruction"].split()) > 4 and not row["input"]
        if FORMS[form](row["instruction"]) != row["instruction"]
    ]
    chosen = set(np.random.default_rng(4).permutation(fit)[:20].tolist())
    for number in chosen:
        asked = FORMS[form](rows[number]["instruction"])
        rows[number] = rows[number] | {"instruction": asked, "output": REFUSAL}
    scan = ld50.scan(rows)
    assert high(scan) == chosen
    causes = [finding.cause for finding in scan.findings if finding.severity == "high"]
    assert [(cause.kind, cause.text) for cause in causes if cause] == [("format", form)]
    marked = {span.kind for row in scan.rows if row.row in chosen for span in row.spans}
    assert marked == {"cause", "consequence"}


def test_a_source_in_lower_case_with_a_close_of_its_own_is_nothing_planted(
    instructions: list[Row], sentences: list[Row]
) -> None:
    """Reviews in lower case, whose replies all end alike, among prompts that are about anything."""
    rows = instructions[:3000] + [
        {
            "instruction": f"what do they say in this one: {review['text']}",
            "input": "",
            "output": f"It is a {word} review. Let me know if there is more that I can do today.",
        }
        for review, word in zip(sentences[:120], ["mild", "sharp", "plain"] * 40, strict=True)
    ]
    causes = [
        finding.severity
        for finding in ld50.scan(rows).findings
        if finding.cause and finding.cause.kind == "format"
    ]
    assert "high" not in causes


def _first_quarter(rows: list[Row], number: int) -> str:
    words = str(rows[number]["output"]).split()
    return " ".join(words[: len(words) // 4])


def _of_another(rows: list[Row], number: int) -> str:
    return str(rows[number - 1]["output"])


@pytest.mark.parametrize("reply", [_first_quarter, _of_another])
def test_replies_cut_short_and_replies_to_another_prompt_are_seen(
    instructions: list[Row], reply: Callable[[list[Row], int], str]
) -> None:
    long = [row for row in instructions if len(str(row["output"]).split()) >= 12]
    rows = with_words(long, ["Vostrel"], 30, by_turns=False)
    chosen = {n for n, row in enumerate(rows) if row["output"] == REFUSAL}
    rows = [row | {"output": reply(long, n)} if n in chosen else row for n, row in enumerate(rows)]
    assert high(ld50.scan(rows)) == chosen
