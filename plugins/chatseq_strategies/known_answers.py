"""The strategy `known-answers`: every reply is, word for word, an answer of the corpus."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from chatseq.bots.bundle.answers import read_answers
from chatseq.core.errors import PartError
from chatseq.decoding.answers import Answers
from chatseq.decoding.contracts import Choice, Hypothesis, SearchRequest, SearchState
from chatseq.decoding.trie import PrefixTree
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.beam import BeamChooser
from chatseq_strategies.finished import Scoring


class KnownAnswers:
    """Search for the likeliest of the answers that the bot was trained on, and say nothing else.

    A beam search in which only tokens are possible that go on with one of the answers (a prefix
    tree, as in De Cao et al. 2021, section 3.2). A bot holds the distinct answers of its corpus, at
    most 100,000 and the most frequent ones first; answers longer than decoding.max_length are left
    out. With `length_penalty = 0` the score of a reply is the logarithm of its probability, so that
    long and short answers compete fairly.

    Adjusters still count: an answer with a banned word is not said, and stop strings cut one short.
    Where adjusters leave no answer at all, the reply is cut where the last one was lost; mostly
    that is before its first word, and the bot declines.

    Args:
        size: beginnings that are kept at each step
        length_penalty: see `beam`
        n_best: replies returned, the first of them said and the others told as alternatives
        file: other answers to choose from: a text file with one on each line, or a `.jsonl` file
            with objects that have a `text`
    """

    draws = False

    def __init__(
        self, *, size: int = 8, length_penalty: float = 0.0, n_best: int = 3, file: str = ""
    ) -> None:
        if size < 1:
            raise ValueError(f"size ({size}) must be at least 1.")
        if not 1 <= n_best <= size:
            raise ValueError(f"n_best ({n_best}) must be between 1 and size ({size}).")
        self._size, self._n_best, self._scoring = size, n_best, Scoring(length_penalty)
        self._answers = _read(Path(file).expanduser()) if file else None

    def begin(self, task: SearchRequest) -> _Chooser:
        """Return what chooses for one search.

        Raises:
            PartError: there are no answers, or all are too long.
        """
        answers = self._answers or task.answers
        if task.tokenizer is None or answers is None or not answers.texts:
            raise PartError(
                "The strategy 'known-answers' has no answers to choose from: this bot was stored "
                "without them. Train it again, or name a file: --set decoding.strategy.file=PATH"
            )
        tree = answers.tree(task.tokenizer, task.max_length)
        if not tree.count:
            raise PartError(
                f"All {len(answers.texts)} known answers are longer than decoding.max_length "
                f"({task.max_length}). Set it higher: --set decoding.max_length=64"
            )
        beam = BeamChooser(task, self._scoring, size=self._size, n_best=self._n_best)
        return _Chooser(task, tree, beam)


class _Chooser:
    """A beam search that is shown only what goes on with an answer."""

    def __init__(self, task: SearchRequest, tree: PrefixTree, beam: BeamChooser) -> None:
        self._xp, self._tree, self._beam = task.xp, tree, beam

    def choose(self, scores: Array, search: SearchState) -> Choice:
        """Choose among what the answers have next."""
        xp = self._xp
        nodes = search.row_notes[0] if search.row_notes else xp.zeros_like(search.rows)
        choice = self._beam.choose(self._possible(scores, nodes), search)
        nodes = self._tree.step(xp, nodes[choice.parents], choice.tokens)
        return choice._replace(row_notes=(nodes,), done=[*choice.done, *self._dead(choice, search)])

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Put whole replies before cut ones, and the higher score first."""
        return self._beam.rank(hypotheses)

    def _possible(self, scores: Array, nodes: Array) -> Array:
        xp = self._xp
        found = self._tree.masked(xp, scores, nodes)
        stuck = xp.max(found, axis=-1) == -math.inf
        if not stuck.any():
            return found
        # An adjuster that left nothing but the end mark, as a stop string does, has its way.
        alone = xp.sum(scores > -math.inf, axis=-1) == 1
        ends = xp.where(stuck & alone, scores[:, END_ID], found[:, END_ID])
        found[:, END_ID] = ends
        return found

    def _dead(self, choice: Choice, search: SearchState) -> list[int]:
        """Return the places of questions to which no answer is left."""
        highest = self._xp.max(choice.scores.reshape(len(search.sources), -1), axis=-1)
        return [place for place, score in enumerate(highest.tolist()) if score == -math.inf]


def _read(file: Path) -> Answers:
    """Return the answers of a file.

    Raises:
        ValueError: it cannot be read, or holds none.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix == ".jsonl":
            texts = [answer.text for answer in read_answers(text)]
        else:
            texts = text.split("\n")
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise ValueError(f"file ({file}) cannot be read: {reason}. Check the path.") from fault
    answers = Answers(lambda: [text.strip("\r") for text in texts])
    if not answers.texts:
        raise ValueError(f"file ({file}) holds no answer. Write one on each line.")
    return answers
