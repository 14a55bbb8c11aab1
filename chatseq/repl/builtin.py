"""The slash commands that come with chatseq."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from chatseq.bots.bundle import list_bundles
from chatseq.core.errors import ChatseqError
from chatseq.history.contracts import Conversation
from chatseq.repl.commands import SLASH, ArgumentChoice, CommandTable, slash_command
from chatseq.repl.session import ReplSession
from chatseq.repl.showing import show_reply, show_resumed
from chatseq.text.terminal import safe_line

SESSIONS_LISTED = 20


def _names(session: ReplSession) -> Iterator[ArgumentChoice]:
    for name, command in CommandTable(session.registry).loaded()[0].items():
        yield ArgumentChoice(name, command.summary)


def _strategies(session: ReplSession) -> Iterator[ArgumentChoice]:
    return (ArgumentChoice(name) for name in session.registry.parts("strategy"))


def _bots(session: ReplSession) -> Iterator[ArgumentChoice]:  # noqa: ARG001
    return (ArgumentChoice(bot.name) for bot in list_bundles() if not bot.fault)


def _sessions(session: ReplSession) -> Iterator[ArgumentChoice]:
    if session.ready:  # completing must not wait
        for found in session.chat.history.conversations(limit=SESSIONS_LISTED):
            yield ArgumentChoice(found.id, found.title)


def _settings(session: ReplSession) -> Iterator[ArgumentChoice]:
    if session.ready:
        yield from (
            ArgumentChoice(f"{path}=", f"now {value}") for path, value in session.bot.settings
        )


@slash_command(usage="[command]", complete=_names)
def help_(session: ReplSession, argument: str) -> None:
    """List the commands, or explain one."""
    commands = CommandTable(session.registry)
    if argument:
        session.screen.say(commands.find(argument.removeprefix(SLASH)).doc)
        return
    working, faults = commands.loaded()
    heads = {f"/{name} {command.usage}".strip(): command for name, command in working.items()}
    width = max(map(len, heads))
    lines = [f"{head.ljust(width)}  {command.summary}" for head, command in heads.items()]
    session.screen.say("\n".join([*lines, *_KEYS]))
    for fault in faults:
        session.screen.error(fault)


_KEYS = (
    "",
    "A beginning will do, /q for /quit. //text asks the bot something that begins with a slash.",
    "Alt-Enter begins a new line, Ctrl-R searches what you asked before, Ctrl-C stops a reply.",
)


@slash_command()
def quit_(session: ReplSession, argument: str) -> None:  # noqa: ARG001
    """Leave; Ctrl-D does the same."""
    session.leaving = True


@slash_command()
def clear(session: ReplSession, argument: str) -> None:  # noqa: ARG001
    """Empty the screen; the conversation goes on."""
    session.screen.clear()


@slash_command()
def new(session: ReplSession, argument: str) -> None:  # noqa: ARG001
    """Begin a new conversation; the present one stays in the history."""
    session.chat.new()
    session.screen.note("A new conversation.")


@slash_command(usage="[strategy]", complete=_strategies)
def retry(session: ReplSession, argument: str) -> None:
    """Answer the last question again, perhaps with another strategy.

    The earlier reply stays in the history. A strategy named here is used this once;
    /set decoding.strategy.name=NAME changes it for the rest of the chat.
    """
    show_reply(session, session.retry(argument))


@slash_command()
def undo(session: ReplSession, argument: str) -> None:  # noqa: ARG001
    """Take back the last question and its reply."""
    taken = session.chat.undo()
    session.screen.note(f"Taken back: {safe_line(taken)}")


@slash_command()
def sessions(session: ReplSession, argument: str) -> None:  # noqa: ARG001
    """List the newest conversations."""
    found = session.chat.history.conversations(limit=SESSIONS_LISTED)
    lines = [_line(session, conversation) for conversation in found]
    session.screen.say("\n".join(lines) or "No conversations yet.")


def _line(session: ReplSession, found: Conversation) -> str:
    here = "*" if found.id == session.conversation else " "
    day = found.created.astimezone().strftime("%Y-%m-%d %H:%M")
    return f"{here} {found.id}  {day}  {found.messages:>4}  {safe_line(found.title)}"


@slash_command(usage="[id]", complete=_sessions)
def resume(session: ReplSession, argument: str) -> None:
    """Go on with an earlier conversation, by default the last one.

    The beginning of an id will do; /sessions lists them.
    """
    show_resumed(session, argument or _last_other(session))


def _last_other(session: ReplSession) -> str:
    newest = session.chat.history.conversations(limit=2)
    for conversation in newest:
        if conversation.id != session.conversation:
            return conversation.id
    raise ChatseqError("There is no earlier conversation to resume. See /sessions.")


@slash_command(usage="[name]", complete=_bots)
def bot(session: ReplSession, argument: str) -> None:
    """List the bots, or let another one answer from now on."""
    if argument:
        session.switch(argument)
        session.screen.note(f"The bot '{session.bot_name}' answers now.")
        return
    marked = [
        f"{'*' if each.name == session.bot_name else ' '} {safe_line(each.name)}"
        for each in list_bundles()
    ]
    session.screen.say("\n".join(marked) or "No bots yet. Train one: chatseq train FILE")


@slash_command(usage="[key=value]", complete=_settings)
def set_(session: ReplSession, argument: str) -> None:
    """Show the settings of the bot, or change one for this chat.

    For example /set decoding.max_length=20. /set decoding shows those of one section.
    """
    if "=" in argument:
        session.change(argument)
        session.screen.note(f"Set {argument}")
        return
    shown = [
        f"{path} = {value}" for path, value in session.bot.settings if path.startswith(argument)
    ]
    if not shown:
        raise ChatseqError(f"No setting begins with '{argument}'. /set alone shows all of them.")
    session.screen.say("\n".join(islice(shown, 100)))
