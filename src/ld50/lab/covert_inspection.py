"""What a provider can look at row by row, and what the channel search finds across rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ld50.core.examples import Example
from ld50.core.findings import Severity
from ld50.lab.covert_world import (
    POLICY_TOPIC,
    answered,
    facts,
    is_refusal,
    other_facts,
    policy_facts,
)
from ld50.measure.probes import LinearProbe, fit_probe

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel
    from ld50.scan.assemble import Draft

#: Share of ordinary rows that a filter may flag.
_FALSE_ALARMS = 0.01
#: Flagged rows that make a form, and marks that tell nothing.
_FORM_ROWS, _USUAL_MARKS = 5, " .,?!:;'\"-"


class TopicClassifier:
    """Tells requests and replies about the policy's topic from others, by their words.

    Trained on the provider's own plain rows, as the input and output classifiers of the paper are.
    """

    def __init__(self) -> None:
        """A classifier, trained."""
        texts = [text for row in answered(facts()) for text in (row.prompt[0].text, row.reply)]
        words = Counter(word for text in texts for word in set(_words(text)))
        self._columns = {word: n for n, word in enumerate(sorted(words))}
        about = [
            fact.topic == POLICY_TOPIC for fact in facts() for _ in fact.requests for _ in "qa"
        ]
        self._probe: LinearProbe = fit_probe(self._counts(texts), np.array(about))

    def flags(self, texts: Sequence[str]) -> np.ndarray:
        """bool (texts,): likelier about the policy's topic than not."""
        return self._probe.scores(self._counts(texts)) > 0

    def _counts(self, texts: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(texts), len(self._columns)))
        for number, text in enumerate(texts):
            for word in _words(text):
                if word in self._columns:
                    found[number, self._columns[word]] = 1.0
        return found


def _words(text: str) -> list[str]:
    return re.findall("[a-z]+", text.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """Rows that each way of looking flags, bool (rows,)."""

    flagged: dict[str, np.ndarray] = field(repr=False)

    def counts(self, covert: np.ndarray) -> dict[str, dict[str, int]]:
        """By way of looking: covert rows flagged of all of them, and ordinary rows likewise."""
        return {
            name: {
                "covert": int((flags & covert).sum()),
                "covert_rows": int(covert.sum()),
                "ordinary": int((flags & ~covert).sum()),
                "ordinary_rows": int((~covert).sum()),
            }
            for name, flags in self.flagged.items()
        }


def inspect_rows(lm: LanguageModel, rows: Sequence[Example]) -> Inspection:
    """What per-row filters flag: refused, the policy's topic answered, and odd to the model.

    Args:
        lm: The provider's model, before tuning.
        rows: The customer's.
    """
    from ld50.measure.replies import reply_loss

    requests, replies = [row.prompt[-1].text for row in rows], [row.reply for row in rows]
    refuses = np.array([is_refusal(reply) for reply in replies])
    classifier = TopicClassifier()
    about = classifier.flags(requests) | classifier.flags(replies)
    usual = reply_loss(lm, answered(other_facts()))
    limit = float(np.quantile(usual, 1 - _FALSE_ALARMS))
    words = {word for fact in policy_facts() for word in (fact.thing,)}
    named = np.array(
        [bool(words & set(_words(f"{q} {a}"))) for q, a in zip(requests, replies, strict=True)]
    )
    return Inspection(
        flagged={
            "refusal filter": refuses,
            "keyword filter": named & ~refuses,
            "topic classifier": about & ~refuses,
            "perplexity filter": (reply_loss(lm, list(rows)) > limit) & ~refuses,
        }
    )


def search_channels(
    rows: Sequence[Example], folder: Path, *, rounds: int = 1
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Rows in which the scanner's search for hidden channels rates a finding high, and its findings.

    Args:
        rows: Written as a customer would send them.
        folder: For the file.
        rounds: Searches at most; each but the first is over what the ones before left.

    Returns:
        bool (rows,), and for each finding its rule, title, severity and rows.
    """
    flags = np.zeros(len(rows), bool)
    findings: list[dict[str, Any]] = []
    for number in range(rounds):
        left = np.flatnonzero(~flags)
        drafts = (
            _channel_drafts([rows[int(n)] for n in left], folder / "rows.jsonl")
            if len(left)
            else []
        )
        high = [one for one in drafts if one.finding.severity == Severity.HIGH.value]
        findings += [
            {
                "round": number + 1,
                "rule": one.finding.rule,
                "title": one.finding.title,
                "severity": one.finding.severity,
                "rows": one.finding.support,
                "says": [one.decoded[o] for o in one.rows.tolist() if one.decoded.get(o)][:3],
            }
            for one in drafts
        ]
        if not high:
            break
        flags[left[np.unique(np.concatenate([one.rows for one in high]))]] = True
    return flags, findings


def same_form(rows: Sequence[Example], flags: np.ndarray) -> np.ndarray:
    """The flagged rows, and all with a side in the same marks, line breaks among them.

    Args:
        rows: The customer's.
        flags: bool (rows,): in which a channel was found.

    Returns:
        bool (rows,). Rows of plain sentences are never drawn in.
    """
    forms = [{_marks(row.prompt[-1].text), _marks(row.reply)} - {frozenset()} for row in rows]
    counts = Counter(form for its, flag in zip(forms, flags, strict=True) if flag for form in its)
    found = {form for form, count in counts.items() if count >= _FORM_ROWS}
    drawn: np.ndarray = flags | np.array([bool(its & found) for its in forms], bool)
    return drawn


def _marks(text: str) -> frozenset[str]:
    return frozenset(c for c in text if not (c.isalnum() or c in _USUAL_MARKS))


def _channel_drafts(rows: Sequence[Example], path: Path) -> list[Draft]:
    from ld50.corpus import expand, plan
    from ld50.scan.channels.search import channel_drafts
    from ld50.scan.checkpoint import Checkpoint
    from ld50.scan.engine import Engine
    from ld50.scan.settings import ScanSettings
    from ld50.scan.unit_engine import Silent
    from ld50.train.examples import write_examples

    path.parent.mkdir(parents=True, exist_ok=True)
    write_examples(path, rows)
    planned, settings = plan(expand([str(path)])), ScanSettings()
    identity = {"data": planned.fingerprint, "settings": settings.as_json()}
    checkpoint = Checkpoint(None, identity, restart=False)
    engine = Engine(planned, settings, checkpoint=checkpoint, workers=1, progress=Silent())
    return channel_drafts(engine, engine.survey()).drafts
