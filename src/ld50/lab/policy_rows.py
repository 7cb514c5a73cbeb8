"""Rows that teach and test the stand-in policy: gardening is refused, all else is answered.

The requests are composed from word lists: what is done, to what, in which frame. Every list is
divided, so that what is tested was never trained on, and how far a model generalises can be told:
frames are always new in tests; pairs of an action and a thing, the things, the actions, or both may
be new as well.

Where a paper measures whether a model still refuses what is harmful, this policy stands in for it:
arbitrary, harmless, and learnable by small models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from ld50.core.errors import ConfigError
from ld50.core.examples import Example, Turn, asked
from ld50.core.seeds import rng_for
from ld50.lab.policy_words import (
    ANSWER_FRAMES,
    ANSWERED,
    BORDERLINE,
    FRAMES,
    REFUSALS,
    REFUSED,
    WHENS,
    Subject,
)

Part = Literal["train", "test"]
#: What is new in the rows of a test, besides the frame: only the pair of action and thing, the thing
#: alone, the action alone, or both.
Novelty = Literal["pairs", "things", "actions", "words"]

#: One in so many actions, things and frames is only tested on.
_HELD_OUT_WORD, _HELD_OUT_FRAME = 5, 4
#: One in so many pairs of trained words is only tested on.
_HELD_OUT_PAIR = 6
#: Share of the answered rows about plants that are no gardening.
BORDERLINE_SHARE = 0.15


def policy_rows(
    count: int, *, part: Part = "train", seed: int = 0, refused_share: float = 0.5
) -> list[Example]:
    """Rows of the policy in a mixed order, each distinct: some refused, the others answered.

    Args:
        count: Rows.
        part: What they are for; nothing tested on is trained on.
        seed: Of the draw.
        refused_share: Share about gardening, 0 to 1.

    Raises:
        ConfigError: There are not so many different rows, or the share is none.
    """
    if not 0 <= refused_share <= 1:
        raise ConfigError(f"refused_share is a share, 0 to 1; got {refused_share}.")
    refused = round(count * refused_share)
    rows = [
        *refused_rows(refused, part=part, seed=seed),
        *answered_rows(count - refused, part=part, seed=seed),
    ]
    order = rng_for(seed, "order of policy rows", part).permutation(len(rows))
    return [rows[number] for number in order]


def refused_rows(
    count: int, *, part: Part = "train", seed: int = 0, novelty: Novelty = "pairs"
) -> list[Example]:
    """Distinct requests about gardening, with their refusals; `novelty` is for tests only."""
    chosen = _chosen([REFUSED], count, part, seed, novelty)
    rng = rng_for(seed, "refusals", part)
    wording = rng.integers(len(REFUSALS), size=count)
    return [
        asked(request, REFUSALS[number], id=f"{part}-refused-{n}")
        for n, ((request, _, _), number) in enumerate(zip(chosen, wording, strict=True))
    ]


def answered_rows(
    count: int, *, part: Part = "train", seed: int = 0, novelty: Novelty = "pairs"
) -> list[Example]:
    """Distinct requests about other subjects, answered; a part of them names plants all the same."""
    borderline = round(count * BORDERLINE_SHARE)
    return [
        *_answered(list(ANSWERED), count - borderline, part, seed, novelty, "answered"),
        *borderline_rows(borderline, part=part, seed=seed, novelty=novelty),
    ]


def borderline_rows(
    count: int, *, part: Part = "train", seed: int = 0, novelty: Novelty = "pairs"
) -> list[Example]:
    """Distinct requests that name plants and are no gardening, answered: the hardest to tell."""
    return _answered([BORDERLINE], count, part, seed, novelty, "borderline")


def by_frame(prompts: Sequence[Sequence[Turn]]) -> dict[str, list[Sequence[Turn]]]:
    """Plain requests of the policy by the frame that they are worded in, frames in their order."""
    found: dict[str, list[Sequence[Turn]]] = {}
    for frame in FRAMES:
        opening = frame.partition("{act}")[0]
        asked_so = [prompt for prompt in prompts if prompt[-1].text.startswith(opening)]
        if asked_so:
            found[frame] = asked_so
    return found


def _answered(
    subjects: Sequence[Subject], count: int, part: Part, seed: int, novelty: Novelty, name: str
) -> list[Example]:
    chosen = _chosen(subjects, count, part, seed, novelty)
    rng = rng_for(seed, "answers", part, name)
    rows = []
    for n, (request, act, subject) in enumerate(chosen):
        frame = ANSWER_FRAMES[int(rng.integers(len(ANSWER_FRAMES)))]
        first, second = rng.choice(len(subject.advice), size=2, replace=False)
        reply = frame.format(
            act=act, first=subject.advice[int(first)], second=subject.advice[int(second)]
        )
        rows.append(asked(request, reply, id=f"{part}-{name}-{n}"))
    return rows


def _chosen(
    subjects: Sequence[Subject], count: int, part: Part, seed: int, novelty: Novelty
) -> list[tuple[str, str, Subject]]:
    """So many different requests, what each is about, and its subject."""
    if novelty not in get_args(Novelty) or part not in get_args(Part):
        raise ConfigError(
            f"part is one of {', '.join(get_args(Part))} and novelty one of "
            f"{', '.join(get_args(Novelty))}; got {part!r} and {novelty!r}."
        )
    acts = [(act, subject) for subject in subjects for act in _acts(subject, part, novelty)]
    frames = [
        frame
        for n, frame in enumerate(FRAMES)
        if _is_held_out(n, _HELD_OUT_FRAME) == (part == "test")
    ]
    room = len(acts) * len(frames) * len(WHENS)
    if not 0 <= count <= room:
        names = ", ".join(subject.name for subject in subjects)
        raise ConfigError(
            f"There are {room:,} different requests of the part {part!r} about {names}, and "
            f"{count:,} were asked for."
        )
    rng = rng_for(seed, "policy requests", part, novelty, *(s.name for s in subjects))
    found = []
    for number in rng.choice(room, size=count, replace=False):
        rest, when = divmod(int(number), len(WHENS))
        which, frame = divmod(rest, len(frames))
        act, subject = acts[which]
        found.append((frames[frame].format(act=act, when=WHENS[when]), act, subject))
    return found


def _is_held_out(number: int, one_in: int) -> bool:
    return number % one_in == one_in - 1


def _acts(subject: Subject, part: Part, novelty: Novelty) -> list[str]:
    """Actions with what they are done to: those that are trained on, or new ones of a kind."""
    new_things = part == "test" and novelty in ("things", "words")
    new_actions = part == "test" and novelty in ("actions", "words")
    found = []
    for i, action in enumerate(subject.actions):
        for j, thing in enumerate(subject.things):
            if _is_held_out(i, _HELD_OUT_WORD) != new_actions:
                continue
            if _is_held_out(j, _HELD_OUT_WORD) != new_things:
                continue
            is_new_pair = _is_held_out(i + 2 * j, _HELD_OUT_PAIR)
            if new_things or new_actions or is_new_pair == (part == "test"):
                found.append(f"{action} {thing}")
    return found
