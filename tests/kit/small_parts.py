"""Small honest parts for the tests of the kit: a tokenizer, a reader, a responder, a metric.

They stand in a module of their own, since a check learns a tokenizer in another process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from chatseq.bots.bot import Bot
from chatseq.bots.contracts import NO_CANDIDATE, AnswerScores, FitData, Ints, Query
from chatseq.core.errors import TokenizerError
from chatseq.core.exchange import Exchange, Reply
from chatseq.corpus.contracts import BadRows, Source
from chatseq.evaluation.contracts import JudgedReply
from chatseq.testing.responders import ScriptedResponder, ScriptedStream
from chatseq.text.tokenizer import FIRST_FREE_ID

BYTES = 256


class Learnt:
    """Bytes, and one id for each of some words."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)

    @property
    def size(self) -> int:
        return FIRST_FREE_ID + BYTES + len(self.words)

    def encode(self, text: str) -> list[int]:
        return [FIRST_FREE_ID + byte for byte in text.encode()]

    def encode_answer(self, text: str) -> list[int]:
        if text in self.words:
            return [FIRST_FREE_ID + BYTES + self.words.index(text)]
        return self.encode(text)

    def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
        return self.encode(text)

    def decode(self, ids: Sequence[int]) -> str:
        return b"".join(self.spelt(i) for i in ids).decode(errors="replace")

    def spelt(self, at: int) -> bytes:
        if at < FIRST_FREE_ID:
            return b""
        word = at - FIRST_FREE_ID - BYTES
        return bytes([at - FIRST_FREE_ID]) if word < 0 else self.words[word].encode()

    def pieces(self, ids: Sequence[int]) -> list[str]:
        return [self.spelt(i).decode(errors="replace") or f"<{i}>" for i in ids]

    def to_json(self) -> str:
        return json.dumps({"words": self.words})


class WholeAnswers:
    """Learn every answer by heart; spell everything else in bytes."""

    learnt: type[Learnt] = Learnt

    def learn(self, questions: Iterable[str], answers: Iterable[str] = ()) -> Learnt:
        known, asked = self.chosen(answers), "".join(questions)
        if not "".join(known) + asked:
            raise TokenizerError("There is nothing to learn from. Give some texts.")
        return self.learnt(known)

    def chosen(self, answers: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(answers))

    def load(self, text: str) -> Learnt:
        try:
            words = json.loads(text)["words"]
        except (ValueError, TypeError, KeyError, IndexError) as fault:
            raise TokenizerError(f"This is no tokenizer: {fault}. Train again.") from fault
        return self.learnt(words)


class FollowsASet(WholeAnswers):
    """Learn answers in the order of a set, which is another in each process."""

    def chosen(self, answers: Iterable[str]) -> list[str]:
        return list(set(answers))


class ArrowReader:
    """Read lines like `question => answer` from files that end in .arrow."""

    def sniff(self, source: Source) -> int:
        return 90 if source.suffix == ".arrow" else 0

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        for line in source.lines(bad):
            question, arrow, answer = line.text.partition(" => ")
            if line.damaged:
                continue
            if not arrow:
                bad.report(source.place(line.number), "no arrow", "Write question => answer.")
            else:
                yield Exchange(question, answer, source=source.place(line.number))

    @staticmethod
    def example_file(pairs: Sequence[tuple[str, str]]) -> tuple[str, str]:
        return "x.arrow", "".join(f"{question} => {answer}\n" for question, answer in pairs)


class Echo(ScriptedResponder):
    """Say the question again, word by word; a blank one is answered with a dot."""

    def __init__(self, bot: Bot) -> None:
        super().__init__()
        self.bot = bot

    def stream(self, question: str, context: Sequence[str] = ()) -> ScriptedStream:
        return super().stream(question.strip() or ".", context)

    def reply(self, question: str, context: Sequence[str] = ()) -> Reply:
        *_, last = self.stream(question, context)
        assert isinstance(last, Reply)
        return last


class MeanLength:
    """The mean number of characters of a reply."""

    def __init__(self) -> None:
        self.characters, self.count = 0, 0

    def add(self, judged: Sequence[JudgedReply]) -> None:
        self.characters += sum(len(one.said) for one in judged)
        self.count += len(judged)

    def merge(self, other: MeanLength) -> None:
        self.characters += other.characters
        self.count += other.count

    def figures(self) -> Mapping[str, float | None]:
        return {"mean_length": self.characters / self.count if self.count else None}


class Lower:
    """Read capitals as small letters."""

    def __call__(self, text: str) -> str:
        return "".join(letter.lower() if letter.isascii() else letter for letter in text)


class FollowsASetOfWords(Lower):
    """Say the words of a text in the order of a set, which is another in each process."""

    def __call__(self, text: str) -> str:
        order = {word: at for at, word in enumerate({"a", "b", "c", "do", "get", "how", "mail"})}
        words = super().__call__(text).split(" ")
        return " ".join(sorted(words, key=lambda word: order.get(word, 99)))


class SharedWords:
    """Count the words that a question has in common with those asked before an answer."""

    file = "checked-words.json"

    def fit(self, data: FitData, folder: Path) -> None:
        words: dict[str, list[str]] = {}
        for row in data.train:
            known = words.setdefault(row.answer, [])
            known += self.in_order({*row.question.split()} - {*known})
        self.write(folder / self.file, words)

    def write(self, file: Path, words: Mapping[str, Sequence[str]]) -> None:
        file.write_text(json.dumps(words), encoding="utf-8")

    def in_order(self, words: set[str]) -> list[str]:
        return sorted(words)

    def open(self, bot: Bot) -> FittedSharedWords | None:
        if bot.folder is None or bot.answers is None or not (bot.folder / self.file).is_file():
            return None
        words = json.loads((bot.folder / self.file).read_text(encoding="utf-8"))
        if not isinstance(words, dict):
            raise ValueError(f"{self.file} holds no words")
        return self.fitted([*map(words.get, bot.answers.texts), words.get("")])

    def fitted(self, words: Sequence[Sequence[str] | None]) -> FittedSharedWords:
        return FittedSharedWords(words)


class FittedSharedWords:
    """What SharedWords has learnt: the words of each answer, those of declining last."""

    features: tuple[str, ...] = ("words",)
    prior_weight = 1.0

    def __init__(self, words: Sequence[Sequence[str] | None]) -> None:
        self.words = words

    def propose(self, queries: Sequence[Query], most: int) -> Sequence[Sequence[int]]:
        answers = range(len(self.words) - 1)
        return [
            sorted(answers, key=lambda number: -self.count(query, number))[:most]
            for query in queries
        ]

    def score(self, queries: Sequence[Query], candidates: Ints) -> AnswerScores:
        counts = [
            [self.count(query, number) for number in row]
            for query, row in zip(queries, candidates.tolist(), strict=True)
        ]
        scores = np.array(counts, np.float64).reshape(candidates.shape)
        return AnswerScores(scores, {"words": scores})

    def count(self, query: Query, number: int) -> float:
        known = self.words[number] if number > NO_CANDIDATE else None
        return float(len({*query.text.split()} & {*(known or ())}))
