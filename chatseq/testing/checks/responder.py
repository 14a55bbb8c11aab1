"""What every responder must keep to; see chatseq.bots.responder.Responder."""

from __future__ import annotations

import atexit
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from chatseq.bots.bot import Bot
from chatseq.bots.bundle.manifest import FOLDER, KNOWN
from chatseq.bots.responder import Responder
from chatseq.core.exchange import Reply
from chatseq.testing.bots import TAUGHT, CountingEngine, babbling_bot, teach
from chatseq.testing.check import Context, Make, check, require
from chatseq.testing.checks.searching import random_engine
from chatseq.testing.rounds import Rounds

QUESTIONS = ("hello", "who are you", "a", "what is it that you can do", "你好", "hello")
CONTEXT = ("hello", "hello there")
_KEPT = ExitStack()  # until the process ends
atexit.register(_KEPT.close)
_TAUGHT: dict[tuple[Callable[..., Any], str], Path] = {}
ODD = (
    "",
    " ",
    "\n",
    "\x00\x1b[31m",
    "\ud800",
    "😀👩‍👩‍👧",
    "word " * 5000,
    "</s><pad>",
    "\u202eabc",
)


def arguments() -> Iterator[tuple[Bot]]:
    """Yield a bot."""
    yield (babbling_bot(),)


@check()
def the_stream_ends_with_the_reply(make: Make, context: Context) -> None:
    """The pieces of a stream are the text of its reply, which comes last, exactly once."""
    responder = _responder(make, context)
    for question in QUESTIONS:
        parts = list(responder.stream(question))
        replies = [part for part in parts if isinstance(part, Reply)]
        require(len(replies) == 1, f"a stream holds {len(replies)} replies")
        require(parts[-1] is replies[0], "something comes after the reply")
        text = "".join(part for part in parts if isinstance(part, str))
        require(text == replies[0].text, f"the pieces are {text!r}, the reply {replies[0].text!r}")
        require(not replies[0].interrupted, "a finished reply is marked interrupted")
        require("" not in parts, "an empty piece is streamed")


@check()
def a_reply_is_what_its_stream_ends_with(make: Make, context: Context) -> None:
    """Asked at once or streamed, with context or without, the reply is the same."""
    responder = _responder(make, context)
    for question in QUESTIONS:
        for turns in ((), CONTEXT):
            *_, last = responder.stream(question, turns)
            found = responder.reply(question, turns)
            require(isinstance(found, Reply), f"it replies with a {type(found).__name__}")
            same = _timeless(found) == _timeless(last)
            require(same, f"{question!r} gets {found.text!r}, streamed {_text(last)!r}")


@check()
def many_are_answered_as_one(make: Make, context: Context) -> None:
    """All at once, every question gets its own reply, in order."""
    responder = _responder(make, context)
    contexts = [CONTEXT if number % 2 else () for number in range(len(QUESTIONS))]
    for given in ((), contexts):
        found = list(responder.reply_all(QUESTIONS, given))
        require(len(found) == len(QUESTIONS), f"{len(QUESTIONS)} questions, {len(found)} replies")
        for question, turns, reply in zip(QUESTIONS, given or [()] * 6, found, strict=True):
            wanted = responder.reply(question, turns)
            same = (reply.text, reply.source) == (wanted.text, wanted.source)
            require(same, f"{question!r} alone gets {wanted.text!r}, with others {reply.text!r}")
    require(not list(responder.reply_all([])), "no question gets a reply")


@check()
def nothing_is_computed_before_the_first_piece(make: Make, context: Context) -> None:
    """Beginning a stream costs nothing; an engine is asked with the first piece."""
    engine = CountingEngine(random_engine())
    responder = make(_bot(context, engine))
    responder.stream("hello")
    require(engine.calls == 0, f"the engine is asked {engine.calls} times before the first piece")


@check()
def what_was_said_is_known_at_any_time(make: Make, context: Context) -> None:
    """A reply that is stopped is what was streamed so far, marked unless it is whole."""
    bot = _bot(context)
    for question in QUESTIONS:
        stream = make(bot).stream(question)
        said, known = "", [("", stream.partial())]
        for part in stream:
            said += part if isinstance(part, str) else ""
            known.append((said, stream.partial()))
        finished = known[-1][1]
        require(not finished.interrupted, "after the end `partial` is not the finished reply")
        for text, reply in known:
            _stopped(text, reply, finished)


@check()
def a_closed_stream_says_nothing_more(make: Make, context: Context) -> None:
    """Closing stops it, before the first piece or after, twice as well; what was said remains."""
    bot = _bot(context)
    for pieces in (0, 1, 2):
        stream = make(bot).stream("hello")
        parts = list(islice(stream, pieces))
        stream.close()
        stream.close()
        require(not list(stream), f"it goes on after it was closed behind {len(parts)} pieces")
        said = "".join(part for part in parts if isinstance(part, str))
        _stopped(said, stream.partial(), make(bot).reply("hello"))


@check()
def two_streams_do_not_disturb_each_other(make: Make, context: Context) -> None:
    """Streams that take turns say what each says alone."""
    responder = _responder(make, context)
    wanted = [responder.reply(question).text for question in QUESTIONS]
    streams = [responder.stream(question) for question in QUESTIONS]
    said = [""] * len(streams)
    going_on = list(range(len(streams)))
    while going_on:
        for at in list(going_on):
            part = next(streams[at], None)
            if isinstance(part, str):
                said[at] += part
            elif part is None:
                going_on.remove(at)
    require(said == wanted, f"streams that take turns say {said}, alone {wanted}")


@check()
def any_text_is_answered(make: Make, context: Context) -> None:
    """Blank, endless and strange questions get a reply like any other."""
    responder = _responder(make, context)
    for question in ODD:
        *_, last = responder.stream(question, ODD)
        confidence = _timeless(last).confidence
        require(0 <= confidence <= 1, f"{question[:20]!r} is answered with {confidence=}")


@check(Rounds.CHOICES)
def the_same_question_gets_the_same_reply(make: Make, context: Context) -> None:
    """Chance, if there is any, is a function of the options; nothing is kept between questions."""
    bot = _bot(context)
    responder = make(bot)
    first = [responder.reply(question) for question in QUESTIONS]
    again = [make(bot).reply(question) for question in QUESTIONS[::-1]][::-1]
    for one, other in zip(first, again, strict=True):
        require(one.text == other.text, f"{one.text!r} at first, {other.text!r} in another order")


@check(Rounds.CHOICES)
def what_it_learns_is_kept_with_the_bot(make: Make, context: Context) -> None:
    """If it learns: with questions held out or none, files with plain names and true numbers."""
    for held_out in (TAUGHT[-3:], ()):
        folder = context.folder()
        figures = teach(context.subject.component, folder, context.options, held_out)
        for name in sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")):
            fits = KNOWN.fullmatch(f"{FOLDER}/{name}") is not None
            require(fits, f"it writes {name!r}, a name that no file of a bot has")
        for name, figure in figures.items():
            number = figure is None or math.isfinite(figure)
            require(number, f"the figure {name!r} of what it learnt is {figure}")
        reply = make(babbling_bot(folder=folder)).reply("hello")
        require(isinstance(reply, Reply), f"once it has learnt it says {reply!r}")


def _bot(context: Context, engine: CountingEngine | None = None) -> Bot:
    """Return a bot from whose corpus the responder has learnt, if it is one that learns."""
    return babbling_bot(engine, _taught(context.subject.component, context.options))


def _taught(component: Callable[..., Any], options: Mapping[str, object]) -> Path:
    """Return where the responder has learnt; once, for learning may take most of the time."""
    key = component, repr(sorted(options.items()))
    if key not in _TAUGHT:
        folder = _TAUGHT[key] = Path(_KEPT.enter_context(TemporaryDirectory()))
        teach(component, folder, options)
    return _TAUGHT[key]


def _responder(make: Make, context: Context) -> Responder:
    responder: Responder = make(_bot(context))
    return responder


def _stopped(said: str, reply: Reply, finished: Reply) -> None:
    require(reply.text == said, f"{said!r} was said, and `partial` tells {reply.text!r}")
    marked = reply.interrupted or _timeless(reply) == _timeless(finished)
    require(marked, f"a reply that was stopped at {said!r} is not marked interrupted")


def _timeless(reply: Any) -> Reply:
    require(isinstance(reply, Reply), f"a stream ends with a {type(reply).__name__}")
    timeless: Reply = replace(reply, milliseconds=0.0)
    return timeless


def _text(reply: Any) -> str:
    return reply.text if isinstance(reply, Reply) else repr(reply)
