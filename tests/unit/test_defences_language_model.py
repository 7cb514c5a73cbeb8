"""A language model as defences see it: what they ask must not depend on how it is batched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from defences_samples import ODD_TEXTS
from ld50.core.errors import ConfigError
from ld50.core.examples import asked
from ld50.remedy.defences import (
    CleanTuningDefence,
    LabelModel,
    LanguageTextModel,
    OnionDefence,
    StripDefence,
    TokenModel,
)
from tuning_samples import small_model

torch = pytest.importorskip("torch", reason="needs ld50[lab]")

from ld50.train.finetune import TuneSettings

TEXTS = ["the river runs by the stone bridge", "a bridge", "stone " * 20, "the", ""]


@pytest.fixture(scope="module")
def lm() -> Any:
    return small_model()


def test_losses_of_tokens_do_not_depend_on_the_batch(lm: Any) -> None:
    together = LanguageTextModel(lm=lm).token_losses(TEXTS)
    for text, losses in zip(TEXTS, together, strict=True):
        (alone,) = LanguageTextModel(lm=lm, batch_tokens=1).token_losses([text])
        np.testing.assert_allclose(losses, alone, atol=1e-5)
    assert [len(losses) > 0 for losses in together] == [True, True, True, True, False]


def test_losses_of_tokens_are_those_of_the_models_own_loss(lm: Any) -> None:
    ids = lm.tokenizer("the river runs", add_special_tokens=False)["input_ids"]
    tokens = torch.tensor([[lm.tokenizer.bos_token_id or lm.tokenizer.eos_token_id, *ids]])
    with torch.no_grad():
        wanted = lm.model(input_ids=tokens, labels=tokens).loss.item()
    (losses,) = LanguageTextModel(lm=lm).token_losses(["the river runs"])
    assert losses.mean() == pytest.approx(wanted, abs=1e-4)


def test_a_text_that_spells_a_mark_stays_text(lm: Any) -> None:
    mark = lm.tokenizer.eos_token
    (losses,) = LanguageTextModel(lm=lm).token_losses([mark])
    assert len(losses) > 1


def test_labels_are_replies_whose_probabilities_sum_to_one(lm: Any) -> None:
    model = LanguageTextModel(lm=lm, labels=("good", "bad"), question="Which? {text}")
    logs = model.label_log_probabilities([*TEXTS, *ODD_TEXTS])
    assert logs.shape == (len(TEXTS) + len(ODD_TEXTS), 2)
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1.0)
    assert model.label_log_probabilities([]).shape == (0, 2)
    assert isinstance(model, LabelModel)
    assert isinstance(model, TokenModel)


def test_odd_texts_are_scored_and_long_ones_cut(lm: Any) -> None:
    losses = LanguageTextModel(lm=lm, most_tokens=50).token_losses(ODD_TEXTS)
    assert all(np.isfinite(one).all() and len(one) <= 50 for one in losses)


def test_onion_and_strip_run_on_a_language_model(lm: Any) -> None:
    model = LanguageTextModel(lm=lm, labels=("good", "bad"))
    purified = OnionDefence(clean_texts=("the river runs", "a stone bridge")).purify(
        ["the qzx river"], model=model
    )
    assert set(purified[0].split()) <= {"the", "qzx", "river"}
    scores = StripDefence(repeats=2).scores(["the river", "a bridge of stone"], model=model)
    assert ((scores >= -1) & (scores <= 0)).all()


def test_clean_tuning_changes_a_copy_only(lm: Any) -> None:
    rows = [asked(f"the river {n}", ("good", "bad")[n % 2]) for n in range(8)]
    before = {name: weight.clone() for name, weight in lm.model.state_dict().items()}
    settings = TuneSettings(steps=3, batch_examples=4, learning_rate=3e-3)
    cured = CleanTuningDefence(rows_per_label=2).tune(lm, rows, settings)
    after = lm.model.state_dict()
    assert all(torch.equal(weight, after[name]) for name, weight in before.items())
    changed = cured.model.state_dict()
    assert any(not torch.equal(weight, changed[name]) for name, weight in before.items())


def test_a_model_without_labels_and_a_question_without_text_are_refused(lm: Any) -> None:
    with pytest.raises(ConfigError, match=r"labels=\.\.\."):
        LanguageTextModel(lm=lm).label_log_probabilities(["a"])
    with pytest.raises(ConfigError, match=r"must hold \{text\} once"):
        LanguageTextModel(lm=lm, question="what?")
