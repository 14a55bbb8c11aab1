"""Earlier turns reach the network, whatever was taken back, tried again or resumed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from chatseq.bots.bot import Bot, BotData
from chatseq.chat.chat import Chat
from chatseq.core.errors import RecipeError
from chatseq.core.exchange import MOST_CONTEXT_TURNS, Reply
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.history.memory import MemoryHistory
from chatseq.testing import ScriptedEngine
from chatseq.text.tokenizer import END_ID
from chatseq_subword.part import Subword

WORDS = "one two three four five six open on sundays"
SETTINGS = ("question.features=0", "decoding.adjusters=[]", "decoding.max_length=32")


def echo(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
    """Say everything that was read, the earlier turns first."""
    return {(*question, END_ID)[len(reply)]: 1.0}


def bot_that_reads(registry: Registry, turns: int, *settings: str) -> Bot:
    """Return a bot whose replies are what its network was given."""
    tokenizer = Subword(vocabulary_size=600).learn([WORDS] * 3)
    recipe = load_recipe("tiny").apply([*SETTINGS, f"question.context_turns={turns}", *settings])
    engine = ScriptedEngine(echo, vocabulary_size=tokenizer.size)
    return Bot(registry, recipe, tokenizer, engine, BotData(name="echo"))


def said(chat: Chat, question: str) -> str:
    *_, reply = chat.stream(question)
    assert isinstance(reply, Reply)
    return reply.text


@pytest.mark.parametrize(
    ("turns", "read"), [(0, "three"), (1, "two three"), (2, "one two three"), (9, "one two three")]
)
def test_as_many_earlier_turns_are_read_as_the_recipe_says(
    registry: Registry, turns: int, read: str
) -> None:
    responder = bot_that_reads(registry, turns).responder
    assert responder.reply("three", ["one", "two"]).text == read
    *_, streamed = responder.stream("three", ["one", "two"])
    assert isinstance(streamed, Reply)
    assert streamed.text == read
    assert responder.reply("three").text == "three"


def test_many_questions_keep_their_own_contexts(registry: Registry) -> None:
    responder = bot_that_reads(registry, 2, "responder.batch=2").responder
    contexts = [["one"], [], ["two", "three"], ["", "four"]]
    replies = responder.reply_all(["five", "six six six", "", "open"], contexts)
    assert [reply.text for reply in replies] == [
        "one five",
        "six six six",
        "Please ask me something.",
        "four open",
    ]


def test_a_question_without_its_context_is_found_out(registry: Registry) -> None:
    with pytest.raises(ValueError, match="shorter"):
        list(bot_that_reads(registry, 1).responder.reply_all(["one", "two"], [["three"]]))


def test_a_reply_shows_the_turns_that_it_looked_at(registry: Registry) -> None:
    reply = bot_that_reads(registry, 1).responder.reply("two", ["one"])
    pieces = [piece.strip() for piece in reply.question_pieces]
    assert pieces == ["one", "<end mark>", "two", "<end mark>"]
    assert all(len(piece.weights) == len(reply.question_pieces) for piece in reply.pieces)


def test_a_huge_earlier_turn_is_read_from_its_end(registry: Registry) -> None:
    bot = bot_that_reads(registry, 2, "question.max_tokens=6")
    reply = bot.responder.reply("five", ["six " * 1_000_000, "one " * 1_000_000 + "two"])
    assert reply.text == "one one two five"  # 6 tokens with two end marks
    assert reply.extra == {}


def test_only_a_question_that_is_cut_itself_is_noted(registry: Registry) -> None:
    responder = bot_that_reads(registry, 1, "question.max_tokens=4").responder
    assert responder.reply("one two six", ["four"]).extra == {}
    assert "Only the first 4 tokens" in responder.reply("one two six five", ["four"]).extra["note"]


def test_the_chat_hands_over_what_stands_before_the_question(registry: Registry) -> None:
    chat = Chat(bot_that_reads(registry, 2).responder, MemoryHistory)
    assert said(chat, "one") == "one"
    assert said(chat, "two") == "one one two"
    assert said(chat, "three") == "two one one two three"


def test_a_retry_reads_what_the_first_try_read(registry: Registry) -> None:
    chat = Chat(bot_that_reads(registry, 2).responder, MemoryHistory)
    said(chat, "one")
    first = said(chat, "two")
    *_, again = chat.retry()
    assert isinstance(again, Reply)
    assert again.text == first == "one one two"


def test_what_was_taken_back_is_read_no_more(registry: Registry) -> None:
    chat = Chat(bot_that_reads(registry, 2).responder, MemoryHistory)
    said(chat, "one")
    said(chat, "two")
    chat.undo()
    assert said(chat, "three") == "one one three"


def test_an_edited_question_is_read_in_the_place_of_the_first(registry: Registry) -> None:
    chat = Chat(bot_that_reads(registry, 4).responder, MemoryHistory)
    said(chat, "one")
    assert chat.undo() == "one"
    assert said(chat, "two") == "two"
    assert said(chat, "three") == "two two three"


def test_a_resumed_conversation_is_read_and_a_new_one_begins_without(registry: Registry) -> None:
    history = MemoryHistory()
    responder = bot_that_reads(registry, 2).responder
    said(Chat(responder, lambda: history), "one")
    chat = Chat(responder, lambda: history)
    chat.resume("last")
    assert said(chat, "two") == "one one two"
    chat.new()
    assert said(chat, "three") == "three"


def test_of_an_interrupted_reply_the_part_is_read(registry: Registry) -> None:
    chat = Chat(bot_that_reads(registry, 2).responder, MemoryHistory)
    parts = chat.stream("one two")
    assert next(parts) == "one"
    parts.close()
    assert said(chat, "three") == "one two one three"


def test_a_recipe_may_ask_for_as_much_as_a_corpus_keeps() -> None:
    recipe = load_recipe("tiny")
    assert recipe.apply([f"question.context_turns={MOST_CONTEXT_TURNS}"])
    for wrong in (MOST_CONTEXT_TURNS + 1, -1):
        with pytest.raises(RecipeError, match="question.context_turns cannot be"):
            recipe.apply([f"question.context_turns={wrong}"])


def test_how_many_turns_are_read_is_fixed_by_training(registry: Registry) -> None:
    with pytest.raises(
        RecipeError, match="'question.context_turns' is fixed once a bot is trained"
    ):
        bot_that_reads(registry, 0).with_overrides(["question.context_turns=2"])
