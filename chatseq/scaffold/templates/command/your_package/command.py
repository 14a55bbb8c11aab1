"""The command `chatseq your-part`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import click

from chatseq.cli.main import registry_of
from chatseq.cli.output import say_json, say_table
from chatseq.core.exchange import Exchange
from chatseq.corpus.read import read_corpus


@click.command("your-part")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--top", default=10, show_default=True, type=click.IntRange(min=1),
              help="How many words.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def first_words(ctx: click.Context, files: tuple[str, ...], top: int, as_json: bool) -> None:
    """Count the words that the questions of a corpus begin with."""
    counted = counts(read_corpus(registry_of(ctx), files))[:top]
    if as_json:
        say_json(dict(counted))
        return
    say_table(("word", "questions"), counted)


def counts(exchanges: Iterable[Exchange]) -> list[tuple[str, int]]:
    """Return each first word with its number of questions, the most frequent first."""
    words = Counter(exchange.question.split()[0].lower() for exchange in exchanges)
    return sorted(words.items(), key=lambda found: (-found[1], found[0]))
