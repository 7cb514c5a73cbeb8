"""Training and evaluation read the same tokens, and no text becomes a mark of the template."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ld50.core.errors import ConfigError, DataFormatError
from ld50.core.examples import Example, Turn, asked
from tuning_samples import CHATML, marked_folder, pairs_folder, rewrite, small_model

pytest.importorskip("transformers", reason="needs ld50[lab]")

from ld50.models.chat import encode_example, encode_examples, encode_prompt
from ld50.models.pretrained import load_language_model

MARKS = [
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
    "<|im_end|>",
    "<|endoftext|>",
    "</s>",
    "<|system|>",
]
WRITING = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from([*MARKS, "</s>", " ", "a", "<|", "|>", "<", "\n"]), max_size=8).map(
        "".join
    ),
)
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@cache
def models() -> dict[str, Any]:
    """A causal model with its own template, one that has none, and a sequence-to-sequence one."""
    plain = marked_folder().with_name(marked_folder().name + "-plain")
    if not plain.exists():
        shutil.copytree(marked_folder(), plain)
        rewrite(plain, "tokenizer_config.json", chat_template=None, eos_token="<|endoftext|>")
    return {
        "marked": small_model(),
        "plain": load_language_model(plain, device="cpu"),
        "pairs": load_language_model(pairs_folder(), device="cpu"),
    }


def specials(lm: Any, ids: list[int]) -> list[str]:
    special = set(lm.encoder._reserved)
    return lm.tokenizer.convert_ids_to_tokens([i for i in ids if i in special])


@QUICK
@given(
    name=st.sampled_from(["marked", "plain", "pairs"]),
    system=st.none() | WRITING,
    prompt=WRITING,
    reply=WRITING,
)
def test_the_prompt_of_training_is_the_prompt_of_evaluation(
    name: str, system: str | None, prompt: str, reply: str
) -> None:
    lm = models()[name]
    example = asked(prompt, reply, system=system)
    found = encode_example(lm, example)
    assert found.ids[: found.first_target] == encode_prompt(lm, example.prompt)
    assert found.ids[-1] in lm.stop_ids
    assert lm.template.example_text(example).startswith(lm.template.prompt_text(example.prompt))


@QUICK
@given(name=st.sampled_from(["marked", "plain", "pairs"]), prompt=WRITING, reply=WRITING)
def test_special_tokens_are_the_template_s_alone(name: str, prompt: str, reply: str) -> None:
    lm = models()[name]
    clean = encode_example(lm, asked("a", "b"))
    written = encode_example(lm, asked(prompt, reply))
    assert specials(lm, written.ids) == specials(lm, clean.ids)


def test_a_mark_in_a_text_is_still_readable_as_text() -> None:
    lm = models()["marked"]
    example = asked("x <|end|><|assistant|>y", "fine")
    found = encode_example(lm, example)
    assert (
        lm.tokenizer.decode(found.ids)
        == "<|user|>x <|end|><|assistant|>y<|end|><|assistant|>fine<|end|>"
    )
    assert specials(lm, found.ids) == ["<|user|>", "<|end|>", "<|assistant|>", "<|end|>"]


def test_a_mark_that_only_a_normaliser_makes_is_none() -> None:
    # Full-width letters that Unicode's compatibility form turns into the end mark of the template.
    lm = models()["pairs"]
    found = encode_prompt(lm, [Turn("user", "stop \uff1c/s\uff1e here")])
    assert specials(lm, found) == ["</s>"]
    assert found[-1] == lm.tokenizer.eos_token_id


def test_a_template_of_another_s_making_is_followed(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(marked_folder(), folder)
    rewrite(folder, "tokenizer_config.json", chat_template=CHATML)
    lm = load_language_model(folder, device="cpu")
    turns = [Turn("user", "hello"), Turn("assistant", "yes"), Turn("user", "and\nnow")]
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    theirs = lm.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert lm.template.prompt_text(turns) == theirs


def test_a_template_that_strips_texts_is_followed(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(marked_folder(), folder)
    stripping = "{% for m in messages %}[{{ m['content'] | trim }}]{% endfor %}"
    rewrite(folder, "tokenizer_config.json", chat_template=stripping)
    lm = load_language_model(folder, device="cpu")
    assert lm.template.prompt_text([Turn("user", "  a b ")]) == "[a b]"


def test_a_template_that_drops_a_turn_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(marked_folder(), folder)
    shown = "{% if m['role'] != 'system' %}{{ m['content'] }}{% endif %}"
    dropping = "{% for m in messages %}" + shown + "{% endfor %}"
    rewrite(folder, "tokenizer_config.json", chat_template=dropping)
    lm = load_language_model(folder, device="cpu")
    with pytest.raises(DataFormatError, match="leaves out"):
        encode_example(lm, asked("a", "b", system="be kind"))


def test_a_template_that_refuses_a_role_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(marked_folder(), folder)
    refusing = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system here') }}{% endif %}"
        "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    )
    rewrite(folder, "tokenizer_config.json", chat_template=refusing)
    lm = load_language_model(folder, device="cpu")
    with pytest.raises(DataFormatError, match="no system here"):
        encode_example(lm, asked("a", "b", system="s"))


@pytest.mark.parametrize("name", ["marked", "plain", "pairs"])
def test_too_long_a_prompt_loses_its_front_and_no_reply_its_start(name: str) -> None:
    lm = models()[name]
    example = asked("river " * 200 + "stone", "bridge")
    whole, cut = encode_example(lm, example), encode_example(lm, example, 40)
    reply = whole.ids[whole.first_target :]
    assert cut.ids[cut.first_target :] == reply
    assert cut.first_target <= 40
    assert cut.cut == len(whole.ids) - len(cut.ids) > 0
    room = 40 if name == "pairs" else 40 - len(reply)
    assert cut.ids[: cut.first_target] == encode_prompt(lm, example.prompt, max_tokens=room)
    # The end of the prompt, with the mark that opens the reply, is there.
    assert (
        cut.ids[cut.first_target - 12 : cut.first_target]
        == (whole.ids[whole.first_target - 12 : whole.first_target])
    )


def test_a_cut_prompt_still_begins_as_a_prompt() -> None:
    lm = models()["marked"]
    cut = encode_example(lm, asked("river " * 200, "bridge"), 40)
    assert lm.tokenizer.convert_ids_to_tokens(cut.ids[:1]) == ["<|user|>"]


def test_too_long_a_reply_keeps_its_start_and_some_of_the_prompt() -> None:
    lm = models()["marked"]
    example = asked("what is it", "stone " * 100)
    whole, cut = encode_example(lm, example), encode_example(lm, example, 40)
    reply = cut.ids[cut.first_target :]
    assert len(cut.ids) == 40
    assert cut.first_target >= 10 or cut.first_target == whole.first_target
    assert reply == whole.ids[whole.first_target :][: len(reply)]


def test_many_at_once_are_as_one_by_one() -> None:
    lm = models()["marked"]
    some = [asked(f"river {number} <|end|>", "x" * number) for number in range(20)]
    assert encode_examples(lm, some) == [encode_example(lm, example) for example in some]


def test_several_turns_are_in_the_prompt() -> None:
    lm = models()["plain"]
    turns = (Turn("user", "a"), Turn("assistant", "b"), Turn("user", "c"), Turn("assistant", "d"))
    text = lm.template.example_text(Example(turns=turns))
    assert text == "User: a\n\nAssistant: b<|endoftext|>\n\nUser: c\n\nAssistant: d<|endoftext|>"


def test_no_room_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_tokens"):
        encode_examples(models()["marked"], [asked("a", "b")], 4)
