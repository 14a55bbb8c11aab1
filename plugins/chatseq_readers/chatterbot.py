"""ChatterBot's YAML: `categories`, and `conversations` as a list of lists of turns.

The parser's events are followed one by one, never the whole document: memory stays bounded, text
stays as written (`1963` is no number, `no` no truth value), every conversation knows its line, and
there is nothing that an alias could multiply.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

import yaml
from yaml import events

from chatseq.core.exchange import Exchange
from chatseq.corpus.contracts import BadRows, Source
from chatseq.corpus.turns import exchanges_of_turns

LARGEST_CONVERSATION = 2**20  # characters
DEEPEST = 32
# What YAML takes for a line break besides the line feed, or does not take at all.
_NO_YAML = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


class ChatterbotReader:
    """Reads YAML files whose key `conversations` lists conversations, each a list of turns."""

    def __init__(self, *, key: str = "conversations") -> None:
        """Set what the file does not tell.

        Args:
            key: the key of the list of conversations
        """
        self._key = key

    def sniff(self, source: Source) -> int:
        if source.suffix in (".yml", ".yaml"):
            return 90
        starts = re.search(rf"^{re.escape(self._key)}:\s*$", source.head, re.MULTILINE)
        return 50 if starts and source.suffix in ("", ".txt", ".corpus") else 0

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        feed = _Feed(source, bad)
        walk = _Walk(self._key, source, bad, feed)
        try:
            for event in yaml.parse(feed, Loader=yaml.CSafeLoader):
                yield from walk.take(event)
        except (yaml.YAMLError, RecursionError) as fault:
            mark = getattr(fault, "problem_mark", None)
            problem = getattr(fault, "problem", None) or "nested too deeply"
            place = source.place(mark.line + 1 if mark else walk.line)
            advice = "Mend that line; nothing after it can be read."
            bad.report(place, "not valid YAML", advice, detail=str(problem))


class _Feed:
    """The file as the YAML parser wants it: something to read pieces of text from."""

    def __init__(self, source: Source, bad: BadRows) -> None:
        self._lines = source.lines(bad)
        self.damaged: list[int] = []  # lines, ascending

    def read(self, size: int = 2**14, /) -> str:
        gathered: list[str] = []
        while size > 0:
            line = next(self._lines, None)
            if line is None:
                break
            if line.damaged:
                self.damaged.append(line.number)
            gathered.append(_NO_YAML.sub(" ", line.text) + "\n")
            size -= len(line.text) + 1
        return "".join(gathered)

    def is_damaged(self, first: int, last: int) -> bool:
        at = bisect_left(self.damaged, first)
        return at < len(self.damaged) and self.damaged[at] <= last


class _Walk:
    """Follows the events down to the turns of each conversation."""

    def __init__(self, key: str, source: Source, bad: BadRows, feed: _Feed) -> None:
        self._wanted = key
        self._source = source
        self._bad = bad
        self._feed = feed
        self._depth = 0
        self._is_key = True  # the next scalar of the outermost mapping
        self._key = ""
        self._fault = ""
        self._turns: list[str] = []
        self._size = 0
        self._last = 0  # the line where the latest text ends; a list ends only at the next token
        self.line = 1

    def take(self, event: events.Event) -> Iterator[Exchange]:
        """Yield the exchanges of a conversation at its last event."""
        line = event.start_mark.line + 1 if event.start_mark else self.line
        if isinstance(event, events.ScalarEvent):
            self._take_text(event.value, line)
            end = event.end_mark
            self._last = end.line + bool(end.column) if end else line
        elif isinstance(event, events.AliasEvent):
            self._refuse("an alias stands where a text is due", line)
        elif isinstance(event, events.CollectionStartEvent):
            self._enter(event, line)
        elif isinstance(event, events.CollectionEndEvent):
            yield from self._leave()

    def _take_text(self, text: str, line: int) -> None:
        if self._depth == 1:
            self._key = text if self._is_key else self._key
            if not self._is_key and self._key == self._wanted:
                self._report("the conversations are no list", line, text)
            self._is_key = not self._is_key
        elif self._in_wanted(2):
            self._report("a plain text stands where a list of turns is due", line, text)
        elif self._in_wanted(3):
            self._size += len(text)
            if self._size > LARGEST_CONVERSATION:
                self._turns.clear()
                self._fault = "a conversation is far too long"
            self._turns.append(text)

    def _enter(self, event: events.CollectionStartEvent, line: int) -> None:
        if self._depth >= DEEPEST:
            self.line = line
            raise RecursionError
        self._depth += 1
        if self._depth == 1 and not isinstance(event, events.MappingStartEvent):
            self._report("the file is no mapping with conversations", line, "")
            self._key = ""
        elif self._in_wanted(3):
            self._turns, self._size, self.line = [], 0, line
            is_list = isinstance(event, events.SequenceStartEvent)
            self._fault = "" if is_list else "a mapping stands where a list of turns is due"
        elif self._in_wanted(4):
            self._fault = "a list or mapping stands where a turn is due"

    def _leave(self) -> Iterator[Exchange]:
        ended = self._in_wanted(3)
        self._depth -= 1
        if self._depth == 1:
            self._is_key = True
        if not ended or self._feed.is_damaged(self.line, self._last):
            return
        if self._fault:
            self._report(self._fault, self.line, "")
            return
        yield from exchanges_of_turns(self._turns, self._source.place(self.line), self._bad)

    def _in_wanted(self, depth: int) -> bool:
        return self._depth == depth and self._key == self._wanted

    def _refuse(self, what: str, line: int) -> None:
        if self._in_wanted(3):
            self._fault = what
        elif self._in_wanted(2) or (self._depth == 1 and self._key == self._wanted):
            self._report(what, line, "")
        if self._depth == 1:
            self._is_key = not self._is_key

    def _report(self, what: str, line: int, text: str) -> None:
        begins = f"{text[:40]!r}" if text else ""
        advice = 'Write each conversation as a list: "- - question", then "  - answer".'
        self._bad.report(self._source.place(line), what, advice, detail=begins)
