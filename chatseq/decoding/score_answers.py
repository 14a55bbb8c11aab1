"""How likely a network finds given answers, for many questions and many answers of each at once.

The answers of a question are walked as a tree of their tokens, level by level, so that what many of
them begin with is computed once. Only the likeliest beginnings of a level go on: an answer whose
beginning is left behind keeps the log-probability of that beginning, an upper bound of its own.
Every question may have answers of its own; all of them take part in one walk.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chatseq.decoding.arrays import namespace
from chatseq.decoding.contracts import Hypothesis
from chatseq.engines.contracts import Array, Engine
from chatseq.text.question_encoder import PaddedQuestions
from chatseq.text.tokenizer import END_ID, PAD_ID, START_ID

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BEGINNINGS = 8  # of the answers to a question that go on at each level


def answer_tokens(answers: Sequence[Sequence[int]], longest: int) -> Ints:
    """Return answers as rows of tokens, (answers, tokens), filled up behind their end marks.

    Args:
        answers: tokens without the end mark
        longest: tokens that count; of longer answers the beginning stands for all
    """
    rows = [(*answer, END_ID)[:longest] for answer in answers]
    width = max(map(len, rows), default=1)
    return np.array([[*row, *[PAD_ID] * (width - len(row))] for row in rows], np.int64).reshape(
        len(rows), width
    )


def score_answers(
    engine: Engine, questions: PaddedQuestions, answers: Ints, *, beginnings: int = BEGINNINGS
) -> Floats:
    """Return the log-probability of each answer to each question, (batch, answers).

    Args:
        answers: as `answer_tokens` gives them, of each question, (batch, answers, tokens), or the
            same for all, (answers, tokens)
        beginnings: of the answers to a question that go on at each level
    """
    ids = engine.array(questions.ids)
    batch = ids.shape[0]
    tokens = np.broadcast_to(answers, (batch, *answers.shape[-2:]))
    walk = _Walk(tokens, beginnings)
    if not tokens.size:
        return walk.scores
    encoded = engine.encode(ids, ids != PAD_ID, engine.array(questions.features))
    xp, state = namespace(ids), encoded.state
    last = xp.full_like(ids[:, 0], START_ID)
    while not walk.ended:
        stepped = engine.step(last, state, encoded.memory)
        rows, wanted = walk.wanted()
        walk.advance(_numpy(stepped.log_probs[engine.array(rows), engine.array(wanted)]))
        if walk.ended:
            break
        parents, next_tokens = walk.beginnings()
        going = engine.array(parents)
        state = tuple(xp.take(part, going, axis=0) for part in stepped.state)
        last = engine.array(next_tokens)
    return walk.scores


class _Walk:
    """Where each answer of each question stands in the tree of its question's answers.

    A slot is one of the beginnings that go on for a question; each question has equally many, which
    are neighbouring rows of the engine.
    """

    def __init__(self, tokens: Ints, beginnings: int) -> None:
        batch, count, _ = tokens.shape
        self._tokens, self._beginnings, self._level = tokens, beginnings, 0
        self._questions = np.arange(batch)[:, None]
        self._size = int(tokens.max(initial=0)) + 1  # more than any token
        self._slots = np.zeros((batch, count), np.int64)  # of each answer
        self._going = np.ones((batch, count), np.bool_)
        self._width = 1  # slots of each question
        self.scores: Floats = np.zeros((batch, count))

    @property
    def ended(self) -> bool:
        """Whether no answer goes on."""
        return not self._going.any()

    def wanted(self) -> tuple[Ints, Ints]:
        """Return row and token of the log-probability that each answer going on asks for."""
        questions, answers = np.nonzero(self._going)
        rows = questions * self._width + self._slots[questions, answers]
        return rows, self._tokens[questions, answers, self._level]

    def advance(self, log_probs: Floats) -> None:
        """Take a step: log-probabilities as `wanted` asked for them."""
        self.scores[self._going] += log_probs
        tokens = self._tokens[:, :, self._level]
        self._level += 1
        if self._level == self._tokens.shape[2]:
            self._going[:] = False
        else:
            self._going &= (tokens != END_ID) & (self._tokens[:, :, self._level] != PAD_ID)

    def beginnings(self) -> tuple[Ints, Ints]:
        """Choose what goes on; return its rows of the step before and its tokens, both (rows,)."""
        keys = self._keys()
        order = np.argsort(keys, axis=1, kind="stable")
        ordered = keys[self._questions, order]
        first = ordered >= 0
        first[:, 1:] &= ordered[:, 1:] != ordered[:, :-1]
        node = np.cumsum(first, axis=1) - 1  # of each answer, in the order of keys
        best = self._likeliest(order, first)
        slot_of_node = np.where(best, np.cumsum(best, axis=1) - 1, -1)
        nodes = np.empty_like(node)
        nodes[self._questions, order] = node
        slots = slot_of_node[self._questions, np.maximum(nodes, 0)]
        self._going &= slots >= 0
        return self._rows(slots)

    def _keys(self) -> Ints:
        """Return a number for the beginning of each answer that goes on, -1 for the others."""
        token = self._tokens[:, :, self._level - 1]
        return np.where(self._going, self._slots * self._size + token, -1)

    def _likeliest(self, order: Ints, first: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which distinct beginnings of each question go on, (batch, nodes)."""
        scores = self.scores[self._questions, order]
        count = int(first.sum(axis=1).max())
        of_node = np.full((len(first), max(count, 1)), -np.inf)
        questions, places = np.nonzero(first)
        of_node[questions, (np.cumsum(first, axis=1) - 1)[questions, places]] = scores[
            questions, places
        ]
        if count <= self._beginnings:
            return of_node > -np.inf
        ranks = np.argsort(np.argsort(-of_node, axis=1, kind="stable"), axis=1, kind="stable")
        return (ranks < self._beginnings) & (of_node > -np.inf)

    def _rows(self, slots: Ints) -> tuple[Ints, Ints]:
        batch = len(slots)
        width = int(slots.max()) + 1
        parents = np.repeat(np.arange(batch) * self._width, max(width, 1)).reshape(batch, -1)
        tokens = np.full(parents.shape, END_ID, np.int64)  # of slots that a question does not need
        questions, answers = np.nonzero(self._going)
        into = slots[questions, answers]
        parents[questions, into] = questions * self._width + self._slots[questions, answers]
        tokens[questions, into] = self._tokens[questions, answers, self._level - 1]
        self._slots, self._width = np.maximum(slots, 0), max(width, 1)
        return parents.ravel(), tokens.ravel()


def trace_answer(engine: Engine, questions: PaddedQuestions, answer: Sequence[int]) -> Hypothesis:
    """Return a given answer to one question as if a search had found it.

    Args:
        answer: tokens without the end mark
    """
    ids = engine.array(questions.ids)
    encoded = engine.encode(ids, ids != PAD_ID, engine.array(questions.features))
    state, last = encoded.state, namespace(ids).full_like(ids[:, 0], START_ID)
    log_probs: list[float] = []
    weights: list[tuple[float, ...]] = []
    for token in (*answer, END_ID):
        stepped = engine.step(last, state, encoded.memory)
        log_probs.append(float(stepped.log_probs[0, token]))
        weights.append(tuple(stepped.weights[0].tolist()))
        state, last = stepped.state, engine.array([token])
    return Hypothesis(
        tokens=tuple(answer),
        log_probs=tuple(log_probs),
        score=sum(log_probs),
        ended=True,
        weights=tuple(weights[:-1]),  # the end mark looks at nothing that is shown
    )


def _numpy(array: Array) -> Floats:
    """Return an array of either engine as NumPy's."""
    on_host = array if isinstance(array, np.ndarray) else array.cpu().numpy()
    return np.asarray(on_host, np.float64)
