"""From trained weights to a bot on the shelf: figures, graphs, card, bundle."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save as save_tensors

from chatseq.bundle import Bundle, Manifest, bot_folder, set_default_bot, write_bundle
from chatseq.bundle.answers import answers_file
from chatseq.bundle.manifest import ANSWERS, CARD, RECIPE, TOKENIZER, WEIGHTS
from chatseq.chat.bot import Bot
from chatseq.engines.export import export_graphs
from chatseq.engines.torch_engine import TorchEngine
from chatseq.evaluation.report import evaluate
from chatseq.model.seq2seq import Seq2Seq
from chatseq.plugins import Registry
from chatseq.recipe import Recipe
from chatseq.training.card import card
from chatseq.training.job import Job
from chatseq.training.known import counted_answers, known_answers
from chatseq.training.validation import spread

Figures = dict[str, float | None]

_MOST_EXCHANGES = 1000  # that the figures at the end are taken over


def final_figures(job: Job, model: Seq2Seq) -> Figures:
    """Return the figures that `chatseq evaluate` gives, over the questions of the validation.

    Whatever is measured at the end of training enters here.
    """
    engine, answers = TorchEngine(model), known_answers(job)
    bot = Bot(job.registry, job.recipe, job.tokenizer, engine, name=job.name, answers=answers)
    exchanges = spread(job.validation.exchanges, _MOST_EXCHANGES)
    return evaluate(bot, exchanges, job.registry).figures()


def write_bot(job: Job, model: Seq2Seq, figures: Figures) -> Bundle:
    """Store the bot, and make it the one that `chatseq` chats with.

    Raises:
        BundleError: the disk is full, or may not be written.
        EngineError: a part of the model cannot be written as a graph.
    """
    plugins = needed_plugins(job.registry, job.recipe)
    manifest = Manifest(job.name, {}, plugins=plugins, corpus=job.corpus, figures=figures)

    def fill(folder: Path) -> None:
        (folder / RECIPE).write_text(_told(job.recipe).to_toml(), encoding="utf-8")
        (folder / TOKENIZER).write_text(job.tokenizer.to_json(), encoding="utf-8")
        (folder / CARD).write_text(card(job, manifest), encoding="utf-8")
        (folder / ANSWERS).parent.mkdir()
        (folder / ANSWERS).write_bytes(answers_file(counted_answers(job)))
        weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
        (folder / WEIGHTS).write_bytes(save_tensors(weights))
        if job.recipe.engine.name == "onnx":
            export_graphs(model, folder, precision=job.recipe.engine.precision)

    bundle = write_bundle(bot_folder(job.name), manifest, fill)
    set_default_bot(job.name)
    return bundle


def _told(recipe: Recipe) -> Recipe:
    """Return the recipe without the folder of the file that embeddings began with.

    The vectors are in the weights, and the folders of a machine are nobody's business.
    """
    if recipe.model.pretrained is None:
        return recipe
    name = Path(recipe.model.pretrained).name
    return recipe.model_copy(update={"model": recipe.model.model_copy(update={"pretrained": name})})


def needed_plugins(registry: Registry, recipe: Recipe) -> dict[str, str]:
    """Return the plugins that bring the parts of a recipe, with their versions."""
    found = (registry.find(kind, str(table["name"])) for kind, _, table in recipe.parts())
    return {part.plugin.name: part.plugin.version for part in found}
