"""Every mix of encoder, attention, decoder and output layer in tiny sizes, put to the whole test.

A mix is built as a recipe says, trained for a few steps, written as graphs, loaded again, compared
with torch, and asked a question by every strategy.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from chatseq.bots.bot import Bot, BotData
from chatseq.core.errors import PartError
from chatseq.core.exchange import Exchange
from chatseq.core.options import build_part, options_of
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.decoding.answers import Answers
from chatseq.engines.contracts import Engine
from chatseq.engines.export import export_graphs
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.build import build_model, join_parts
from chatseq.model.seq2seq import Seq2Seq
from chatseq.testing.run import subject_of
from chatseq.text.question_encoder import pad_questions
from chatseq.text.tokenizer import START_ID, Tokenizer
from chatseq.training.data import Examples

NONE = "none"
USUAL_OUTPUT = "tied"
WIDTH = 8  # of the embedding, of every memory and of every decoder: a dot product needs equal ones
LONGEST = 8  # tokens of a reply
SMALLEST_VOCABULARY = 8
CLOSE = 1e-4
SMALL: dict[str, object] = {"hidden_size": WIDTH, "layers": 1, "heads": 2}
NEEDED = {"lexical": {"words": ["you"]}}  # it has nothing to do without
EXCHANGES = (
    Exchange("hello", "Hi."),
    Exchange("how do you do today", "Fine."),
    Exchange("你好", "你好。"),
    Exchange("bye", "See you."),
)


class Mix(NamedTuple):
    """Names of parts."""

    encoder: str
    attention: str
    decoder: str
    output: str = USUAL_OUTPUT


def mixes(registry: Registry) -> list[Mix]:
    """Return every mix of installed parts, also those that make no sense."""
    columns = [[*registry.parts(kind)] for kind in ("encoder", "attention", "decoder", "output")]
    columns[1].insert(0, NONE)
    return [Mix(*names) for names in itertools.product(*columns)]


def refusals(registry: Registry) -> dict[Mix, str]:
    """Return why each mix is refused before training, or nothing, found with the first encoder.

    No part knows which encoder it stands on but by its width; that this holds for all of them is
    what the tests of the whole table see.
    """
    first = next(iter(registry.parts("encoder")))
    return {mix: _refusal(registry, mix) for mix in mixes(registry) if mix.encoder == first}


def that_work(registry: Registry) -> list[Mix]:
    """Return every mix that is not refused."""
    refused = {mix[1:]: why for mix, why in refusals(registry).items()}
    return [mix for mix in mixes(registry) if not refused[mix[1:]]]


def _refusal(registry: Registry, mix: Mix) -> str:
    try:
        join_parts(registry, recipe_of(registry, mix), SMALLEST_VOCABULARY)
    except PartError as refused:
        return str(refused)
    return ""


def recipe_of(registry: Registry, mix: Mix) -> Recipe:
    """Return the recipe of a mix, its parts as small as their options allow."""
    values = load_recipe("tiny").model_dump()
    values["model"] |= {
        "embedding_size": WIDTH,
        "dropout": 0.0,
        "encoder": _small(registry, "encoder", mix.encoder),
        "attention": None
        if mix.attention == NONE
        else _small(registry, "attention", mix.attention),
        "decoder": _small(registry, "decoder", mix.decoder),
        "output": {"name": mix.output},
    }
    values["question"] |= {"features": 2, "feature_buckets": 16}
    values["tokenizer"] = {"name": "subword", "vocabulary_size": 512}
    values["decoding"] |= {"adjusters": (), "max_length": LONGEST}
    return Recipe.model_validate(values)


def _small(registry: Registry, kind: str, name: str) -> dict[str, object]:
    options = options_of(registry.find(kind, name).load())
    table = {"name": name, **{key: SMALL[key] for key in options if key in SMALL}}
    if "bidirectional" in options:  # two directions together are as wide as all else
        table["hidden_size"] = WIDTH // 2
    if "turn_size" in options:  # and the turns beside them
        table |= {"hidden_size": WIDTH // 4, "turn_size": WIDTH // 2}
    return table


def trained(registry: Registry, recipe: Recipe) -> tuple[Seq2Seq, Bot]:
    """Return a model that has taken a few steps on four exchanges, which must have taught it."""
    tokenizer: Tokenizer = build_part(registry, "tokenizer", recipe.tokenizer, where="").learn(
        [exchange.question for exchange in EXCHANGES], [exchange.answer for exchange in EXCHANGES]
    )
    torch.manual_seed(0)
    model = build_model(registry, recipe, tokenizer.size)
    bot = Bot(registry, recipe, tokenizer, TorchEngine(model))
    batch = Examples(EXCHANGES, bot.reader, max_answer_tokens=64).batch(np.arange(4))
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.02)
    losses = []
    for _ in range(4):
        optimiser.zero_grad()
        total, tokens = model.loss(batch)
        (total / tokens).backward()
        optimiser.step()
        losses.append(float(total.detach()) / tokens)
    assert losses[-1] < losses[0], losses
    return model.eval(), bot


def walked(engine: Engine, bot: Bot) -> list[Any]:
    """Encode two questions and take some steps with three rows each; return all that came out."""
    questions = pad_questions([bot.reader.read("hello you"), bot.reader.read("你好")], 2)
    memory, state = engine.encode(*map(engine.array, questions))
    rows = engine.array(np.repeat(np.arange(2), 3))
    state = tuple(part[rows] for part in state)
    tokens, found = np.full(6, START_ID), []
    for step in range(3):
        stepped = engine.step(engine.array(tokens), state, memory)
        found += [np.asarray(stepped.log_probs), np.asarray(stepped.weights)]
        state, tokens = stepped.state, 3 + (np.arange(6) + step)
    return found


def check(registry: Registry, mix: Mix, folder: Path, strategies: Iterable[str]) -> None:
    """Put a mix to the whole test, and let it answer by these strategies."""
    recipe = recipe_of(registry, mix)
    model, bot = trained(registry, recipe)
    export_graphs(model, folder)
    engine = OnnxEngine(folder)
    for one, other in zip(walked(engine, bot), walked(TorchEngine(model), bot), strict=True):
        np.testing.assert_allclose(one, other, atol=CLOSE, rtol=CLOSE, err_msg=str(mix))
    answers = Answers(lambda: [exchange.answer for exchange in EXCHANGES])
    exported = Bot(registry, recipe, bot.tokenizer, engine, BotData(answers=answers))
    for strategy in strategies:
        reply = exported.with_overrides(_settings(registry, strategy)).responder.reply("hello you")
        assert reply.text, (mix, strategy)
        assert 0 < reply.tokens <= LONGEST, (mix, strategy)


def _settings(registry: Registry, strategy: str) -> list[str]:
    component = registry.find("strategy", strategy).load()
    options = dict(subject_of("strategy", component).first) | NEEDED.get(strategy, {})
    return [
        f"decoding.strategy.name={strategy}",
        *(f"decoding.strategy.{option}={value!r}" for option, value in options.items()),
    ]
