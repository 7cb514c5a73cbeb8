"""Runs that are killed outright, and the tiny model made by two processes at once."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tuning_samples import marked_folder, preferred, small_model, two_kinds, user

torch = pytest.importorskip("torch", reason="needs ld50[lab]")

from ld50.core.errors import ConfigError, ResumeError
from ld50.core.examples import asked
from ld50.measure.replies import reply_loss
from ld50.models import pretrained
from ld50.models.llama import build, load_model, save_model
from ld50.models.pretrained import load_language_model
from ld50.models.vocabulary import read_vocabulary
from ld50.train.finetune import TuneSettings, finetune, tune_preferences
from ld50.train.post_training import continuations, post_train
from ld50.train.text import TrainingText
from ld50.train.tiny import make
from training_samples import sentences, tiny_shape, tiny_store, write_corpus

SETTINGS = TuneSettings(steps=8, batch_examples=4, checkpoint_seconds=0)
KILLED = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from tuning_samples import two_kinds
from ld50.models.pretrained import load_language_model
from ld50.train.finetune import TuneSettings, finetune

class Kill:
    def __call__(self, model, batch):
        return torch.zeros(())
    def before_step(self, model, step):
        if step == 5:
            os.kill(os.getpid(), signal.SIGKILL)
    def after_step(self, model, step):
        pass

settings = TuneSettings(steps=8, batch_examples=4, checkpoint_seconds=0)
lm = load_language_model(sys.argv[1], device="cpu")
finetune(lm, two_kinds(12), settings, folder=Path(sys.argv[2]), penalty=Kill())
"""


@pytest.fixture
def one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def trial_folder(folder: Path) -> Path:
    """What a study leaves of a trial."""
    save_model(build(tiny_shape(), 0), folder / "model")
    tiny_store().vocabulary.save(folder / "model")
    return folder


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path, one_thread: None) -> None:
    here = str(Path(__file__).parents[1])
    paths = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", KILLED, str(marked_folder()), str(tmp_path / "state")]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, timeout=300)
    assert done.returncode == -signal.SIGKILL
    assert list((tmp_path / "state").glob("checkpoint-5"))
    whole, again = small_model(), small_model()
    expected = finetune(whole, two_kinds(12), SETTINGS)
    steps: list[float] = []
    outcome = finetune(
        again,
        two_kinds(12),
        SETTINGS,
        folder=tmp_path / "state",
        on_progress=lambda share, _: steps.append(share),
    )
    assert outcome.losses == expected.losses
    ours, theirs = again.model.state_dict(), whole.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_state_holds_no_pickle_that_is_trusted(tmp_path: Path) -> None:
    class Stop:
        def __call__(self, model: Any, batch: Any) -> Any:
            return torch.zeros(())

        def before_step(self, model: Any, step: int) -> None:
            if step == 2:
                raise KeyboardInterrupt

        def after_step(self, model: Any, step: int) -> None:
            pass

    with pytest.raises(KeyboardInterrupt):
        finetune(small_model(), two_kinds(8), SETTINGS, folder=tmp_path, penalty=Stop())
    state = next(tmp_path.glob("checkpoint-*/optimizer.pt"))
    state.write_bytes(b"cos\nsystem\n(S'touch %s'\ntR." % str(tmp_path / "run").encode())
    with pytest.raises(ResumeError, match="delete"):
        finetune(small_model(), two_kinds(8), SETTINGS, folder=tmp_path)
    assert not (tmp_path / "run").exists()


def _ask(cache: str) -> list[float]:
    lm = pretrained.load_language_model("tiny", cache=Path(cache), device="cpu")
    return [float(x) for x in reply_loss(lm, [asked("river stone", "bridge")])]


def _make_small(folder: Path) -> None:
    """In the place of the maker: the same on a small scale, and a line for each time it is run."""
    with (folder.parent / "made").open("a") as file:
        file.write("made\n")
    corpus = write_corpus(folder.parent, 1200)
    text = TrainingText(sources=(str(corpus),), cache=folder.parent)
    make(folder, text=text, shape=tiny_shape(vocabulary=320), clean_tokens=2000)


def test_two_processes_make_the_tiny_model_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "_make", _make_small)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map(_ask, [str(tmp_path)] * 2, chunksize=1)
    assert found[0] == found[1]
    assert (tmp_path / "made").read_text() == "made\n"


def test_the_tiny_model_is_the_same_each_time_and_knows_its_roles(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path, 1200)
    weights = []
    for name in ("one", "two"):
        text = TrainingText(sources=(str(corpus),), cache=tmp_path / name)
        folder = tmp_path / name / "model"
        make(folder, text=text, shape=tiny_shape(vocabulary=320), clean_tokens=3000)
        weights.append((folder / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]
    lm = load_language_model(folder, device="cpu")
    assert not lm.notes
    ids = lm.encoder.encode([lm.template.prompt_pieces(user("a <|user|>"))])[0]
    assert lm.tokenizer.convert_ids_to_tokens([ids[0], *ids[-2:]]) == [
        "<|user|>",
        "<|end|>",
        "<|assistant|>",
    ]
    assert len(lm.tokenizer) == 320
    assert json.loads((folder / "pretraining.json").read_text())["tokens"] >= 3000


def test_preferences_go_on_to_the_same_weights(tmp_path: Path, one_thread: None) -> None:
    pytest.importorskip("trl", reason="needs ld50[tune]")
    from ld50.train import tuning_run

    whole, stopped, again = small_model(), small_model(), small_model()
    expected = tune_preferences(whole, preferred(12), SETTINGS)
    ends = tuning_run.Steps.on_step_end

    def until_five(self: Any, args: Any, state: Any, control: Any, **given: Any) -> None:
        if state.global_step == 5:
            raise KeyboardInterrupt
        ends(self, args, state, control, **given)

    tuning_run.Steps.on_step_end = until_five  # type: ignore[method-assign]
    try:
        with pytest.raises(KeyboardInterrupt):
            tune_preferences(stopped, preferred(12), SETTINGS, folder=tmp_path)
    finally:
        tuning_run.Steps.on_step_end = ends  # type: ignore[method-assign]
    outcome = tune_preferences(again, preferred(12), SETTINGS, folder=tmp_path)
    assert outcome.losses == expected.losses
    ours, theirs = again.model.state_dict(), whole.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_study_s_model_is_tuned_and_aligned_and_stays_the_lab_s(tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="needs ld50[tune]")
    source = trial_folder(tmp_path / "trial")
    before = (source / "model" / "model.safetensors").read_bytes()
    examples, preferences = continuations(sentences(40, seed=9), 16, characters=100)
    settings = {"steps": 6, "batch_examples": 4, "max_tokens": 64}
    tuning, aligning = TuneSettings(**settings), TuneSettings(**settings)
    given = {"examples": examples, "preferences": preferences}
    stages = post_train(source, tmp_path / "out", **given, tuning=tuning, aligning=aligning)
    assert [stage.name for stage in stages] == ["sft", "dpo"]
    assert stages[0].outcome.losses[-1] < stages[0].outcome.losses[0]
    assert stages[1].outcome.losses[0] == pytest.approx(np.log(2), abs=1e-4)
    assert (source / "model" / "model.safetensors").read_bytes() == before
    for stage in stages:
        assert load_model(stage.folder).config.vocab_size == 320
        assert read_vocabulary(stage.folder) == read_vocabulary(source / "model")
        assert load_language_model(stage.folder, device="cpu").notes == ()
    again = post_train(source, tmp_path / "out", **given, tuning=tuning, aligning=aligning)
    assert again == stages
    with pytest.raises(ResumeError, match="other data"):
        post_train(source, tmp_path / "out", **given, tuning=TuneSettings(steps=5))
    with pytest.raises(ConfigError, match="need data"):
        post_train(source, tmp_path / "out", examples=examples, preferences=[])


def test_clean_passages_are_told_apart() -> None:
    texts = sentences(30, seed=4)
    examples, preferences = continuations(texts, 10, characters=120)
    asked_for = {one.prompt[0].text for one in examples} | {
        one.prompt[0].text for one in preferences
    }
    assert len(asked_for) == 20
    joined = [f"{one.prompt[0].text} {one.reply}" for one in [*examples, *preferences]]
    assert all(any(passage in text for text in texts) for passage in joined)
    assert sorted(one.rejected or "" for one in preferences) == sorted(o.reply for o in preferences)
    assert all(one.rejected != one.reply for one in preferences)
