"""What one run of the chat works on: the bot, the conversation, the settings, the screen.

Slash commands get this. It knows no commands, no keys and no terminal; chatseq.repl.dispatch
carries out what is typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from chatseq.core.exchange import Reply
from chatseq.core.plugins import Registry
from chatseq.repl.background import BackgroundTask
from chatseq.repl.interrupts import Interruptible, Interrupts
from chatseq.repl.loading import LoadBot, LoadedBot
from chatseq.repl.screen import Screen

if TYPE_CHECKING:
    from chatseq.bots.responder import Responder
    from chatseq.chat.chat import Chat
    from chatseq.history.contracts import History

Parts = Iterator[str | Reply]  # pieces of a reply as they come, and last the Reply
SHORT_WAIT = 0.3  # seconds without a word about waiting
QUESTIONS_RECALLED = 500
CONVERSATIONS_RECALLED = 100


class ReplSession:
    """Holds what one run of the chat works on, and loads it in the background."""

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

    def retry(self, strategy: str = "") -> Parts:
        """Answer the last question again, once with another strategy where one is named.

        Raises:
            ChatseqError: nothing was asked yet, or there is no such strategy.
        """
        chat = self.chat
        responder = chat.responder
        if strategy:
            responder = self._guarded(self.bot.change([f"decoding.strategy.name={strategy}"]))
        return self._answered_by(responder, chat.retry())

    def switch(self, bot: str) -> None:
        """Let another bot answer from now on, in the same conversation."""
        self._use(self._load(bot, self.settings))

    def change(self, setting: str) -> None:
        """Override a value of the bot's recipe for the rest of this chat."""
        self._use(self.bot.change([setting]))
        self.settings = (*self.settings, setting)

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

    def take_notices(self) -> Sequence[str]:
        """Return what the conversation has to tell since the last call, such as that it is lost."""
        return self._chat.take_notices() if self._chat else ()

    def _answered_by(self, responder: Responder, parts: Parts) -> Parts:
        """Let another responder give one reply."""
        usual, self.chat.responder = self.chat.responder, responder
        try:
            yield from parts
        finally:
            self.chat.responder = usual

    def _use(self, bot: LoadedBot) -> None:
        self.chat.responder = self._guarded(bot)
        self.chat.bot = bot.name
        self._bot, self.bot_name = bot, bot.name

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

    def _tell_changed(self) -> None:
        self.changed()
