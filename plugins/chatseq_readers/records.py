"""JSON values to exchanges: objects with two fields, lists of turns, lists of messages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

from chatseq.core.exchange import Exchange
from chatseq.corpus.contracts import BadRows
from chatseq.corpus.turns import exchanges_of_turns
from chatseq_readers.names import ANSWERS, QUESTIONS, TURNS, first_of

_ASSISTANT = frozenset({"assistant", "bot", "gpt", "chatgpt", "model", "ai", "agent"})
_NO_TURN = frozenset({"system", "developer", "tool", "function"})
_ROLES = ("role", "from", "speaker")
_CONTENTS = ("content", "text", "value", "utterance", "message")
_KEPT_LAYOUTS = 64  # different sets of keys that are remembered


class _Unusable(Exception):  # noqa: N818  (an answer, not an error)
    """A value that gives no exchange, and what to do about it."""

    def __init__(self, what: str, advice: str, detail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.detail = detail


class RecordShape:
    """Knows where in a JSON value the question and the answer are."""

    def __init__(
        self, reader: str, *, question: str, answer: str, turns: str, tags: str, decline: str,
        remove: str,
    ) -> None:  # fmt: skip
        self._reader = reader
        self._question = question
        self._answer = answer
        self._turns = turns
        self._tags = [name.strip() for name in tags.split(",") if name.strip()]
        self._decline = decline
        self._removed = {ord(character): None for character in remove}
        self._layouts: dict[tuple[str, ...], tuple[str | None, str | None, str | None]] = {}

    def exchanges(
        self, value: object, place: str, bad: BadRows, tags: tuple[str, ...] = ()
    ) -> Iterator[Exchange]:
        """Yield the exchanges of one record, or report it."""
        try:
            if isinstance(value, dict):
                found = self._of_object(value, place, bad, tags + self._tags_of(value))
            elif isinstance(value, list):
                found = self._of_list(value, place, bad, tags)
            else:
                raise _Unusable("a record is neither an object nor a list", "Remove it.")
            yield from found
        except _Unusable as fault:
            bad.report(place, fault.what, fault.advice, detail=fault.detail)

    def _of_object(
        self, record: dict[str, object], place: str, bad: BadRows, tags: tuple[str, ...]
    ) -> Iterator[Exchange]:
        question, answer, turns = self._layout(record)
        if turns is not None:
            listed = record[turns]
            if not isinstance(listed, list):
                raise _Unusable("the turns are no list", 'Write ["…", "…"].', detail=turns)
            return self._of_list(listed, place, bad, tags)
        if question is None or answer is None:
            self._refuse_fields(record)
        asked = self._text(record[question])
        if question.casefold() == "instruction" and answer.casefold() != "input":
            extra = self._text(record.get("input"))
            asked = f"{asked}\n{extra}" if extra.strip() else asked
        context = self._context(record)
        answers = self._answers(record[answer])
        return (Exchange(asked, text, context=context, tags=tags, source=place) for text in answers)

    def _of_list(
        self, listed: list[object], place: str, bad: BadRows, tags: tuple[str, ...]
    ) -> Iterator[Exchange]:
        if len(listed) == 2 and isinstance(listed[0], str) and listed[1] in (None, self._decline):
            return iter([Exchange(self._text(listed[0]), "", tags=tags, source=place)])
        if any(isinstance(turn, dict) for turn in listed):
            turns, answered_by = self._messages(listed)
            return exchanges_of_turns(turns, place, bad, answered_by=answered_by, tags=tags)
        if not all(isinstance(turn, str | int | float) for turn in listed):
            raise _Unusable("a turn is no text", "Write each turn as a text.")
        turns = [self._text(turn) for turn in listed]
        return exchanges_of_turns(turns, place, bad, tags=tags)

    def _messages(self, listed: list[object]) -> tuple[list[str], list[bool]]:
        """Return the turns and which of them the bot may learn to say."""
        turns: list[str] = []
        roles: list[str] = []
        for message in listed:
            if not isinstance(message, dict):
                raise _Unusable("a message is no object", 'Write {"role": "…", "content": "…"}.')
            role = str(_value(message, _ROLES) or "").casefold()
            if role in _NO_TURN:
                continue
            text = self._text(_value(message, _CONTENTS))
            if role and roles and roles[-1] == role:
                turns[-1] = f"{turns[-1]}\n{text}"
            else:
                turns.append(text)
                roles.append(role)
        by_bot = [role in _ASSISTANT for role in roles]
        return turns, by_bot if any(by_bot) else []

    def _layout(self, record: dict[str, object]) -> tuple[str | None, str | None, str | None]:
        keys = tuple(record)
        found = self._layouts.get(keys)
        if found is None:
            found = self._found(keys)
            if len(self._layouts) < _KEPT_LAYOUTS:
                self._layouts[keys] = found
        return found

    def _found(self, keys: Sequence[str]) -> tuple[str | None, str | None, str | None]:
        question = first_of([self._question.casefold()] if self._question else QUESTIONS, keys)
        answer = first_of([self._answer.casefold()] if self._answer else ANSWERS, keys)
        if self._turns:
            return question, answer, first_of([self._turns.casefold()], keys)
        both = question is not None and answer is not None
        return question, answer, None if both else first_of(TURNS, keys)

    def _refuse_fields(self, record: Mapping[str, object]) -> NoReturn:
        name = self._reader
        advice = (
            f"Name two of them: --set {name}.question=… --set {name}.answer=…; "
            'a question to be declined has "answer": null'
        )
        detail = f"its fields: {', '.join(list(record)[:12])}"
        raise _Unusable("no fields with a question and an answer", advice, detail)

    def _context(self, record: Mapping[str, object]) -> tuple[str, ...]:
        given = record.get("context")
        if not isinstance(given, list) or not all(isinstance(turn, str) for turn in given):
            return ()
        return tuple(self._text(turn) for turn in given)

    def _answers(self, value: object) -> list[str]:
        """Return the answers that a value lists; nothing, null or the decline mark is ''."""
        if isinstance(value, list):
            texts = list(dict.fromkeys(self._text(one) for one in value))
            return texts or [""]
        text = self._text(value)
        return ["" if self._decline and text.strip() == self._decline else text]

    def _text(self, value: object) -> str:
        if isinstance(value, str):
            return value.translate(self._removed) if self._removed else value
        if value is None:
            return ""
        if isinstance(value, list):
            return " ".join(self._text(part).strip() for part in value)
        if isinstance(value, dict):
            return self._text(_value(value, _CONTENTS))
        return json.dumps(value)

    def _tags_of(self, record: Mapping[str, object]) -> tuple[str, ...]:
        return tuple(self._text(record[name]) for name in self._tags if name in record)


def _value(message: Mapping[str, object], names: Sequence[str]) -> object:
    return next((message[name] for name in names if name in message), None)


def parsed(text: str, place: str, bad: BadRows) -> object:
    """Return the value of a JSON text, or the fault after it was reported.

    Not-a-number, huge integers and deep nesting are refused as well as bad syntax.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        fault, detail = ValueError("deep"), "nested too deeply"
    except json.JSONDecodeError as wrong:
        fault, detail = wrong, f"{wrong.msg} at character {wrong.pos + 1}"
    except ValueError as wrong:  # a constant, or an integer of thousands of digits
        fault, detail = wrong, str(wrong).partition(";")[0]
    bad.report(place, "not valid JSON", "Mend or remove it.", detail=detail)
    return fault


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
