"""The values that travel through chatseq: what was read from a corpus, and what a bot answered.

Pure values: nothing here knows a file format, a database or a tensor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MOST_CONTEXT_TURNS = 64  # earlier turns that are kept; bounds what an endless conversation can cost


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question with its answer; the only record between corpus readers and training.

    An empty answer marks a question that the bot must decline.
    """

    question: str
    answer: str
    context: tuple[str, ...] = ()  # earlier turns, oldest first; MOST_CONTEXT_TURNS at most
    tags: tuple[str, ...] = ()
    source: str = ""  # "file:line" of the record's first line


class ReplySource(StrEnum):
    """Where the text of a reply came from."""

    GENERATED = "generated"
    RETRIEVED = "retrieved"
    CORRECTED = "corrected"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the replies that were considered."""

    text: str
    confidence: float  # 0..1
    question: str = ""  # of the corpus, which it answers; empty: none is known


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An exchange of the corpus whose question is like the one that was asked."""

    question: str
    answer: str
    source: str  # "file:line", or where else it came from
    similarity: float  # 0..1


@dataclass(frozen=True, slots=True)
class Piece:
    """One generated token, and why it was chosen."""

    text: str
    log_prob: float
    weights: tuple[float, ...] = ()  # attention over the pieces of the question


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished answer with all that is needed to explain it."""

    text: str
    source: ReplySource
    confidence: float  # 0..1
    alternatives: tuple[Alternative, ...] = ()  # best first, the reply itself left out
    unsure: bool = False  # neither sure enough nor declined: "did you mean" one of the alternatives
    neighbours: tuple[Neighbour, ...] = ()  # most alike first
    bot: str = ""
    strategy: str = ""
    tokens: int = 0  # generated tokens, the end mark counted
    milliseconds: float = 0.0
    pieces: tuple[Piece, ...] = ()
    question_pieces: tuple[str, ...] = ()
    seed: int | None = None
    model: str = ""  # checksum of the weights
    interrupted: bool = False
    extra: dict[str, str] = field(default_factory=dict)  # what a responder of another package adds
