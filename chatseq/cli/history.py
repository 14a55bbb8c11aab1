"""`chatseq history`: the conversations that are kept on this computer."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import click

from chatseq.cli.history_access import count, kept, opened, when
from chatseq.cli.history_feedback import feedback
from chatseq.cli.output import say, say_json, say_table, tell
from chatseq.core.errors import HistoryError
from chatseq.history.contracts import Conversation, Message, Role, SearchHit, Status, branch
from chatseq.text.terminal import safe_line

_REMARKS = {
    Status.PENDING: "no reply yet",
    Status.INTERRUPTED: "interrupted",
    Status.FAILED: "the reply failed",
}


@click.group()
def history() -> None:
    """List, show, search and delete the conversations that were kept."""


history.add_command(feedback)


@history.command("list")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="At most so many.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_conversations(limit: int, as_json: bool) -> None:
    """List conversations, the latest first."""
    from chatseq.history.transfer import conversation_value

    listed = kept().conversations(limit)
    if as_json:
        say_json([conversation_value(conversation) for conversation in listed])
        return
    rows = [(c.id, when(c.created), c.messages, c.bot, c.title) for c in listed]
    columns = ("id", "begun", "messages", "bot", "title")
    say_table(columns, rows, empty="No conversations yet. Begin one: chatseq")


@history.command()
@click.argument("conversation", metavar="ID|last")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all branches.")
def show(conversation: str, as_json: bool) -> None:
    """Show a conversation; the beginning of its id is enough."""
    from chatseq.history.transfer import whole_value

    here = kept()
    found = here.find(conversation)
    if as_json:
        say_json(whole_value(here, found))
        return
    _say_conversation(found, here.messages(found.id))


@history.command()
@click.argument("words", nargs=-1, required=True)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="At most so many.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def search(words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Find messages that hold all words, the newest first.

    A word that ends in * may go on; '"words in quotes"' must follow each other.
    """
    from chatseq.history.transfer import found_value

    found = kept().search(" ".join(words), limit)
    if as_json:
        say_json([found_value(hit) for hit in found])
        return
    rows = [_row(hit) for hit in found]
    say_table(("id", "when", "", "message"), rows, empty="No message holds all these words.")


@history.command("export")
@click.argument("conversations", nargs=-1, metavar="[ID|last]...")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new file; else stdout.")
def export_conversations(conversations: tuple[str, ...], output: Path | None) -> None:
    """Write conversations, or all, as JSON lines that can be imported again."""
    from chatseq.history.transfer import export_lines

    here = kept()
    chosen = tuple(map(here.find, conversations)) if conversations else here.conversations()
    lines = export_lines(here, chosen)
    if output is None:
        for line in lines:
            click.echo(line.encode() + b"\n", nl=False)  # UTF-8 wherever it is piped to
    else:
        _write(output, lines)
        tell(f"{count(len(chosen), 'conversation')} exported to {output}.")


@history.command("import")
@click.argument("file", type=click.Path(allow_dash=True, path_type=Path))
def import_conversations(file: Path) -> None:
    """Take in conversations from an exported file; those that are here already are left alone."""
    from chatseq.history.transfer import conversation_of

    with _readable(file) as stream:
        given = [
            conversation_of(line, f"{file}:{number}")
            for number, line in enumerate(_lines(stream, file), start=1)
            if line.strip()
        ]
    here = opened()
    added = sum(here.add_conversation(*conversation) for conversation in given)
    known = f", {len(given) - added} were here already" if added < len(given) else ""
    say(f"{count(added, 'conversation')} imported{known}.")


@history.command()
@click.argument("conversations", nargs=-1, metavar="[ID|last]...")
@click.option("--all", "everything", is_flag=True, help="Delete every conversation.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(conversations: tuple[str, ...], everything: bool, yes: bool) -> None:
    """Delete conversations for good; nothing of them stays in the history file."""
    if bool(conversations) == everything:
        raise click.UsageError("Name the conversations to delete, or give --all.")
    here = kept()
    chosen = here.conversations() if everything else tuple(map(here.find, conversations))
    chosen = tuple(dict.fromkeys(chosen))
    if chosen and not (yes or _agreed(chosen)):
        say("Nothing was deleted.")
        return
    here.delete(*(conversation.id for conversation in chosen))
    say(f"{count(len(chosen), 'conversation')} deleted.")


def _say_conversation(conversation: Conversation, messages: tuple[Message, ...]) -> None:
    shown = branch(messages, conversation.head)
    say(safe_line(conversation.title))
    bot = f"bot {safe_line(conversation.bot)}, " if conversation.bot else ""
    say(f"{conversation.id}, {bot}{when(conversation.created)}")
    for message in shown:
        remark = f"  ({_REMARKS[message.status]})" if message.status in _REMARKS else ""
        text = message.text.replace("\n", "\n     ")  # so that no text looks like another message
        say(f"\n{_who(message)}: {text}{remark}")
    if hidden := len(messages) - len(shown):
        say(f"\n{count(hidden, 'message')} on other branches: --json shows them.")


def _row(hit: SearchHit) -> tuple[str, str, str, str]:
    message = hit.message
    return message.conversation, when(message.created), _who(message), hit.snippet


def _who(message: Message) -> str:
    return "you" if message.role is Role.QUESTION else "bot"


def _agreed(chosen: tuple[Conversation, ...]) -> bool:
    if not _somebody_is_there():
        raise HistoryError("Deleting asks first, and nobody can answer here. Give --yes.")
    for conversation in chosen[:5]:
        say(f"{conversation.id}  {safe_line(conversation.title)}")
    return click.confirm(f"Delete {count(len(chosen), 'conversation')} for good?")


def _somebody_is_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _write(output: Path, lines: Iterable[str]) -> None:
    from chatseq.core.files import write_whole

    try:
        if output.exists():
            raise FileExistsError("it exists already")
        write_whole(output, "".join(f"{line}\n" for line in lines).encode())
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise HistoryError(f"Cannot write {output}: {reason}. Name another file.") from fault


def _readable(file: Path) -> IO[str]:
    try:
        return click.open_file(str(file), encoding="utf-8-sig")
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise HistoryError(f"Cannot read {file}: {reason}. Name an exported file.") from fault


def _lines(stream: IO[str], file: Path) -> Iterator[str]:
    try:
        yield from stream
    except UnicodeDecodeError as fault:
        raise HistoryError(
            f"{file}: this is no exported file, for it is not UTF-8. "
            "Give a file made by: chatseq history export"
        ) from fault
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise HistoryError(f"Cannot read {file}: {reason}. Name an exported file.") from fault
