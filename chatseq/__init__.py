"""chatseq: a file of questions and answers becomes a private chatbot.

Importing this package imports nothing heavy; its names are looked up when they are first used.
docs/api.md shows what a program can do with them, the README's tree where the parts live.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chatseq.api import Bot, evaluate, list_bots, read_corpus, train
    from chatseq.bots.text_stream import TextStream
    from chatseq.chat.session import ChatSession
    from chatseq.composition import installed_plugins
    from chatseq.core.errors import ChatseqError, ErrorKind
    from chatseq.core.exchange import Exchange, Reply
    from chatseq.evaluation.report import Report

__all__ = [
    "Bot",
    "ChatSession",
    "ChatseqError",
    "ErrorKind",
    "Exchange",
    "Reply",
    "Report",
    "TextStream",
    "evaluate",
    "installed_plugins",
    "list_bots",
    "read_corpus",
    "train",
]

_HOMES = {
    "chatseq.api": ("Bot", "evaluate", "list_bots", "read_corpus", "train"),
    "chatseq.composition": ("installed_plugins",),
    "chatseq.bots.text_stream": ("TextStream",),
    "chatseq.chat.session": ("ChatSession",),
    "chatseq.core.errors": ("ChatseqError", "ErrorKind"),
    "chatseq.core.exchange": ("Exchange", "Reply"),
    "chatseq.evaluation.report": ("Report",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from chatseq.core.version import VERSION

        return VERSION
    if name not in _HOME_OF:
        raise AttributeError(f"module 'chatseq' has no attribute '{name}'")
    found = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
