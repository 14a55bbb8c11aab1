"""What else could be meant, where a bot is not sure of its reply: "did you mean ...?"."""

from __future__ import annotations

from dataclasses import replace

from chatseq.core.exchange import Alternative, Reply, ReplySource
from chatseq.text.display_width import Page, shortened
from chatseq.text.normalise import has_han

MOST_CHOICES = 3
_ASKED = {False: "I am not sure. Did you mean", True: "我不太确定，你是不是想问"}
_HOW = {False: " (type its number):", True: "（输入序号）："}
_ALONE = {False: ":", True: "："}


def choices_of(reply: Reply | None) -> tuple[Alternative, ...]:
    """Return what a user may choose instead of a reply, best first; nothing where it is sure."""
    if reply is None or not reply.unsure or reply.interrupted:
        return ()
    if reply.source is ReplySource.DECLINED:
        return ()
    return reply.alternatives[:MOST_CHOICES]


def offered(reply: Reply | None, page: Page, *, typing: bool = True) -> str:
    """Return the choices as lines, in the language of the reply; empty where there are none.

    Args:
        typing: whether a number that is typed next chooses one
    """
    choices = choices_of(reply)
    if reply is None or not choices:
        return ""
    chinese = has_han(reply.text)
    lines = [_ASKED[chinese] + (_HOW if typing else _ALONE)[chinese]]
    for number, choice in enumerate(choices, 1):
        lines.append(f"  {number}  {shortened(choice.question or choice.text, page.columns - 5)}")
    return "\n".join(lines)


def chosen_number(typed: str, reply: Reply | None) -> int | None:
    """Return the number of the choice that was typed; None where it is something else."""
    if len(typed) != 1 or not typed.isdecimal():
        return None
    number = int(typed)
    return number if 1 <= number <= len(choices_of(reply)) else None


def chosen(reply: Reply, number: int) -> Reply:
    """Return the reply that a choice makes; what was said first is the first alternative then."""
    choice = choices_of(reply)[number - 1]
    others = (other for other in reply.alternatives if other is not choice)
    return replace(
        reply,
        text=choice.text,
        source=ReplySource.RETRIEVED,
        confidence=choice.confidence,
        alternatives=(Alternative(reply.text, reply.confidence), *others),
        unsure=False,
        tokens=0,
        milliseconds=0.0,
        pieces=(),
        question_pieces=(),
        seed=None,
        extra={"chosen": choice.question or choice.text},
    )
