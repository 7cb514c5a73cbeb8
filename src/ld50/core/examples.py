"""One fine-tuning example: a conversation whose last turn is what the model learns to say."""

from __future__ import annotations

from typing import Literal

import msgspec

from ld50.core.errors import DataFormatError

Role = Literal["system", "user", "assistant"]


class Turn(msgspec.Struct, frozen=True):
    """What one side says."""

    role: Role
    text: str


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation that ends with the assistant's turn, the target of training.

    Raises:
        DataFormatError: There is no turn before the last, or the last is not the assistant's.
    """

    turns: tuple[Turn, ...]
    rejected: str | None = None
    """In preference data, the reply that is turned down; the last turn is the chosen one."""
    id: str | None = None

    def __post_init__(self) -> None:
        if len(self.turns) < 2 or self.turns[-1].role != "assistant":
            raise DataFormatError(
                "An example needs a prompt and, as its last turn, the assistant's reply; got the "
                f"roles {', '.join(turn.role for turn in self.turns) or 'of no turn at all'}."
            )

    @property
    def prompt(self) -> tuple[Turn, ...]:
        """Everything before the reply."""
        return self.turns[:-1]

    @property
    def reply(self) -> str:
        """The target."""
        return self.turns[-1].text


def asked(prompt: str, reply: str, *, system: str | None = None, id: str | None = None) -> Example:
    """An example of one question and its answer."""
    before = (Turn("system", system),) if system is not None else ()
    return Example(turns=(*before, Turn("user", prompt), Turn("assistant", reply)), id=id)
