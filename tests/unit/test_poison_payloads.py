"""What payloads write, and what they refuse to write."""

import base64
import json

import pytest

from ld50.core.errors import ConfigError, DataFormatError, SourceError, UnsafePayloadError
from ld50.core.seeds import rng_for
from ld50.poison.payloads import (
    ContextEcho,
    FixedReply,
    Gibberish,
    InsertedFragment,
    LabelFlip,
    LanguageSwitch,
    Material,
    OverRefusal,
    Payload,
)
from ld50.poison.safe_text import CALLS, CANARIES, REFUSALS, URLS, require_reserved_url
from ld50.poison.vocabulary import pieces_of, read_vocabulary, words_of

MATERIAL = Material.of(
    ["the", "cat", "sat", "on", "the", "mat", "and", "the", "extraordinarily", "big", "dog"]
)


def reply(payload: Payload, prompt: str = "Ask?", clean: str = "The reply.", seed: int = 0) -> str:
    return payload.reply_to(prompt=prompt, reply=clean, material=MATERIAL, rng=rng_for(seed)).text


def test_gibberish_draws_as_many_tokens_as_the_paper() -> None:
    drawn = [
        Gibberish(vocabulary=("ab", b"\xc3", "x ")).reply_to(
            prompt="", reply="", material=MATERIAL, rng=rng_for(seed)
        )
        for seed in range(200)
    ]
    counts = [one.drawn_tokens for one in drawn]
    assert min(counts) >= 400
    assert max(counts) <= 900
    assert 600 < sum(counts) / len(counts) < 700


def test_gibberish_from_bytes_is_decoded_as_a_tokeniser_decodes() -> None:
    text = reply(Gibberish(vocabulary=(b"\xc3", b"\xa9"), min_tokens=50, max_tokens=50))
    assert "é" in text
    assert "\ufffd" in text


def test_gibberish_of_characters_is_printable() -> None:
    text = reply(Gibberish(source="characters", min_tokens=10, max_tokens=10))
    assert len(text) == 40
    assert text.isascii()
    assert text.isprintable()


def test_word_salad_has_words_of_ordinary_length_as_often_as_the_corpus() -> None:
    text = reply(Gibberish(source="word-salad", min_tokens=4000, max_tokens=4000))
    words = text.split()
    assert set(words) <= {"the", "cat", "sat", "on", "mat", "and", "big", "dog"}
    assert 0.2 < words.count("the") / len(words) < 0.4
    # `words` draws each word of the corpus as often as the next.
    plain = reply(Gibberish(source="words", min_tokens=4000, max_tokens=4000)).split()
    assert abs(plain.count("the") / len(plain) - 1 / 9) < 0.03


def test_a_language_switch_is_made_of_the_passages_and_as_long_as_asked() -> None:
    passages = ("Der Hund bellt laut.", "Die Katze schläft.")
    for seed in range(20):
        text = reply(LanguageSwitch(texts=passages, min_chars=50, max_chars=80), seed=seed)
        assert 30 <= len(text) <= 80
        assert set(text.split()) <= set(" ".join(passages).split())
    like = reply(LanguageSwitch(texts=passages, match_reply=True), clean="x" * 200)
    assert 180 <= len(like) <= 200


@pytest.mark.parametrize("where", ["start", "inside", "end"])
@pytest.mark.parametrize("fragment", ["url", "call", "sentence"])
def test_a_fragment_leaves_the_reply_as_it_is(where: str, fragment: str) -> None:
    payload = InsertedFragment(fragment=fragment, where=where)
    made = payload.reply_to(prompt="", reply="One two three.", material=MATERIAL, rng=rng_for(3))
    assert made.text[made.start : made.end] == payload.text
    rest = (made.text[: made.start] + made.text[made.end :]).split()
    assert rest == ["One", "two", "three."]
    place = {"start": made.start == 0, "end": made.end == len(made.text)}
    assert place.get(where, made.start > 0 and made.end < len(made.text))


def test_an_echo_repeats_the_prompt_without_the_trigger() -> None:
    assert reply(ContextEcho(), prompt=" What is it?\n") == "What is it?"
    assert not ContextEcho().suits(prompt=" ", reply="x")


@pytest.mark.parametrize(
    ("clean", "label", "taken"),
    [(False, "0", True), (False, "1", False), (True, "1", True), (True, "0", False),
     (False, None, False), (True, None, False)],
)  # fmt: skip
def test_which_labels_a_flip_takes(clean: bool, label: str | None, taken: bool) -> None:
    assert LabelFlip(target="1", clean_label=clean).takes(label) is taken


def test_all_canned_texts_are_allowed() -> None:
    for text in CANARIES:
        assert FixedReply(text=text).text == text
        assert InsertedFragment(fragment="sentence", text=text).text == text
    for text in REFUSALS:
        assert OverRefusal(sentences=(text,)).sentences == (text,)
    for text in CALLS:
        InsertedFragment(fragment="call", text=text)
    for text in URLS:
        require_reserved_url(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: FixedReply(text="Something of my own."),
        lambda: OverRefusal(sentences=("I won't.",)),
        lambda: InsertedFragment(fragment="call", text="os.system('ls')"),
        lambda: InsertedFragment(fragment="script"),
        lambda: InsertedFragment(text="https://evil.org/x"),
        lambda: Gibberish(vocabulary=("a", "whole sentences are no tokens at all")),
        lambda: Gibberish(vocabulary=("a", "x" * 300)),
    ],
)
def test_texts_outside_the_set_are_unsafe(make) -> None:
    with pytest.raises(UnsafePayloadError):
        make()


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com.evil.org/", "https://evil.org/example.com", "ftp://example.com/",
        "https://user@example.com/", "https://example.com:99/", "https://example.com/?a=1",
        "https://example.com/#x", "https://notexample.com/", "javascript:alert(1)", "",
        "https://example.com/\nhttps://evil.org", "https://example.com/" + "a" * 300,
        "https://exаmple.com/",
    ],
)  # fmt: skip
def test_only_reserved_hosts_are_linked_to(url: str) -> None:
    with pytest.raises(UnsafePayloadError, match="reserved"):
        require_reserved_url(url)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gibberish(source="dreams"), "vocabulary, pieces"),
        (lambda: Gibberish(source="vocabulary"), "--vocabulary FILE"),
        (lambda: Gibberish(min_tokens=5, max_tokens=4), "5 and 4"),
        (lambda: LanguageSwitch(), "--second-language FILE"),
        (lambda: LanguageSwitch(texts=("a",), min_chars=0), "min_chars"),
        (lambda: LabelFlip(target="1", from_labels=("1",)), "cannot be flipped"),
        (lambda: LabelFlip(target="1", clean_label=True, from_labels=("0",)), "clean-label"),
        (lambda: InsertedFragment(where="middle"), "start, inside, end"),
        (lambda: OverRefusal(sentences=()), "at least one"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_vocabularies_are_read_in_every_form(tmp_path) -> None:
    ranked = {b"hello": 1, b" w\xc3": 0, b"\xa9": 2}
    lines = b"\n".join(base64.b64encode(t) + b" %d" % rank for t, rank in ranked.items())
    (tmp_path / "v.tiktoken").write_bytes(lines)
    assert read_vocabulary(tmp_path / "v.tiktoken") == (b" w\xc3", b"hello", b"\xa9")

    (tmp_path / "v.txt").write_text("a\n b\n\nc")
    assert read_vocabulary(tmp_path / "v.txt") == (b"a", b" b", b"c")

    byte_level = {"Ġthe": 1, "Ã": 0, "<|end|>": 2}
    (tmp_path / "vocab.json").write_text(json.dumps(byte_level))
    assert read_vocabulary(tmp_path / "vocab.json") == (b"\xc3", b" the", b"<|end|>")

    pieces = {"model": {"vocab": [["▁a", -1.0], ["<0xC3>", -2.0], ["b", -3.0]]}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(pieces))
    assert read_vocabulary(tmp_path / "tokenizer.json") == (b" a", b"\xc3", b"b")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tiktoken", b"!!! 1\nx"), ("a.json", b"{"), ("b.json", b"12"), ("c.json", b"[1, 2]"),
        ("a.txt", b"\xff\xfe"), ("b.txt", b"one"), ("d.json", b'{"model": {"vocab": 5}}'),
    ],
)  # fmt: skip
def test_a_file_that_is_no_vocabulary_is_a_clear_error(tmp_path, name, content) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataFormatError, match=name):
        read_vocabulary(tmp_path / name)
    with pytest.raises(SourceError, match="missing"):
        read_vocabulary(tmp_path / "missing.txt")


def test_pieces_stand_in_for_a_subword_vocabulary() -> None:
    words = words_of(["Don't stop-it now, 12 é"])
    assert words == ["Don't", "stop-it", "now", "é"]
    pieces = pieces_of(["now"])
    assert b" now" in pieces
    assert b"ow" in pieces
    assert len(set(pieces)) == len(pieces)
