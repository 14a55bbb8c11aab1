"""`chatseq train`: from files to a bot that chats."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from chatseq.api import run_training, training_job
from chatseq.cli.history_access import count
from chatseq.cli.main import INTERRUPTED, registry_of
from chatseq.cli.output import say, tell
from chatseq.core.plugins import Registry

if TYPE_CHECKING:
    from chatseq.api import Event
    from chatseq.core.events import CorpusReport, FinishedReport
    from chatseq.training.answer_diff import AnswerDiff
    from chatseq.training.job import Job
    from chatseq.training.job_sources import JobOptions

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
@click.option("--licence", metavar="TEXT", help="Of the corpus; by default the LICENSE beside it.")
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
    job = training_job(registry_of(ctx), files, _options(from_history, given), _begun(quiet))
    if dry_run:
        _try_out(job)
        return 0
    answer_diff = None if files else _answer_diff(job, resume=resume, quiet=quiet)
    finished = _run(job, resume=resume, quiet=quiet, answer_diff=answer_diff)
    _tell_end(job, finished)
    if answer_diff:
        _tell_changes(answer_diff)
    return INTERRUPTED if finished.reason == "interrupted" else 0


def train_starter(registry: Registry, *, quiet: bool = False) -> str:
    """Train the starter bot with a progress bar, and return its name.

    Raises:
        KeyboardInterrupt: the user stopped it; what was learnt so far is stored.
    """
    tell("This is the first time: the starter bot is trained, which takes about a minute.")
    from chatseq.training.job_sources import starter_job

    job = starter_job(registry)
    if _run(job, resume=False, quiet=quiet).reason == "interrupted":
        raise KeyboardInterrupt
    return job.name


def _check_no_files(from_history: bool, given: dict[str, Any]) -> None:
    if not from_history:
        raise click.UsageError("Name a FILE, or let a bot learn on: --from-history.")
    named = [option for name, option in _OF_FILES.items() if given[name]]
    named += ["--skip-bad"] * given["skip_bad"]
    if named:
        raise click.UsageError(f"{named[0]} is for files. Name a FILE, or leave it out.")


def _options(from_history: bool, given: dict[str, Any]) -> JobOptions:
    from chatseq.corpus.read import ReadOptions
    from chatseq.training.job_sources import JobOptions

    reading = ReadOptions(given["format_"], given["encoding"], given["skip_bad"])
    return JobOptions(
        name=given["bot"],
        recipe=given["recipe"],
        settings=given["settings"],
        minutes=given["minutes"],
        licence=given["licence"] or "",
        from_history=from_history,
        reading=reading,
    )


def _begun(quiet: bool) -> Callable[[Event], None]:
    """Return what tells of the corpus, and of what the history says about itself."""
    from chatseq.core.events import CorpusReport, Remark

    def show(event: Event) -> None:
        if isinstance(event, Remark):
            tell(event.text)
        elif isinstance(event, CorpusReport):
            _tell_read(event, quiet)

    return show


def _tell_read(read: CorpusReport, quiet: bool) -> None:
    if read.skipped:
        tell(f"{read.skipped} bad rows were skipped. See: chatseq corpus check --skip-bad FILE")
    if quiet:
        return
    besides = f", {count(read.accepted, 'accepted answer')} from the history" * bool(read.accepted)
    if read.learns_on:
        tell(f"The bot '{read.name}' learns on: {read.exchanges:,} exchanges{besides}.")
    else:
        tell(f"{read.exchanges:,} exchanges read{besides}.")


def _answer_diff(job: Job, *, resume: bool, quiet: bool) -> AnswerDiff:
    from chatseq.training.answer_diff import AnswerDiff

    if not quiet:
        tell("The bot is asked first, to see afterwards which answers changed.")
    return AnswerDiff(job, resume=resume)


def _tell_changes(answer_diff: AnswerDiff) -> None:
    from chatseq.cli.answer_diff_view import answer_diff_lines

    for line in answer_diff_lines(answer_diff.report()):
        say(line)
    say(f"All of it: {answer_diff.file}")


def _run(
    job: Job, *, resume: bool, quiet: bool, answer_diff: AnswerDiff | None = None
) -> FinishedReport:
    from chatseq.cli.signals import stopping
    from chatseq.cli.training_view import training_view
    from chatseq.core.events import CorpusReport, FinishedReport

    with stopping() as stop, training_view(f"Training {job.name}", quiet=quiet) as view:

        def show(event: Event) -> None:
            if isinstance(event, FinishedReport | CorpusReport):
                return
            view.show(event)
            if stop():
                view.stopping()

        watch = answer_diff.watch if answer_diff else iter
        return run_training(job, resume=resume, stop=stop, on_event=show, watch=watch)


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
