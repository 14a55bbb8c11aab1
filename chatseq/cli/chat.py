"""`chatseq chat`: talk with a bot, on a terminal or over a pipe."""

from __future__ import annotations

import click

from chatseq.cli.main import overrides, registry_of


@click.command()
@click.option("--bot", help="The bot, by name or folder; the one trained last by default.")
@click.option("--session", help="The conversation to go on with: its id, or 'last'.")
@click.option("--strategy", help="The decoding strategy.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting.")
@click.pass_context
def chat(
    ctx: click.Context,
    bot: str | None,
    session: str | None,
    strategy: str | None,
    settings: tuple[str, ...],
) -> int:
    """Chat with a bot; /help lists what else can be typed.

    Without a terminal it answers each line of its input with a line.
    """
    from chatseq.bots.bundle import default_bot
    from chatseq.repl.start import chat as begin

    named = bot or default_bot() or _starter(ctx)
    return begin(
        registry_of(ctx), bot=named, settings=overrides(strategy, settings), session=session
    )


def _starter(ctx: click.Context) -> str:
    """Train the starter bot and return its name."""
    from chatseq.cli.train import train_starter

    return train_starter(registry_of(ctx))
