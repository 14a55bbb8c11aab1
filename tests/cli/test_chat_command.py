"""`chatseq chat` and plain `chatseq` with a real bot, over pipes and on a real terminal."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import TAUGHT

from chatseq.cli import chat as chat_command
from chatseq.cli import train
from chatseq.cli.main import run
from chatseq.core.plugins import Registry

PROGRAM = [sys.executable, "-m", "chatseq"]
Capture = pytest.CaptureFixture[str]

SLOW_RESPONDER = '''
"""A responder that says what it knows slowly, and a command; both in one file."""

import time

from chatseq.hookspecs import hookimpl
from chatseq.repl.commands import slash_command


class Slow:
    def __init__(self, bot, *, seconds: float = 0.2) -> None:
        self.seconds = seconds
        from chatseq_qa.seq2seq import Seq2SeqResponder

        self.inner = Seq2SeqResponder(bot)

    def stream(self, question, context=()):
        return SlowStream(self.inner.stream(question, context), self.seconds)

    def reply(self, question, context=()):
        return self.inner.reply(question, context)

    def reply_all(self, questions):
        return self.inner.reply_all(questions)


class SlowStream:
    def __init__(self, inner, seconds) -> None:
        self.inner, self.seconds = inner, seconds

    def __iter__(self):
        return self

    def __next__(self):
        time.sleep(self.seconds)
        return next(self.inner)

    def close(self) -> None:
        self.inner.close()

    def partial(self):
        return self.inner.partial()


@slash_command(usage="[name]")
def greet(room, argument):
    """Say hello."""
    room.screen.say(f"Hello {argument}")


@hookimpl
def chatseq_responders():
    return {"slow": Slow}


@hookimpl
def chatseq_slash_commands():
    return {"greet": greet}
'''


def piped(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], input=text, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def slow(home: Path) -> None:
    """A one-file plugin with a slow responder and a command."""
    (home / "plugins").mkdir()
    (home / "plugins" / "slow.py").write_text(SLOW_RESPONDER, encoding="utf-8")


SLOW = pytest.mark.slow("the program in a process; tests/repl has the same within one")


@pytest.mark.parametrize(
    "arguments",
    [(), pytest.param(("chat",), marks=SLOW), pytest.param(("chat", "--bot", "tiny"), marks=SLOW)],
)
def test_a_piped_chat_answers_line_by_line(tiny_bot: Path, arguments: tuple[str, ...]) -> None:
    done = piped("hello\n\n你好\n", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{TAUGHT['hello']}\n\n{TAUGHT['你好']}\n"


@pytest.mark.slow("the program in a process; tests/repl has the same within one")
def test_a_piped_chat_is_kept_and_gone_on_with(tiny_bot: Path, home: Path) -> None:
    assert piped("hello\n", "chat").returncode == 0
    assert piped("bye\n", "chat", "--session", "last").returncode == 0
    listed = json.loads(piped("", "history", "list", "--json").stdout)
    assert [conversation["message_count"] for conversation in listed] == [4]
    if os.name == "posix":
        assert stat.S_IMODE((home / "history.db").stat().st_mode) == 0o600


@pytest.mark.slow("the program in a process; tests/repl has the same within one")
@pytest.mark.parametrize("arguments", [(), ("chat",)])
def test_an_unknown_command_in_a_script_gives_exit_code_1(
    tiny_bot: Path, arguments: tuple[str, ...]
) -> None:
    done = piped("/hlep\nhello\n", *arguments)
    assert (done.returncode, done.stdout) == (1, TAUGHT["hello"] + "\n")
    assert done.stderr.startswith("Error: No command named '/hlep'. Did you mean '/help'?")


@pytest.mark.slow("the program in a process; tests/repl has the same within one")
def test_an_unknown_session_is_told(tiny_bot: Path) -> None:
    done = piped("hello\n", "chat", "--session", "zzzz")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert "zzzz" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow("the program in a process; tests/repl has the same within one")
def test_an_unknown_bot_is_told_with_the_nearest_one(tiny_bot: Path) -> None:
    done = piped("hello\n", "chat", "--bot", "tinny")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: No bot named 'tinny'. Did you mean 'tiny'?")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow("the program in a process; tests/repl has the same within one")
def test_strategy_and_settings_are_taken(tiny_bot: Path) -> None:
    given = "--strategy=beam", "--set=responder.name=seq2seq", "--set=decoding.max_length=1"
    done = piped("/set decoding\nhello\n", "chat", *given)
    assert done.returncode == 0
    assert 'decoding.strategy.name = "beam"' in done.stderr
    assert "decoding.max_length = 1" in done.stderr
    assert TAUGHT["hello"].startswith(done.stdout.strip())
    assert len(done.stdout.strip()) < len(TAUGHT["hello"])


@pytest.mark.slow("the program in a process; tests/repl has the same within one")
def test_a_setting_that_training_fixed_is_refused(tiny_bot: Path) -> None:
    done = piped("hello\n", "chat", "--set", "training.seed=2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "'training.seed' is fixed once a bot is trained." in done.stderr


@pytest.mark.slow("the program in a process; tests/repl has the same within one")
def test_commands_of_a_chat_work_with_a_real_bot(tiny_bot: Path) -> None:
    typed = "hello\n/retry beam\n/set decoding.max_length=2\n/retry\n/undo\n/bot\n/nope\n"
    done = piped(typed, "chat")
    hello = TAUGHT["hello"]
    assert done.returncode == 1  # for the unknown command
    first, again, short = done.stdout.splitlines()
    assert (first, again) == (hello, hello)
    assert hello.startswith(short)
    assert "Taken back: hello" in done.stderr
    assert "* tiny" in done.stderr
    assert "No command named '/nope'" in done.stderr


def test_a_chat_over_a_pipe_imports_neither_torch_nor_the_prompt(tiny_bot: Path) -> None:
    code = (
        "import sys\n"
        "from chatseq.cli.main import run\n"
        "run(['chat'])\n"
        "print(sorted({'torch', 'prompt_toolkit'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input="hello\n", capture_output=True, text=True
    )
    assert done.stdout == f"{TAUGHT['hello']}\n[]\n"


@pytest.mark.slow("the program in a process; tests/repl has the same within one")
def test_a_history_that_is_no_database_is_told_and_the_chat_goes_on(
    tiny_bot: Path, home: Path
) -> None:
    (home / "history.db").write_bytes(b"no database " * 1000)
    done = piped("hello\n", "chat")
    assert (done.returncode, done.stdout) == (0, TAUGHT["hello"] + "\n")
    assert "it is not a database" in done.stderr


@pytest.mark.slow("the program in a process; tests/repl has the same within one")
def test_a_history_that_cannot_be_opened_is_told_and_the_chat_goes_on(
    tiny_bot: Path, home: Path
) -> None:
    (home / "history.db").mkdir()
    done = piped("hello\n", "chat")
    assert (done.returncode, done.stdout) == (0, TAUGHT["hello"] + "\n")
    assert "This chat is not saved." in done.stderr


def test_the_first_time_the_starter_bot_is_trained(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, trained_tiny_bot: Path, home: Path
) -> None:
    def train_starter(registry: Registry) -> str:
        (home / "bots").mkdir(mode=0o700)
        (home / "bots" / "starter").symlink_to(trained_tiny_bot)
        return "starter"

    monkeypatch.setattr(train, "train_starter", train_starter)
    monkeypatch.setattr(sys, "stdin", io.StringIO("hello\n"))
    assert run([]) == 0
    assert capsys.readouterr().out == TAUGHT["hello"] + "\n"


def test_options_of_strategy_and_settings_become_overrides() -> None:
    assert chat_command.overrides("beam", ("a=1",)) == ("decoding.strategy.name=beam", "a=1")
    assert chat_command.overrides(None, ()) == ()


pexpect = pytest.importorskip("pexpect", reason="there are no ptys on this system")
from terminal import Terminal  # noqa: E402  (needs pexpect)

EMPTY = r"^you › Ask something"


def test_a_whole_session_on_a_terminal(tiny_bot: Path, slow: None) -> None:
    with Terminal(PROGRAM) as chat:
        chat.until(EMPTY)
        chat.until(r"^tiny \(greedy\)")
        chat.send("who are you\r")
        chat.until(r"^bot › I am a very small bot made for tests\.\n" + EMPTY)
        chat.send("/greet you\r")
        chat.until(r"^Hello you$")
        chat.send("/undo\r")
        chat.until(r"^Taken back: who are you$")
        chat.send("\x04")
        assert chat.end() == 0


@pytest.mark.slow("a program in a terminal of its own; another stays in the fast run")
def test_ctrl_c_stops_a_slow_reply_and_its_part_is_kept(tiny_bot: Path, slow: None) -> None:
    with Terminal([*PROGRAM, "chat", "--set", "responder.name=slow"]) as chat:
        chat.until(r"^tiny \(greedy\)")
        chat.send("who are you\r")
        chat.until(r"^bot › I")
        chat.send("\x03")
        chat.until(r"^bot › I.*\[stopped\]\n" + EMPTY)
        chat.send("/set responder.seconds=0\r")
        chat.until(r"^Set responder\.seconds=0$")
        chat.send("bye\r")
        chat.until(r"^bot › Goodbye and good luck\.$")
        chat.send("/quit\r")
        assert chat.end() == 0
    shown = json.loads(piped("", "history", "show", "last", "--json").stdout)
    replies = [m for m in shown["messages"] if m["role"] == "reply"]
    assert [m["status"] for m in replies] == ["interrupted", "complete"]
    assert TAUGHT["who are you"].startswith(replies[0]["text"].strip())


@pytest.mark.slow("trains a bot")
def test_escape_sequences_of_a_corpus_do_not_reach_the_terminal(
    home: Path, registry: Registry
) -> None:
    from chatseq.core.exchange import Exchange
    from chatseq.core.recipe import load_recipe
    from chatseq.training.job import prepare
    from chatseq.training.run import train as training

    evil = "a\x1b]0;owned\x07b\x1b[2Jc"
    settings = [
        "training.max_epochs=20",
        "training.min_steps=0",
        "training.batch_tokens=64",
        "training.validations=1",
    ]
    recipe = load_recipe("tiny").apply([*settings, "training.learning_rate=0.01"])
    for _ in training(prepare(registry, [Exchange("evil", evil)] * 20, recipe, name="evil")):
        pass
    with Terminal([*PROGRAM, "chat", "--bot", "evil"]) as chat:
        chat.until(r"^evil \(greedy\)")
        before = len(chat.raw)
        chat.send("evil\r")
        chat.until(r"^bot › a.*owned.*b.*c$")
        assert "\x1b]0;" not in chat.raw[before:]
        assert "\x1b[2J" not in chat.raw[before:]
    assert not re.search("[\x00-\x09\x0b-\x1f]", piped("evil\n", "chat").stdout)
