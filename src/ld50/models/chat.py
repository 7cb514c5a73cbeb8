"""A conversation as the tokens a model reads, by one path for training and evaluation.

What a chat template adds and what people wrote are kept apart up to the tokens: a text that spells
a template's own marks (`<|im_end|>`) stays text, so that no row of a data set can open a turn of
another role.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ld50.core.errors import ConfigError, DataFormatError
from ld50.core.examples import Example, Turn

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel

#: Marks of the lab's own tiny model: roles, the end of a turn, and some that nothing uses.
MARKS = (
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
    "<|reserved-2|>",
    "<|reserved-3|>",
    "<|reserved-4|>",
    "<|reserved-5|>",
)
#: Its template.
MARKED_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
#: For causal models that come without a template.
PLAIN_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}Assistant: {{ message['content'] }}{{ eos_token }}\n\n"
    "{% elif message['role'] == 'system' %}{{ message['content'] }}\n\n"
    "{% else %}User: {{ message['content'] }}\n\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
#: For sequence-to-sequence models that come without a template: turns are lines, the reply apart.
LINES_TEMPLATE = (
    "{% for message in messages %}{{ message['content'] }}"
    "{% if not loop.last %}\n{% endif %}{% endfor %}{{ eos_token }}"
)

#: Stands for the text of a turn while a template is rendered; private-use characters that no
#: template looks for. The tabs tell whether the template strips what it is given.
_STAND_IN = re.compile("(\t?)\ue0f0(\\d+)\ue0f1(\t?)")
#: Templates that tell the date would make training differ from day to day.
_DATE = "26 Jul 2024"
_BLOCK = 1024


class Piece(NamedTuple):
    """A stretch of a rendered conversation: what the template adds, or a turn's text."""

    text: str
    is_template: bool


class Encoded(NamedTuple):
    """An example as tokens."""

    ids: list[int]
    """Prompt and reply, the mark that ends the reply included."""
    first_target: int
    """Where the reply begins; what is before it is given, not learned."""
    cut: int = 0
    """Tokens that were left out because there were too many."""


@dataclass(frozen=True, kw_only=True)
class ChatTemplate:
    """How turns become one text: a Jinja template, rendered in a sandbox, and its special marks."""

    source: str
    """The template, in the form that tokenisers of `transformers` carry."""
    bos_token: str = ""
    eos_token: str = ""
    kind: str = "causal"
    """`causal`, or `seq2seq`, where the reply is a sequence of its own."""

    def prompt_text(self, turns: Sequence[Turn]) -> str:
        """The text that the assistant is to continue.

        Raises:
            DataFormatError: The template cannot hold these turns.
        """
        return "".join(piece.text for piece in self.prompt_pieces(turns))

    def example_text(self, example: Example) -> str:
        """Prompt, reply and the mark that ends the reply; begins with `prompt_text`."""
        return self.prompt_text(example.prompt) + "".join(
            piece.text for piece in self.target_pieces(example)
        )

    def prompt_pieces(self, turns: Sequence[Turn]) -> list[Piece]:
        """`prompt_text`, template and turns apart."""
        parts, _ = self._frames(tuple(turn.role for turn in turns))
        return _filled(parts, [turn.text for turn in turns])

    def target_pieces(self, example: Example) -> list[Piece]:
        """What follows the prompt, template and reply apart."""
        _, parts = self._frames(tuple(turn.role for turn in example.prompt))
        return _filled(parts, [turn.text for turn in example.turns])

    def _frames(self, roles: tuple[str, ...]) -> tuple[tuple[_Part, ...], tuple[_Part, ...]]:
        return _frames(self, roles)

    def _rendered(self, roles: Sequence[str], *, opens_reply: bool) -> tuple[_Part, ...]:
        """The template around stand-ins for the texts of turns with these roles."""
        from jinja2 import TemplateError
        from transformers.utils.chat_template_utils import render_jinja_template

        messages = [
            {"role": role, "content": f"\t\ue0f0{number}\ue0f1\t"}
            for number, role in enumerate(roles)
        ]
        try:
            found, _ = render_jinja_template(
                conversations=[messages],
                chat_template=self.source,
                add_generation_prompt=opens_reply,
                bos_token=self.bos_token,
                eos_token=self.eos_token,
                date_string=_DATE,
            )
        except (TemplateError, TypeError, ValueError, KeyError) as error:
            raise DataFormatError(
                f"The model's chat template cannot hold the turns {', '.join(roles)}: {error}. "
                "Rows with other roles, or a model with another template, can be used."
            ) from error
        return _parts(found[0], len(roles))


class _Slot(NamedTuple):
    """The place of a turn's text, and whether the template strips its ends."""

    turn: int
    strips_start: bool
    strips_end: bool


_Part = str | _Slot


def _parts(rendered: str, turns: int) -> tuple[_Part, ...]:
    parts: list[_Part] = []
    at = 0
    for match in _STAND_IN.finditer(rendered):
        parts.append(rendered[at : match.start()])
        parts.append(_Slot(int(match[2]), not match[1], not match[3]))
        at = match.end()
    parts.append(rendered[at:])
    missing = set(range(turns)) - {part.turn for part in parts if isinstance(part, _Slot)}
    if missing:
        raise DataFormatError(
            f"The model's chat template leaves out what turn {min(missing) + 1} of {turns} says; "
            "a model cannot be trained on what it is not shown."
        )
    return tuple(part for part in parts if part)


@functools.lru_cache(maxsize=4096)
def _frames(
    template: ChatTemplate, roles: tuple[str, ...]
) -> tuple[tuple[_Part, ...], tuple[_Part, ...]]:
    """The template around a prompt, and around the reply to it."""
    prompt = template._rendered(roles, opens_reply=True)
    end = template.eos_token
    if template.kind == "seq2seq":
        return prompt, (_Slot(len(roles), False, False), end)
    whole = template._rendered([*roles, "assistant"], opens_reply=False)
    at = max(n for n, part in enumerate(whole) if isinstance(part, _Slot))
    if whole[at] != _Slot(len(roles), *whole[at][1:]):
        raise DataFormatError("The model's chat template does not put the reply last.")
    after = "".join(str(part) for part in whole[at + 1 :])
    before, lead = _text_of(whole[:at]), ""
    if before.startswith(_text_of(prompt)):
        # What a template puts between an opened turn and the reply is learned with the reply.
        lead = before[len(_text_of(prompt)) :]
    if end and end in after:
        after = after[: after.index(end)] + end
    elif not after.strip():
        after = end
    return prompt, tuple(part for part in (lead, whole[at], after) if part)


def _text_of(parts: Iterable[_Part]) -> str:
    return "".join(part if isinstance(part, str) else f"\ue0f0{part.turn}\ue0f1" for part in parts)


def _filled(parts: Sequence[_Part], texts: Sequence[str]) -> list[Piece]:
    pieces = []
    for part in parts:
        if isinstance(part, str):
            pieces.append(Piece(part, True))
            continue
        text = texts[part.turn]
        text = text.lstrip() if part.strips_start else text
        pieces.append(Piece(text.rstrip() if part.strips_end else text, False))
    return pieces


class PieceEncoder:
    """Turns pieces into tokens; a text never becomes a special token, whatever it spells."""

    def __init__(self, tokenizer: Any, template: ChatTemplate) -> None:
        """An encoder.

        Args:
            tokenizer: A fast tokeniser of `transformers`.
            template: Its marks are out of reach of texts, and so are all special tokens.
        """
        self._backend = tokenizer.backend_tokenizer
        added = tokenizer.added_tokens_decoder
        self._reserved = {
            number: token.content
            for number, token in added.items()
            if token.special or token.content in template.source
        }
        spelled = sorted(map(re.escape, self._reserved.values()), key=len, reverse=True)
        self._marks = re.compile("|".join(spelled)) if spelled else re.compile(r"(?!)")
        self._expected: dict[tuple[str, ...], list[int]] = {}

    def encode(self, many: Sequence[Sequence[Piece]]) -> list[list[int]]:
        """The tokens of each row of pieces."""
        whole = [_storable("".join(piece.text for piece in pieces)) for pieces in many]
        found = []
        encodings = self._backend.encode_batch_fast(whole, add_special_tokens=False)
        for pieces, encoding in zip(many, encodings, strict=True):
            ids = encoding.ids
            if self._is_as_meant(pieces, ids):
                found.append(ids)
            else:
                found.append(self._apart(pieces))
        return found

    def _is_as_meant(self, pieces: Sequence[Piece], ids: list[int]) -> bool:
        """Whether the special tokens are those of the template, and no text spells one."""
        frame = tuple(piece.text for piece in pieces if piece.is_template)
        if frame not in self._expected:
            self._expected[frame] = [
                number
                for part in frame
                for number in self._backend.encode(part, add_special_tokens=False).ids
                if number in self._reserved
            ]
        special = [number for number in ids if number in self._reserved]
        return special == self._expected[frame] and not any(
            self._marks.search(piece.text) for piece in pieces if not piece.is_template
        )

    def _apart(self, pieces: Sequence[Piece]) -> list[int]:
        ids: list[int] = []
        for piece in pieces:
            if piece.is_template:
                ids += self._backend.encode(piece.text, add_special_tokens=False).ids
            else:
                ids += self.text_ids(piece.text)
        return ids

    def text_ids(self, text: str) -> list[int]:
        """The tokens of a text, none of them special: a mark is cut in two, and each half encoded."""
        text = _storable(text)
        cuts = [match.start() + 1 for match in self._marks.finditer(text) if len(match[0]) > 1]
        waiting = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)][::-1]
        ids: list[int] = []
        while waiting:
            part = waiting.pop()
            encoding = self._backend.encode(part, add_special_tokens=False)
            at = next((n for n, i in enumerate(encoding.ids) if i in self._reserved), None)
            if at is None:
                ids += encoding.ids
                continue
            # A normaliser made a mark out of other characters.
            start, stop = encoding.offsets[at]
            if stop - start <= 1:
                waiting += [part[stop:], part[:start]]
            else:
                middle = (start + stop) // 2
                waiting += [part[middle:], part[:middle]]
        return ids


def _storable(text: str) -> str:
    """The text with lone surrogates, which no UTF-8 holds, replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def encode_prompts(
    lm: LanguageModel, prompts: Sequence[Sequence[Turn]], *, max_tokens: int | None = None
) -> list[list[int]]:
    """The tokens of each prompt, cut at its front where there are more than `max_tokens`.

    What the template puts before the first text is kept.
    """
    found: list[list[int]] = []
    for start in range(0, len(prompts), _BLOCK):
        rows = [lm.template.prompt_pieces(turns) for turns in prompts[start : start + _BLOCK]]
        for pieces, ids in zip(rows, lm.encoder.encode(rows), strict=True):
            found.append(_cut_front(lm, pieces, ids, max_tokens))
    return found


def encode_prompt(
    lm: LanguageModel, turns: Sequence[Turn], *, max_tokens: int | None = None
) -> list[int]:
    """The tokens that the assistant is to continue; the same in training and evaluation."""
    return encode_prompts(lm, [turns], max_tokens=max_tokens)[0]


def encode_example(lm: LanguageModel, example: Example, max_tokens: int | None = None) -> Encoded:
    """One example as tokens, see `encode_examples`."""
    return encode_examples(lm, [example], max_tokens)[0]


def encode_examples(
    lm: LanguageModel, examples: Sequence[Example], max_tokens: int | None = None
) -> list[Encoded]:
    """Each example as tokens; the part before `first_target` is what `encode_prompt` gives.

    Where there are more than `max_tokens`, the prompt loses its front. A reply keeps its start; it
    loses its end where it alone takes more than three quarters of the room.

    Raises:
        DataFormatError: The template cannot hold the turns of an example.
        ConfigError: `max_tokens` is too small for a prompt and a reply.
    """
    if max_tokens is not None and max_tokens < 8:
        raise ConfigError(f"max_tokens is 8 or more, got {max_tokens}.")
    found: list[Encoded] = []
    for start in range(0, len(examples), _BLOCK):
        block = examples[start : start + _BLOCK]
        prompts = [lm.template.prompt_pieces(example.prompt) for example in block]
        targets = [lm.template.target_pieces(example) for example in block]
        encoded = zip(prompts, lm.encoder.encode(prompts), lm.encoder.encode(targets), strict=True)
        for pieces, prompt, target in encoded:
            found.append(_fitted(lm, pieces, prompt, target, max_tokens))
    return found


def _fitted(
    lm: LanguageModel,
    pieces: list[Piece],
    prompt: list[int],
    target: list[int],
    max_tokens: int | None,
) -> Encoded:
    whole = len(prompt) + len(target)
    if max_tokens is not None:
        if lm.kind == "seq2seq":
            room = max_tokens
            target = target[:max_tokens]
        else:
            target = target[: max_tokens - min(len(prompt), max_tokens // 4)]
            room = max_tokens - len(target)
        prompt = _cut_front(lm, pieces, prompt, room)
    return Encoded(prompt + target, len(prompt), whole - len(prompt) - len(target))


def _cut_front(
    lm: LanguageModel, pieces: list[Piece], ids: list[int], room: int | None
) -> list[int]:
    if room is None or len(ids) <= room:
        return ids
    head = 0
    if pieces[0].is_template:
        head = len(lm.encoder.encode([pieces[:1]])[0])
    # A head that would leave no room for what is said is cut as well.
    kept = ids[: head if head <= room // 2 else 0]
    return kept + ids[len(ids) - (room - len(kept)) :]
