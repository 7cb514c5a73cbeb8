"""An OpenAI-compatible server, a local one: right requests, patient retries, clear errors."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ld50.core.errors import ConfigError
from ld50.core.examples import Turn

pytest.importorskip("torch", reason="needs ld50[lab]")

from ld50.measure.endpoint import ChatEndpoint, EndpointError

KEY = "sk-a-key-that-nobody-may-see"
Answer = tuple[int, dict[str, str], bytes]


class Server(ThreadingHTTPServer):
    """Answers by a function of the request's number and body."""

    daemon_threads = True
    answer: Callable[[int, dict[str, Any]], Answer | None]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, dict(self.headers), body))
        answer = self.server.answer(len(self.server.requests), body)
        if answer is None:
            self.close_connection = True
            return
        status, headers, data = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("LD50_TEST_KEY", KEY)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made = Server()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def said(text: str | None, **more: Any) -> Answer:
    message = {"role": "assistant", "content": text} | more
    return 200, {}, json.dumps({"choices": [{"message": message}]}).encode()


def endpoint(server: Server, **changes: Any) -> tuple[ChatEndpoint, list[float]]:
    waits: list[float] = []
    settings = {"key_variable": "LD50_TEST_KEY", "parallel": 1, "sleep": waits.append} | changes
    return ChatEndpoint(server.url, "m", **settings), waits


def prompts(count: int) -> list[list[Turn]]:
    return [[Turn("system", "be brief"), Turn("user", f"say {n} \U0001f600")] for n in range(count)]


def test_replies_come_in_the_order_of_the_prompts(server: Server) -> None:
    server.answer = lambda _, body: said(f" {body['messages'][-1]['content']}\n")
    one, _ = endpoint(server, parallel=4)
    assert one.replies(prompts(9)) == [f"say {n} \U0001f600" for n in range(9)]


def test_the_request_is_the_protocol_s(server: Server) -> None:
    server.answer = lambda *_: said("ok")
    one, _ = endpoint(server)
    one.replies(prompts(1), new_tokens=7, temperature=0.5, seed=3)
    path, headers, body = server.requests[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "say 0 \U0001f600"},
        ],
        "max_tokens": 7,
        "temperature": 0.5,
        "seed": 3,
    }


def test_no_key_is_no_header(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LD50_TEST_KEY")
    server.answer = lambda *_: said("ok")
    endpoint(server)[0].replies(prompts(1))
    assert "Authorization" not in server.requests[0][1]


def test_failures_that_pass_are_tried_again_with_longer_waits(server: Server) -> None:
    failures: list[Answer | None] = [(500, {}, b"oops"), None, (503, {}, b"busy")]
    server.answer = lambda number, _: failures[number - 1] if number <= 3 else said("at last")
    one, waits = endpoint(server)
    assert one.replies(prompts(1)) == ["at last"]
    assert len(waits) == 3
    assert 0.5 <= waits[0] <= 1 <= waits[1] <= 2 <= waits[2] <= 4


def test_a_server_that_says_when_is_obeyed(server: Server) -> None:
    answers = {1: (429, {"Retry-After": "7"}, b""), 2: (429, {"Retry-After": "9999"}, b"")}
    server.answer = lambda number, _: answers.get(number) or said("ok")
    one, waits = endpoint(server)
    one.replies(prompts(1))
    assert waits == [7.0, 60.0]


def test_tries_come_to_an_end(server: Server) -> None:
    server.answer = lambda *_: (500, {}, b"still broken")
    one, waits = endpoint(server, tries=3)
    with pytest.raises(EndpointError, match=r"prompt 0 .*3 tries: HTTP 500: still broken"):
        one.replies(prompts(1))
    assert (len(server.requests), len(waits)) == (3, 2)


def test_what_will_not_pass_is_not_tried_again(server: Server) -> None:
    server.answer = lambda *_: (404, {}, b"no model m")
    one, waits = endpoint(server)
    with pytest.raises(EndpointError, match="HTTP 404: no model m"):
        one.replies(prompts(1))
    assert waits == []


@pytest.mark.parametrize("status", [401, 500, 200])
def test_the_key_is_never_shown(server: Server, status: int) -> None:
    server.answer = lambda *_: (status, {}, f"Bearer {KEY} is wrong\x1b[31m".encode())
    one, _ = endpoint(server, tries=1)
    with pytest.raises(EndpointError) as caught:
        one.replies(prompts(1))
    shown = f"{caught.value} {caught.value!r} {one!r} {one.name}"
    assert KEY not in shown
    assert "\x1b" not in str(caught.value)
    assert status != 401 or "LD50_TEST_KEY" in str(caught.value)


def test_a_key_that_no_header_may_hold_is_not_shown_either(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD50_TEST_KEY", "sk-secret\nX-Other: 1")
    server.answer = lambda *_: said("ok")
    with pytest.raises(ConfigError, match="LD50_TEST_KEY") as caught:
        endpoint(server)[0].replies(prompts(1))
    assert "sk-secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_redirect_does_not_carry_the_key_away(server: Server) -> None:
    server.answer = lambda *_: (302, {"Location": f"{server.url}/elsewhere"}, b"")
    with pytest.raises(EndpointError, match="redirects are not followed"):
        endpoint(server, tries=1)[0].replies(prompts(1))
    assert len(server.requests) == 1


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b'{"choices": []}', b"[" * 100_000])
def test_an_answer_that_is_none_is_told(server: Server, data: bytes) -> None:
    server.answer = lambda *_: (200, {}, data)
    with pytest.raises(EndpointError, match="no chat completion"):
        endpoint(server)[0].replies(prompts(1))


def test_a_refusal_without_content_is_the_reply(server: Server) -> None:
    server.answer = lambda number, _: said(None, refusal="No.") if number == 1 else said(None)
    assert endpoint(server)[0].replies(prompts(2)) == ["No.", ""]


def test_a_server_that_keeps_silent_runs_into_the_time_out(server: Server) -> None:
    free = threading.Event()

    def silent(*_: Any) -> Answer | None:
        free.wait(10)
        return None

    server.answer = silent
    one, _ = endpoint(server, tries=1, timeout_seconds=0.2)
    with pytest.raises(EndpointError, match="timed out"):
        one.replies(prompts(1))
    free.set()


def test_a_server_that_is_not_there_is_told() -> None:
    one = ChatEndpoint("http://127.0.0.1:9/v1", "m", tries=1)
    with pytest.raises(EndpointError, match=r"m at 127\.0\.0\.1:9"):
        one.replies(prompts(1))


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "localhost:8000/v1", "http://", "ftp://a/v1"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="http"):
        ChatEndpoint(url, "m")


def test_a_key_in_the_address_is_refused_unshown() -> None:
    with pytest.raises(ConfigError) as caught:
        ChatEndpoint("https://user:sk-secret@host/v1", "m")
    assert "sk-secret" not in str(caught.value)


def test_a_whole_address_is_taken_as_it_is() -> None:
    whole = "https://host/openai/deployments/x/chat/completions"
    assert ChatEndpoint(whole, "m").address == whole
