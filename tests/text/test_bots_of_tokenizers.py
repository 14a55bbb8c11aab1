"""A bot is trained, stored, loaded and asked with each tokenizer that a recipe can name."""

from __future__ import annotations

import pytest

from chatseq.bots.loader import load_bot
from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.training.job import prepare
from chatseq.training.run import train

TAUGHT = {"where is the 训练 file": "In the 训练 folder 😀.", "bye": "Goodbye, and good luck."}
SIZES = ("embedding_size", "encoder.hidden_size", "decoder.hidden_size")


@pytest.mark.slow("trains a bot with each tokenizer")
@pytest.mark.parametrize(
    "settings",
    [
        ["tokenizer.name=byte"],
        ["tokenizer.name=character"],
        ["tokenizer.name=unigram", "tokenizer.vocabulary_size=512"],
        ["tokenizer.name=word", "tokenizer.chinese=rjieba"],
    ],
)
def test_a_bot_reads_and_writes_with_any_tokenizer(registry: Registry, settings: list[str]) -> None:
    recipe = load_recipe("tiny").apply(
        [
            *settings,
            *(f"model.{size}=48" for size in SIZES),
            "model.dropout=0.0",
            "question.feature_buckets=256",
            "training.label_smoothing=0.0",
            "training.learning_rate=0.02",
            "training.max_epochs=25",
            "training.min_steps=0",
            "training.batch_tokens=512",
            "training.word_dropout=0.0",
            "training.subword_dropout=0.1",
            "training.validations=1",
            "decoding.adjusters=[]",
        ]
    )
    exchanges = [Exchange(question, answer) for question, answer in TAUGHT.items()] * 9
    job = prepare(registry, exchanges, recipe, name="faq")
    for _ in train(job):
        pass
    bot = load_bot(registry, "faq")
    assert bot.tokenizer.to_json() == job.tokenizer.to_json()
    replies = {question: bot.responder.reply(question).text for question in TAUGHT}
    assert replies == TAUGHT
