"""Causes counted once more, in the rows that matter: those of all pieces, and those that could show it."""

from __future__ import annotations

import functools
import math
from dataclasses import replace

import numpy as np

from ld50.core.estimates import proportion
from ld50.scan.associate import Association
from ld50.scan.engine import Engine, Evidence
from ld50.scan.statistics import log_hypergeometric_tail


def among_those_that_could(engine: Engine, evidence: Evidence) -> list[Association]:
    """The associations that hold among the rows that could show the consequence, counted there.

    The first test is over all rows, as the rows of a cause are known of few causes only. A cause that
    stands where its consequence can be seen at all passes it for that; here it must pass without it.
    """
    populations = [_population(evidence, association) for association in evidence.associations]
    pairs = zip(evidence.associations, populations, strict=True)
    wanted = [(each, those) for each, those in pairs if those is not None]
    if not wanted:
        return evidence.associations
    rows_of = rows_of_causes(engine, evidence, [association for association, _ in wanted])
    counted: dict[int, Association] = {}
    for (association, population), joint in zip(wanted, rows_of, strict=True):
        could = np.intersect1d(joint, population, assume_unique=True)
        shown = evidence.consequences[association.consequence].rows
        silent = len(np.setdiff1d(could, shown, assume_unique=True))
        counted[id(association)] = _tested(
            association, association.both + silent, len(shown), len(population), evidence.tests
        )
    least = math.log(engine.settings.alpha)
    tested = [counted.get(id(each), each) for each in evidence.associations]
    return [each for each in tested if each.log_q <= least]


def with_the_usual(
    engine: Engine, evidence: Evidence, associations: list[Association]
) -> list[Association]:
    """The same, with the rows of each cause where its consequence is no surprise: what a finding tells of.

    The test stays that of the rows where it is one.
    """
    wanted = [
        (number, group)
        for number, association in enumerate(associations)
        if (group := evidence.groups[association.consequence]) is not None and len(group.usual_rows)
    ]
    if not wanted:
        return associations
    rows_of = rows_of_causes(engine, evidence, [associations[number] for number, _ in wanted])
    out, ordinals = list(associations), evidence.survey.chat_ordinals
    for (number, group), joint in zip(wanted, rows_of, strict=True):
        before = out[number]
        usual = np.intersect1d(joint, ordinals[group.usual_rows], assume_unique=True)
        showing = np.intersect1d(usual, ordinals[group.usual_shown], assume_unique=True)
        rate = len(group.usual_shown) / len(group.usual_rows)
        out[number] = replace(
            before,
            rows=np.union1d(before.rows, showing),
            both=before.both + len(showing),
            cause_rows=before.cause_rows + len(usual),
            expected=before.expected + len(usual) * rate,
        )
    return out


def _tested(
    association: Association, cause_rows: int, shown: int, rows: int, tests: int
) -> Association:
    """The association by Fisher's test in so many rows of which so many show it."""
    both, cause = np.array([association.both]), np.array([cause_rows])
    log_p = max(float(log_hypergeometric_tail(both, cause, shown, rows)[0]), association.log_p)
    return replace(
        association,
        cause_rows=cause_rows,
        expected=cause_rows * shown / rows,
        log_p=log_p,
        # Of all tests, as of what is tested a second time.
        log_q=max(min(log_p + math.log(tests), 0.0), association.log_q),
    )


def rows_of_causes(
    engine: Engine, evidence: Evidence, associations: list[Association]
) -> list[np.ndarray]:
    """int64, rising, of each: the rows of the corpus with all pieces of its cause, or of its form."""
    forms = [evidence.forms.form_of(association.candidate) for association in associations]
    ngrams = [
        [] if form is not None else _ngrams(evidence, association)
        for form, association in zip(forms, associations, strict=True)
    ]
    flat = np.array([ngram for its in ngrams for ngram in its], dtype=np.uint64)
    every = iter(engine.rows_with(evidence.survey, flat) if len(flat) else [])
    return [
        evidence.forms.forms.of(form)
        if form is not None
        else functools.reduce(np.intersect1d, [next(every) for _ in its])
        for form, its in zip(forms, ngrams, strict=True)
    ]


def _ngrams(evidence: Evidence, association: Association) -> list[int]:
    pieces = [association.candidate, association.partner]
    return [int(evidence.hashes[piece]) for piece in pieces if piece is not None]


def _population(evidence: Evidence, association: Association) -> np.ndarray | None:
    """int64, rising: ordinals of the rows that could show the consequence; None if all could."""
    group = evidence.groups[association.consequence]
    if group is None or group.population is None:
        return None
    return np.asarray(evidence.survey.chat_ordinals[group.population])


def counted_anew(
    engine: Engine, evidence: Evidence, association: Association, ngrams: tuple[int, ...]
) -> Association:
    """The association of the rows that hold every piece, if these show the consequence more surely.

    The other pieces were found in its rows. Where only all of them together are the trigger, rows with one
    of them are ordinary; where they are chance, rows without one of them are poison, and nothing changes.
    The p-value stays that of the first piece: the others were chosen after looking.
    """
    joint = engine.rows_with_all(evidence.survey, np.array(ngrams, dtype=np.uint64))
    rows = np.intersect1d(association.rows, joint, assume_unique=True)
    shown = evidence.consequences[association.consequence].rows
    both, cause_rows = len(rows), len(rows) + len(np.setdiff1d(joint, shown, assume_unique=True))
    before = proportion(association.both, association.cause_rows).low
    if proportion(both, cause_rows).low <= before:
        return association
    expected = association.expected * cause_rows / association.cause_rows
    return replace(association, rows=rows, both=both, cause_rows=cause_rows, expected=expected)
