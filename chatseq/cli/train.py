"""`chatseq train`: from files to a bot that chats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chatseq.cli.history_access import count, kept
from chatseq.cli.main import INTERRUPTED, registry_of
from chatseq.cli.output import say, tell
from chatseq.core.plugins import Registry

if TYPE_CHECKING:
    from chatseq.core.events import FinishedReport
    from chatseq.core.exchange import Exchange
    from chatseq.core.recipe import Recipe
    from chatseq.training.accepted import Accepted
    from chatseq.training.answer_diff import AnswerDiff
    from chatseq.training.job import Job

_OF_FILES = {"recipe": "--recipe", "encoding": "--encoding", "format_": "--format"}


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--bot", metavar="NAME", help="Name of the bot; that of the first file by default.")
@click.option(
    "--from-history",
    is_flag=True,
    help="Learn the accepted feedback about the bot; without a FILE, on top of what it knows.",
)
@click.option("--recipe", metavar="FILE|NAME", help="How it is made; by size of the corpus.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of the recipe, such as training.seed=7, or of a reader.",
)
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop after so long.")
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped or killed.")
@click.option("--dry-run", is_flag=True, help="Try two steps, estimate, write nothing.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--encoding", metavar="NAME", help="Encoding of files without a mark.")
@click.option("--format", "format_", metavar="NAME", help="Reader, instead of guessing.")
@click.option("--skip-bad", is_flag=True, help="Leave bad rows out and count them.")
@click.pass_context
def train(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    from_history: bool,
    resume: bool,
    dry_run: bool,
    quiet: bool,
    **given: Any,
) -> int:
    """Train a bot on files of questions and answers.

    Ctrl-C stops in good order and leaves a bot that chats; --resume goes on later.

    With --from-history and no FILE, a bot that you have learns what you said with /correct and
    /good and accepted with `chatseq history feedback accept`; a report then tells which of its old
    answers changed.
    """
    if not files:
        _check_no_files(from_history, given)
    registry = registry_of(ctx)
    if files:
        job = _job_of_files(registry, files, given, from_history=from_history, quiet=quiet)
    else:
        job = _job_of_history(registry, given, quiet=quiet)
    if dry_run:
        _try_out(job)
        return 0
    comparison = None if files else _comparison(job, resume=resume, quiet=quiet)
    finished = _run(job, resume=resume, quiet=quiet, comparison=comparison)
    _tell_end(job, finished)
    if comparison:
        _tell_changes(comparison)
    return INTERRUPTED if finished.reason == "interrupted" else 0


def train_starter(registry: Registry, *, quiet: bool = False) -> str:
    """Train the starter bot with a progress bar, and return its name.

    Raises:
        KeyboardInterrupt: the user stopped it; what was learnt so far is stored.
    """
    from chatseq.corpus.read import read_corpus

    tell("This is the first time: the starter bot is trained, which takes about a minute.")
    from chatseq.training.choose_recipe import STARTER, starter_files, starter_recipe

    exchanges = list(read_corpus(registry, starter_files()))
    job = _prepared(registry, exchanges, starter_recipe(), STARTER)
    if _run(job, resume=False, quiet=quiet).reason == "interrupted":
        raise KeyboardInterrupt
    return job.name


def stem(file: str) -> str:
    """Return the name of a file without folders and endings, such as `faq` of `faq.csv.gz`."""
    name = Path(file).name
    return name.partition(".")[0] or name


def _check_no_files(from_history: bool, given: dict[str, Any]) -> None:
    if not from_history:
        raise click.UsageError("Name a FILE, or let a bot learn on: --from-history.")
    named = [option for name, option in _OF_FILES.items() if given[name]]
    named += ["--skip-bad"] * given["skip_bad"]
    if named:
        raise click.UsageError(f"{named[0]} is for files. Name a FILE, or leave it out.")


def _job_of_files(
    registry: Registry,
    files: tuple[str, ...],
    given: dict[str, Any],
    *,
    from_history: bool,
    quiet: bool,
) -> Job:
    from chatseq.bots.bundle import check_name, safe_name

    bot = given["bot"]
    name = check_name(bot) if bot else safe_name(stem(files[0]))
    accepted = _accepted(name) if from_history else []
    exchanges, settings = _read(registry, files, given)
    if not quiet:
        tell(f"{len(exchanges):,} exchanges read{_besides(accepted)}.")
    chosen = _recipe(given["recipe"], exchanges, [*settings, *_minutes(given["minutes"])])
    return _prepared(registry, exchanges, chosen, name, accepted)


def _job_of_history(registry: Registry, given: dict[str, Any], *, quiet: bool) -> Job:
    from chatseq.bots.bundle import bot_folder, default_bot, open_bundle
    from chatseq.core.errors import BundleError

    name = given["bot"] or default_bot()
    if name is None:
        raise BundleError("There is no bot yet that could learn on. Train one: chatseq train FILE")
    known = open_bundle(bot_folder(name), registry=registry).manifest.corpus.exchanges
    accepted = _accepted(name)
    from chatseq.training.warm_start import prepare_warm_start

    if not quiet:
        tell(f"The bot '{name}' learns on: {known:,} exchanges{_besides(accepted)}.")
    settings = [*given["settings"], *_minutes(given["minutes"])]
    return prepare_warm_start(registry, accepted, name=name, settings=settings)


def _accepted(bot: str) -> list[Accepted]:
    from chatseq.training.accepted import accepted_feedback

    history = kept()
    try:
        return accepted_feedback(history, bot)
    finally:
        history.close()


def _besides(accepted: list[Accepted]) -> str:
    return f", {count(len(accepted), 'accepted answer')} from the history" if accepted else ""


def _comparison(job: Job, *, resume: bool, quiet: bool) -> AnswerDiff:
    from chatseq.training.answer_diff import AnswerDiff

    if not quiet:
        tell("The bot is asked first, to see afterwards which answers changed.")
    return AnswerDiff(job, resume=resume)


def _tell_changes(comparison: AnswerDiff) -> None:
    from chatseq.cli.answer_diff_view import regression_lines

    for line in regression_lines(comparison.report()):
        say(line)
    say(f"All of it: {comparison.file}")


def _read(
    registry: Registry, files: tuple[str, ...], given: dict[str, Any]
) -> tuple[list[Exchange], tuple[str, ...]]:
    """Return the exchanges, and the settings that are not for readers."""
    from chatseq.corpus.read import ReadOptions, ReadReport, read_corpus, reader_settings

    for_readers, others = reader_settings(registry, given["settings"])
    options = ReadOptions(given["format_"], given["encoding"], given["skip_bad"], for_readers)
    report = ReadReport()
    exchanges = list(read_corpus(registry, files, options=options, report=report))
    if report.skipped:
        tell(f"{report.skipped} bad rows were skipped. See: chatseq corpus check --skip-bad FILE")
    return exchanges, others


def _recipe(named: str | None, exchanges: list[Exchange], settings: list[str]) -> Recipe:
    from chatseq.core.recipe import load_recipe
    from chatseq.training.choose_recipe import choose_recipe

    return (load_recipe(named) if named else choose_recipe(exchanges)).apply(settings)


def _minutes(minutes: float | None) -> list[str]:
    return [] if minutes is None else [f"training.minutes={minutes}"]


def _prepared(
    registry: Registry,
    exchanges: list[Exchange],
    recipe: Recipe,
    name: str,
    accepted: Sequence[Accepted] = (),
) -> Job:
    from chatseq.training.job import prepare

    return prepare(registry, exchanges, recipe, name=name, accepted=accepted)


def _run(
    job: Job, *, resume: bool, quiet: bool, comparison: AnswerDiff | None = None
) -> FinishedReport:
    from chatseq.cli.signals import stopping
    from chatseq.cli.training_view import training_view
    from chatseq.core.events import FinishedReport
    from chatseq.training.run import train as events_of

    with stopping() as stop, training_view(f"Training {job.name}", quiet=quiet) as view:
        events = events_of(job, resume=resume, stop=stop)
        for event in comparison.watch(events) if comparison else events:
            if isinstance(event, FinishedReport):
                return event
            view.show(event)
            if stop():
                view.stopping()
    raise AssertionError("a run ends with its last report")


def _try_out(job: Job) -> None:
    from chatseq.cli.training_view import duration
    from chatseq.training.dry_run import dry_run

    trial = dry_run(job)
    memory = "" if trial.memory_mb is None else f" and {trial.memory_mb:,.0f} MB of memory"
    say(
        f"{len(job.train):,} exchanges to learn from, {len(job.validation):,} to validate on, "
        f"{job.tokenizer.size:,} tokens, {sum(trial.parameters.values()):,} parameters:"
    )
    for part, numbers in trial.parameters.items():
        say(f"{numbers:>13,} in the {part}")
    for remark in (*job.remarks, *trial.remarks):
        say(remark)
    say(f"Loss of two steps: {', '.join(f'{loss:.2f}' for loss in trial.losses)}.")
    say(
        f"The whole run has at most {trial.steps:,} steps. It takes about "
        f"{duration(trial.seconds)}{memory}. Nothing was written."
    )


def _tell_end(job: Job, finished: FinishedReport) -> None:
    from chatseq.cli.training_view import duration

    right = finished.figures.get("exact_match")
    shown = "" if right is None else f" Validation: {right:.0%} word for word right."
    say(
        f"The bot '{job.name}' is ready: {finished.reason} after {finished.step:,} steps, "
        f"{duration(finished.seconds)}.{shown}"
    )
    if finished.reason == "interrupted":
        say("Go on with the same command and --resume, or chat now: chatseq")
    else:
        say("Chat with it: chatseq")
