"""The prompts: one with keys, completion and a toolbar, and a plain one for plain terminals."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, ThreadedCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, is_searching
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History, ThreadedHistory
from prompt_toolkit.input import Input
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from chatseq.core.errors import PartError
from chatseq.repl.commands import SLASH, ArgumentChoice, CommandTable, typed
from chatseq.repl.interrupts import Halt
from chatseq.repl.keys import bindings
from chatseq.repl.loops import broken_off
from chatseq.repl.session import ReplSession
from chatseq.repl.terminal_screen import Look
from chatseq.text.terminal import safe, safe_line

SECOND_CHANCE = 2.0  # seconds in which a second Ctrl-C leaves
LEAVE_HINT = "Press Ctrl-C again, or Ctrl-D, to leave."
PLACEHOLDER = "Ask something; /help lists the commands"
KEY_HINTS = "Alt-Enter: new line   Ctrl-R: search   Ctrl-D: leave "
FEWER_HINTS = "Ctrl-D: leave "
TITLE_CELLS = 24

STYLE = Style.from_dict(
    {
        "you": "ansicyan bold",
        "more": "ansicyan",
        "placeholder": "ansibrightblack",
        "bottom-toolbar": "noreverse ansibrightblack",
        "completion-menu.completion.current": "reverse",
    }
)


class TerminalPrompt:
    """Asks on a terminal, and has the session opened as soon as the prompt is drawn."""

    def __init__(
        self,
        session: ReplSession,
        look: Look,
        *,
        input: Input | None = None,  # noqa: A002  (prompt_toolkit's word)
        output: Output | None = None,
        colour: bool = True,
    ) -> None:
        self._session = session
        self._look = look
        self._hint_until = 0.0
        self._is_drawn = False
        self._prompt_session: PromptSession[str] = PromptSession(
            [("class:you", look.you)],
            multiline=True,
            prompt_continuation=[("class:more", look.more)],
            placeholder=self._placeholder,
            bottom_toolbar=self._toolbar,
            key_bindings=bindings(self._interrupt),
            history=ThreadedHistory(PastQuestions(session.past_questions)),
            completer=ThreadedCompleter(CommandCompleter(session)),
            complete_while_typing=Condition(self._in_command),
            reserve_space_for_menu=4,
            enable_open_in_editor=True,
            enable_suspend=True,
            style=STYLE,
            color_depth=None if colour else ColorDepth.DEPTH_1_BIT,
            input=input,
            output=output,
        )
        self._app.after_render += self._drawn
        self._prompt_session.default_buffer.on_text_changed += self._typed
        session.changed = self.nudge

    def ask(self) -> str | None:
        """Return what was typed; None to leave."""
        self._hint_until = 0.0
        self._is_drawn = False
        self._session.interrupts.forget()
        with self._session.interrupts.waking(self._woken):
            try:
                return self._prompt_session.prompt(
                    pre_run=self._look_after,
                    handle_sigint=False,
                    set_exception_handler=False,
                )
            except EOFError:
                return None

    def nudge(self) -> None:
        """Have the prompt drawn anew, or ended where the chat is broken off; from any thread."""
        loop = self._app.loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._look_after)

    @property
    def _app(self) -> Application[str]:
        return self._prompt_session.app

    def _look_after(self) -> None:
        if not self._app.is_running or self._app.is_done:
            return
        if broken_off(self._session):
            self._app.exit(result="")
        else:
            self._app.invalidate()

    def _drawn(self, _: Application[str]) -> None:
        self._is_drawn = True
        self._session.open()

    def _woken(self) -> None:
        """Take a signal; a Ctrl-C that came too late for a reply must not end the chat."""
        if not self._is_drawn:  # from here on Ctrl-C is a key and SIGINT comes from outside
            self._session.interrupts.forget()
        self.nudge()

    def _interrupt(self) -> None:
        """Take a Ctrl-C: clear what was typed, or hint, or leave."""
        buffer = self._prompt_session.default_buffer
        if buffer.text:
            buffer.reset()
        elif time.monotonic() < self._hint_until:
            self._app.exit(exception=EOFError())
        else:
            self._hint_until = time.monotonic() + SECOND_CHANCE
            if self._app.loop is not None:
                self._app.loop.call_later(SECOND_CHANCE, self.nudge)

    def _typed(self, _: Buffer) -> None:
        self._hint_until = 0.0

    def _placeholder(self) -> StyleAndTextTuples:
        hidden = is_searching() or self._app.is_done  # it must not stay behind
        return [] if hidden else [("class:placeholder", PLACEHOLDER)]

    def _in_command(self) -> bool:
        return self._prompt_session.default_buffer.text.startswith(SLASH)

    def _toolbar(self) -> StyleAndTextTuples:
        if time.monotonic() < self._hint_until:
            return [("", LEAVE_HINT)]
        columns = self._app.output.get_size().columns
        return [("", toolbar(self._session, columns))]


def toolbar(session: ReplSession, columns: int) -> str:
    """Return the line at the bottom: what answers, where, and the keys when there is room."""
    state = session.strategy if session.ready else "loading"
    left = f"{safe_line(session.bot_name)} ({safe_line(state)}), {_conversation(session)}"
    for hints in (KEY_HINTS, FEWER_HINTS):
        gap = columns - get_cwidth(left) - get_cwidth(hints)
        if gap > 2:
            return left + " " * gap + hints
    return left


def _conversation(session: ReplSession) -> str:
    """Name the present conversation by how it began."""
    begun = safe_line(session.first_question)
    if not begun:
        return "new conversation"
    short = ""
    for character in begun:
        if get_cwidth(short + character) > TITLE_CELLS:
            return f"{short}..."
        short += character
    return short


class PastQuestions(History):
    """What was asked in earlier conversations; the chat itself stores what is asked now."""

    def __init__(self, questions: Callable[[], Iterable[str]]) -> None:
        super().__init__()
        self._questions = questions

    def load_history_strings(self) -> Iterable[str]:
        """Yield them as they are typed, newest first; none where the history cannot be read."""
        try:
            yield from (safe(typed(question)) for question in self._questions())
        except Exception:  # the chat tells what is wrong with the history; recalling is a comfort
            return

    def store_string(self, string: str) -> None:
        """Leave it to the chat."""


class CommandCompleter(Completer):
    """Completes slash commands and their arguments."""

    def __init__(self, session: ReplSession) -> None:
        self._session = session
        self._commands = CommandTable(session.registry)

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002
    ) -> Iterator[Completion]:
        """Yield what the command before the cursor may go on with."""
        before = document.text_before_cursor
        if not before.startswith(SLASH) or before.startswith(SLASH * 2):
            return
        name, space, argument = before[1:].partition(" ")
        part = argument.lstrip() if space else name
        try:
            choices = [*(self._arguments(name) if space else self._names())]
        except Exception:  # a completer of a plugin, a history that fails: typing must go on
            return
        for choice in choices:
            if choice.text.startswith(part):
                yield Completion(
                    safe_line(choice.text),
                    start_position=-len(part),
                    display_meta=safe_line(choice.meaning),
                )

    def _names(self) -> Iterator[ArgumentChoice]:
        for name, command in self._commands.loaded()[0].items():
            yield ArgumentChoice(name, command.summary)

    def _arguments(self, name: str) -> Iterable[ArgumentChoice]:
        try:
            command = self._commands.load(name)
        except (KeyError, PartError):
            return ()
        return command.complete(self._session) if command.complete else ()


class LinePrompt:
    """Asks for plain lines, where the terminal can do no more."""

    def __init__(self, session: ReplSession, look: Look, lines: TextIO, out: TextIO) -> None:
        self._session = session
        self._look = look
        self._lines = lines
        self._out = out
        self._hint_until = 0.0

    def ask(self) -> str | None:
        """Return the next line; None to leave."""
        self._session.open()
        while True:
            self._out.write(self._look.you)
            self._out.flush()
            try:
                with self._session.interrupts.breakable():
                    line = self._lines.readline()
            except Halt:
                self._out.write("\n")
                if self._leaves():
                    return None
                continue
            if not line:
                self._out.write("\n")
            return line or None

    def _leaves(self) -> bool:
        """Take a Ctrl-C, and tell whether it is the second."""
        if self._session.interrupts.ending is not None:
            return True
        self._session.interrupts.forget()
        if time.monotonic() < self._hint_until:
            return True
        self._hint_until = time.monotonic() + SECOND_CHANCE
        self._session.screen.note(LEAVE_HINT)
        return False
