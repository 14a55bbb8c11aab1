"""A bot in a program: asking, streaming, many at once, settings, plugins, corrections."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import TAUGHT

import chatseq
from chatseq import Bot, ChatseqError, installed_plugins, list_bots
from chatseq.core.disabled import switch_off
from chatseq.core.exchange import ReplySource
from chatseq.core.plugins import Registry
from chatseq.core.settings import as_overrides

QUESTION, ANSWER = next(iter(TAUGHT.items()))

PLUGIN = '''
"""A responder in one file."""

from chatseq.core.exchange import Reply, ReplySource
from chatseq.hookspecs import hookimpl


class Echo:
    def __init__(self, bot):
        pass

    def reply(self, question, context=()):
        return Reply(f"re {question}", ReplySource.RETRIEVED, 1.0)


@hookimpl
def chatseq_responders():
    return {"echo": Echo}
'''


@pytest.fixture
def bot(tiny_bot: Path, registry: Registry) -> Bot:
    return Bot.load("tiny", registry=registry)


def test_a_bot_is_loaded_by_its_name_and_answers(bot: Bot) -> None:
    reply = bot.ask(QUESTION)
    assert (reply.text, reply.bot) == (ANSWER, "tiny")
    assert repr(bot) == "<chatseq.Bot 'tiny'>"


@pytest.mark.parametrize("by_path", [False, True])
def test_a_bot_is_found_by_default_and_by_its_folder(
    tiny_bot: Path, registry: Registry, by_path: bool
) -> None:
    assert Bot.load(tiny_bot if by_path else None, registry=registry).name == "tiny"


def test_a_bot_that_is_not_there_says_which_are(bot: Bot, registry: Registry) -> None:
    with pytest.raises(ChatseqError) as caught:
        Bot.load("tinny", registry=registry)
    assert (caught.value.kind, caught.value.choices) == ("bot-not-found", ("tiny",))


def test_the_pieces_of_a_stream_are_the_reply(bot: Bot) -> None:
    stream = bot.stream(QUESTION)
    with pytest.raises(ValueError, match="not finished"):
        _ = stream.reply
    assert "".join(stream) == ANSWER
    assert stream.reply.text == ANSWER
    stream.close()
    assert not stream.reply.interrupted
    assert list(stream) == []


def test_a_closed_stream_gives_the_part_that_had_come(bot: Bot) -> None:
    stream = bot.stream(QUESTION)
    stream.close()
    assert stream.reply.interrupted
    assert stream.reply.text == ""


def test_all_at_once_is_as_one_by_one(bot: Bot) -> None:
    replies = bot.ask_all(iter(TAUGHT))
    assert [reply.text for reply in replies] == [bot.ask(each).text for each in TAUGHT]


def test_settings_are_given_as_a_mapping_or_as_on_the_command_line(
    tiny_bot: Path, registry: Registry
) -> None:
    mapping = {"decoding.strategy.name": "beam", "decoding.max_length": 3}
    lines = ["decoding.strategy.name=beam", "decoding.max_length=3"]
    for settings in (mapping, lines):
        loaded = Bot.load("tiny", settings=settings, registry=registry)
        assert (loaded.strategy, loaded.recipe.decoding.max_length) == ("beam", 3)
        assert loaded.settings["decoding.max_length"] == "3"


def test_a_loaded_bot_takes_other_settings_and_stays_as_it_is(bot: Bot) -> None:
    other = bot.with_settings({"decoding.max_length": 2})
    assert (bot.settings["decoding.max_length"], other.settings["decoding.max_length"]) != ("2", "")
    assert other.settings["decoding.max_length"] == "2"
    with pytest.raises(ChatseqError, match="fixed once a bot is trained"):
        bot.with_settings({"training.seed": 1})


def test_threads_are_those_asked_for_or_all(tiny_bot: Path, registry: Registry) -> None:
    def threads(asked: int | None) -> int:
        return Bot.load("tiny", threads=asked, registry=registry).recipe.engine.threads

    assert (threads(None), threads(3)) == (1, 3)
    assert threads(0) >= 1


def test_what_it_was_trained_on_is_read_from_its_folder(bot: Bot) -> None:
    assert bot.manifest.corpus.exchanges == 9 * len(TAUGHT)
    assert "exact_match" in bot.figures
    assert [listed.name for listed in list_bots()] == ["tiny"]


def test_explaining_keeps_the_text(bot: Bot) -> None:
    reply = bot.ask(QUESTION)
    assert bot.explain(QUESTION, reply).text == reply.text


def test_a_plugin_of_one_file_answers(tiny_bot: Path, home: Path) -> None:
    (home / "plugins").mkdir()
    (home / "plugins" / "echoes.py").write_text(PLUGIN, encoding="utf-8")
    loaded = Bot.load("tiny", settings={"responder.name": "echo"})
    assert loaded.ask("you").text == "re you"


def test_a_plugin_that_is_off_is_not_there(tiny_bot: Path, registry: Registry) -> None:
    plugin = registry.find("responder", "qa").plugin.name
    switch_off(plugin, {"responder": ("qa",)})
    assert plugin not in {each.name for each in installed_plugins().plugins}
    with pytest.raises(ChatseqError) as caught:
        Bot.load("tiny")
    assert caught.value.kind == "plugin-off"


def test_all_plugins_are_on_where_nothing_could_be_switched_on_again(registry: Registry) -> None:
    switchboard = registry.find("command", "plugins").plugin.name
    switch_off(switchboard, {"command": ("plugins",)})
    assert switchboard in {each.name for each in installed_plugins().plugins}


def test_a_correction_is_known_at_once_and_can_be_left_aside(
    tiny_bot: Path, registry: Registry
) -> None:
    with Bot.load("tiny", registry=registry).chat(saved=True) as chat:
        chat.ask(QUESTION)
        chat.correct("Good day to you.")
        assert chat.ask(QUESTION).text == "Good day to you."
    corrected = Bot.load("tiny", registry=registry).ask(QUESTION)
    assert (corrected.text, corrected.source) == ("Good day to you.", ReplySource.CORRECTED)
    assert Bot.load("tiny", corrections=False, registry=registry).ask(QUESTION).text == ANSWER


def test_a_package_without_bots_says_so() -> None:
    assert list_bots() == []
    with pytest.raises(ChatseqError, match="There is no bot yet"):
        chatseq.Bot.load()


def test_a_mapping_becomes_settings_that_read_back_the_same() -> None:
    given = {"a.b": "true", "a.c": 1.5, "a.d": True, "a.e": ["x"], "csv.question": "1"}
    assert as_overrides(given, plain=["csv"]) == [
        'a.b="true"',
        "a.c=1.5",
        "a.d=true",
        'a.e=["x"]',
        "csv.question=1",
    ]
    assert as_overrides(("a=1",)) == ["a=1"]
