"""Corrections reach the bot: at once in the chat that they were typed in, and in `ask`."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chatseq.bots.loader import load_bot
from chatseq.bots.responder import Correction
from chatseq.chat.corrections import Corrections
from chatseq.cli.main import run
from chatseq.core.exchange import Reply, ReplySource
from chatseq.core.paths import history_file
from chatseq.core.plugins import Registry, discover
from chatseq.history.contracts import History, Verdict
from chatseq.history.memory import MemoryHistory
from chatseq.history.store import HistoryStore
from chatseq.repl.loading import loader

OBEDIENT = '''
"""A responder that knows nothing but corrections."""

from chatseq.core.exchange import Reply, ReplySource
from chatseq.hookspecs import hookimpl


class Obedient:
    def __init__(self, bot):
        self.bot = bot

    def reply(self, question, context=()):
        known = {right.question: right.answer for right in self.bot.corrections()}
        source = ReplySource.CORRECTED if question in known else ReplySource.DECLINED
        return Reply(known.get(question, "?"), source, 1.0, bot=self.bot.name)

    def stream(self, question, context=()):
        return Stream(self.reply(question))


class Stream:
    def __init__(self, reply):
        self.parts = iter([reply.text, reply])
        self.reply = reply

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.parts)

    def close(self):
        pass

    def partial(self):
        return self.reply


@hookimpl
def chatseq_responders():
    return {"obedient": Obedient}
'''


@pytest.fixture
def obedient(home: Path, tiny_bot: Path) -> Registry:
    """Plugins with a responder that knows nothing but the corrections of the bot 'tiny'."""
    (home / "plugins").mkdir()
    (home / "plugins" / "obedient.py").write_text(OBEDIENT, encoding="utf-8")
    return discover([home / "plugins"])


def correct(history: History, question: str, right: str, bot: str = "tiny") -> None:
    asked = history.add_question(question, conversation=None, parent=None, bot=bot)
    reply = history.add_reply(asked.id, Reply("?", ReplySource.GENERATED, 0.5, bot=bot))
    history.add_feedback(reply.id, Verdict.CORRECT, right)


def test_without_a_history_there_are_none_and_none_is_made(home: Path) -> None:
    assert Corrections()("tiny") == ()
    assert list(home.iterdir()) == []


def test_the_same_tuple_comes_back_until_something_changes() -> None:
    store = HistoryStore(history_file())
    corrections = Corrections()
    correct(store, "a", "1")
    first = corrections("tiny")
    assert first == (Correction("a", "1"),)
    store.add_question("unrelated", conversation=None, parent=None)
    assert corrections("tiny") is first
    assert corrections("other") == ()
    assert corrections("tiny") is first
    correct(store, "b", "2")
    assert corrections("tiny") == (Correction("b", "2"), Correction("a", "1"))
    store.close()


def test_another_history_beside_the_file_wins() -> None:
    memory = MemoryHistory()
    beside: Callable[[], History | None] = lambda: memory  # noqa: E731
    corrections = Corrections(beside=beside)
    with_file = HistoryStore(history_file())
    correct(memory, "a", "from memory")
    correct(with_file, "a", "from the file")
    correct(with_file, "b", "from the file")
    with_file.close()
    assert corrections("tiny") == (
        Correction("a", "from memory"), Correction("b", "from the file"),
    )  # fmt: skip


def test_a_bot_gets_the_corrections_of_its_own_name(tiny_bot: Path, registry: Registry) -> None:
    store = HistoryStore(history_file())
    bot = load_bot(registry, tiny_bot, corrections=Corrections())
    correct(store, "mine", "yes", bot=bot.name)
    correct(store, "another's", "no", bot="shop")
    store.close()
    assert bot.corrections() == (Correction("mine", "yes"),)
    assert bot.with_overrides(["decoding.max_length=9"]).corrections() == bot.corrections()


def test_a_bot_that_is_loaded_for_a_chat_knows_the_file_and_the_unsaved_chat(
    obedient: Registry,
) -> None:
    unsaved = MemoryHistory()
    bot = loader(obedient, unsaved=lambda: unsaved)("tiny", ["responder.name=obedient"])
    assert bot.responder.reply("a").text == "?"
    correct(unsaved, "a", "typed here")
    assert bot.responder.reply("a").text == "typed here"
    store = HistoryStore(history_file())
    correct(store, "b", "typed before")
    store.close()
    assert bot.change(["decoding.max_length=9"]).responder.reply("b").text == "typed before"


TYPED = "When?\n/correct At nine.\nWhen?\n/bad\n/set decoding.max_length=9\nWhen?\n"


@pytest.mark.parametrize("is_saved", [True, False])
def test_a_correction_is_known_at_the_next_question_of_the_chat(
    obedient: Registry,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    is_saved: bool,
) -> None:
    if not is_saved:
        (home / "history.db").mkdir()  # so that the history cannot be opened
    monkeypatch.setattr(sys, "stdin", io.StringIO(TYPED))
    assert run(["chat", "--bot", "tiny", "--set", "responder.name=obedient"]) == 0
    out, err = capsys.readouterr()
    assert out == "?\nAt nine.\nAt nine.\n"
    assert ("not saved" in err) is not is_saved


def test_ask_knows_what_was_corrected_before(
    obedient: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    store = HistoryStore(history_file())
    correct(store, "When do you open?", "At nine.")
    store.close()
    assert (
        run(["ask", "When do you open?", "--bot", "tiny", "--set", "responder.name=obedient"]) == 0
    )
    assert capsys.readouterr().out == "At nine.\n"
