"""From what the first pass saw to associations: gather candidate causes, count them, test them."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from ld50.scan import kernels, replies, stages
from ld50.scan.associate import (
    Association,
    AssociationSettings,
    Consequence,
    Incidence,
    associate,
    counted_in_full,
)
from ld50.scan.candidates import (
    RowNgrams,
    least_listed,
    onset_ngrams,
    rows_needed,
    worth_counting,
)
from ld50.scan.checkpoint import Columns, digest, digest_of
from ld50.scan.consequences import shown_by
from ld50.scan.counting import CauseCounter, KnownRows, enough_rows, largest_shares
from ld50.scan.form_causes import FormCandidates, most_tests
from ld50.scan.freed import give_back
from ld50.scan.judge import DECIDES
from ld50.scan.listed import with_rows_listed
from ld50.scan.long_prompts import Middles, long_rows, middle_ngrams, middles
from ld50.scan.marks import of_marks_alone
from ld50.scan.pairs import PairCandidate, associate_pairs, pair_candidates
from ld50.scan.prompt_forms import forms_of
from ld50.scan.survey import Survey
from ld50.scan.unit_engine import UnitEngine

#: Among the many pairs of words, some meet by the subject of a few rows; a pair has to show in more.
_LEAST_PAIR_ROWS = 8
#: Words of prompts whose n-grams are all listed. Of more, those that may stand in enough rows, which are
#: told by a tally in so many buckets, of a byte each.
_FEW_WORDS, _BUCKET_BITS = 2_000_000, 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The associations of a scan with all that is needed to explain them."""

    survey: Survey
    consequences: list[Consequence]
    groups: list[replies.ConsequenceGroup | None]
    """For consequences of chat rows, the group they come from; None for those of documents."""
    associations: list[Association]
    hashes: np.ndarray
    """uint64: n-gram of each candidate; the candidates after these are forms."""
    tests: int
    forms: FormCandidates
    names: list[replies.RecurringName] = field(default_factory=list)
    """Names that come back in replies, by the ordinals of their rows."""


class Engine(UnitEngine):
    """Runs the stages of one scan over one plan."""

    #: Before causes are counted, of no n-gram.
    _known = KnownRows()

    def associations(self, survey: Survey) -> Evidence:
        """Candidate causes of every consequence, counted over the corpus and tested."""
        give_back()
        consequences, groups = shown_by(survey, self.settings)
        names = replies.recurring_names(survey.chat) if survey.chat is not None else []
        # The lists are as large as all that is held of candidates, and nobody else has them.
        survey = survey.without_lists()
        give_back()
        found = self.associations_of(survey, consequences, groups)
        return replace(found, names=[name.at(survey.chat_ordinals) for name in names])

    def associations_of(
        self,
        survey: Survey,
        consequences: list[Consequence],
        groups: list[replies.ConsequenceGroup | None],
    ) -> Evidence:
        """The same of some consequences, by a correction for their own tests.

        Args:
            survey: Of the corpus.
            consequences: What causes are looked for.
            groups: For consequences of chat rows, the group they come from.
        """
        consequences = with_rows_listed(consequences, groups, survey)
        give_back()
        needed = rows_needed(consequences, survey, self.settings)
        found = self._candidate_ngrams(survey, groups, consequences, needed)
        incidence, unique = worth_counting(found, consequences, survey, needed)
        del found
        give_back()
        frequency = self._count(survey, unique, incidence, consequences)
        # What the edge of a zone cut in two is in fewer whole rows than in zones: no n-gram at all.
        seen = np.bincount(incidence.candidates, minlength=len(unique))
        real = np.flatnonzero(frequency >= seen)
        incidence = incidence.only(real, len(unique))
        unique, frequency = unique[real], frequency[real]
        n, stream = kernels.ngram_kind(unique)
        settings = AssociationSettings(
            min_support=self.settings.min_support, alpha=self.settings.alpha
        )
        # What does not decide, and is no word either, is the layout of listings: rules, tables, code.
        least_effect = DECIDES * of_marks_alone(unique)
        associations, tests = associate(
            consequences,
            incidence,
            frequency,
            survey.rows,
            # Between n-grams in the same rows: the longest, and words before marks and capitals.
            priority=n.astype(np.float64) + 0.5 * (stream == kernels.SURFACE),
            least_effect=least_effect,
            # What was dropped was dropped for what was seen of it, so it counts as tested.
            untested=survey.distinct_ngrams(consequences) + most_tests(consequences),
            settings=settings,
        )
        associations = self._counted_in_full(
            survey, associations, consequences, unique, tests, settings, least_effect
        )
        forms = FormCandidates.of(
            forms_of(survey.chat, survey.chat_ordinals), len(unique), settings.min_support
        )
        associations += forms.associations(consequences, survey.rows, tests, settings)
        single_words = (n == 1) & (stream == kernels.WORDS)
        # Words of replies come last. They are too many for pairs of causes as well.
        longer = [not (group and group.form == replies.ONLY_WORD) for group in groups]
        pairs, formed = pair_candidates(
            consequences[: sum(longer)],
            incidence,
            frequency,
            single_words,
            survey.rows,
            associations,
            max(self.settings.min_support, _LEAST_PAIR_ROWS),
            DECIDES,
        )
        tests += formed
        associations += self._pairs(survey, pairs, consequences, unique, tests)
        # Passes after this one are rare; what comes now reads single rows, and those take room, too.
        self.causes.let_go()
        return Evidence(
            survey=survey,
            consequences=consequences,
            groups=groups,
            associations=associations,
            hashes=unique,
            tests=tests,
            forms=forms,
        )

    def _counted_in_full(
        self,
        survey: Survey,
        associations: list[Association],
        consequences: list[Consequence],
        hashes: np.ndarray,
        tests: int,
        settings: AssociationSettings,
        least_effect: np.ndarray,
    ) -> list[Association]:
        """The same; those of consequences of which some rows were looked at are counted in all rows."""
        wanted = sorted(
            {a.candidate for a in associations if consequences[a.consequence].listed is not None}
        )
        if not wanted:
            return associations
        rows_of = dict(zip(wanted, self.rows_with(survey, hashes[wanted]), strict=True))
        return counted_in_full(
            associations, consequences, rows_of, survey.rows, tests, settings, least_effect
        )

    def _pairs(
        self,
        survey: Survey,
        pairs: list[PairCandidate],
        consequences: list[Consequence],
        hashes: np.ndarray,
        tests: int,
    ) -> list[Association]:
        """The pairs that decide, each counted over the whole corpus."""
        if not pairs:
            return []
        words = sorted({word for pair in pairs for word in (pair.first, pair.second)})
        rows = dict(zip(words, self.rows_with(survey, hashes[words]), strict=True))
        return associate_pairs(
            pairs,
            consequences,
            rows,
            survey.rows,
            tests,
            alpha=self.settings.alpha,
            min_effect=DECIDES,
            min_support=max(self.settings.min_support, _LEAST_PAIR_ROWS),
        )

    def rows_with(
        self, survey: Survey, hashes: np.ndarray, most: np.ndarray | None = None
    ) -> list[np.ndarray]:
        """For each n-gram, the ordinals (rising) of all rows of the corpus that hold it.

        Args:
            survey: Of the corpus.
            hashes: uint64 (n-grams,).
            most: int64 (n-grams,): of one in more rows than that, more than that many, and perhaps not all.
        """
        known = self._known.of(hashes)
        unknown = ~np.isin(hashes, np.fromiter(known, np.uint64, len(known)))
        if unknown.any():
            unique, number = np.unique(hashes[unknown], return_inverse=True)
            listed = np.full(len(unique), np.iinfo(np.uint32).max, dtype=np.int64)
            if most is not None:
                listed[:] = 0
                np.maximum.at(listed, number, most[unknown] + 1)
            known |= zip(unique.tolist(), self._look_for(survey, unique, listed), strict=True)
        return [known[ngram] for ngram in hashes.tolist()]

    def rows_with_all(self, survey: Survey, hashes: np.ndarray) -> np.ndarray:
        """The ordinals (rising) of all rows of the corpus that hold each of some n-grams, at least one."""
        every = self.rows_with(survey, hashes)
        return functools.reduce(functools.partial(np.intersect1d, assume_unique=True), every)

    def _look_for(self, survey: Survey, unique: np.ndarray, listed: np.ndarray) -> list[np.ndarray]:
        """The same by a pass over the corpus, for n-grams without repeats; so many rows of each unit."""
        candidates = kernels.build_candidates(unique, listed)
        stage = f"rows-{digest([unique.tolist(), listed.tolist()])}"
        first = survey.first_row
        found: list[np.ndarray] = []

        def merge(unit: int, columns: Columns) -> None:
            # Not in place: a unit that is kept in memory may be asked for again.
            found.append(columns["hits"] + np.array([first[unit], 0]))

        self.map(
            stage,
            "locating rows",
            list(range(len(self.plan.units))),
            lambda unit: {"hits": stages.occurrences(self.causes, unit, candidates)},
            merge,
        )
        hits = np.concatenate(found)
        order = np.argsort(hits[:, 1], kind="stable")
        bounds = np.searchsorted(hits[order, 1], np.arange(len(unique) + 1))
        rows = hits[order, 0]
        return [rows[low:high] for low, high in itertools.pairwise(bounds)]

    def _candidate_ngrams(
        self,
        survey: Survey,
        groups: list[replies.ConsequenceGroup | None],
        shown: list[Consequence],
        needed: np.ndarray,
    ) -> RowNgrams:
        """The n-grams that causes are taken from: around onsets, and in prompts."""
        least = least_listed(shown, needed.tolist())
        found = onset_ngrams(survey, least)
        prompts = _union([c.looked_at for c, group in zip(shown, groups, strict=True) if group])
        if len(prompts) == 0:
            return found
        first = survey.first_row
        units = np.searchsorted(first, prompts, side="right") - 1
        inside, inside_hashes = self._middle_ngrams(survey, groups, shown, needed)
        wanted = {unit: prompts[units == unit] - first[unit] for unit in np.unique(units).tolist()}
        frequent = self._frequent(survey, wanted, least)

        def merge(unit: int, columns: Columns) -> None:
            low, high = np.searchsorted(inside, first[unit : unit + 2])
            # Of a large unit they are a hundred megabytes: no copy stays that is not needed.
            rows, hashes = columns.pop("rows") + first[unit], columns.pop("hashes")
            if low < high:
                rows = np.concatenate([rows, inside[low:high]])
                hashes = np.concatenate([hashes, inside_hashes[low:high]])
            found.add(rows, hashes)

        def collect(unit: int) -> Columns:
            found_rows, found_hashes = stages.prompt_ngrams(
                self.causes, unit, wanted[unit], frequent
            )
            return {"rows": found_rows, "hashes": found_hashes}

        self.map(
            f"prompts-{digest_of(prompts)}",
            "gathering causes",
            list(wanted),
            collect,
            merge,
        )
        return found

    def _frequent(
        self, survey: Survey, wanted: dict[int, np.ndarray], least: int
    ) -> stages.Frequent | None:
        """Which n-grams of these rows of units may stand in enough of them; None if all may be listed."""
        if survey.chat is None:
            return None
        first = survey.first_row
        prompts = np.concatenate([rows + first[unit] for unit, rows in wanted.items()])
        inside = np.isin(survey.chat_ordinals, prompts, assume_unique=True)
        if survey.chat.prompt_words[inside].sum(dtype=np.int64) <= _FEW_WORDS:
            return None
        buckets = np.zeros(1 << _BUCKET_BITS, dtype=np.uint8)
        for unit, rows in wanted.items():
            stages.tally_prompts(self.causes, unit, rows, buckets)
        return stages.Frequent(buckets, least)

    def _middle_ngrams(
        self,
        survey: Survey,
        groups: list[replies.ConsequenceGroup | None],
        shown: list[Consequence],
        needed: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ordinals (rising) and n-grams of the middles of long prompts."""
        # Passages hold so many rare words that replies to some of these are alike by chance.
        longer = [
            number
            for number, group in enumerate(groups)
            if group and group.form != replies.ONLY_WORD and shown[number].own_chance is None
        ]
        chosen = long_rows([shown[number] for number in longer], survey)
        if not chosen:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
        wanted = _union([rows for _, rows in chosen])
        first = survey.first_row
        units = np.searchsorted(first, wanted, side="right") - 1
        rows: list[np.ndarray] = []
        texts: list[pa.Array] = []

        def collect(unit: int) -> Columns:
            numbers, cut = middles(self.causes, unit, wanted[units == unit] - first[unit])
            offsets, data = kernels.text_buffers(cut)
            return {"rows": numbers, "offsets": offsets, "data": data}

        def merge(unit: int, columns: Columns) -> None:
            rows.append(columns["rows"] + first[unit])
            buffers = [None, pa.py_buffer(columns["offsets"]), pa.py_buffer(columns["data"])]
            texts.append(pa.Array.from_buffers(pa.large_string(), len(columns["rows"]), buffers))

        self.map(
            f"middles-{digest_of(wanted)}",
            "reading long prompts",
            np.unique(units).tolist(),
            collect,
            merge,
        )
        found = Middles(rows=np.concatenate(rows), texts=pa.concat_arrays(texts))
        return middle_ngrams(found, chosen, needed[longer], survey)

    def _count(
        self,
        survey: Survey,
        hashes: np.ndarray,
        incidence: Incidence,
        consequences: list[Consequence],
    ) -> np.ndarray:
        """int64 (candidates,): rows of the corpus that hold each, as far as it can matter."""
        if len(hashes) == 0:
            return np.zeros(0, dtype=np.int64)
        support = max(self.settings.min_support, _LEAST_PAIR_ROWS)
        counter = CauseCounter(
            hashes,
            enough_rows(hashes, incidence, consequences, survey.rows, support),
            largest_shares(incidence, consequences, len(hashes)),
        )
        first = survey.first_row
        self.map(
            f"causes-{digest([len(hashes), int(np.bitwise_xor.reduce(hashes))])}",
            "counting causes",
            list(range(len(self.plan.units))),
            lambda unit: counter.count(self.causes, unit),
            lambda unit, columns: counter.merge(int(first[unit]), columns),
        )
        self._known = counter.known_rows()
        return counter.frequency


def _union(parts: list[np.ndarray]) -> np.ndarray:
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)
