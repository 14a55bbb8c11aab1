"""A bot with the output layer `pointer` answers with names that were in no corpus."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from chatseq.bots.bot import Bot
from chatseq.bots.loader import load_bot
from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.training.job import prepare
from chatseq.training.run import train

PATTERNS = (
    ("my name is {}", "Nice to meet you, {}!"),
    ("I am {}", "Hello {}, how are you?"),
    ("they call me {}", "Nice to meet you, {}!"),
    ("hello, {} here", "Hello {}, how are you?"),
)
SETTINGS = (
    "responder.name=seq2seq",  # a name that was never seen is in no known answer
    "tokenizer.name=subword",
    "tokenizer.vocabulary_size=512",
    "question.features=0",
    "model.output.name=pointer",
    "model.embedding_size=48",
    "model.encoder.hidden_size=32",
    "model.decoder.hidden_size=64",
    "model.dropout=0.0",
    "training.batch_tokens=512",
    "training.label_smoothing=0.0",
    "training.learning_rate=0.01",
    "training.max_epochs=5",
    "training.min_steps=0",
    "training.validations=1",
    "training.word_dropout=0.0",
)
LEARNT, ASKED = 600, 40


def names() -> list[str]:
    """Return different names: Vuken, Domil, Tire."""
    draw = random.Random(1)  # noqa: S311

    def name() -> str:
        letters = [
            draw.choice(part) for part in ("BCDFGKLMNPRSTVZ", "aeiou", "bdfgklmnprstvz", "aeiou")
        ]
        return "".join(letters) + draw.choice(["", "n", "r", "s", "l"])

    found: dict[str, None] = {}
    while len(found) < LEARNT + ASKED:
        found[name()] = None
    return list(found)


def said_of(chosen: list[str]) -> Iterator[tuple[str, str]]:
    for number, name in enumerate(chosen):
        question, answer = PATTERNS[number % len(PATTERNS)]
        yield question.format(name), answer.format(name)


def trained(registry: Registry, *settings: str) -> Bot:
    exchanges = [Exchange(*pair) for pair in said_of(names()[:LEARNT])]
    recipe = load_recipe("tiny").apply([*SETTINGS, *settings])
    for _ in train(prepare(registry, exchanges, recipe, name="names")):
        pass
    return load_bot(registry, "names")


def share_right(bot: Bot) -> float:
    pairs = list(said_of(names()[LEARNT:]))
    replies = bot.responder.reply_all([question for question, _ in pairs])
    right = [reply.text == answer for reply, (_, answer) in zip(replies, pairs, strict=True)]
    return sum(right) / len(right)


@pytest.mark.slow("trains two networks until they copy")
def test_a_name_that_was_never_seen_is_answered(registry: Registry) -> None:
    bot = trained(registry, "question.fold=false")
    assert bot.responder.reply("my name is Vizok").text == "Nice to meet you, Vizok!"
    right = share_right(bot)
    assert right > 0.8
    # Folding takes the capital away, which must then be guessed.
    assert share_right(trained(registry, "question.fold=true")) < right - 0.1


@pytest.mark.slow("trains a network on names")
def test_without_a_pointer_no_such_name_is_answered(registry: Registry) -> None:
    bot = trained(registry, "question.fold=false", "model.output.name=tied")
    assert bot.responder.reply("my name is Vizok").text.startswith("Nice to meet you, ")
    assert share_right(bot) < 0.1
