"""`chatseq ask`: one reply, or a reply for every line of stdin. Nothing of it is stored."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import click

from chatseq.api import Bot
from chatseq.chat.choices import offered
from chatseq.cli.ask_lines import at_hand, replies_to
from chatseq.cli.main import overrides, registry_of
from chatseq.cli.output import page, say, say_json, tell
from chatseq.core.exchange import Reply
from chatseq.text.terminal import safe_line

FROM_STDIN = "-"
Show = Callable[[Reply], None]


@click.command()
@click.argument("question")
@click.option("--bot", help="The bot, by name or folder; the one trained last by default.")
@click.option("--strategy", help="The decoding strategy.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each reply.")
@click.option("--why", is_flag=True, help="Explain each reply.")
@click.pass_context
def ask(
    ctx: click.Context,
    question: str,
    bot: str | None,
    strategy: str | None,
    settings: tuple[str, ...],
    as_json: bool,
    why: bool,
) -> int:
    """Answer QUESTION, or each line of stdin where it is '-'.

    Nothing is stored in the history; `chatseq chat` stores, also over a pipe.
    """
    if not question.strip():
        raise click.UsageError("The question is empty. Write one, or - to read stdin.")
    loaded = Bot.load(bot, settings=overrides(strategy, settings), registry=registry_of(ctx))
    if question == FROM_STDIN:
        return _answer_lines(loaded, _lines(sys.stdin), _shown(as_json, why, _show_line), why=why)
    reply = loaded.ask(question)
    if why:
        reply = loaded.explain(question, reply)
    _shown(as_json, why, _show_text)(reply)
    return 0


def as_value(reply: Reply) -> dict[str, Any]:
    """Return a reply as the fields that `--json` promises."""
    return {
        "text": reply.text,
        "source": reply.source.value,
        "confidence": reply.confidence,
        "alternatives": [
            {"text": other.text, "confidence": other.confidence} for other in reply.alternatives
        ],
        "bot": reply.bot,
        "strategy": reply.strategy,
        "tokens": reply.tokens,
        "milliseconds": round(reply.milliseconds, 3),
    }


def _answer_lines(bot: Bot, questions: Iterable[str], show: Show, *, why: bool) -> int:
    """Answer each line with a line; one that fails gives an empty one, and exit code 1."""
    code = 0
    for group in at_hand(questions):
        for reply, failed in replies_to(bot, group, why=why):
            code = 1 if failed else code
            show(reply)
        sys.stdout.flush()
    return code


def _lines(source: Iterable[str]) -> Iterator[str]:
    for line in source:
        yield line.lstrip("\ufeff").strip()


def _shown(as_json: bool, why: bool, plainly: Show) -> Show:
    """Return what shows a reply as it was asked for.

    Args:
        plainly: shows its text alone
    """
    if as_json:
        return _show_json_and_why if why else _show_json
    return partial(_show_and_explain, plainly) if why else plainly


def _show_text(reply: Reply) -> None:
    say(reply.text)
    choices = offered(reply, page(), typing=False)
    if choices:
        tell(choices)


def _show_line(reply: Reply) -> None:
    say(safe_line(reply.text))


def _show_and_explain(plainly: Show, reply: Reply) -> None:
    from chatseq.bots.explain import explanation_lines

    plainly(reply)
    say("\n".join([*explanation_lines(reply, page()), ""]))


def _show_json(reply: Reply) -> None:
    say_json(as_value(reply))


def _show_json_and_why(reply: Reply) -> None:
    from chatseq.bots.explain import explanation

    say_json({**as_value(reply), "why": explanation(reply)})
