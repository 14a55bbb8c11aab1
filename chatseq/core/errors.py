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

A message says what is wrong with the value, where, and what to do. Errors of programmers stay
ValueError and TypeError.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ChatseqError(Exception):
    """A fault that its reader can mend; the text needs no traceback to be understood."""

    exit_code = 1


class OldName(FutureWarning):
    """A name that has changed and still works; the command line tells each once."""


class PartError(ChatseqError):
    """A plugin, one of its parts or an option of a part does not fit."""


class RecipeError(ChatseqError):
    """A recipe or an override of one of its values cannot be used."""


class CorpusError(ChatseqError):
    """A corpus cannot be read; the text begins with `file:line:` where there is a line."""


class TokenizerError(ChatseqError):
    """A tokenizer cannot be learnt from this text, or its file cannot be read."""


class BundleError(ChatseqError):
    """A trained bot is missing, damaged, or needs a plugin that is not installed."""


class TrainingError(ChatseqError):
    """Training cannot start or cannot go on."""


class EngineError(ChatseqError):
    """The exported graphs of a bot cannot be made or run."""


class HistoryError(ChatseqError):
    """The history database cannot be opened, read or written."""


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return the closing words of an error about an unknown name.

    A close match gives ` Did you mean 'x'?`, else all choices are listed; no choices give an
    empty string.
    """
    known = sorted(choices)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f" Did you mean '{close[0]}'?"
    return f" Choose from: {', '.join(known)}." if known else ""
