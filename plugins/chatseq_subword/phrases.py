"""The tokenizer `phrase`: subwords, and whole phrases of answers that come again and again.

In a FAQ dozens of questions share one answer. Spelt piece by piece, most of training would go into
reciting it; as a few phrases, it goes into telling answers apart. Only answers are written in
phrases, and only those that recur give any: elsewhere this is the subword tokenizer. Pieces that
span words were found to help language models too (Liu et al. 2025, "SuperBPE").
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from chatseq.core.errors import TokenizerError
from chatseq.text.byte_fallback import unreadable
from chatseq_subword.part import Subword
from chatseq_subword.tokenizer import SubwordTokenizer

Phrase = tuple[int, ...]


class Phrases:
    """Subwords (see `subword`) and the phrases of recurring answers.

    Args:
        vocabulary_size: subword ids at most, at least 512.
        phrases: further ids for phrases at most; the most frequent are kept.
        longest: subwords of a phrase at most.
        recurring: how often an answer must come to be cut into phrases.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int = 3000,
        phrases: int = 4000,
        longest: int = 4,
        recurring: int = 3,
    ) -> None:
        if longest < 2:
            raise ValueError(f"longest ({longest}) must be at least 2: one piece is no phrase")
        self._subword = Subword(vocabulary_size=vocabulary_size)
        self._most, self._longest, self._recurring = phrases, longest, recurring

    def learn(self, questions: Iterable[str], answers: Iterable[str] = ()) -> PhraseTokenizer:
        """Learn subwords from all texts and phrases from the answers that recur.

        Raises:
            TokenizerError: the texts hold nothing.
        """
        counted = Counter(answers)
        subword = self._subword.learn(questions, counted.elements())
        found: Counter[Phrase] = Counter()
        for answer, times in counted.items():
            if times >= self._recurring:
                for phrase in _cut(subword.encode(answer), self._longest):
                    found[phrase] += times
        ranked = sorted(found, key=lambda phrase: (-found[phrase], phrase))
        return PhraseTokenizer(subword, ranked[: self._most])

    def load(self, text: str) -> PhraseTokenizer:
        """Read what `PhraseTokenizer.to_json` wrote.

        Raises:
            TokenizerError: it is something else.
        """
        try:
            stored = json.loads(text)
            phrases = [tuple(phrase) for phrase in stored["phrases"]]
            subword = self._subword.load(stored["subword"])
            known = all(0 <= piece < subword.size for phrase in phrases for piece in phrase)
        except (ValueError, KeyError, TypeError, RecursionError) as fault:
            raise TokenizerError(unreadable(f"it holds no phrases ({fault})")) from fault
        if not known:
            raise TokenizerError(unreadable("a phrase has a piece that is not there"))
        return PhraseTokenizer(subword, phrases)


class PhraseTokenizer:
    """Turns any text into ids and back; ids from `subword.size` on are phrases."""

    def __init__(self, subword: SubwordTokenizer, phrases: Sequence[Phrase]) -> None:
        self._subword = subword
        self._phrases = list(phrases)
        self._ids: Mapping[Phrase, int] = {
            phrase: subword.size + at for at, phrase in enumerate(phrases)
        }
        self._longest = max(map(len, phrases), default=1)

    @property
    def size(self) -> int:
        """The number of ids."""
        return self._subword.size + len(self._phrases)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a question: subwords alone."""
        return self._subword.encode(text)

    def encode_answer(self, text: str) -> list[int]:
        """Return the ids of an answer: from the left, the longest phrase that is known."""
        pieces = self._subword.encode(text)
        found: list[int] = []
        at = 0
        while at < len(pieces):
            size = self._matching(pieces, at)
            phrase = tuple(pieces[at : at + size])
            found.append(self._ids[phrase] if size > 1 else pieces[at])
            at += size
        return found

    def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
        """Return one random segmentation of a question, the same for the same seed."""
        return self._subword.sample(text, seed, dropout=dropout)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids; padding, start and end marks give nothing."""
        return self._subword.decode([piece for at in ids for piece in self._spelt(at)])

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Return what each id stands for."""
        return ["".join(self._subword.pieces(self._spelt(at))) for at in ids]

    def to_json(self) -> str:
        """Return everything needed to load the tokenizer again."""
        return json.dumps({"subword": self._subword.to_json(), "phrases": self._phrases})

    def _matching(self, pieces: Sequence[int], at: int) -> int:
        for size in range(min(self._longest, len(pieces) - at), 1, -1):
            if tuple(pieces[at : at + size]) in self._ids:
                return size
        return 1

    def _spelt(self, at: int) -> Phrase:
        phrase = at - self._subword.size
        return self._phrases[phrase] if phrase >= 0 else (at,)


def _cut(pieces: Sequence[int], longest: int) -> list[Phrase]:
    """Cut an answer into phrases from the left; a single piece at the end is none."""
    cut = [tuple(pieces[at : at + longest]) for at in range(0, len(pieces), longest)]
    return [phrase for phrase in cut if len(phrase) > 1]
