"""What one run of the chat works on: the bot, the conversation, the settings, the screen.

Slash commands and the loops of chatseq.repl.loops see only this; it knows no keys and no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatseq.bots.contracts import Responder
from chatseq.chat.choices import chosen_number, offered
from chatseq.core.errors import ChatseqError
from chatseq.core.exchange import Reply
from chatseq.core.plugins import Registry, first_line
from chatseq.repl.background import BackgroundTask
from chatseq.repl.commands import Command, CommandTable, parse
from chatseq.repl.interrupts import Halt, Interruptible, Interrupts
from chatseq.repl.screen import Screen

if TYPE_CHECKING:
    from chatseq.chat.chat import Chat
    from chatseq.history.contracts import History, Message

SHORT_WAIT = 0.3  # seconds without a word about waiting
MOST_QUESTION = 20_000  # characters; far more than any bot reads
TURNS_SHOWN = 6  # of a conversation that goes on
QUESTIONS_RECALLED = 500
CONVERSATIONS_RECALLED = 100


@dataclass(frozen=True, slots=True)
class LoadedBot:
    """A bot that is ready to answer."""

    name: str
    responder: Responder
    strategy: str
    settings: tuple[tuple[str, str], ...]  # path and value of what `/set` can change
    change: Callable[[Sequence[str]], LoadedBot]  # gives the bot with overrides `path=value`


LoadBot = Callable[[str, Sequence[str]], LoadedBot]  # the bot's name, and overrides `path=value`


class ReplSession:
    """Holds one run of the chat and carries out what is typed."""

    def __init__(
        self,
        registry: Registry,
        screen: Screen,
        *,
        bot: str,
        load: LoadBot,
        history: Callable[[], History],
        settings: Sequence[str] = (),
    ) -> None:
        """Prepare a chat; `open` begins to load what it needs.

        Args:
            bot: the name of the bot, or its folder
            settings: overrides of its recipe, `path=value`
        """
        self.registry = registry
        self.screen = screen
        self.commands = CommandTable(registry)
        self.interrupts = Interrupts()
        self.settings = tuple(settings)
        self.bot_name = bot
        self.leaving = False  # set it to end the chat after this command
        self.talkative = True  # whether to say that loading takes its time
        self.failed = False  # whether anything went wrong so far
        self.changed: Callable[[], None] = lambda: None  # called when something has been loaded
        self._load = load
        self._loading = BackgroundTask(lambda: load(bot, self.settings), done=self._tell_changed)
        self._history = BackgroundTask(history, done=self._tell_changed)
        self._bot: LoadedBot | None = None
        self._chat: Chat | None = None

    def open(self) -> None:
        """Begin to load the bot and the history in the background."""
        self._loading.begin()
        self._history.begin()

    def close(self) -> None:
        """Give back what is held, whatever state it is in."""
        self._loading.finish()
        self._history.finish()
        if self._history.ended and self._history.fault is None:
            self._history.result().close()

    @property
    def ready(self) -> bool:
        """Whether a question would be answered without waiting."""
        return self._loading.ended and self._history.ended

    @property
    def fault(self) -> BaseException | None:
        """Why the bot cannot be loaded; a chat cannot go on then."""
        return self._loading.fault

    @property
    def bot(self) -> LoadedBot:
        """The bot that answers; waits for it."""
        if self._bot is None:
            self._wait()
            self._bot = self._loading.result()
        return self._bot

    @property
    def strategy(self) -> str:
        """The name of the decoding strategy, empty while the bot is loading."""
        if self._bot is None and self._loading.ended and self.fault is None:
            self._bot = self._loading.result()
        return self._bot.strategy if self._bot else ""

    @property
    def chat(self) -> Chat:
        """The conversation; waits for the bot and the history."""
        if self._chat is None:
            from chatseq.chat.chat import Chat  # the prompt need not wait for it

            bot = self.bot
            self._wait()
            self._chat = Chat(self._guarded(bot), self._history.result, bot=bot.name)
        return self._chat

    @property
    def conversation(self) -> str | None:
        """The id of the present conversation, None before its first question."""
        return self._chat.conversation if self._chat else None

    @property
    def first_question(self) -> str:
        """What the present conversation began with, empty before that."""
        turns = self._chat.turns if self._chat else ()
        return turns[0].text if turns else ""

    @property
    def is_saved(self) -> bool:
        """Whether the conversation outlives this process."""
        return self._chat is not None and self._chat.history.saved

    @property
    def unsaved(self) -> History | None:
        """The history that holds the conversation while it is not saved."""
        return self._chat.unsaved if self._chat else None

    def handle(self, text: str) -> None:
        """Do what was typed: answer a question or run a command. Told faults never end the chat.

        Raises:
            ChatseqError: the bot cannot be loaded.
        """
        self.interrupts.forget()
        try:
            self._do(text)
        except Halt:
            self.screen.note("Not sent. Press Up to have it back.")
        except BrokenPipeError:
            raise
        except Exception as fault:
            if fault is self.fault:
                raise
            self.tell(fault)
        self._tell_notices()

    def show_reply(self, parts: Iterable[str | Reply]) -> None:
        """Show a reply as it comes."""
        self.screen.play(parts)

    def retry(self, strategy: str = "") -> None:
        """Answer the last question again, once with another strategy where one is named."""
        chat = self.chat
        usual = chat.responder
        if strategy:
            chat.responder = self._guarded(self.bot.change([f"decoding.strategy.name={strategy}"]))
        try:
            self._show_reply(chat.retry())
        finally:
            chat.responder = usual

    def switch(self, bot: str) -> None:
        """Let another bot answer from now on, in the same conversation."""
        self._use(self._load(bot, self.settings))

    def change(self, setting: str) -> None:
        """Override a value of the bot's recipe for the rest of this chat."""
        self._use(self.bot.change([setting]))
        self.settings = (*self.settings, setting)

    def resume(self, which: str) -> None:
        """Go on with an earlier conversation and show how it ended."""
        found = self.chat.resume(which)
        self._tell_notices()
        self.screen.note(f"Going on with {found.id}: {found.title}")
        for turn in self.chat.turns[-TURNS_SHOWN:]:
            self._show(turn)

    def past_questions(self) -> Iterator[str]:
        """Yield what was asked before, newest first; waits for the history."""
        self._history.wait()
        history = self._history.result()
        left = QUESTIONS_RECALLED
        for conversation in history.conversations(limit=CONVERSATIONS_RECALLED):
            asked = [m.text for m in history.messages(conversation.id) if m.role == "question"]
            yield from reversed(asked[-left:])
            left -= len(asked)
            if left <= 0:
                return

    def tell(self, fault: Exception) -> None:
        """Show what went wrong on one line."""
        self.failed = True
        known = isinstance(fault, ChatseqError)
        text = str(fault) if known else f"{type(fault).__name__}: {first_line(fault)}"
        self.screen.error(text if known else f"{text}. The chat goes on.")

    def _do(self, text: str) -> None:
        wanted = parse(text)
        if isinstance(wanted, Command):
            self.commands.find(wanted.name)(self, wanted.argument)
            return
        if len(wanted.text) > MOST_QUESTION:
            raise ChatseqError(
                f"The question has {len(wanted.text)} characters; at most {MOST_QUESTION} are "
                "taken. Shorten it."
            )
        self._ask(wanted.text)

    def _ask(self, text: str) -> None:
        """Answer a question, or take the number of what was offered instead of the last reply."""
        chat = self.chat
        number = chosen_number(text, chat.last_reply)
        self._show_reply(chat.stream(text) if number is None else [chat.choose(number)])

    def _show_reply(self, parts: Iterable[str | Reply]) -> None:
        """Show a reply, and what else could be meant where the bot is not sure of it."""
        self.show_reply(parts)
        choices = offered(self.chat.last_reply, self.screen.page)
        if choices:
            self.screen.note(choices)

    def _use(self, bot: LoadedBot) -> None:
        chat = self.chat
        chat.responder = self._guarded(bot)
        chat.bot = bot.name
        self._bot = bot
        self.bot_name = bot.name

    def _guarded(self, bot: LoadedBot) -> Interruptible:
        return Interruptible(bot.responder, self.interrupts)

    def _wait(self) -> None:
        """Wait for what is being loaded, with a word about it when it takes long."""
        self.open()
        told = False
        for loading in (self._loading, self._history):
            with self.interrupts.breakable():
                while not loading.wait(SHORT_WAIT):
                    if self.talkative and not told:
                        self.screen.note("Still loading; your message waits.")
                    told = True

    def _show(self, turn: Message) -> None:
        if turn.role == "question":
            self.screen.question(turn.text)
        else:
            self.screen.answer(turn.text)

    def _tell_notices(self) -> None:
        for notice in self._chat.take_notices() if self._chat else ():
            self.screen.note(notice)

    def _tell_changed(self) -> None:
        self.changed()
