"""Begin a chat in the way that suits where it runs: a terminal, a plain terminal, or a pipe."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from chatseq.core.plugins import Registry
from chatseq.core.version import VERSION
from chatseq.repl.loading import LoadBot
from chatseq.repl.loops import Prompt, converse, converse_piped
from chatseq.repl.screen import PipeScreen, Screen
from chatseq.repl.session import ReplSession
from chatseq.repl.showing import show_resumed
from chatseq.text.display_width import takes_unicode

try:
    import termios
except ImportError:  # there is no such thing on Windows
    termios = None  # type: ignore[assignment]

TERMINAL_ERROR: type[Exception] = OSError if termios is None else termios.error
GREETING = f"chatseq {VERSION}. Type a question; /help lists the commands, Ctrl-D leaves."


def chat(
    registry: Registry,
    *,
    bot: str,
    settings: Sequence[str] = (),
    session: str | None = None,
    load: LoadBot | None = None,
) -> int:
    """Chat over stdin and stdout, and return the exit code.

    Args:
        settings: overrides of the bot's recipe, `path=value`
        session: the conversation to go on with, by its id or `last`
        load: makes a bot ready; the installed one by default

    Raises:
        ChatseqError: the bot or the conversation cannot be loaded.
    """

    def session_with(screen: Screen) -> ReplSession:
        from chatseq.history.opening import open_history
        from chatseq.repl.loading import loader

        made = ReplSession(
            registry,
            screen,
            bot=bot,
            load=load or loader(registry, unsaved=lambda: made.unsaved),
            history=open_history,
            settings=settings,
        )
        return made

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _chat_over_a_pipe(session_with, session)
    if is_plain(os.environ.get("TERM"), sys.stdout.encoding):
        return _chat_plainly(session_with, session)
    return _chat_on_terminal(session_with, session)


def is_plain(terminal: str | None, encoding: str | None) -> bool:
    """Tell whether a terminal can neither move its cursor nor show more than ASCII."""
    if not takes_unicode(encoding):
        return True
    return os.name != "nt" and terminal in {None, "", "dumb", "unknown"}


def wants_colour() -> bool:
    """Tell whether colours are wanted; see no-color.org."""
    return not os.environ.get("NO_COLOR")


def _chat_over_a_pipe(session_with: Callable[[Screen], ReplSession], resumed: str | None) -> int:
    session = session_with(PipeScreen(sys.stdout, sys.stderr))
    session.talkative = False
    with _open(session):
        if resumed is not None:
            show_resumed(session, resumed)
        return converse_piped(session, sys.stdin)


def _chat_on_terminal(session_with: Callable[[Screen], ReplSession], resumed: str | None) -> int:
    from prompt_toolkit.output import create_output  # 0.25 s that a pipe need not pay

    from chatseq.repl.prompt import TerminalPrompt
    from chatseq.repl.terminal_screen import Look, TerminalScreen

    output = create_output()
    look = Look() if wants_colour() else Look().without_colour()
    screen = TerminalScreen(output.write_raw, output.flush, lambda: output.get_size().columns, look)
    session = session_with(screen)
    prompt = TerminalPrompt(session, look, output=output, colour=wants_colour())
    return _converse(session, prompt, resumed)


def _chat_plainly(session_with: Callable[[Screen], ReplSession], resumed: str | None) -> int:
    from chatseq.repl.prompt import LinePrompt
    from chatseq.repl.terminal_screen import PLAIN, TerminalScreen

    def columns() -> int:
        return shutil.get_terminal_size().columns

    session = session_with(TerminalScreen(sys.stdout.write, sys.stdout.flush, columns, PLAIN))
    return _converse(session, LinePrompt(session, PLAIN, sys.stdin, sys.stdout), resumed)


def _converse(session: ReplSession, prompt: Prompt, resumed: str | None) -> int:
    with _open(session):
        try:
            return _talk(session, prompt, resumed)
        except (OSError, TERMINAL_ERROR):
            if session.interrupts.ending is None:
                raise
            # The terminal was closed; leaving must not write to it again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return session.interrupts.ending


def _talk(session: ReplSession, prompt: Prompt, resumed: str | None) -> int:
    session.screen.note(GREETING)
    if session.registry.faults:
        count = len(session.registry.faults)
        session.screen.note(f"{count} plugin fault(s); see: chatseq plugins doctor")
    if resumed is not None:
        session.talkative = False  # no message waits yet
        show_resumed(session, resumed)
        session.talkative = True
    code = converse(session, prompt, while_busy=typing_unseen)
    if session.conversation and session.is_saved:
        session.screen.note(f"Go on later with: chatseq chat --session {session.conversation}")
    return code


@contextmanager
def _open(session: ReplSession) -> Iterator[None]:
    """Receive the signals for a session, and give back what it holds in the end."""
    try:
        with session.interrupts.installed():
            yield
    finally:
        session.close()


@contextmanager
def typing_unseen() -> Iterator[None]:
    """Keep what is typed meanwhile for the next prompt, without showing it amid a reply."""
    if termios is None:
        yield
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    unseen = termios.tcgetattr(terminal)
    unseen[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(terminal, termios.TCSANOW, unseen)
    try:
        yield
    finally:
        with suppress(termios.error):  # the terminal may be gone
            termios.tcsetattr(terminal, termios.TCSANOW, before)
