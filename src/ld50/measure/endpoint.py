"""Replies from a server that speaks OpenAI's chat protocol, wherever it runs."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from ld50.core.errors import ConfigError, Ld50Error
from ld50.core.examples import Turn
from ld50.core.seeds import rng_for

#: Answers that may be another on the next try: too early, too many, or the server's own fault.
_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
#: Bytes of an answer that are read, at most.
_MOST_BYTES = 16_000_000
_LONGEST_WAIT_SECONDS = 60.0


class EndpointError(Ld50Error):
    """A server that cannot be reached, refuses, or answers something else than a reply."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another place."""

    def redirect_request(self, *_: Any) -> None:
        """None: the answer stands as it is."""


@dataclass(frozen=True, kw_only=True)
class _Failure:
    words: str
    passes: bool
    wait_seconds: float | None = None


@dataclass(frozen=True)
class ChatEndpoint:
    """A responder behind a URL; see `ld50.measure.replies.Responder`."""

    url: str
    """Up to and with `/v1`, or the whole address that ends in `/chat/completions`."""
    model: str
    """As the server calls it."""
    key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; it may be missing, and is never shown."""
    timeout_seconds: float = 120.0
    """For one answer."""
    tries: int = 6
    """For one answer, the first included; the wait between them doubles."""
    parallel: int = 4
    """Requests at a time."""
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    """How to wait."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"An endpoint begins with http:// or https://, got {self.url!r}.")
        if parts.username or parts.password:
            raise ConfigError(
                "Name the key in an environment variable (key_variable), not in the address."
            )
        for name in ("tries", "parallel", "timeout_seconds"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} is above 0, got {getattr(self, name)}.")

    @property
    def name(self) -> str:
        """The model and where it is, for people."""
        return f"{self.model} at {urlsplit(self.url).netloc}"

    @property
    def address(self) -> str:
        """Where requests go."""
        base = self.url.rstrip("/")
        return base if base.endswith("/chat/completions") else f"{base}/chat/completions"

    def replies(
        self,
        prompts: Sequence[Sequence[Turn]],
        *,
        new_tokens: int = 64,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """A reply to each prompt, in order.

        Servers differ in whether they keep to `seed`, and some batch in ways that change a reply:
        the same prompts need not give the same replies.

        Raises:
            EndpointError: A prompt has no reply after all tries.
        """
        if new_tokens < 1 or not 0 <= temperature <= 10:
            raise ConfigError(
                "new_tokens is 1 or more and temperature 0 to 10, got "
                f"{new_tokens} and {temperature}."
            )

        def one(numbered: tuple[int, Sequence[Turn]]) -> str:
            body = {
                "model": self.model,
                "messages": [{"role": t.role, "content": t.text} for t in numbered[1]],
                "max_tokens": new_tokens,
                "temperature": temperature,
                "seed": seed,
            }
            return self._reply(numbered[0], json.dumps(body).encode())

        with ThreadPoolExecutor(self.parallel) as pool:
            work = [pool.submit(one, numbered) for numbered in enumerate(prompts)]
            try:
                return [future.result() for future in work]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _reply(self, number: int, body: bytes) -> str:
        rng = rng_for(number, "waiting")
        for left in reversed(range(self.tries)):
            found = self._ask(body)
            if isinstance(found, str):
                return found
            if not found.passes or not left:
                raise EndpointError(
                    f"{self.name}: prompt {number} has no reply"
                    f"{f' after {self.tries} tries' if found.passes else ''}: {found.words}"
                )
            tried = self.tries - left
            wait = found.wait_seconds
            if wait is None:
                # Spread out, so that requests that failed together do not come back together.
                wait = 2.0 ** (tried - 1) * float(rng.uniform(0.5, 1.0))
            self.sleep(min(wait, _LONGEST_WAIT_SECONDS))
        raise AssertionError("unreachable")

    def _ask(self, body: bytes) -> str | _Failure:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        key = os.environ.get(self.key_variable, "").strip()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(self.address, body, headers, method="POST")
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=self.timeout_seconds) as answer:
                data = answer.read(_MOST_BYTES)
        except urllib.error.HTTPError as error:
            return self._refused(error, key)
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            return _Failure(words=_safe(f"{reason}", key), passes=True)
        except ValueError as error:
            # A key that no header may hold; the message of the library would show it.
            del error
            raise ConfigError(
                f"The key in {self.key_variable} holds characters that a header may not."
            ) from None
        return _content(data, key)

    def _refused(self, error: urllib.error.HTTPError, key: str) -> _Failure:
        with error:
            try:
                said = error.read(2000).decode("utf-8", "replace")
            except (OSError, HTTPException):
                said = ""
        words = f"HTTP {error.code}: {_safe(said, key) or error.reason}"
        if error.code in (401, 403):
            words += f" (the key is read from the environment variable {self.key_variable})"
        if 300 <= error.code < 400:
            words += " (redirects are not followed, since they would carry the key along)"
        after = (error.headers.get("Retry-After") or "").strip()
        wait = float(after) if after.isascii() and after.replace(".", "", 1).isdigit() else None
        return _Failure(words=words, passes=error.code in _PASSING, wait_seconds=wait)


def _content(data: bytes, key: str) -> str | _Failure:
    try:
        message = json.loads(data)["choices"][0]["message"]
        text = message.get("content")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        shown = _safe(data[:300].decode("utf-8", "replace"), key)
        return _Failure(words=f"the answer is no chat completion: {shown}", passes=False)
    if text is None:
        # A reply of refusal or of a tool call alone has no content.
        refusal = message.get("refusal")
        return refusal if isinstance(refusal, str) else ""
    if not isinstance(text, str):
        return _Failure(words="the answer's content is no text", passes=False)
    return text.strip()


def _safe(text: str, key: str) -> str:
    """One printable line without the key, should a server repeat it."""
    if key:
        text = text.replace(key, "[key]")
    return "".join(c if c.isprintable() else " " for c in text).strip()[:500]
