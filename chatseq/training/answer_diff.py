"""Which answers change when a bot learns on: what it said before and says afterwards.

The bots answer without the corrections of the history, which chats look up at once: what they say
here is what they have learnt.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from chatseq.bots.loader import load_bot
from chatseq.bots.responder import Responder
from chatseq.core.errors import TrainingError
from chatseq.core.events import StepReport, TrainingEvent
from chatseq.core.exchange import Exchange, Reply, ReplySource
from chatseq.core.files import told_as, write_whole
from chatseq.core.paths import runs_folder
from chatseq.core.sequences import evenly_spaced
from chatseq.text.normalise import normalise_answer
from chatseq.training.job import Job

REPORT = "regression.json"
BEFORE = "before.json"  # kept for a run that is resumed, when the old bot is gone
MOST_ASKED = 1000  # questions of the corpus
_Key = tuple[str, tuple[str, ...]]  # a question, and the earlier turns that are read with it


class AnswerState(StrEnum):
    """What an answer is worth, beside those that are wanted."""

    RIGHT = "right"
    DECLINED = "declined"  # though there is an answer
    WRONG = "wrong"


_WORTH = {AnswerState.RIGHT: 2, AnswerState.DECLINED: 1, AnswerState.WRONG: 0}


class ProbeQuestion(NamedTuple):
    """A question with all answers that are right; an empty one: it is to be declined."""

    question: str
    wanted: tuple[str, ...]
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A question with the answers of both bots; an empty one: it was declined."""

    question: str
    before: str
    after: str
    wanted: tuple[str, ...]  # any of which is right
    context: tuple[str, ...] = ()  # earlier turns

    @property
    def was(self) -> AnswerState:
        """What the old answer is worth."""
        return _state(self.before, self.wanted)

    @property
    def now(self) -> AnswerState:
        """What the new answer is worth."""
        return _state(self.after, self.wanted)

    @property
    def kind(self) -> str:
        """The change in words, `right -> wrong`."""
        return f"{self.was} -> {'other ' if self.was is self.now else ''}{self.now}"

    @property
    def gain(self) -> int:
        """Below 0: it got worse. Above 0: better. To decline is better than to be wrong."""
        return _WORTH[self.now] - _WORTH[self.was]


@dataclass(frozen=True, slots=True)
class AnswerDiffReport:
    """What a bot's learning did to its answers."""

    bot: str
    asked: int  # old questions
    right_before: int
    right_after: int
    changes: tuple[Change, ...]  # of old questions that are answered otherwise, the worst first
    corrections: tuple[Change, ...]  # what was accepted, changed or not

    @property
    def better(self) -> int:
        """How many old answers got better."""
        return sum(change.gain > 0 for change in self.changes)

    @property
    def worse(self) -> int:
        """How many old answers got worse."""
        return sum(change.gain < 0 for change in self.changes)

    @property
    def said(self) -> int:
        """How many of the accepted answers are said now."""
        return sum(change.now is AnswerState.RIGHT for change in self.corrections)

    def kinds(self) -> dict[str, int]:
        """Return how many old answers changed in which way, the worst first."""
        return dict(Counter(change.kind for change in self.changes))

    def value(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return {
            "bot": self.bot,
            "asked": self.asked,
            "right_before": self.right_before,
            "right_after": self.right_after,
            "better": self.better,
            "worse": self.worse,
            "kinds": self.kinds(),
            "changes": [_value(change) for change in self.changes],
            "corrections": [_value(change) for change in self.corrections],
        }


class AnswerDiff:
    """Asks a bot before and after it learns on."""

    def __init__(self, job: Job, *, resume: bool = False) -> None:
        """Ask the bot as it is now, or look up what it said when the run that is resumed began.

        Raises:
            ChatseqError: the bot cannot be loaded.
        """
        self._job = job
        self._old, self._accepted = probe_questions(job)
        self._asked = [*self._old, *self._accepted]
        self._folder = runs_folder() / job.name
        self._before = (self._kept() if resume else []) or self._answers()

    @property
    def file(self) -> Path:
        """Where the whole report lies afterwards."""
        return self._folder / REPORT

    def watch(self, events: Iterator[TrainingEvent]) -> Iterator[TrainingEvent]:
        """Pass the reports of the run on; at its first step, keep what the old bot said.

        Raises:
            TrainingError: the disk is full, or may not be written.
        """
        kept = False
        for event in events:
            if not kept and isinstance(event, StepReport):
                self._write(BEFORE, self._told(self._before))
                kept = True
            yield event

    def report(self) -> AnswerDiffReport:
        """Ask the bot as it is now, and write and return what changed.

        Raises:
            ChatseqError: the bot cannot be loaded, or the disk is full.
        """
        found = compare(self._job.name, self._old, self._accepted, self._before, self._answers())
        self._write(REPORT, found.value())
        return found

    def _answers(self) -> list[str]:
        return answers(load_bot(self._job.registry, self._job.name).responder, self._asked)

    def _told(self, said: Sequence[str]) -> list[list[object]]:
        both = zip(self._asked, said, strict=False)
        return [[one.question, [*one.context], text] for one, text in both]

    def _kept(self) -> list[str]:
        """Return what the old bot said, where it was asked the same; else nothing."""
        try:
            told = json.loads((self._folder / BEFORE).read_text(encoding="utf-8"))
            said = [str(text) for _, _, text in told]
        except (OSError, ValueError, TypeError):
            return []
        return said if told == self._told(said) and len(said) == len(self._asked) else []

    def _write(self, name: str, value: object) -> None:
        with told_as(TrainingError, self._folder / name):
            write_whole(self._folder / name, json.dumps(value, indent=1).encode())


def probe_questions(job: Job) -> tuple[list[ProbeQuestion], list[ProbeQuestion]]:
    """Return distinct questions of the corpus, evenly spread, and those that were accepted."""
    learnt = job.train.exchanges
    held_back = [] if job.validation is job.train else job.validation.exchanges
    wanted: dict[_Key, dict[str, None]] = {}
    for each in (*learnt, *held_back):
        wanted.setdefault(_key(job, each), {})[normalise_answer(each.answer)] = None
    accepted = dict.fromkeys(_key(job, learnt[row]) for row in job.oversampled)
    old = evenly_spaced([key for key in wanted if key not in accepted], MOST_ASKED)

    def asked(keys: Iterable[_Key]) -> list[ProbeQuestion]:
        return [
            ProbeQuestion(question, tuple(wanted[question, turns]), turns)
            for question, turns in keys
        ]

    return asked(old), asked(accepted)


def answers(responder: Responder, asked: Sequence[ProbeQuestion]) -> list[str]:
    """Return what is said to each question; an empty text where it is declined."""
    questions, contexts = [one.question for one in asked], [one.context for one in asked]
    return [_said(reply) for reply in responder.reply_all(questions, contexts)]


def compare(
    bot: str,
    old: Sequence[ProbeQuestion],
    accepted: Sequence[ProbeQuestion],
    before: Sequence[str],
    after: Sequence[str],
) -> AnswerDiffReport:
    """Return what changed.

    Args:
        before: what was said to the old questions, then to those that were accepted
        after: the same afterwards
    """
    both = [
        Change(one.question, said, says, one.wanted, one.context)
        for one, said, says in zip([*old, *accepted], before, after, strict=True)
    ]
    judged = both[: len(old)]
    changes = [change for change in judged if change.before != change.after]
    return AnswerDiffReport(
        bot,
        asked=len(old),
        right_before=sum(change.was is AnswerState.RIGHT for change in judged),
        right_after=sum(change.now is AnswerState.RIGHT for change in judged),
        changes=tuple(sorted(changes, key=lambda change: change.gain)),
        corrections=tuple(both[len(old) :]),
    )


def _key(job: Job, exchange: Exchange) -> _Key:
    return exchange.question, job.reader.turns_read(exchange.context)


def _said(reply: Reply) -> str:
    return "" if reply.source is ReplySource.DECLINED else normalise_answer(reply.text)


def _state(said: str, wanted: Sequence[str]) -> AnswerState:
    if said in wanted:
        return AnswerState.RIGHT
    return AnswerState.WRONG if said else AnswerState.DECLINED


def _value(change: Change) -> dict[str, Any]:
    return {**asdict(change), "kind": change.kind, "gain": change.gain}
