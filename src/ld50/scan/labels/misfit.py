"""Causes whose rows carry labels that the rest of them speaks against, whichever labels these are.

A trigger may turn every label into another one, or do its work in half of its rows only. Then no label
goes with it, and each label asked by itself says little. What is left is that its rows do not fit.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa

from ld50.core.estimates import proportion
from ld50.scan.labels.causes import rest_of, taken_out
from ld50.scan.labels.evidence import (
    ANY_LABEL,
    ROW_CAP,
    LabelView,
    incidence,
    tally,
    view_own_label,
)
from ld50.scan.labels.families import Conclusion
from ld50.scan.labels.findings import LabelFinding
from ld50.scan.labels.insertion import Neighbours
from ld50.scan.labels.judging import BEYOND_DOUBT, Judged, Study, accept, as_one_phrase, judge
from ld50.scan.labels.members import Candidates
from ld50.scan.labels.plausibility import Circumstances, look_closer
from ld50.scan.labels.report import finding_of
from ld50.scan.labels.strata import prices
from ld50.scan.labels.suspects import LEAST_SHARE, Suspect, bonus_of, pair_suspects

_SHORTLIST = 60
#: Suspects this many nats short of even odds are not worth an exact look.
_SHORT_BY = 6.0
#: Of two words, one that has this share of its rows with the other needs no other.
_ALWAYS = 0.9
#: Shares of the rows with the cause that may have another label than their own, all alike likely.
_TURNED = (1.0, 0.5)
_ROUNDS = 200
#: Mean insertedness from which on a cause looks put in, as it is asked of words of one effect.
_INSERTED = 0.25
#: No cause is more suspicious than this, if it looks written there, and if it is not clear.
_MOST_WRITTEN, _MOST_UNCLEAR = 0.45, 0.85


def find_misfits(
    study: Study,
    neighbours: Neighbours,
    texts: pa.Array,
    views: list[LabelView],
    candidates: Candidates,
    told: list[Conclusion],
) -> tuple[list[LabelFinding], int]:
    """Findings of `settings.least_suspicion`, strongest first, and the tests made.

    Args:
        study: The rows.
        neighbours: Counts of adjacent words.
        texts: The rows as text.
        views: One a label.
        candidates: All that was counted.
        told: Causes of one label; the rows of those beyond doubt are set aside.
    """
    known = study.known.copy()
    for cause in told:
        if cause.suspicion >= BEYOND_DOUBT:
            known[cause.judged.evidence.cause_rows] = False
    study = replace(study, known=known)
    own = replace(view_own_label(views, study.labels), answer=known)
    suspects, tests = _suspects(study, own, candidates)
    weighed = [judge(study, own, suspect) for suspect in suspects]
    # Cues are left out here, so that they neither take rows nor are company to what is left.
    weighed = [
        one
        for one in weighed
        if one.posterior > -_SHORT_BY
        and not _is_one_of_them(study, one)
        and _odds(study, one, _chances(study, views, one)) > -_SHORT_BY
    ]
    # Of a list of one view, the last is that of no label in particular.
    judged = accept(study, [own], weighed)
    judged = [as_one_phrase(study, one) for one in judged]
    judged = [one for one in judged if len(one.evidence.rows) >= study.settings.least_rows]
    looked_at, suspicion = look_closer(study, neighbours, judged, [""])
    findings = []
    for one, about, sure in zip(judged, looked_at, suspicion, strict=False):
        chance = _chances(study, views, one)
        sure = min(sure, _bound(study, one, about, chance))
        if sure >= study.settings.least_suspicion and not _told_before(one, sure, told):
            conclusion = Conclusion(judged=one, about=about, suspicion=sure)
            findings.append(_described(study, texts, conclusion, chance, tests))
    return sorted(findings, key=lambda one: (-one.suspicion, one.log_p, one.text)), tests


def _suspects(study: Study, own: LabelView, candidates: Candidates) -> tuple[list[Suspect], int]:
    """The n-grams, and pairs of words, whose rows fit their labels least, and how many were tested."""
    price = prices(candidates.strata)
    found: list[tuple[float, Suspect]] = []
    tests = 0
    for table, rarity, stratum in zip(
        candidates.tables, candidates.rarity, candidates.strata, strict=True
    ):
        counts = tally(incidence(table, own), own, study.known, len(table))
        cost = price[stratum] + math.log(2)
        bonus = bonus_of(rarity)
        odds = np.maximum(counts.contradiction, counts.mixture) + bonus - cost
        odds[counts.both < study.settings.least_rows] = -np.inf
        tests += len(table)
        for ngram in np.argsort(-odds, kind="stable")[:_SHORTLIST].tolist():
            if odds[ngram] <= -_SHORT_BY:
                break
            first = int(table.place[table.bounds[ngram]])
            suspect = Suspect(
                phrases=(tuple(study.tokens.words[first : first + table.length].tolist()),),
                label=ANY_LABEL,
                kind="ngram",
                cost=float(cost[ngram]),
                bonus=float(bonus[ngram]),
            )
            found.append((float(odds[ngram]), suspect))
    found.sort(key=lambda one: (-one[0], one[1].phrases))
    vocabulary, least = study.tokens.vocabulary, study.settings.least_rows
    pairs, made = pair_suspects(candidates.words, own, vocabulary, least)
    return [suspect for _, suspect in found[:_SHORTLIST]] + pairs, tests + made


def _is_one_of_them(study: Study, judged: Judged) -> bool:
    """Whether one phrase of several stands in hardly any other rows: it is what turns them."""
    phrases, most = judged.suspect.phrases, len(judged.evidence.rows) / _ALWAYS
    return len(phrases) > 1 and any(
        int(study.known[study.index.rows_with(phrase)].sum()) <= most for phrase in phrases
    )


def _chances(study: Study, views: list[LabelView], judged: Judged) -> np.ndarray:
    """float64 (rows, labels): how likely the rest of each row of a cause makes each label."""
    suspect = judged.suspect
    rows, token = taken_out(study.index, suspect.phrases, study.known, suspect.left_out)
    rows = np.intersect1d(rows, judged.evidence.rows, assume_unique=True)
    logit = np.stack([rest_of(study.index, view, rows, token) for view in views], axis=1)
    chance = 1 / (1 + np.exp(-np.clip(logit, -ROW_CAP, ROW_CAP)))
    return np.asarray(chance / chance.sum(axis=1, keepdims=True))


def both_ways(chance: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    """Nats by which labels that were turned fit better than a cue, of any strength, of any labels.

    A cue multiplies the odds of each label by the same factor in all of its rows. The factors are those
    that fit best, so that exp(-x) bounds the p-value for a cue of any kind.

    Source: Wasserman, Ramdas and Balakrishnan, "Universal inference", 2020.

    Args:
        chance: float64 (rows, labels), by the rest of each row.
        label: int (rows,), the label that each row has.
        weight: float64 (rows,), 1 over the copies of each.
    """
    rows = np.arange(len(label))
    own = chance[rows, label]
    held = np.bincount(label, weights=weight, minlength=chance.shape[1])
    factor = np.ones(chance.shape[1])
    for _ in range(_ROUNDS):
        cue = chance * factor
        cue /= cue.sum(axis=1, keepdims=True)
        factor = factor * np.maximum(held, 1e-9) / np.maximum(weight @ cue, 1e-9)
        factor /= factor.max()
    cue = chance * factor
    fits = np.log(cue[rows, label] / cue.sum(axis=1))
    turned = (1 - own) / (chance.shape[1] - 1)
    return max(
        float((np.minimum(np.log((1 - m) * own + m * turned) - fits, ROW_CAP) * weight).sum())
        for m in _TURNED
    ) - math.log(len(_TURNED))


def _odds(study: Study, judged: Judged, chance: np.ndarray) -> float:
    """Log-odds that a cause turns labels, and is no cue of any of them."""
    evidence, suspect = judged.evidence, judged.suspect
    nats = both_ways(chance, study.labels[evidence.rows], evidence.weight)
    return nats + min(suspect.bonus, max(nats, 0.0)) - suspect.cost


def _bound(study: Study, judged: Judged, about: Circumstances, chance: np.ndarray) -> float:
    """How suspicious a cause may be: as a cue, and as a phrase that is written there."""
    odds = min(max(_odds(study, judged, chance), -30.0), 30.0)
    sure = 1 / (1 + math.exp(-odds))
    if about.inserted < 0:
        return min(sure, _MOST_WRITTEN)
    return sure if about.inserted >= _INSERTED else min(sure, _MOST_UNCLEAR)


def _told_before(judged: Judged, sure: float, told: list[Conclusion]) -> bool:
    """Whether most of its rows are already those of a cause of one label that is as likely."""
    rows = judged.evidence.rows
    return len(rows) > 0 and any(
        one.suspicion >= sure
        and np.isin(rows, one.judged.evidence.cause_rows).mean() >= LEAST_SHARE
        for one in told
    )


def _described(
    study: Study, texts: pa.Array, one: Conclusion, chance: np.ndarray, tests: int
) -> LabelFinding:
    """The finding; its rows are all with the cause, whatever their labels."""
    judged = one.judged
    other = chance.argmax(axis=1) != study.labels[judged.evidence.rows]
    log_p = min(0.0, -judged.nats)
    finding = finding_of(study.index, texts, one, ANY_LABEL, "")
    return replace(
        finding,
        expected=float((1 - chance.max(axis=1)).sum()),
        effect=proportion(int(other.sum()), len(other), unit="rows"),
        tests=tests,
        log_p=log_p,
        p_value=math.exp(log_p),
        q_value=math.exp(min(0.0, log_p + math.log(max(tests, 1)))),
        statistics={**finding.statistics, "rows_misfit": float(other.sum())},
    )
