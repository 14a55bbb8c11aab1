"""What the checks of strategies and adjusters share: languages to search in, and questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chatseq.decoding.answers import Answers
from chatseq.decoding.contracts import Adjuster, Hypothesis, Strategy
from chatseq.decoding.search import Decoding
from chatseq.engines.contracts import Array, Engine
from chatseq.testing.engines import RandomEngine, ScriptedEngine, questions_of
from chatseq.testing.tokenizers import LetterTokenizer
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID

TOKENIZER = LetterTokenizer()
LONGEST = 10
ASKED = ((5,), (6, 7), (8, 9, 10, 11, 12), (9, 9, 9))
SURE = {(5,): (4, 5, 6), (6, 7): (8,), (7,): (5, 5, 5, 5, 5, 5)}
KNOWN = tuple(TOKENIZER.decode(answer) for answer in SURE.values())
KNOWN = (*KNOWN, "abd", "ab", "b", "bd fh", "hello", "go on", "yes", "who is it", "a" * 20)

Language = Mapping[int, float]


def random_engine(xp: Any = None, *, end_bonus: float = 1.0) -> RandomEngine:
    """Return an engine that babbles, in the given library; some replies end, some are cut."""
    library = {} if xp is None else {"xp": xp}
    return RandomEngine(vocabulary_size=TOKENIZER.size, seed=2, end_bonus=end_bonus, **library)


def certain_engine() -> ScriptedEngine:
    """Return an engine that leaves no choice."""

    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Language:
        answer = SURE.get(question, ())
        return {(*answer, END_ID)[min(len(reply), len(answer))]: 1.0}

    return ScriptedEngine(language, vocabulary_size=TOKENIZER.size)


def looping_engine() -> ScriptedEngine:
    """Return an engine that likes to say the same three letters again and again."""

    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Language:
        favourite = FIRST_FREE_ID + (len(reply) + sum(question)) % 3
        others = range(END_ID, TOKENIZER.size)
        return {token: 0.5 if token == favourite else 0.5 / (len(others) - 1) for token in others}

    return ScriptedEngine(language, vocabulary_size=TOKENIZER.size)


def searching(
    strategy: Strategy,
    asked: Sequence[Sequence[int]] = ASKED,
    *,
    engine: Engine | None = None,
    adjusters: Sequence[Adjuster] = (),
    longest: int = LONGEST,
    seed: int = 0,
) -> Decoding:
    """Return a search that has begun."""
    return Decoding(
        engine or random_engine(),
        questions_of(*asked),
        strategy,
        adjusters,
        max_length=longest,
        seed=seed,
        tokenizer=TOKENIZER,
        answers=Answers(lambda: KNOWN),
    )


def replies(strategy: Strategy, *asked: Sequence[int], **options: Any) -> list[list[Hypothesis]]:
    """Return the n-best replies of each question."""
    given = asked or ASKED
    search = searching(strategy, given, **options)
    for _ in search:
        pass
    return [search.hypotheses(question) for question in range(len(given))]


def tokens_of(found: Sequence[Sequence[Hypothesis]]) -> list[list[tuple[int, ...]]]:
    """Return what was said, without the figures."""
    return [[hypothesis.tokens for hypothesis in hypotheses] for hypotheses in found]


def read_only(array: Array) -> Array:
    """Return a copy that raises when it is written to, where the library can do that."""
    copied = array.copy() if hasattr(array, "copy") else array.clone()
    if hasattr(copied, "flags"):
        copied.flags.writeable = False
    return copied
