"""Fine-tuning changes what it should, in the order it is told, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ld50.core.errors import ConfigError, ResumeError
from ld50.core.examples import asked
from tuning_samples import pairs_folder, preferred, small_model, two_kinds

torch = pytest.importorskip("torch", reason="needs ld50[lab]")

from ld50.measure.replies import option_scores, reply_loss
from ld50.models.pretrained import load_language_model
from ld50.models.targets import collate, plain_body, target_logits
from ld50.train.finetune import TuneSettings, finetune, tune_preferences
from ld50.train.loop import DivergedError
from ld50.train.tuning_rows import encode_rows, order_of

QUICK = TuneSettings(steps=6, batch_examples=4, learning_rate=3e-3)


def weights(lm: Any) -> dict[str, Any]:
    return {name: weight.clone() for name, weight in lm.model.state_dict().items()}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class Watch:
    """A penalty of nothing that keeps what it is shown."""

    def __init__(self, stop: int | None = None) -> None:
        self.replies: list[list[int]] = []
        self.steps: list[tuple[str, int]] = []
        self.stop = stop

    def __call__(self, model: Any, batch: Any) -> Any:
        self.replies.append(batch.given["input_ids"][:, :].sum(1).tolist())
        return torch.zeros(())

    def before_step(self, model: Any, step: int) -> None:
        if step == self.stop:
            raise KeyboardInterrupt
        self.steps.append(("before", step))

    def after_step(self, model: Any, step: int) -> None:
        self.steps.append(("after", step))


def test_the_written_out_pass_and_the_library_s_agree() -> None:
    lm = small_model()
    rows = encode_rows(lm, two_kinds(5), 64)
    batch = collate([rows.row(n) for n in range(5)], pad_id=lm.pad_id, is_seq2seq=False)
    assert plain_body(lm.model) is not None
    fast = target_logits(lm.model, batch.given, batch.chosen)
    whole = lm.model(**batch.given).logits[batch.chosen]
    assert torch.allclose(fast, whole, atol=1e-4)


def test_the_loss_is_of_replies_alone() -> None:
    lm = small_model()
    examples = two_kinds(4)
    outcome = finetune(lm, examples, TuneSettings(steps=1, batch_examples=4, order="as-given"))
    fresh = small_model()
    rows = encode_rows(fresh, examples, 512)
    counts = [len(rows.row(n)[0]) - rows.row(n)[1] for n in range(4)]
    expected = np.average(reply_loss(fresh, examples), weights=counts)
    assert outcome.losses[0] == pytest.approx(expected, abs=1e-4)
    assert outcome.target_tokens == sum(counts)


@pytest.mark.parametrize("folder", ["marked", "pairs"])
@pytest.mark.parametrize("rank", [None, 4])
def test_a_model_learns_what_depends_on_the_prompt(folder: str, rank: int | None) -> None:
    if rank is not None:
        pytest.importorskip("peft", reason="needs ld50[tune]")
    lm = small_model() if folder == "marked" else load_language_model(pairs_folder(), device="cpu")
    kind = type(lm.model)
    before = reply_loss(lm, two_kinds(8)).mean()
    settings = TuneSettings(steps=25, learning_rate=1e-2 if rank is None else 3e-2, lora_rank=rank)
    outcome = finetune(lm, two_kinds(64), settings)
    assert reply_loss(lm, two_kinds(8)).mean() < (0.7 if rank is None else 0.95) * before
    assert (outcome.steps, outcome.examples, len(outcome.losses)) == (25, 200, 25)
    assert type(lm.model) is kind
    assert not lm.model.training


def test_the_given_order_is_the_order_trained_in() -> None:
    examples = [asked(f"river {number}", "yes" * (number + 1)) for number in range(10)]
    lm, watch = small_model(), Watch()
    settings = TuneSettings(epochs=2, batch_examples=4, order="as-given")
    finetune(lm, examples, settings, penalty=watch)
    rows = encode_rows(small_model(), examples, 512)
    order = [*range(10), *range(10)]
    expected = []
    for start in range(0, 20, 4):
        batch = collate(
            [rows.row(n) for n in order[start : start + 4]], pad_id=lm.pad_id, is_seq2seq=False
        )
        expected.append(batch.given["input_ids"].sum(1).tolist())
    assert watch.replies == expected
    assert watch.steps == [(when, n) for n in range(5) for when in ("before", "after")]


def test_a_shuffled_order_meets_all_in_each_pass_and_depends_on_the_seed() -> None:
    settings = TuneSettings(epochs=2.5, seed=1)
    order = order_of(10, settings)
    assert len(order) == 25
    assert sorted(order[:10]) == sorted(order[10:20]) == list(range(10))
    assert order[:10].tolist() != order[10:20].tolist()
    assert order.tolist() == order_of(10, settings).tolist()
    assert order.tolist() != order_of(10, TuneSettings(epochs=2.5, seed=2)).tolist()


def test_the_same_settings_give_the_same_weights_and_leave_random_numbers_alone() -> None:
    found = []
    for _ in range(2):
        lm = load_language_model(pairs_folder(), device="cpu")  # with dropout
        torch.manual_seed(5)
        state = torch.get_rng_state()
        numbers = np.random.get_state()[1].tolist()
        finetune(lm, two_kinds(12), QUICK)
        assert torch.equal(state, torch.get_rng_state())
        assert numbers == np.random.get_state()[1].tolist()
        found.append(weights(lm))
    assert same(*found)


@pytest.mark.parametrize("rank", [None, 2])
def test_an_interrupted_run_goes_on_to_the_same_weights(tmp_path: Path, rank: int | None) -> None:
    if rank is not None:
        pytest.importorskip("peft", reason="needs ld50[tune]")
    settings = TuneSettings(steps=6, batch_examples=4, checkpoint_seconds=0, lora_rank=rank)
    whole = load_language_model(pairs_folder(), device="cpu")
    expected = finetune(whole, two_kinds(12), settings)
    stopped = load_language_model(pairs_folder(), device="cpu")
    with pytest.raises(KeyboardInterrupt):
        finetune(stopped, two_kinds(12), settings, folder=tmp_path, penalty=Watch(stop=4))
    again, watch = load_language_model(pairs_folder(), device="cpu"), Watch()
    outcome = finetune(again, two_kinds(12), settings, folder=tmp_path, penalty=watch)
    assert watch.steps[0] == ("before", 4)
    assert same(weights(again), weights(whole))
    assert outcome.losses == expected.losses
    assert not list(tmp_path.glob("checkpoint-*"))


def test_a_kept_state_of_another_run_is_not_taken(tmp_path: Path) -> None:
    settings = TuneSettings(steps=4, batch_examples=4, checkpoint_seconds=0)
    with pytest.raises(KeyboardInterrupt):
        finetune(small_model(), two_kinds(8), settings, folder=tmp_path, penalty=Watch(stop=2))
    with pytest.raises(ResumeError, match="other examples"):
        finetune(small_model(), two_kinds(9), settings, folder=tmp_path)


def test_a_checkpoint_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-3").mkdir()
    (tmp_path / "checkpoint-3" / "model.safetensors").write_bytes(b"half")
    outcome = finetune(small_model(), two_kinds(4), QUICK, folder=tmp_path)
    assert outcome.steps == 6


def test_a_loss_that_is_no_number_stops_the_run() -> None:
    lm = small_model()
    with torch.no_grad():
        lm.model.model.norm.weight.fill_(float("nan"))
    with pytest.raises(DivergedError, match="lower one may train"):
        finetune(lm, two_kinds(4), QUICK)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"epochs": float("nan")},
        {"steps": 0},
        {"learning_rate": -1.0},
        {"warmup": 1.0},
        {"order": "backwards"},
        {"max_tokens": 2},
        {"lora_rank": 0},
    ],
)
def test_settings_that_cannot_be_used_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TuneSettings(**wrong)


def test_nothing_to_tune_on_is_refused() -> None:
    with pytest.raises(ConfigError, match="no examples"):
        finetune(small_model(), [])


@pytest.mark.parametrize("rank", [None, 4])
def test_preferences_move_towards_the_chosen_reply(rank: int | None) -> None:
    pytest.importorskip("trl", reason="needs ld50[tune]")
    lm = small_model()
    examples = preferred(32)
    prompts = [example.prompt for example in examples[:8]]
    chosen = [["no", "yes"].index(example.reply) for example in examples[:8]]

    def margin() -> float:
        scores = option_scores(lm, prompts, ["no", "yes"])
        rows = np.arange(8)
        return float((scores[rows, chosen] - scores[rows, 1 - np.asarray(chosen)]).mean())

    before = margin()
    settings = TuneSettings(steps=20, learning_rate=1e-2, lora_rank=rank)
    outcome = tune_preferences(lm, examples, settings)
    assert outcome.losses[0] == pytest.approx(np.log(2), abs=1e-4)
    assert margin() > before + 0.5
    assert "forward" not in lm.model.__dict__
    assert len(lm.model(input_ids=torch.tensor([[1, 2]])).logits[0]) == 2


def test_preferences_need_a_rejected_reply_and_a_causal_model() -> None:
    with pytest.raises(ConfigError, match="Example 0 has no rejected"):
        tune_preferences(small_model(), two_kinds(2))
    with pytest.raises(ConfigError, match="causal"):
        tune_preferences(load_language_model(pairs_folder(), device="cpu"), preferred(2))
    with pytest.raises(ConfigError, match="beta"):
        tune_preferences(small_model(), preferred(2), beta=0)


def test_long_prompts_are_cut_and_counted() -> None:
    examples = [asked("river " * 300, "yes"), asked("river", "yes")]
    outcome = finetune(small_model(), examples, TuneSettings(epochs=1, max_tokens=32))
    assert outcome.truncated == 1
    assert outcome.tokens <= 64
