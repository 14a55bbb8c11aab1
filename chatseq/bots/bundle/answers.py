"""The answers that a bot has learnt, as one file of its bundle.

Each line is a JSON object: the `text` of an answer as it stood in the corpus, and the `count` of
exchanges that it answered. The most frequent come first. Of a corpus with more distinct answers
than fit, the rarest are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

MOST_ANSWERS = 100_000
MOST_BYTES = 16 << 20


class KnownAnswer(NamedTuple):
    """An answer of the corpus that a bot was trained on."""

    text: str
    times: int  # exchanges that it answered


def most_frequent(counted: Mapping[str, int]) -> list[KnownAnswer]:
    """Return the answers that a bundle keeps, the most frequent first, blank ones left out.

    Args:
        counted: of equally frequent ones, those that come first are kept
    """
    ranked = sorted(counted, key=lambda text: -counted[text])
    kept: list[KnownAnswer] = []
    room = MOST_BYTES
    for answer in (KnownAnswer(text, counted[text]) for text in ranked if text.strip()):
        room -= len(_line(answer))
        if room < 0 or len(kept) == MOST_ANSWERS:
            break
        kept.append(answer)
    return kept


def answers_file(counted: Mapping[str, int]) -> bytes:
    """Return the content of the file."""
    return b"".join(map(_line, most_frequent(counted)))


def read_answers(text: str) -> list[KnownAnswer]:
    """Read the content of the file.

    Raises:
        ValueError: a line is something else; the text begins with its number.
    """
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                stored = json.loads(line)
                found.append(KnownAnswer(str(stored["text"]), int(stored.get("count", 1))))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as fault:
                raise ValueError(
                    f'line {number} is not like {{"text": "an answer", "count": 1}}'
                ) from fault
    return found


def _line(answer: KnownAnswer) -> bytes:
    line = json.dumps({"text": answer.text, "count": answer.times}, ensure_ascii=False)
    # Half a surrogate pair has no bytes; as an escape it is read as what it was.
    return line.encode("utf-8", "backslashreplace") + b"\n"
