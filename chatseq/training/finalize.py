"""From trained weights to a stored bot: figures, graphs, card, bundle."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from safetensors.torch import save as save_tensors

from chatseq.bots.bot import Bot, BotData
from chatseq.bots.bundle import Bundle, Manifest, bot_folder, set_default_bot, write_bundle
from chatseq.bots.bundle.answers import answers_file
from chatseq.bots.bundle.manifest import ANSWERS, CARD, FOLDER, RECIPE, TOKENIZER, WEIGHTS
from chatseq.bots.bundle.pairs import write_pairs
from chatseq.bots.contracts import FitData
from chatseq.bots.wrapping import fit_responder
from chatseq.core.exchange import Exchange
from chatseq.core.options import nested_parts
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe
from chatseq.core.sequences import evenly_spaced
from chatseq.engines.contracts import Engine
from chatseq.engines.device import torch_device
from chatseq.engines.export import export_graphs
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.evaluation.report import evaluate
from chatseq.model.seq2seq import Seq2Seq
from chatseq.training.answer_counts import counted_answers, known_answers
from chatseq.training.card import card
from chatseq.training.job import Job

Figures = dict[str, float | None]

_MOST_EXCHANGES = 1000  # that the figures at the end are taken over


def finish(job: Job, model: Seq2Seq) -> Figures:
    """Store the bot with what its responder learns, and return the figures over the validation.

    It becomes the one that `chatseq` chats with.

    Raises:
        BundleError: the disk is full, or may not be written.
        EngineError: a part of the model cannot be written as a graph.
    """
    train, held_out = job.train.exchanges, _held_out(job)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        graphs, part = Path(place, "graphs"), Path(place, "part")
        engine = _engine(job, model, graphs)
        learnt = _learn(job, engine, train, part, held_out=held_out)
        figures = final_figures(job, engine, part) | learnt
        whole = Path(place, "whole") if held_out else part
        if held_out:  # only now, for the figures are of questions that nothing has seen
            _learn(job, engine, [*train, *held_out], whole, fitted=part)
        write_bot(job, model, figures, whole, graphs)
    return figures


def _engine(job: Job, model: Seq2Seq, graphs: Path) -> Engine:
    """Return the engine that the bot will chat with; its graphs are written into a new folder.

    It takes a quarter of the time of torch, and what is fitted holds for what will run.
    """
    graphs.mkdir()
    settings = job.recipe.engine
    if settings.name == "torch":
        return TorchEngine(model.to(torch_device(settings.device, setting="engine.device")))
    export_graphs(model.cpu(), graphs, precision=settings.precision)
    return OnnxEngine(graphs, device=settings.device)


def final_figures(job: Job, engine: Engine, folder: Path | None = None) -> Figures:
    """Return the figures that `chatseq evaluate` gives, over the questions of the validation.

    Whatever is measured at the end of training enters here.

    Args:
        folder: the corpus, and what the responder learnt
    """
    exchanges = evenly_spaced(job.validation.exchanges, _MOST_EXCHANGES)
    return evaluate(_bot(job, engine, folder), exchanges, job.registry).figures()


def _held_out(job: Job) -> Sequence[Exchange]:
    return [] if job.validation is job.train else job.validation.exchanges


def _learn(
    job: Job,
    engine: Engine,
    exchanges: Sequence[Exchange],
    folder: Path,
    *,
    held_out: Sequence[Exchange] = (),
    fitted: Path | None = None,
) -> Figures:
    """Write exchanges into a new folder, and let the responder learn from them."""
    folder.mkdir()
    write_pairs(folder, map(_without_folders, exchanges))
    (folder / ANSWERS).write_bytes(answers_file(counted_answers(job)))
    bot, seed = _bot(job, engine, folder), job.recipe.training.seed
    data = FitData(bot, exchanges, held_out, job.answers_recur, seed, fitted)
    return dict(fit_responder(data, folder, job.recipe.responder))


def _bot(job: Job, engine: Engine, folder: Path | None) -> Bot:
    data = BotData(name=job.name, answers=known_answers(job), folder=folder)
    return Bot(job.registry, job.recipe, job.tokenizer, engine, data)


def _without_folders(exchange: Exchange) -> Exchange:
    """Leave out the folders of its file, which are nobody's business."""
    return replace(exchange, source=PurePath(exchange.source).name)


def write_bot(job: Job, model: Seq2Seq, figures: Figures, folder: Path, graphs: Path) -> Bundle:
    """Store the bot, and make it the one that `chatseq` chats with.

    Args:
        folder: the corpus, and what the responder learnt
        graphs: those of the network, if it has any

    Raises:
        BundleError: the disk is full, or may not be written.
    """
    plugins = needed_plugins(job.registry, job.recipe)
    manifest = Manifest(
        job.name,
        {},
        licence=job.licence,
        plugins=plugins,
        corpus=job.corpus,
        figures=figures,
    )

    def fill(place: Path) -> None:
        (place / RECIPE).write_text(_told(job.recipe_to_store).to_toml(), encoding="utf-8")
        (place / TOKENIZER).write_text(job.tokenizer.to_json(), encoding="utf-8")
        (place / CARD).write_text(card(job, manifest), encoding="utf-8")
        shutil.copytree(folder, place / FOLDER)
        weights = {name: each.cpu().contiguous() for name, each in model.state_dict().items()}
        (place / WEIGHTS).write_bytes(save_tensors(weights))
        shutil.copytree(graphs, place, dirs_exist_ok=True)

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
    """Return the plugins that bring the parts of a recipe, and the parts that those name.

    Returns:
        the version of each by its name
    """
    named = [(kind, table) for kind, _, table in recipe.parts()]
    nested = [each for kind, table in named for each in nested_parts(registry, kind, table)]
    named += [(each.kind, dict(each.table)) for each in nested]
    found = (registry.find(kind, str(table["name"])) for kind, table in named)
    return {part.plugin.name: part.plugin.version for part in found}
