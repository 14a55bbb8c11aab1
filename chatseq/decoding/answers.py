"""The answers that a bot knows, for strategies that say nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

from chatseq.decoding.trie import PrefixTree
from chatseq.text.tokenizer import Tokenizer


class Answers:
    """Answers that are read when they are first asked for; one object serves all searches.

    Args:
        read: gives their texts, or each with how many exchanges it answered, the most frequent
            first; may raise a ChatseqError
    """

    def __init__(self, read: Callable[[], Iterable[str | tuple[str, int]]]) -> None:
        self._read = read
        self._known: tuple[Tokenizer, int, PrefixTree] | None = None

    @cached_property
    def counted(self) -> tuple[tuple[str, int], ...]:
        """The answers with their exchanges, 1 where that is not told; blank ones are left out."""
        both = ((one, 1) if isinstance(one, str) else one for one in self._read())
        return tuple((text, times) for text, times in both if text.strip())

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The answers, blank ones left out."""
        return tuple(text for text, _ in self.counted)

    def tree(self, tokenizer: Tokenizer, longest: int) -> PrefixTree:
        """Return the answers as a tree; it takes 40 µs an answer and is remembered.

        Args:
            longest: tokens at most, the end mark counted; longer answers are left out
        """
        known = self._known
        if known is None or known[0] is not tokenizer or known[1] != longest:
            replies = map(tokenizer.encode_answer, self.texts)
            tree = PrefixTree(reply for reply in replies if len(reply) < longest)
            known = self._known = tokenizer, longest, tree
        return known[2]
