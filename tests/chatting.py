"""What the tests of the chat share: a responder that never needs a model, and rooms around it.

Run as a program, it chats with that responder on whatever stdin and stdout are.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chatseq.core.errors import BundleError, ChatseqError, PartError
from chatseq.core.exchange import Alternative, Neighbour, Piece, Reply, ReplySource
from chatseq.core.paths import plugins_folder
from chatseq.core.plugins import Registry, discover
from chatseq.history.contracts import History
from chatseq.history.memory import MemoryHistory
from chatseq.repl.loading import LoadedBot
from chatseq.repl.session import ReplSession
from chatseq.text.display_width import Page

STRATEGIES = ("beam", "greedy")

POOL = Alternative("Seven to ten.", 0.3, "opening hours of the pool")
SHOP = Alternative("Nine to noon.\n\x1b]0;owned\x07", 0.2)
# What the parrot tells of its replies to some questions, beside the words.
TOLD: Mapping[str, Mapping[str, Any]] = {
    "unsure": {"unsure": True, "alternatives": (POOL, SHOP)},
    "不确定": {"unsure": True, "alternatives": (Alternative("七点到十点。", 0.3, "泳池几点开"),)},
    "evil": {
        "neighbours": (Neighbour("\x1b[2Jasked", "\u202eanswered", "\x9bevil.txt:1", 0.5),),
        "pieces": (Piece("\x1b]0;token\x07", -0.5, (1.0, 0.0)),),
        "question_pieces": ("\x1b[31mpiece", "\x07"),
        "extra": {"\x1b[0m": "\x1b[5mnote"},
        "model": "\x1b" * 12,
    },
}


class ParrotStream:
    """A reply on its way."""

    def __init__(self, parts: Iterator[str], strategy: str, told: Mapping[str, Any] = {}) -> None:
        self.parts = parts
        self.told = told
        self.strategy = strategy
        self.said = ""
        self.ended = False

    def __iter__(self) -> Iterator[str | Reply]:
        return self

    def __next__(self) -> str | Reply:
        if self.ended:
            raise StopIteration
        piece = next(self.parts, None)
        if piece is None:
            self.ended = True
            return replace(self.partial(), **self.told)
        self.said += piece
        return piece

    def close(self) -> None:
        pass

    def partial(self) -> Reply:
        stopped = not self.ended
        return Reply(
            self.said,
            ReplySource.GENERATED,
            0.9,
            bot="parrot",
            strategy=self.strategy,
            interrupted=stopped,
        )


class Parrot:
    """Answers word by word with what it was asked; some questions have a meaning of their own."""

    def __init__(self, *, strategy: str = "greedy", delay: float = 0.0) -> None:
        self.strategy = strategy
        self.delay = delay

    def stream(self, question: str, context: Sequence[str] = ()) -> ParrotStream:
        return ParrotStream(self._parts(question), self.strategy, TOLD.get(question, {}))

    def _parts(self, question: str) -> Iterator[str]:
        if question == "break":
            raise RuntimeError("a string\nof the parrot's broke")
        if question == "refuse":
            raise ChatseqError("The parrot will not. Ask nicely.")
        delay = 0.2 if question.startswith("slow") else self.delay
        for word in _words(f"{question} [{self.strategy}]"):
            time.sleep(delay)
            yield word

    def reply(self, question: str, context: Sequence[str] = ()) -> Reply:
        *_, last = self.stream(question, context)
        assert isinstance(last, Reply)
        return last

    def reply_all(self, questions: Sequence[str]) -> Iterator[Reply]:
        return (self.reply(question) for question in questions)


def _words(text: str) -> list[str]:
    first, *rest = text.split(" ")
    return [first, *(f" {word}" for word in rest)]


def load(name: str, overrides: Sequence[str]) -> LoadedBot:
    """Make a parrot ready; it takes the one setting that a strategy is."""
    if name == "absent":
        raise BundleError("No bot named 'absent'. Did you mean 'parrot'?")

    def change(further: Sequence[str]) -> LoadedBot:
        return load(name, [*overrides, *further])

    strategy = "greedy"
    for override in overrides:
        path, _, value = override.partition("=")
        if path != "decoding.strategy.name":
            raise ChatseqError(f"No setting named '{path}' in --set.")
        if value not in STRATEGIES:
            raise PartError(f"No strategy named '{value}'. Choose from: beam, greedy.")
        strategy = value
    settings = (("decoding.max_length", "64"), ("decoding.strategy.name", strategy))
    return LoadedBot(name, Parrot(strategy=strategy), strategy, settings, change)


class Seen:
    """A screen that remembers."""

    page = Page()

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(f"say {text}")

    def note(self, text: str) -> None:
        self.lines.append(f"note {text}")

    def error(self, text: str) -> None:
        self.lines.append(f"error {text}")

    def question(self, text: str) -> None:
        self.lines.append(f"you {text}")

    def answer(self, text: str) -> None:
        self.play([text])

    def play(self, parts: Iterable[str | Reply]) -> None:
        text, mark = "", ""
        for part in parts:
            text = part.text if isinstance(part, Reply) else text + part
            mark = " [stopped]" if isinstance(part, Reply) and part.interrupted else ""
        self.lines.append(f"bot {text}{mark}")

    def clear(self) -> None:
        self.lines.clear()


def room_of(
    registry: Registry,
    *,
    history: Callable[[], History] = MemoryHistory,
    bot: str = "parrot",
    settings: Sequence[str] = (),
) -> tuple[ReplSession, Seen]:
    """Return a room with a parrot in it, and the screen it shows itself on."""
    seen = Seen()
    room = ReplSession(registry, seen, bot=bot, load=load, history=history, settings=settings)
    return room, seen


def slowly(name: str, overrides: Sequence[str]) -> LoadedBot:
    """Load as slowly as a large bot."""
    time.sleep(1.0)
    return load(name, overrides)


if __name__ == "__main__":
    from chatseq.cli.output import take_any_text, tell_error
    from chatseq.repl.start import chat

    take_any_text()
    wanted, *more = sys.argv[1:] or ["parrot"]
    try:
        code = chat(
            discover([plugins_folder()]),
            bot=wanted.removeprefix("slow-"),
            load=slowly if wanted.startswith("slow-") else load,
            session=more[0] if more else None,
        )
    except ChatseqError as fault:
        tell_error(str(fault))
        code = 1
    sys.exit(code)
