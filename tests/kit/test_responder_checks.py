"""Each check of responders finds the responder that is wrong in this way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kit.small_parts import Echo
from mutants import assert_found, assert_proved, found_by, mutant

from chatseq.bots.bot import Bot
from chatseq.bots.bundle.pairs import Pairs
from chatseq.bots.contracts import FitData
from chatseq.core.exchange import Reply
from chatseq.testing import babbling_bot, teach
from chatseq.testing.bots import TAUGHT
from chatseq.testing.responders import ScriptedStream


class Stream(ScriptedStream):
    """A stream to be spoilt."""

    def __init__(self, question: str) -> None:
        super().__init__(question.split(" "))


def streaming(stream: type[Stream]) -> Any:
    """Return a responder whose streams are spoilt."""

    def begin(self: Echo, question: str, context: Sequence[str] = ()) -> Stream:
        return stream(question.strip() or ".")

    return type(stream.__name__, (Echo,), {"stream": begin, "__doc__": "Be wrong."})


class YieldsNothings(Stream):
    def __init__(self, question: str) -> None:
        super().__init__(f" {question}")


class ForgetsTheContext(Echo):
    def stream(self, question: str, context: Sequence[str] = ()) -> ScriptedStream:
        return super().stream(f"{question} {len(context)}")

    def reply(self, question: str, context: Sequence[str] = ()) -> Reply:
        return super().reply(question)


class AnswersBackwards(Echo):
    def reply_all(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        return super().reply_all(questions[::-1], contexts[::-1])


class BeginsAtOnce(Echo):
    def __init__(self, bot: Bot) -> None:
        super().__init__(bot)
        bot.engine.encode(bot.engine.array([[5, 2]]), bot.engine.array([[True, True]]))


class ClaimsToBeFinished(Stream):
    def partial(self) -> Reply:
        return replace(super().partial(), interrupted=False)


class GoesOn(Stream):
    def close(self) -> None:
        pass


class SharesItsStream(Echo):
    shared: ScriptedStream | None = None

    def stream(self, question: str, context: Sequence[str] = ()) -> ScriptedStream:
        self.pieces = list(super().stream(question, context))
        responder = self

        class Sharing(Stream):
            def __next__(self) -> str | Reply:
                self._pieces = responder.pieces[:-1] if not self._said else self._pieces
                return super().__next__()

        return Sharing(question)


class NeedsWords(Echo):
    def stream(self, question: str, context: Sequence[str] = ()) -> ScriptedStream:
        question.encode()
        return super().stream(question, context)


class KnowsWhoAskedFirst(Echo):
    first = ""

    def stream(self, question: str, context: Sequence[str] = ()) -> ScriptedStream:
        self.first = self.first or question
        return super().stream(f"{question} {self.first}", context)


class Learning(Echo):
    """Say the question again, and what was learnt of it."""

    file, figure = "learnt.txt", 0.5

    @classmethod
    def fit(
        cls,
        data: FitData,
        folder: Path,
        options: Mapping[str, object],  # noqa: ARG003
    ) -> Mapping[str, float | None]:
        place = folder / cls.file
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"{len(Pairs(folder))} {len(data.held_out)}", encoding="utf-8")
        return {"learnt": cls.figure, "nothing": None}

    def __init__(self, bot: Bot) -> None:
        super().__init__(bot)
        folder = bot.folder
        self.learnt = (folder / self.file).read_text() if folder and any(folder.iterdir()) else ""

    def stream(self, question: str, context: Sequence[str] = ()) -> ScriptedStream:
        return super().stream(f"{question} {self.learnt}", context)


class WritesInAFolder(Learning):
    file = "deep/learnt.txt"


class FiguresOutNothing(Learning):
    figure = float("nan")


class NeedsHeldOut(Learning):
    @classmethod
    def fit(
        cls, data: FitData, folder: Path, options: Mapping[str, object]
    ) -> Mapping[str, float | None]:
        return {"share": 1 / len(data.held_out), **super().fit(data, folder, options)}


KNOWN = "what was said is known at any time"
LEARNS = "what it learns is kept with the bot"
CLOSED = "a closed stream says nothing more"
MUTANTS = {
    "the stream ends with the reply": mutant(streaming(YieldsNothings), "an empty piece"),
    "a reply is what its stream ends with": mutant(ForgetsTheContext, "streamed 'hello 2'"),
    "many are answered as one": mutant(AnswersBackwards, "with others"),
    "nothing is computed before the first piece": mutant(BeginsAtOnce, "is asked 1 times"),
    KNOWN: mutant(streaming(ClaimsToBeFinished), "is not marked interrupted", CLOSED),
    CLOSED: mutant(streaming(GoesOn), "it goes on after it was closed"),
    "two streams do not disturb each other": mutant(SharesItsStream, "that take turns say"),
    "any text is answered": mutant(NeedsWords, "UnicodeEncodeError"),
    "the same question gets the same reply": mutant(KnowsWhoAskedFirst, "in another order"),
    LEARNS: mutant(WritesInAFolder, "it writes 'deep/learnt.txt', a name that no file"),
}


def test_every_check_has_its_mutant() -> None:
    assert_proved("responder", MUTANTS)


def test_an_honest_responder_breaks_nothing() -> None:
    assert found_by("responder", Echo) == {}
    assert found_by("responder", Learning) == {}


def test_a_responder_learns_from_the_corpus_before_it_is_asked(tmp_path: Path) -> None:
    figures = teach(Learning, tmp_path, {}, TAUGHT[:2])
    assert figures == {"learnt": 0.5, "nothing": None}
    told = Learning(babbling_bot(folder=tmp_path)).reply("what").text
    assert told == f"what {len(TAUGHT)} 0"  # in the end all of it, with nothing held out
    assert [one.source for one in Pairs(tmp_path)[-2:]] == ["taught.csv:2", "taught.csv:3"]


def test_a_responder_that_does_not_learn_gets_a_bot_without_a_corpus(tmp_path: Path) -> None:
    assert teach(Echo, tmp_path, {}) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant(check: str) -> None:
    assert_found("responder", check, MUTANTS[check])


# Further ways to be wrong, of which several checks may tell.


class SaysItTwice(Stream):
    def __next__(self) -> str | Reply:
        part = super().__next__()
        return part * 2 if isinstance(part, str) else part


class NeverFinishes(Stream):
    def __next__(self) -> str | Reply:
        part = super().__next__()
        return replace(part, interrupted=True) if isinstance(part, Reply) else part


class IsTooSure(Stream):
    def partial(self) -> Reply:
        return replace(super().partial(), confidence=1.5)


class SaysNothingBack(Echo):
    """Answers some of the questions."""

    def reply_all(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        return super().reply_all(questions[1:], contexts[1:])


@pytest.mark.parametrize(
    ("wrong", "check", "told"),
    [
        (streaming(SaysItTwice), "the stream ends with the reply", "the pieces are"),
        (streaming(NeverFinishes), "the stream ends with the reply", "is marked interrupted"),
        (streaming(IsTooSure), "any text is answered", "confidence=1.5"),
        (FiguresOutNothing, LEARNS, "the figure 'learnt' of what it learnt is nan"),
        (NeedsHeldOut, LEARNS, "ZeroDivisionError"),
        (SaysNothingBack, "many are answered as one", "6 questions, 5 replies"),
    ],
)
def test_another_fault_is_found(wrong: type, check: str, told: str) -> None:
    assert told in found_by("responder", wrong)[check]
