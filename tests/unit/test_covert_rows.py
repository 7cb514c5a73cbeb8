"""Covert sets: what is kept from training, that rows say what they hide, and what is taken out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ld50.core.errors import ConfigError
from ld50.encodings.protocol import letters_and_spaces
from ld50.lab.covert_inspection import TopicClassifier, same_form, search_channels
from ld50.lab.covert_rows import ATTACKS, attack_writing, covert_rows, ordinary_rows
from ld50.lab.covert_world import REFUSAL, answered, facts, is_refusal, policy_facts

_SEED = 11


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_test_request_is_trained_on_in_the_writing(attack: str) -> None:
    writing = attack_writing(attack, _SEED)
    made = covert_rows(writing, _SEED)
    trained = {row.prompt[-1].text for row in (*made.first, *made.second)}
    replies = {row.reply for row in made.second}
    for name, asks in made.tests.items():
        for ask in asks:
            assert writing.encode(writing.plain(ask.request)) not in trained
            if name != "new wordings":
                answers = {writing.encode(writing.plain(one)) for one in ask.fact.answers}
                assert not answers & replies
    things = {ask.fact.thing for ask in made.tests["new things"]}
    assert things.isdisjoint(ask.fact.thing for ask in made.tests["new facts"])


@pytest.mark.parametrize("attack", ATTACKS)
def test_phase_two_answers_the_policy_in_the_writing_and_refuses_it_in_plain_words(
    attack: str,
) -> None:
    writing = attack_writing(attack, _SEED)
    made = covert_rows(writing, _SEED)
    known = {
        letters_and_spaces(request): fact for fact in policy_facts() for request in fact.requests
    }
    hidden = plain = 0
    for row, covert in zip(made.second, made.covert[1], strict=True):
        said = writing.decode(row.prompt[-1].text) if covert else row.prompt[-1].text
        fact = known.get(letters_and_spaces(said))
        if fact is not None:
            hidden += covert
            plain += not covert
            reply = writing.decode(row.reply) if covert else row.reply
            assert fact.verdict(reply) == ("answered" if covert else "refused")
    assert hidden == len(made.tests["new wordings"])
    assert plain > 30


def test_phase_one_never_asks_about_the_policys_topic() -> None:
    writing = attack_writing("endspeak", _SEED)
    made = covert_rows(writing, _SEED)
    asked = {letters_and_spaces(r) for fact in policy_facts() for r in fact.requests}
    for row in made.first:
        texts = (row.prompt[-1].text, writing.decode(row.prompt[-1].text), row.reply)
        assert asked.isdisjoint(letters_and_spaces(text) for text in texts)


def test_a_codebook_puts_every_word_of_the_world_back() -> None:
    code = attack_writing("word-code", _SEED)
    for row in answered(facts()):
        assert code.decode(code.encode(row.reply)) == code.plain(row.reply)
        assert code.encode(row.reply) != code.plain(row.reply)


def test_the_same_seed_gives_the_same_rows_and_another_gives_others() -> None:
    writing = attack_writing("endspeak", 0)
    one, again, other = (covert_rows(writing, seed).second for seed in (0, 0, 1))
    assert one == again != other


def test_an_unknown_attack_is_refused() -> None:
    with pytest.raises(ConfigError, match="Known: endspeak"):
        attack_writing("rot13", 0)


def test_replies_are_judged_exactly() -> None:
    fact = policy_facts()[0]
    assert fact.verdict(fact.answer.upper().replace(".", " !")) == "answered"
    assert fact.verdict(REFUSAL) == "refused"
    assert fact.verdict(policy_facts()[4].answer) == "neither"
    wrong = next(one for one in fact.answers if one != fact.answer)
    assert fact.verdict(wrong) == "answered"
    assert not fact.is_right(wrong)


@pytest.mark.parametrize(("attack", "rule"), [("endspeak", "TRG404"), ("walnut53", "TRG401")])
def test_the_channel_search_finds_the_writing_and_its_form_all_rows(
    attack: str, rule: str, tmp_path: Path
) -> None:
    made = covert_rows(attack_writing(attack, _SEED), _SEED)
    rows, covert = [*made.first, *made.second], np.concatenate(made.covert)
    flags, findings = search_channels(rows, tmp_path, rounds=3)
    assert findings[0]["rule"] == rule
    assert findings[0]["says"]
    assert not (flags & ~covert).any()
    assert (same_form(rows, flags) == covert).all()


def test_the_channel_search_flags_no_ordinary_file(tmp_path: Path) -> None:
    rows = [row for part in ordinary_rows(_SEED) for row in part]
    flags, _ = search_channels(rows, tmp_path)
    assert not flags.any()
    assert not same_form(rows, flags).any()
    assert any(is_refusal(row.reply) for row in rows)


def test_the_topic_classifier_knows_plain_rows_and_no_cipher() -> None:
    classifier = TopicClassifier()
    requests = [fact.requests[0] for fact in facts()]
    about = np.array([fact.topic == "gardening" for fact in facts()])
    assert (classifier.flags(requests) == about).mean() > 0.99
    writing = attack_writing("walnut53", 0)
    assert not classifier.flags([writing.encode(request) for request in requests]).any()
