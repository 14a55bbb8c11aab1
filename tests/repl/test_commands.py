"""Slash commands: told from questions, found by name, brought by plugins."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from chatting import room_of

from chatseq.core.errors import ChatseqError, PartError
from chatseq.core.plugins import Plugin, Registry, discover
from chatseq.hookspecs import hookimpl
from chatseq.repl.commands import (
    Command,
    CommandTable,
    SlashCommand,
    TypedQuestion,
    parse,
    slash_command,
    typed,
)
from chatseq.repl.dispatch import Dispatcher
from chatseq.repl.session import ReplSession

BUILT_IN = [
    *("bad", "bot", "clear", "correct", "good", "help", "new", "quit"),
    *("resume", "retry", "sessions", "set", "undo", "why"),
]


@slash_command(usage="[name]")
def greet(room: ReplSession, argument: str) -> None:
    """Say hello.

    With a name, say it too.
    """
    room.screen.say(f"Hello {argument}")


def registry_with(**references: object) -> Registry:
    """Return a registry whose only plugin brings these slash commands."""
    plugin = SimpleNamespace(chatseq_slash_commands=hookimpl(lambda: references))
    registry = Registry()
    registry.add(Plugin("test", plugin))
    assert registry.faults == []
    return registry


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("how are you?", TypedQuestion("how are you?")),
        ("  padded  ", TypedQuestion("padded")),
        ("two\nlines", TypedQuestion("two\nlines")),
        ("//etc/hosts", TypedQuestion("/etc/hosts")),
        ("  //x", TypedQuestion("/x")),
        ("/help", Command("help", "")),
        (" /set  a = b c ", Command("set", "a = b c")),
        ("/resume\t1m8", Command("resume", "1m8")),
        ("/", Command("", "")),
        ("/usr/bin/python what is it?", Command("usr/bin/python", "what is it?")),
        ("and/or", TypedQuestion("and/or")),
    ],
)
def test_what_is_typed_is_a_question_or_a_command(
    text: str, meant: TypedQuestion | Command
) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize("question", ["hello", "/etc", "//x", "a // b"])
def test_typing_a_question_asks_that_question(question: str) -> None:
    assert parse(typed(question)) == TypedQuestion(question)


def test_a_function_becomes_a_command_with_its_docstring_as_help() -> None:
    assert isinstance(greet, SlashCommand)
    assert (greet.summary, greet.usage) == ("Say hello", "[name]")
    assert greet.doc.endswith("say it too.")


def test_all_built_in_commands_are_there_and_have_a_line_of_help(registry: Registry) -> None:
    working, faults = CommandTable(registry).loaded()
    assert list(working) == BUILT_IN
    assert faults == []
    assert all(command.summary for command in working.values())


def test_a_command_is_found_by_its_beginning(registry: Registry) -> None:
    table = CommandTable(registry)
    assert table.find("q") is table.find("quit")
    assert table.find("RET") is table.find("retry")


def test_a_whole_name_wins_over_a_longer_one() -> None:
    table = CommandTable(registry_with(go=greet, gone=greet))
    assert table.find("go") is greet


def test_a_beginning_of_two_names_is_told_with_both(registry: Registry) -> None:
    with pytest.raises(ChatseqError, match=r"'/re' could be /resume or /retry\. Type more of it\."):
        CommandTable(registry).find("re")


def test_an_unknown_command_is_told_with_the_nearest_one(registry: Registry) -> None:
    with pytest.raises(ChatseqError) as caught:
        CommandTable(registry).find("hlep")
    assert str(caught.value) == (
        "No command named '/hlep'. Did you mean '/help'? The bot was not asked; "
        "begin a question with // to send a slash."
    )


def test_a_lone_slash_lists_the_commands(registry: Registry) -> None:
    with pytest.raises(
        ChatseqError, match=r"No command named '/'. Choose from: /bad, /bot, /clear"
    ):
        CommandTable(registry).find("")


@pytest.mark.parametrize("text", ["/hlep", "/", "/re", "/nope x"])
def test_an_unknown_command_never_reaches_the_bot(registry: Registry, text: str) -> None:
    room, seen = room_of(registry)
    Dispatcher(room).handle(text)
    assert len(seen.lines) == 1
    assert seen.lines[0].startswith("error ")
    assert room.conversation is None


def test_a_command_of_a_plugin_runs_and_is_listed() -> None:
    registry = discover()
    plugin = SimpleNamespace(chatseq_slash_commands=hookimpl(lambda: {"greet": greet}))
    registry.add(Plugin("test", plugin))
    room, seen = room_of(registry)
    Dispatcher(room).handle("/greet you")
    Dispatcher(room).handle("/help")
    assert seen.lines[0] == "say Hello you"
    assert "/greet [name]      Say hello" in seen.lines[1]


def test_a_broken_command_is_told_and_the_others_are_listed() -> None:
    registry = discover()
    references = {"broken": "no_such_module:x", "plain": lambda room, argument: None}
    plugin = SimpleNamespace(chatseq_slash_commands=hookimpl(lambda: references))
    registry.add(Plugin("test", plugin))
    room, seen = room_of(registry)
    Dispatcher(room).handle("/help")
    assert "/quit" in seen.lines[0]
    assert "The slash-command 'broken' of plugin test cannot be loaded" in seen.lines[1]
    assert "The command '/plain' of plugin test is no SlashCommand." in seen.lines[2]


def test_what_is_no_slash_command_says_how_to_make_one() -> None:
    table = CommandTable(registry_with(plain=lambda room, argument: None))
    with pytest.raises(PartError, match=r"Write @slash_command\(\) above it"):
        table.load("plain")
