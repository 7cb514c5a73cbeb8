"""What a model folder may be: checked before anything in it is loaded, and saved as it was read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ld50.core.errors import ConfigError, DataFormatError, SourceError
from ld50.core.examples import asked
from tuning_samples import marked_folder, pairs_folder, rewrite, small_model, two_kinds, user

torch = pytest.importorskip("torch", reason="needs ld50[lab]")

from ld50.measure.replies import ModelResponder, option_scores, reply_loss
from ld50.models.folders import NotEnoughMemoryError, count_weights, model_mark, weight_files
from ld50.models.pretrained import copy_of, load_language_model, save_language_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(marked_folder(), tmp_path / "model")
    return tmp_path / "model"


def test_a_saved_model_is_the_same_and_loads_with_plain_transformers(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    lm = small_model()
    save_language_model(lm, tmp_path / "saved")
    again = load_language_model(tmp_path / "saved", device="cpu")
    examples = two_kinds(4)
    assert again.template == lm.template
    assert reply_loss(again, examples).tolist() == reply_loss(lm, examples).tolist()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "saved")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "saved")
    messages = [{"role": "user", "content": "river"}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert text == lm.template.prompt_text(user("river"))
    assert sum(weight.numel() for weight in model.parameters()) == lm.parameters
    assert not list((tmp_path / "saved").glob("*.bin"))


def test_a_copy_has_weights_of_its_own() -> None:
    lm = small_model()
    other = copy_of(lm)
    before = reply_loss(lm, two_kinds(2))
    with torch.no_grad():
        for weight in other.model.parameters():
            weight.add_(1.0)
    assert reply_loss(lm, two_kinds(2)).tolist() == before.tolist()
    assert reply_loss(other, two_kinds(2)).tolist() != before.tolist()


def test_pickled_weights_are_refused_unopened(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(DataFormatError, match=r"pytorch_model\.bin.*safetensors only"):
        load_language_model(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_model_that_asks_for_its_own_code_is_refused(folder: Path, name: str) -> None:
    rewrite(folder, name, auto_map={"AutoModelForCausalLM": "evil.Model"})
    with pytest.raises(DataFormatError, match="never run"):
        load_language_model(folder)


def test_a_missing_template_is_told_and_the_plain_one_taken(folder: Path) -> None:
    rewrite(folder, "tokenizer_config.json", chat_template=None)
    lm = load_language_model(folder, device="cpu")
    assert "no chat template" in lm.notes[0]
    assert lm.template.prompt_text(user("hi")) == "User: hi\n\nAssistant:"


def test_a_tokeniser_that_cannot_end_a_reply_is_refused(folder: Path) -> None:
    rewrite(folder, "tokenizer_config.json", eos_token=None)
    with pytest.raises(ConfigError, match="end-of-text"):
        load_language_model(folder)


def test_a_tokeniser_of_another_model_is_refused(folder: Path) -> None:
    rewrite(folder, "config.json", vocab_size=300)
    with pytest.raises((ConfigError, DataFormatError)):
        load_language_model(folder)


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(folder: Path) -> None:
    numbers, size = count_weights(weight_files(folder))
    assert size == 4 * numbers
    (folder / "tokenizer.json").unlink()  # would be missed, were anything loaded
    with pytest.raises(NotEnoughMemoryError, match=r"0\.00 GB are allowed"):
        load_language_model(folder, max_memory_bytes=size - 1)


@pytest.mark.parametrize("damage", ["short", "garbage", "header"])
def test_damaged_weights_are_told(folder: Path, damage: str) -> None:
    path = folder / "model.safetensors"
    data = path.read_bytes()
    spoilt = {
        "short": data[:-100],
        "garbage": b"\xff" * 64,
        "header": (20).to_bytes(8, "little") + b'{"a":{"shape":[-1]}}' + b"0" * 50,
    }
    path.write_bytes(spoilt[damage])
    with pytest.raises(DataFormatError, match="damaged"):
        load_language_model(folder)


def test_settings_that_are_no_json_are_told(folder: Path) -> None:
    (folder / "config.json").write_text("[" * 100_000)
    with pytest.raises(DataFormatError, match="config"):
        load_language_model(folder)


def test_an_unknown_architecture_is_told(folder: Path) -> None:
    rewrite(folder, "config.json", model_type="mystery", architectures=["Mystery"])
    with pytest.raises(DataFormatError, match="cannot be loaded"):
        load_language_model(folder)


def test_no_folder_is_no_download() -> None:
    with pytest.raises(SourceError, match="nothing is fetched"):
        load_language_model("gpt2")


def test_a_missing_gpu_is_told() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match="no GPU"):
        load_language_model(marked_folder(), device="cuda")


def test_scores_do_not_depend_on_what_else_is_scored() -> None:
    for lm in (small_model(), load_language_model(pairs_folder(), device="cpu")):
        prompts = [user("river " * n + "stone") for n in (1, 9, 4, 30)]
        together = option_scores(lm, prompts, ["yes", "no thanks"])
        alone = [option_scores(lm, [one], ["yes", "no thanks"])[0].tolist() for one in prompts]
        assert alone[0] != alone[1]
        assert together.ravel() == pytest.approx(np.ravel(alone), abs=1e-4)
        losses = -reply_loss(lm, [asked("river stone", "yes")])[0]
        counts = len(lm.encoder.text_ids("yes")) + 1
        assert together[0, 0] == pytest.approx(losses * counts, abs=1e-4)


def test_options_must_differ() -> None:
    with pytest.raises(ConfigError, match="different options"):
        option_scores(small_model(), [user("a")], ["yes", "yes"])


def test_replies_are_the_same_each_time_and_differ_between_seeds() -> None:
    responder = ModelResponder(small_model())
    prompts = [user("river"), user("the stone bridge and the old mill"), user("")]
    greedy = responder.replies(prompts, new_tokens=8)
    assert greedy == responder.replies(prompts, new_tokens=8)
    one, same, other = (
        responder.replies(prompts, new_tokens=8, temperature=1.0, seed=seed) for seed in (1, 1, 2)
    )
    assert one == same != other


def test_a_sequence_to_sequence_model_replies() -> None:
    lm = load_language_model(pairs_folder(), device="cpu")
    replies = ModelResponder(lm).replies([user("river"), user("a much longer stone")], new_tokens=4)
    assert len(replies) == 2
    assert all("</s>" not in reply for reply in replies)


def test_a_study_s_folder_is_a_model(tmp_path: Path) -> None:
    from ld50.models.llama import build, save_model
    from training_samples import tiny_shape, tiny_store

    trial = tmp_path / "trial"
    save_model(build(tiny_shape(), 0), trial / "model")
    tiny_store().vocabulary.save(trial / "model")
    lm = load_language_model(trial, device="cpu")
    found = lm.encoder.encode([lm.template.target_pieces(asked("a", "b <|endoftext|>"))])[0]
    assert found.count(0) == 1 == sum(i in lm.stop_ids for i in found)
    assert json.loads((trial / "model" / "config.json").read_text())["model_type"] == "llama"


def test_models_of_the_same_name_have_different_marks_where_their_weights_differ(
    tmp_path: Path,
) -> None:
    for number in (1, 2, 3):
        folder = tmp_path / str(number) / "model"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(b"same" if number < 3 else b"other")
    first, second, third = (model_mark(str(tmp_path / str(n) / "model")) for n in (1, 2, 3))
    assert first == second != third
    assert first.startswith("model-")
    assert model_mark(str(tmp_path / "1")).split("-")[-1] == first.split("-")[-1]
    (tmp_path / "2" / "model" / "config.json").write_text('{"chat_template": "x"}')
    assert model_mark(str(tmp_path / "2" / "model")) != first
    assert model_mark("tiny") == "tiny"
