"""From texts and labels to findings: the whole label signal in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from ld50.core.errors import ConfigError
from ld50.core.seeds import rng_for
from ld50.scan.labels.causes import Index, copy_level
from ld50.scan.labels.evidence import LabelView, view_label
from ld50.scan.labels.families import conclude
from ld50.scan.labels.findings import LabelFinding, LabelSettings, LabelTriggers
from ld50.scan.labels.formats import format_suspects
from ld50.scan.labels.insertion import Neighbours, count_neighbours
from ld50.scan.labels.judging import Judged, Study, accept, as_one_phrase, judge
from ld50.scan.labels.members import Candidates, with_further_members
from ld50.scan.labels.misfit import find_misfits
from ld50.scan.labels.model import build_features, fit_out_of_fold
from ld50.scan.labels.ngrams import count_ngrams
from ld50.scan.labels.pairs import words_by_row
from ld50.scan.labels.plausibility import look_closer
from ld50.scan.labels.report import describe
from ld50.scan.labels.rest import RestOfRows
from ld50.scan.labels.strata import prices, strata_of_tables
from ld50.scan.labels.style import style_suspects
from ld50.scan.labels.suspects import (
    ngram_suspects,
    pair_suspects,
    rarity_of_tables,
    score_ngrams,
)
from ld50.scan.labels.tokens import Tokens, tokenize
from ld50.scan.labels.twins import find_twins

_LEAST_LABELLED = 40
_MOST_FEATURES = 200_000


def find_label_triggers(
    texts: pa.Array,
    labels: np.ndarray,
    label_names: Sequence[str],
    settings: LabelSettings | None = None,
) -> list[LabelFinding]:
    """The findings of `search_label_triggers`."""
    return search_label_triggers(texts, labels, label_names, settings).findings


def search_label_triggers(
    texts: pa.Array,
    labels: np.ndarray,
    label_names: Sequence[str],
    settings: LabelSettings | None = None,
) -> LabelTriggers:
    """Causes that go with a label which the rest of their rows does not explain, strongest first.

    A trigger makes rows carry a label that their other words speak against. So a model of the label
    is fitted to the words, out of fold; a candidate cause, with every word pair it is part of, is
    taken off the score of each of its rows; and the question is whether what is left looks like
    rows of the label that they carry, or like rows of another. A natural cue of the label, however
    strong, stands in rows whose rest agrees with it or is neutral; a trigger does not.

    Args:
        texts: `large_string` (n,) without nulls.
        labels: int (n,), code of each row's label; -1 where there is none.
        label_names: Name of each code.
        settings: How to look.

    Returns:
        Findings of at least `settings.least_suspicion`, and the tests made; none for sets with too few
        rows, one label, or more labels than `settings.most_labels`.

    Raises:
        ConfigError: `labels` does not fit `texts` or `label_names`.
    """
    settings = settings or LabelSettings()
    labels = np.asarray(labels, dtype=np.int64)
    if len(labels) != len(texts):
        raise ConfigError(f"there are {len(texts)} texts and {len(labels)} labels")
    if len(labels) and int(labels.max()) >= len(label_names):
        raise ConfigError(f"label {int(labels.max())} has no name; {len(label_names)} are given")
    codes, present = _compact(labels, settings)
    if len(present) < 2 or len(present) > settings.most_labels:
        return LabelTriggers()
    study = _study(texts, codes, settings)
    if len(study.tokens.words) == 0:
        return LabelTriggers()
    names = [str(label_names[int(code)]) for code in present]
    neighbours = count_neighbours(study.tokens, study.row_of_token)
    targets = np.flatnonzero(np.isin(present, settings.targets or present))
    twins = find_twins(study.tokens, study.row_of_token, study.labels)
    views = [
        view_label(study.tokens, study.model, study.labels, label, study.row_of_token, twins)
        for label in range(len(present))
    ]
    judged, tests, candidates = _search(study, neighbours, texts, views, targets)
    looked_at, suspicion = look_closer(study, neighbours, judged, names)
    known = list(zip(judged, looked_at, suspicion, strict=False))
    known = with_further_members(study, neighbours, candidates, known, names)
    conclusions = conclude(
        [one[0] for one in known],
        [one[1] for one in known],
        [one[2] for one in known],
        tests,
        len(texts),
    )
    findings = describe(study, texts, conclusions, tests, present, names)
    if not settings.targets:
        misfits, made = find_misfits(study, neighbours, texts, views, candidates, conclusions)
        findings, tests = findings + misfits, tests + made
    return LabelTriggers(
        findings=findings,
        tests=tests,
        rest=RestOfRows(study=study, views=views, codes=present),
    )


def _compact(labels: np.ndarray, settings: LabelSettings) -> tuple[np.ndarray, np.ndarray]:
    """Labels numbered from 0 without gaps, and the code of each; rare labels count as none."""
    known = labels >= 0
    counts = np.bincount(labels[known]) if known.any() else np.zeros(0, dtype=np.int64)
    present = np.flatnonzero(counts >= settings.least_rows)
    if counts.sum() < _LEAST_LABELLED:
        return labels, np.zeros(0, dtype=np.int64)
    number = np.full(len(counts) + 1, -1, dtype=np.int64)
    number[present] = np.arange(len(present))
    return number[np.where(known, labels, len(counts))], present


def _study(texts: pa.Array, labels: np.ndarray, settings: LabelSettings) -> Study:
    tokens = tokenize(texts)
    row_of_token = tokens.row_of_token()
    features = build_features(tokens, least_rows=2, most=_MOST_FEATURES)
    model = fit_out_of_fold(
        tokens,
        labels,
        folds=settings.folds,
        ridge=settings.ridge,
        sample=_sample(tokens, settings),
        features=features,
    )
    index = Index(tokens=tokens, row_of_token=row_of_token)
    return Study(
        tokens=tokens,
        row_of_token=row_of_token,
        labels=labels,
        known=labels >= 0,
        model=model,
        index=replace(index, copy_level=copy_level(index, model)),
        settings=settings,
    )


def _sample(tokens: Tokens, settings: LabelSettings) -> np.ndarray:
    """bool (n,): rows to fit the model on, so that their words stay within bounds."""
    n = len(tokens.rows) - 1
    share = settings.model_tokens / max(len(tokens.words), 1)
    if share >= 1:
        return np.ones(n, dtype=bool)
    return np.asarray(rng_for(settings.seed, "label-model").random(n) < share)


def _search(
    study: Study,
    neighbours: Neighbours,
    texts: pa.Array,
    views: list[LabelView],
    targets: np.ndarray,
) -> tuple[list[Judged], int, Candidates]:
    """Accepted causes, strongest first, the number of tests made, and what was looked at.

    Args:
        study: The rows.
        neighbours: Counts of adjacent words.
        texts: The same as text.
        views: One a label.
        targets: int64, rising: the labels that causes are looked for.
    """
    settings = study.settings
    tables = count_ngrams(
        study.tokens, study.row_of_token, longest=settings.longest, least_rows=settings.least_rows
    )
    rarity = rarity_of_tables(tables, neighbours)
    strata = strata_of_tables(tables, study.tokens)
    words = words_by_row(
        study.tokens,
        study.row_of_token,
        least_rows=settings.least_rows,
        most_incidences=settings.pair_incidences,
    )
    looked_for = [views[label] for label in targets.tolist()]
    scored = [
        score_ngrams(tables, view, study.known, rarity, strata, settings.least_rows)
        for view in looked_for
    ]
    tests = sum(len(part.both) for part in scored)
    price = prices([part.stratum for part in scored])
    judged: list[Judged] = []
    pair_tests = 0
    for view, part in zip(looked_for, scored, strict=True):
        suspects = ngram_suspects(part, tables, study.tokens, view.label, price)
        pairs, made = pair_suspects(words, view, study.tokens.vocabulary, settings.least_rows)
        pair_tests += made
        judged += [judge(study, view, suspect) for suspect in suspects + pairs]
    written = style_suspects(study, views) + format_suspects(study, views, texts)
    judged += [one for one in written if one.suspect.label in targets]
    return (
        [as_one_phrase(study, one) for one in accept(study, views, judged)],
        tests + pair_tests + len(looked_for),
        Candidates(
            views=looked_for,
            scored=scored,
            tables=tables,
            rarity=rarity,
            strata=strata,
            words=words,
        ),
    )
