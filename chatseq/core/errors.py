"""What can go wrong for a user, as exceptions whose text is one finished line.

    ChatseqError            told in one line, exit code 1
    ├── PartError           a plugin, a part or one of its options
    ├── RecipeError         a recipe file or a `--set`
    ├── CorpusError         a corpus file, with its place
    ├── TokenizerError      a tokenizer that cannot be learnt or read
    ├── BundleError         a trained bot on disk
    ├── TrainingError       a run that cannot start or go on
    ├── EngineError         a graph that cannot run
    └── HistoryError        the database of conversations

A message says what is wrong with the value, where, and what to do. What a program needs of it
stands beside the text: the kind, the place and the choices. Errors of programmers stay ValueError
and TypeError.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar

_CLOSE = 0.6  # of difflib's ratio


class ErrorKind(StrEnum):
    """What went wrong, as a program tells it apart; a name never changes its meaning.

    Where no situation is named, the kind is that of the class: `part`, `recipe` and so on.
    """

    ERROR = "error"
    CANNOT_WRITE = "cannot-write"
    PART = "part"
    PART_NOT_FOUND = "part-not-found"
    PART_CONTESTED = "part-contested"
    PART_BROKEN = "part-broken"
    PLUGIN_NOT_FOUND = "plugin-not-found"
    PLUGIN_OFF = "plugin-off"
    OPTION_UNKNOWN = "option-unknown"
    OPTION_MISSING = "option-missing"
    OPTION_INVALID = "option-invalid"
    RECIPE = "recipe"
    RECIPE_NOT_FOUND = "recipe-not-found"
    SETTING_UNKNOWN = "setting-unknown"
    SETTING_INVALID = "setting-invalid"
    SETTING_FIXED = "setting-fixed"
    CORPUS = "corpus"
    CORPUS_NOT_FOUND = "corpus-not-found"
    CORPUS_ROW = "corpus-row"
    ENCODING_UNKNOWN = "encoding-unknown"
    FORMAT_UNKNOWN = "format-unknown"
    COLUMN_UNKNOWN = "column-unknown"
    TOKENIZER = "tokenizer"
    BOT = "bot"
    BOT_NOT_FOUND = "bot-not-found"
    BOT_EXISTS = "bot-exists"
    BOT_NAME_INVALID = "bot-name-invalid"
    BOT_DAMAGED = "bot-damaged"
    BOT_TOO_NEW = "bot-too-new"
    PLUGIN_MISSING = "plugin-missing"
    TRAINING = "training"
    TRAINING_BUSY = "training-busy"
    NOTHING_TO_LEARN = "nothing-to-learn"
    NOTHING_TO_RESUME = "nothing-to-resume"
    ENGINE = "engine"
    HISTORY = "history"
    CONVERSATION_NOT_FOUND = "conversation-not-found"


class ChatseqError(Exception):
    """A fault that its reader can mend; the text needs no traceback to be understood."""

    exit_code = 1
    default_kind: ClassVar[ErrorKind] = ErrorKind.ERROR

    def __init__(
        self,
        text: str,
        *,
        kind: ErrorKind | None = None,
        place: str = "",
        choices: Iterable[str] = (),
    ) -> None:
        """Make an error.

        Args:
            text: one finished line
            kind: what a program tells it by; that of the class by default
            place: `file:line`, a file, a key path, or the name of a bot; empty: nowhere
            choices: what could stand there instead, the nearest first
        """
        super().__init__(text)
        self.kind = kind or self.default_kind
        self.place = place
        self.choices = tuple(choices)


class OldName(FutureWarning):
    """A name that has changed and still works; the command line tells each once."""


class PartError(ChatseqError):
    """A plugin, one of its parts or an option of a part does not fit."""

    default_kind = ErrorKind.PART


class RecipeError(ChatseqError):
    """A recipe or an override of one of its values cannot be used."""

    default_kind = ErrorKind.RECIPE


class CorpusError(ChatseqError):
    """A corpus cannot be read; the text begins with `file:line:` where there is a line."""

    default_kind = ErrorKind.CORPUS


class TokenizerError(ChatseqError):
    """A tokenizer cannot be learnt from this text, or its file cannot be read."""

    default_kind = ErrorKind.TOKENIZER


class BundleError(ChatseqError):
    """A trained bot is missing, damaged, or needs a plugin that is not installed."""

    default_kind = ErrorKind.BOT


class TrainingError(ChatseqError):
    """Training cannot start or cannot go on."""

    default_kind = ErrorKind.TRAINING


class EngineError(ChatseqError):
    """The exported graphs of a bot cannot be made or run."""

    default_kind = ErrorKind.ENGINE


class HistoryError(ChatseqError):
    """The history database cannot be opened, read or written."""

    default_kind = ErrorKind.HISTORY


def nearest(name: str, choices: Iterable[str]) -> tuple[str, ...]:
    """Return all choices, those that look like the name first, the others by the alphabet."""
    known = sorted(choices)
    close = difflib.get_close_matches(name, known, n=3, cutoff=_CLOSE)
    return (*close, *(each for each in known if each not in close))


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return the closing words of an error about an unknown name.

    A close match gives ` Did you mean 'x'?`, else all choices are listed; no choices give an
    empty string.
    """
    known = sorted(choices)
    close = difflib.get_close_matches(name, known, n=1, cutoff=_CLOSE)
    if close:
        return f" Did you mean '{close[0]}'?"
    return f" Choose from: {', '.join(known)}." if known else ""
