"""Jobs from what people name: files or exchanges, the accepted feedback of a bot, the starter.

torch is imported when a corpus has been read, so that a fault in it is told at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from chatseq.bots.bundle import bot_folder, check_name, default_bot, open_bundle, safe_name
from chatseq.core.errors import BundleError, ErrorKind, TrainingError
from chatseq.core.events import CorpusReport, Remark
from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.corpus.licence import licence_of
from chatseq.corpus.read import ReadOptions, ReadReport, read_corpus, reader_settings
from chatseq.history.opening import kept_history
from chatseq.training import choose_recipe

if TYPE_CHECKING:
    from chatseq.training.accepted import Accepted
    from chatseq.training.job import Job

Tell = Callable[[CorpusReport | Remark], object]


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How a bot is to be made, as people ask for it."""

    name: str | None = None  # of the bot; None: that of the first file
    recipe: str | Recipe | None = None  # a name, a file or one that is made; None: by the corpus
    settings: tuple[str, ...] = ()  # `path=value`, of the recipe and of corpus readers
    minutes: float | None = None
    licence: str = ""  # of the corpus; empty: what the folder of its files says
    from_history: bool = False  # learn what was accepted about the bot of this name, too
    reading: ReadOptions = field(default_factory=ReadOptions)  # of files; settings join those above


def job_of_files(
    registry: Registry, files: Sequence[str | Path], options: JobOptions, tell: Tell
) -> Job:
    """Read files and return the job of learning them.

    Raises:
        ChatseqError: as `chatseq.corpus.read.read_corpus`, `accepted_feedback` and `prepare` do.
    """
    name = check_name(options.name) if options.name else safe_name(stem(files[0]))
    accepted = _accepted(name, tell) if options.from_history else []
    for_readers, others = reader_settings(registry, options.settings)
    reading = replace(options.reading, settings=(*options.reading.settings, *for_readers))
    report = ReadReport()
    exchanges = list(read_corpus(registry, files, options=reading, report=report))
    tell(CorpusReport(name, len(exchanges), report.skipped, len(accepted)))
    chosen = replace(
        options, name=name, settings=others, licence=options.licence or licence_of(files)
    )
    return _job(registry, exchanges, chosen, accepted)


def job_of_exchanges(
    registry: Registry, exchanges: Iterable[Exchange], options: JobOptions, tell: Tell
) -> Job:
    """Return the job of learning exchanges that were read already.

    Raises:
        TrainingError: the bot has no name, or as `prepare` does.
    """
    if not options.name:
        raise TrainingError("A bot that learns no file needs a name. Give one: name=...")
    name = check_name(options.name)
    accepted = _accepted(name, tell) if options.from_history else []
    listed = list(exchanges)
    tell(CorpusReport(name, len(listed), 0, len(accepted)))
    return _job(registry, listed, options, accepted)


def job_of_history(registry: Registry, options: JobOptions, tell: Tell) -> Job:
    """Return the job of letting a bot learn on what was accepted about it.

    Raises:
        BundleError: there is no such bot.
        ChatseqError: as `accepted_feedback` and `prepare_warm_start` do.
    """
    from chatseq.training.warm_start import prepare_warm_start

    name = options.name or default_bot()
    if name is None:
        raise BundleError(
            "There is no bot yet that could learn on. Train one: chatseq train FILE",
            kind=ErrorKind.BOT_NOT_FOUND,
        )
    known = open_bundle(bot_folder(name), registry=registry).manifest.corpus.exchanges
    accepted = _accepted(name, tell)
    tell(CorpusReport(name, known, 0, len(accepted), learns_on=True))
    settings = [*options.settings, *_limit(options.minutes)]
    job = prepare_warm_start(registry, accepted, name=name, settings=settings)
    return replace(job, licence=options.licence) if options.licence else job


def starter_job(registry: Registry) -> Job:
    """Return the job of the starter bot.

    Raises:
        ChatseqError: its corpora are not installed.
    """
    from chatseq.training.job import prepare

    exchanges = list(read_corpus(registry, choose_recipe.starter_files()))
    return prepare(registry, exchanges, choose_recipe.starter_recipe(), name=choose_recipe.STARTER)


def stem(file: str | Path) -> str:
    """Return the name of a file without folders and endings, such as `faq` of `faq.csv.gz`."""
    name = Path(file).name
    return name.partition(".")[0] or name


def _job(
    registry: Registry,
    exchanges: list[Exchange],
    options: JobOptions,
    accepted: Sequence[Accepted],
) -> Job:
    from chatseq.training.job import prepare

    settings = [*options.settings, *_limit(options.minutes)]
    recipe = _recipe(options.recipe, exchanges).apply(settings)
    job = prepare(registry, exchanges, recipe, name=options.name or "", accepted=accepted)
    return replace(job, licence=options.licence)


def _recipe(named: str | Recipe | None, exchanges: list[Exchange]) -> Recipe:
    if isinstance(named, Recipe):
        return named
    return load_recipe(named) if named else choose_recipe.choose_recipe(exchanges)


def _limit(minutes: float | None) -> list[str]:
    return [] if minutes is None else [f"training.minutes={minutes}"]


def _accepted(bot: str, tell: Tell) -> list[Accepted]:
    from chatseq.training.accepted import accepted_feedback

    history = kept_history()
    try:
        for notice in history.notices:
            tell(Remark(notice))
        return accepted_feedback(history, bot)
    finally:
        history.close()
