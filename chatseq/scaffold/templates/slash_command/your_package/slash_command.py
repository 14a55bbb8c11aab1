"""The command `/your-part` of the chat."""

from __future__ import annotations

from collections.abc import Iterator

from chatseq.core.errors import ChatseqError
from chatseq.repl.commands import ArgumentChoice, slash_command
from chatseq.repl.session import ReplSession


def _words(session: ReplSession) -> Iterator[ArgumentChoice]:
    """Offer the words of the last message."""
    if session.ready and session.chat.turns:  # completing must not wait for the bot
        said = session.chat.turns[-1].text.split()
        yield from (ArgumentChoice(word) for word in dict.fromkeys(said))


@slash_command(usage="[word]", complete=_words)
def find(session: ReplSession, argument: str) -> None:
    """Show what was said in this conversation that holds a word."""
    if not argument:
        raise ChatseqError("Nothing to look for. Name it: /your-part word")
    turns = enumerate(session.chat.turns, 1)
    found = [f"{at:>4}  {turn.text}" for at, turn in turns if argument.lower() in turn.text.lower()]
    session.screen.say("\n".join(found) or f"Nobody said '{argument}' yet.")
