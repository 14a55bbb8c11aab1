"""A bot that chatseq wrote before bundles had the folder `data/` and recipes `[responder]`.

It is the pool of `pool.csv`, trained with the recipe faq, small sizes and `qa.suggest_below=0.5`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from chatseq.bots.bot import Bot
from chatseq.bots.bundle import import_bundle, open_bundle
from chatseq.bots.bundle.pairs import Pairs
from chatseq.bots.loader import load_bot
from chatseq.core.exchange import ReplySource
from chatseq.core.plugins import Registry

ARCHIVE = Path(__file__).parent / "format_1" / "pool.chatseq"


@pytest.fixture
def bot(registry: Registry) -> Bot:
    import_bundle(ARCHIVE)
    return load_bot(registry, "pool")


def test_it_still_opens_with_its_corpus(bot: Bot) -> None:
    bundle = open_bundle(bot.folder.parent if bot.folder else Path())
    assert bundle.manifest.format == 1
    assert bundle.data_folder.name == "answers"
    assert Pairs(bundle.data_folder)[0].question == "when does the pool open?"
    assert "Dogs stay outside, sorry." in [answer.text for answer in bundle.answers()]


def test_its_section_qa_is_the_responder(bot: Bot) -> None:
    assert bot.recipe.responder == {"name": "qa", "suggest_below": 0.5}


@pytest.mark.parametrize(
    ("question", "answer", "confidence"),
    [  # as the program that wrote it answered
        ("when does the pool open?", "The pool opens at seven.", 0.9995423510058542),
        ("are puppies allowed", "Dogs stay outside, sorry.", 0.9570512717931469),
        ("几点可以游泳", "泳池七点开门。", 0.9947399686675898),
        ("sdfkj dfs", "I do not know.", 0.006111969014812234),
    ],
)
def test_it_answers_as_it_did(bot: Bot, question: str, answer: str, confidence: float) -> None:
    reply = bot.responder.reply(question)
    assert reply.text == answer
    assert reply.confidence == pytest.approx(confidence, abs=1e-4)
    assert (reply.source is ReplySource.DECLINED) == (answer == "I do not know.")
