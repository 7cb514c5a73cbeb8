"""Messages between a pool and its workers: length-prefixed JSON over pipes, never pickle."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Literal

import msgspec

_HEAD = struct.Struct("<I")


class Request(msgspec.Struct, frozen=True):
    """A job for a worker."""

    name: str
    payload: msgspec.Raw


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a worker says of its job."""

    kind: Literal["update", "result", "error"]
    name: str
    payload: msgspec.Raw = msgspec.Raw(b"null")
    done: float = 0.0
    text: str = ""


def write_frame(stream: BinaryIO, message: msgspec.Struct) -> None:
    """Sends one message."""
    body = msgspec.json.encode(message)
    stream.write(_HEAD.pack(len(body)) + body)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next message, waited for; None where the other side has closed."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    (size,) = _HEAD.unpack(head)
    body = stream.read(size)
    return body if len(body) == size else None


class FrameBuffer:
    """Cuts what arrives in pieces into messages."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that `data` completes."""
        self._held += data
        while len(self._held) >= _HEAD.size:
            (size,) = _HEAD.unpack_from(self._held)
            end = _HEAD.size + size
            if len(self._held) < end:
                return
            body = bytes(self._held[_HEAD.size : end])
            del self._held[:end]
            yield body
