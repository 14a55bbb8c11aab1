"""`chatseq history feedback`: what was said about replies, and what a bot may learn of it."""

from __future__ import annotations

import click

from chatseq.cli.history_access import count, kept, when
from chatseq.cli.output import say, say_json, say_table
from chatseq.history import faults
from chatseq.history.contracts import Feedback, History, Review, Verdict
from chatseq.history.records import reviewed

_COLUMNS = ("id", "when", "bot", "verdict", "question", "reply -> correction", "status")
_NONE = "No feedback yet. In a chat, say it with /good, /bad or /correct."
_NONE_SUCH = "No feedback of that kind."


@click.group()
def feedback() -> None:
    """Look through what was said about replies, and decide what a bot may learn."""


@feedback.command("list")
@click.option("--bot", default="", help="About replies of this bot only.")
@click.option(
    "--status", type=click.Choice([status.value for status in Review]), help="Of this status only."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_feedback(bot: str, status: str | None, as_json: bool) -> None:
    """List what was said in chats with /good, /bad and /correct, the latest first."""
    from chatseq.history.transfer import feedback_value

    listed = kept().feedback(bot=bot, status=Review(status) if status else None)
    if as_json:
        say_json([feedback_value(said) for said in listed])
        return
    say_table(_COLUMNS, map(_row, listed), empty=_NONE_SUCH if bot or status else _NONE)


@feedback.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Accept all that is new.")
def accept(ids: tuple[int, ...], everything: bool) -> None:
    """Let bots learn from it: of `good` the reply, of `correct` the correction.

    `bad` alone names no right answer and cannot be accepted; --all leaves it as it is.
    """
    history = kept()
    chosen = _chosen(history, ids, everything)
    left = [said for said in chosen if everything and said.verdict is Verdict.BAD]
    _decide(history, [said for said in chosen if said not in left], Review.ACCEPTED)
    if left:
        say(f"{count(len(left), 'verdict')} left as it is: 'bad' alone says not what is right.")


@feedback.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Reject all that is new.")
def reject(ids: tuple[int, ...], everything: bool) -> None:
    """Let nothing come of it: a rejected correction is no answer any more."""
    history = kept()
    _decide(history, _chosen(history, ids, everything), Review.REJECTED)


def _chosen(history: History, ids: tuple[int, ...], everything: bool) -> list[Feedback]:
    if bool(ids) == everything:
        raise click.UsageError("Name the feedback by its ids, or give --all.")
    said = {each.id: each for each in history.feedback()}
    if everything:
        return [each for each in said.values() if each.status is Review.NEW]
    for number in ids:
        if number not in said:
            raise faults.no_feedback(number)
    return [said[number] for number in dict.fromkeys(ids)]


def _decide(history: History, chosen: list[Feedback], status: Review) -> None:
    for said in chosen:
        reviewed(said, status)  # so that nothing is decided where one cannot be
    for said in chosen:
        history.review(said.id, status)
    say(f"{count(len(chosen), 'verdict')} {status}.")


def _row(said: Feedback) -> tuple[object, ...]:
    answer = f"{said.reply} -> {said.correction}" if said.correction else said.reply
    return said.id, when(said.created), said.bot, said.verdict, said.question, answer, said.status
