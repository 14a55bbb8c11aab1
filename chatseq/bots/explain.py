"""Why a bot answered what it did: all that a Reply tells of itself, as values and as lines.

`explained` asks the responder for what is computed only then; the rest shows what a Reply holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from chatseq.bots.attention_lines import TokenTrace, attention_lines, piece_name
from chatseq.bots.responder import Responder
from chatseq.core.errors import ChatseqError
from chatseq.core.exchange import Alternative, Neighbour, Piece, Reply, ReplySource
from chatseq.history.contracts import Message, Status
from chatseq.text.display_width import Page, cells, shortened
from chatseq.text.terminal import safe_line

THRESHOLD = "decline_below"  # of Reply.extra: the confidence below which it was declined
CHECKSUM_SHOWN = 12  # characters
_DECIMALS = 4  # of weights and probabilities, of which there are many
_SOURCES = {
    ReplySource.GENERATED: "written by the network, token by token",
    ReplySource.RETRIEVED: "an answer of the corpus as it stands there",
    ReplySource.CORRECTED: "a user said that this is right",
}


def explained(
    responder: Responder, question: str, reply: Reply, context: Sequence[str] = ()
) -> Reply:
    """Return a reply with all that explains it; as it is where its responder explains nothing.

    Args:
        context: the earlier turns that the reply was given with
    """
    explain = getattr(responder, "explain", None)  # a responder of before contracts had it
    return reply if explain is None else explain(question, reply, context)


def explanation(reply: Reply) -> dict[str, Any]:
    """Return what explains a reply as values that JSON can hold; docs/why.md tells each."""
    return {
        "text": reply.text,
        "source": reply.source.value,
        "confidence": _share(reply.confidence),
        "unsure": reply.unsure,
        "interrupted": reply.interrupted,
        "candidates": [
            {**asdict(one), "confidence": _share(one.confidence)} for one in _candidates(reply)
        ],
        "neighbours": [
            {**asdict(one), "similarity": _share(one.similarity)} for one in reply.neighbours
        ],
        "question_pieces": list(reply.question_pieces),
        "pieces": [
            {
                "text": piece.text,
                "probability": round(_probability(piece), _DECIMALS),
                "weights": [round(_share(weight), _DECIMALS) for weight in piece.weights],
            }
            for piece in reply.pieces
        ],
        "bot": reply.bot,
        "model": reply.model[:CHECKSUM_SHOWN],
        "strategy": reply.strategy,
        "seed": reply.seed,
        "tokens": reply.tokens,
        "milliseconds": round(_finite(reply.milliseconds), 3),
        "extra": dict(reply.extra),
    }


def explanation_lines(reply: Reply, page: Page) -> list[str]:
    """Return what explains a reply as safe lines; those in columns fit on the page."""
    return [
        _origin(reply),
        *_candidate_lines(reply, page),
        *_neighbour_lines(reply.neighbours, page),
        *_token_lines(reply, page),
        *_maker(reply),
        *_extra_lines(reply),
    ]


def remembered(message: Message) -> Reply:
    """Return what the history still knows of a reply.

    Raises:
        ChatseqError: it does not know where the reply came from.
    """
    if message.source not in set(ReplySource):
        raise ChatseqError(
            f"Where this reply came from ('{safe_line(message.source)}') is not known. It was "
            "imported into the history. /retry answers its question again."
        )
    return Reply(
        text=message.text,
        source=ReplySource(message.source),
        confidence=message.confidence or 0.0,
        alternatives=message.alternatives,
        bot=message.bot,
        strategy=message.strategy,
        tokens=message.tokens,
        milliseconds=message.milliseconds,
        seed=message.seed,
        model=message.model,
        interrupted=message.status is Status.INTERRUPTED,
    )


def _candidates(reply: Reply) -> list[Alternative]:
    """Return everything that could have been said, the reply itself first unless it declined."""
    if reply.source is ReplySource.DECLINED:
        return list(reply.alternatives)
    return [Alternative(reply.text, reply.confidence), *reply.alternatives]


def _origin(reply: Reply) -> str:
    """Tell on one line where the reply came from and how sure the bot is of it."""
    if reply.source is ReplySource.DECLINED:
        return f"Declined: {_why_declined(reply)}"
    told = f"{reply.source.value.capitalize()}: {_SOURCES[reply.source]}; "
    if reply.interrupted:
        return told + "stopped before its end, so there is no confidence"
    unsure = ", which is not sure" if reply.unsure else ""
    return f"{told}confidence {_share(reply.confidence):.2f}{unsure}"


def _why_declined(reply: Reply) -> str:
    if not reply.alternatives:
        return "it had nothing to say to this"
    told = f"confidence {_share(reply.confidence):.2f} in the best answer it had"
    threshold = reply.extra.get(THRESHOLD)
    return f"{told}; {THRESHOLD} is {safe_line(threshold)}" if threshold else told


def _candidate_lines(reply: Reply, page: Page) -> list[str]:
    title = "What it did not say" if reply.source is ReplySource.DECLINED else "Candidates"
    known = () if reply.interrupted else _candidates(reply)
    return _titled(title, (_candidate(one, page) for one in known))


def _candidate(one: Alternative, page: Page) -> str:
    head = f"  {_share(one.confidence):.2f}  "
    room = page.columns - len(head)
    if not one.question:
        return head + shortened(one.text, room)
    return head + _pair(one.question, one.text, room)


def _neighbour_lines(neighbours: Iterable[Neighbour], page: Page) -> list[str]:
    lines = []
    for one in neighbours:
        head = f"  {_share(one.similarity):.2f}  {safe_line(one.source)}"
        told = _pair(one.question, one.answer, page.columns - 8)
        lines += [head, f"        {told}"]
    return _titled("Nearest questions of the corpus, by likeness", lines)


def _pair(question: str, answer: str, room: int) -> str:
    """Return a question with its answer; each may have half of the room, and what is left over."""
    asked = shortened(question, max(room // 2 - 2, room - 4 - cells(safe_line(answer))))
    return f"{asked} -> {shortened(answer, room - 4 - cells(asked))}"


def _token_lines(reply: Reply, page: Page) -> list[str]:
    tokens = [
        TokenTrace(piece_name(piece.text), _probability(piece), [*map(_share, piece.weights)])
        for piece in reply.pieces
    ]
    looked = any(token.weights for token in tokens)
    title = "Tokens, their probability" + (", and where they looked" if looked else "")
    names = [piece_name(piece) for piece in reply.question_pieces]
    return _titled(title, attention_lines(tokens, names, page) if tokens else ())


def _maker(reply: Reply) -> list[str]:
    told = [
        f"bot {reply.bot}" if reply.bot else "",
        f"model {reply.model[:CHECKSUM_SHOWN]}" if reply.model else "",
        f"strategy {reply.strategy}" if reply.strategy else "",
        f"seed {reply.seed}" if reply.seed is not None else "",
        f"{reply.tokens} tokens" if reply.tokens else "",
        f"{_finite(reply.milliseconds):.1f} ms" if reply.milliseconds else "",
    ]
    line = ", ".join(safe_line(part) for part in told if part)
    return [line] if line else []


def _extra_lines(reply: Reply) -> list[str]:
    told = THRESHOLD if reply.source is ReplySource.DECLINED else None  # on the first line already
    return [safe_line(f"{name}: {text}") for name, text in reply.extra.items() if name != told]


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return [f"{title}:", *found] if found else []


def _probability(piece: Piece) -> float:
    return 0.0 if math.isnan(piece.log_prob) else math.exp(min(piece.log_prob, 0.0))


def _share(number: float) -> float:
    """Return a number as a share, 0..1, which JSON can always hold."""
    return min(max(_finite(number), 0.0), 1.0)


def _finite(number: float) -> float:
    return number if math.isfinite(number) else 0.0
