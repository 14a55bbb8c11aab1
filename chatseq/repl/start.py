"""Begin a chat in the way that suits where it runs: a terminal, a plain terminal, or a pipe."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import chatseq
from chatseq.core.plugins import Registry
from chatseq.repl.loops import Prompt, converse, converse_piped
from chatseq.repl.screen import PipeScreen, Screen
from chatseq.repl.session import LoadBot, ReplSession
from chatseq.text.display_width import takes_unicode

try:
    import termios
except ImportError:  # there is no such thing on Windows
    termios = None  # type: ignore[assignment]

TERMINAL_ERROR: type[Exception] = OSError if termios is None else termios.error
GREETING = (
    f"chatseq {chatseq.__version__}. Type a question; /help lists the commands, Ctrl-D leaves."
)


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

    def room_with(screen: Screen) -> ReplSession:
        from chatseq.history.opening import open_history
        from chatseq.repl.loading import loader

        room = ReplSession(
            registry,
            screen,
            bot=bot,
            load=load or loader(registry, unsaved=lambda: room.unsaved),
            history=open_history,
            settings=settings,
        )
        return room

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _chat_over_a_pipe(room_with, session)
    if is_plain(os.environ.get("TERM"), sys.stdout.encoding):
        return _chat_plainly(room_with, session)
    return _chat_on_terminal(room_with, session)


def is_plain(terminal: str | None, encoding: str | None) -> bool:
    """Tell whether a terminal can neither move its cursor nor show more than ASCII."""
    if not takes_unicode(encoding):
        return True
    return os.name != "nt" and terminal in {None, "", "dumb", "unknown"}


def wants_colour() -> bool:
    """Tell whether colours are wanted; see no-color.org."""
    return not os.environ.get("NO_COLOR")


def _chat_over_a_pipe(room_with: Callable[[Screen], ReplSession], session: str | None) -> int:
    room = room_with(PipeScreen(sys.stdout, sys.stderr))
    room.talkative = False
    with _open(room):
        if session is not None:
            room.resume(session)
        return converse_piped(room, sys.stdin)


def _chat_on_terminal(room_with: Callable[[Screen], ReplSession], session: str | None) -> int:
    from prompt_toolkit.output import create_output  # 0.25 s that a pipe need not pay

    from chatseq.repl.prompt import TerminalPrompt
    from chatseq.repl.terminal_screen import Look, TerminalScreen

    output = create_output()
    look = Look() if wants_colour() else Look().without_colour()
    screen = TerminalScreen(output.write_raw, output.flush, lambda: output.get_size().columns, look)
    room = room_with(screen)
    prompt = TerminalPrompt(room, look, output=output, colour=wants_colour())
    return _converse(room, prompt, session)


def _chat_plainly(room_with: Callable[[Screen], ReplSession], session: str | None) -> int:
    from chatseq.repl.prompt import LinePrompt
    from chatseq.repl.terminal_screen import PLAIN, TerminalScreen

    def columns() -> int:
        return shutil.get_terminal_size().columns

    room = room_with(TerminalScreen(sys.stdout.write, sys.stdout.flush, columns, PLAIN))
    return _converse(room, LinePrompt(room, PLAIN, sys.stdin, sys.stdout), session)


def _converse(room: ReplSession, prompt: Prompt, session: str | None) -> int:
    with _open(room):
        try:
            return _talk(room, prompt, session)
        except (OSError, TERMINAL_ERROR):
            if room.interrupts.ending is None:
                raise
            # The terminal was closed; leaving must not write to it again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return room.interrupts.ending


def _talk(room: ReplSession, prompt: Prompt, session: str | None) -> int:
    room.screen.note(GREETING)
    if room.registry.faults:
        count = len(room.registry.faults)
        room.screen.note(f"{count} plugin fault(s); see: chatseq plugins doctor")
    if session is not None:
        room.talkative = False  # no message waits yet
        room.resume(session)
        room.talkative = True
    code = converse(room, prompt, while_busy=typing_unseen)
    if room.conversation and room.is_saved:
        room.screen.note(f"Go on later with: chatseq chat --session {room.conversation}")
    return code


@contextmanager
def _open(room: ReplSession) -> Iterator[None]:
    """Receive the signals for a room, and give back what it holds in the end."""
    try:
        with room.interrupts.installed():
            yield
    finally:
        room.close()


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
