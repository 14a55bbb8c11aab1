"""Every recipe that comes with chatseq makes a bot that answers, as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatseq.bots.bundle import bot_folder, open_bundle
from chatseq.bots.loader import load_bot
from chatseq.core.events import StepReport
from chatseq.core.plugins import Registry
from chatseq.core.recipe import RECIPES, load_recipe, recipe_names
from chatseq.training.job import prepare
from chatseq.training.run import train

from .conftest import exchanges

DOCS = Path(__file__).parents[2] / "docs" / "training.md"
SHORT = (
    "training.max_epochs=1",
    "training.min_steps=0",
    "training.validations=1",
    "training.batch_tokens=120",
    "training.threads=1",
    "decoding.max_length=6",
)
PAPERS = ("textbook", "bahdanau", "luong", "transformer")


@pytest.mark.slow("trains every recipe in its own sizes")
@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_trains_exports_and_answers(registry: Registry, name: str) -> None:
    """With its own sizes; graphs and torch say the same."""
    job = prepare(registry, exchanges(), load_recipe(name).apply(SHORT), name="made")
    losses = [event.loss for event in train(job) if isinstance(event, StepReport)]
    assert len(losses) >= 3
    assert losses[-1] < losses[0]
    assert open_bundle(bot_folder("made")).has("encoder.onnx", "step.onnx")
    replies = [
        load_bot(registry, "made", overrides=[f"engine.name={engine}"]).responder.reply("train")
        for engine in ("onnx", "torch")
    ]
    assert replies[0].bot == "made"
    assert replies[0].text == replies[1].text
    assert replies[0].confidence == pytest.approx(replies[1].confidence, abs=1e-3)


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_says_what_it_is_for(name: str) -> None:
    text = (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert f"| `{name}` |" in DOCS.read_text(encoding="utf-8")


def test_recipes_of_papers_differ_in_their_parts_alone() -> None:
    """So that what one answers better than another is due to its parts."""
    recipes = [load_recipe(name) for name in PAPERS]
    assert len({repr(recipe.tokenizer) for recipe in recipes}) == 1
    assert len({recipe.question for recipe in recipes}) == 1
    assert {recipe.question.features for recipe in recipes} == {0}
    assert {recipe.model.embedding_size for recipe in recipes} == {256}
    assert {recipe.model.dropout for recipe in recipes} == {0.2}
    learning = [r.training.model_copy(update={"warmup_share": 0.1}) for r in recipes]
    assert all(section == learning[0] for section in learning)
    assert len({repr(recipe.model.decoder) for recipe in recipes}) == len(PAPERS)
