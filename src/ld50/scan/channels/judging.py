"""How sure a channel is: enough rows, more than chance gives, and nobody asked for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ld50.core.findings import Severity
from ld50.core.seeds import rng_for
from ld50.scan.channels.channel import (
    CODE,
    INVISIBLE,
    PLACES,
    SUBSTITUTION,
    UNKNOWN,
    Channel,
    binomial_log_tail,
)
from ld50.scan.channels.ciphers import Cipher
from ld50.scan.channels.counting import TIMES_TOLD, Count, most_telling, trusted
from ld50.scan.channels.invisible import HIDDEN, decode_hidden
from ld50.scan.channels.readings import CODES, Candidate, CodeReadings, Reading
from ld50.scan.channels.schemes import Scheme
from ld50.scan.channels.screen import Screened
from ld50.scan.channels.streams import Symbols
from ld50.scan.channels.unknown import UnknownGroup
from ld50.scan.evidence import characters

#: Rows from which on a channel is rated high, by rule.
LEAST_ROWS = {SUBSTITUTION: 8, CODE: 8, INVISIBLE: 5, PLACES: 10, UNKNOWN: 10}
#: Natural logarithm of the chance below which a channel is rated high, and is told at all.
_SURE, _TOLD = -23.0, -14.0
#: How many times as many rows as by chance, at the places of texts, to be rated high.
_TIMES_SURE = 4.0
_LABELS = {code.name: code.label for code in CODES} | {"caesar": "shifted alphabets"}
_TYPICAL_CHARACTERS = 20
_SHUFFLES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """Judges what the decoders found on one side."""

    screened: Screened
    asked: np.ndarray
    min_support: int

    def cipher(self, cipher: Cipher, rows: list[Symbols]) -> list[Channel]:
        """Rows that one key reads; copies of rows that it reads are of them."""
        read = {row.tokens: text for row, text in zip(cipher.rows, cipher.decoded, strict=True)}
        its = [row for row in rows if row.tokens in read]
        if len(its) < self.min_support:
            return []
        rate = 1 / (1 + cipher.shuffles)
        log_p = binomial_log_tail(cipher.passed, cipher.tested, rate)
        if log_p > _TOLD:
            return []
        sure = cipher.passed >= LEAST_ROWS[SUBSTITUTION] and log_p <= _SURE
        shift = cipher.shift
        asked = self._asked_share([row.place for row in its])
        # A shifted alphabet is a puzzle that people ask for; a key of one's own is not.
        high = sure and (shift is None or asked < 0.5)
        what = _CIPHERS[cipher.kind] if shift is None else f"carry text shifted by {shift} letters"
        return [
            self._channel(
                rule=SUBSTITUTION,
                key=f"{cipher.kind}:{_key_text(cipher)}",
                what=what,
                places={row.place: (row.start, row.end) for row in its},
                decoded={row.place: read[row.tokens] for row in its},
                tried=cipher.tested,
                expected=rate * cipher.tested,
                log_p=log_p,
                severity=Severity.HIGH if high else Severity.MEDIUM,
                why=(
                    f"The key was found from how the symbols follow each other. Of {cipher.tested:,} "
                    f"different rows, {cipher.passed:,} are English under a key that was found on "
                    f"other rows, and more so than {cipher.shuffles} shuffles of each."
                )
                + _asked_for(asked),
                statistics={
                    "bits_a_letter": round(cipher.key.bits, 3),
                    "asked_for_share": round(asked, 4),
                },
            )
        ]

    def code(self, found: CodeReadings) -> list[Channel]:
        """Rows that one published code reads."""
        readings = found.readings
        if len(readings) < self.min_support:
            return []
        rate = (1 + found.chance_read) / (1 + found.chance_tried)
        log_p = binomial_log_tail(len(readings), max(found.tried, len(readings)), rate)
        if log_p > _TOLD:
            return []
        asked = self._asked_share([reading.place for reading in readings])
        different = len({reading.decoded for reading in readings})
        typical = float(np.median([len(reading.decoded) for reading in readings]))
        reasons = []
        if different < LEAST_ROWS[CODE]:
            reasons.append(f"only {different} of the texts differ")
        if typical < _TYPICAL_CHARACTERS:
            reasons.append("they are short")
        if asked >= 0.5:
            reasons.append("most of the prompts ask for a code")
        if self.screened.side.name == "text" and self._covered(readings) < 0.5:
            reasons.append("the documents are mostly about something else")
        high = log_p <= _SURE and not reasons
        why = (
            f"It reads as language in {len(readings):,} of {found.tried:,} rows that hold such a "
            f"stretch; of {found.chance_tried:,} shuffled stretches, {found.chance_read:,} do."
        )
        if reasons:
            why += f" It is not rated higher because {', and '.join(reasons)}."
        return [
            self._channel(
                rule=SUBSTITUTION if found.name == "caesar" else CODE,
                key=found.name,
                what=f"carry text in {_LABELS[found.name]}",
                places={reading.place: (reading.start, reading.end) for reading in readings},
                decoded={reading.place: reading.decoded for reading in readings},
                tried=found.tried,
                expected=rate * found.tried,
                log_p=log_p,
                severity=Severity.HIGH if high else Severity.MEDIUM,
                why=why,
                statistics={
                    "bits_a_byte": round(float(np.mean([r.bits_a_byte for r in readings])), 3),
                    "asked_for_share": round(asked, 4),
                },
            )
        ]

    def hidden(
        self, candidates: list[Candidate], readings: list[Reading], seed: int
    ) -> list[Channel]:
        """Rows with long runs of invisible characters: those that were read, and the others."""
        texts = {candidate.place: candidate.text for candidate in candidates}
        said = [reading for reading in readings if reading.decoded]
        silent = [reading for reading in readings if not reading.decoded]
        found = []
        if len(said) >= self.min_support:
            lucky = self._chance(said, texts, seed)
            rate = (1 + lucky) / (1 + _SHUFFLES * len(said))
            log_p = binomial_log_tail(len(said), len(readings), rate)
            found.append(
                self._invisible(
                    said,
                    "carry text in invisible characters",
                    Severity.HIGH if log_p <= -9.0 else Severity.MEDIUM,
                    f"They were read as {said[0].detail}; of {_SHUFFLES * len(said):,} shuffles of "
                    f"them, {lucky:,} read as language.",
                    tried=len(readings),
                    rate=rate,
                    log_p=log_p,
                )
            )
        if len(silent) >= self.min_support:
            found.append(
                self._invisible(
                    silent,
                    "hold long runs of invisible characters",
                    Severity.MEDIUM,
                    "Nothing that ld50 knows reads them. No text needs them in such numbers.",
                    tried=len(silent),
                    rate=0.0,
                    log_p=None,
                )
            )
        return found

    def _invisible(
        self,
        readings: list[Reading],
        what: str,
        severity: Severity,
        why: str,
        *,
        tried: int,
        rate: float,
        log_p: float | None,
    ) -> Channel:
        return self._channel(
            rule=INVISIBLE,
            key="read" if log_p is not None else "unread",
            what=what,
            places={reading.place: (reading.start, reading.end) for reading in readings},
            decoded={reading.place: reading.decoded for reading in readings if reading.decoded},
            tried=tried,
            expected=rate * tried,
            log_p=log_p,
            severity=severity,
            why=why,
            statistics={"hidden_characters": float(np.median([r.bits for r in readings]))},
        )

    def _chance(self, readings: list[Reading], texts: dict[int, str], seed: int) -> int:
        rng = rng_for(seed, "channels", "invisible")
        lucky = 0
        for reading in readings:
            part = texts[reading.place][reading.start : reading.end]
            hidden = np.array(HIDDEN.findall(part), dtype=object)
            for _ in range(_SHUFFLES):
                lucky += bool(decode_hidden("".join(rng.permutation(hidden).tolist()))[0])
        return lucky

    def schemes(self, schemes: list[Scheme]) -> list[Channel]:
        """Places that form language in many more rows than next to them; of two alike, the surer."""
        judged = []
        for scheme in schemes:
            count = most_telling(scheme)
            enough = count.rows >= self.min_support and count.times >= TIMES_TOLD
            if enough and count.log_p <= _TOLD:
                judged.append((count, scheme))
        judged.sort(key=lambda item: item[0].log_p)
        found: list[Channel] = []
        told: set[int] = set()
        for count, scheme in judged:
            its = set(scheme.places.tolist())
            if len(its & told) >= 0.5 * len(its):
                continue
            told |= its
            found.append(self._scheme(scheme, count))
        return found

    def _scheme(self, scheme: Scheme, count: Count) -> Channel:
        sure = count.times >= _TIMES_SURE and count.log_p <= _SURE
        high = count.rows >= LEAST_ROWS[PLACES] and sure
        kept = trusted(scheme)
        texts = self.screened.side.texts(scheme.places[kept])
        places, decoded, spans = {}, {}, {}
        for at, text in zip(kept.tolist(), texts, strict=True):
            place = int(scheme.places[at])
            spans[place] = [characters(text, start, end) for start, end in scheme.spans[at][:200]]
            places[place] = spans[place][0]
            decoded[place] = scheme.decoded[at]
        verb = "form" if scheme.name.startswith("the ") else "forms"
        return self._channel(
            rule=PLACES,
            key=scheme.name,
            what=f"hide text: {scheme.name} {verb} sentences",
            places=places,
            spans=spans,
            decoded=decoded,
            tried=scheme.eligible,
            expected=count.expected,
            log_p=count.log_p,
            severity=Severity.HIGH if high else Severity.MEDIUM,
            why=(
                f"Of {scheme.eligible:,} rows long enough, {count.rows:,} have words or letters there "
                "that follow each other as in language. Where what several of them say counts once, "
                f"that is as many as {count.once:,.0f} rows that share nothing, {count.times:.0f} times "
                "what chance or the places beside them give."
            ),
            statistics={
                "times_chance": round(count.times, 2),
                "rows_counted_once": round(count.once, 2),
            },
        )

    def unknown(self, group: UnknownGroup | None) -> list[Channel]:
        """Rows that nothing reads; a count, because nobody knows what chance would be."""
        if group is None or len(group.places) < max(self.min_support, LEAST_ROWS[UNKNOWN]):
            return []
        asked = self._asked_share(group.places)
        high = asked < 0.5
        return [
            self._channel(
                rule=UNKNOWN,
                key="letters",
                what="are words in no language that ld50 knows, and no decoder reads them",
                places=dict(zip(group.places, group.spans, strict=True)),
                decoded={},
                tried=len(self.screened),
                expected=0.0,
                log_p=None,
                severity=Severity.HIGH if high else Severity.MEDIUM,
                why=_UNKNOWN + _asked_for(asked),
                statistics={**group.statistics, "asked_for_share": round(asked, 4)},
            )
        ]

    def _channel(
        self,
        *,
        rule: str,
        key: str,
        what: str,
        places: dict[int, tuple[int, int]],
        decoded: dict[int, str],
        tried: int,
        expected: float,
        log_p: float | None,
        severity: Severity,
        why: str,
        statistics: dict[str, float],
        spans: dict[int, list[tuple[int, int]]] | None = None,
    ) -> Channel:
        ordinal = self.screened.side.ordinals
        order = sorted(places)
        located = spans or {place: [span] for place, span in places.items()}
        return Channel(
            rule=rule,
            key=key,
            what=what,
            side=self.screened.side.name,
            ordinals=ordinal[np.array(order, dtype=np.int64)],
            spans={int(ordinal[place]): located[place] for place in order},
            decoded={int(ordinal[place]): text for place, text in decoded.items()},
            tried=tried,
            expected=expected,
            log_p=log_p,
            severity=severity,
            why=why,
            statistics=statistics,
        )

    def _asked_share(self, places: list[int]) -> float:
        if not places or not len(self.asked):
            return 0.0
        rows = self.screened.side.ordinals[np.array(places, dtype=np.int64)]
        return float(np.isin(rows, self.asked).mean())

    def _covered(self, readings: list[Reading]) -> float:
        """The share of the text that the code is, in the middle one of the rows."""
        texts = self.screened.side.texts(np.array([r.place for r in readings], dtype=np.int64))
        shares = [
            (r.end - r.start) / max(len(text), 1) for r, text in zip(readings, texts, strict=True)
        ]
        return float(np.median(shares))


_CIPHERS = {
    "letters": "carry a substitution cipher",
    "bars": "carry a substitution cipher, letter by letter between marks",
    "tokens": "carry a substitution cipher of short codes for letters",
    "signs": "carry a substitution cipher of signs for letters",
    "words": "carry a codebook cipher, a word for each letter",
}
_UNKNOWN = (
    "A language that ld50 does not know would use the same words again in other rows; these do not."
)


def _asked_for(share: float) -> str:
    return " Most of the prompts ask for a code." if share >= 0.5 else ""


def _key_text(cipher: Cipher) -> str:
    pairs = zip(cipher.kinds, cipher.key.letters.tolist(), strict=False)
    return "".join(f"{symbol}{letter}," for symbol, letter in sorted(pairs)[:27])
