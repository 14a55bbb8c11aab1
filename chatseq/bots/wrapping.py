"""Responders that stand in front of another one, and change what goes in or what comes out.

A plugin derives from `WrappingResponder` and overrides what it changes:

    class Signed(WrappingResponder):
        \"\"\"Sign every reply.\"\"\"

        def after(self, reply):
            return replace(reply, text=f"{reply.text} - the bot")

The responder inside is a part like any other, named in the option `inner` of the recipe. It gets
its own options, and learns what it learns when the bot is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from chatseq.bots.bot import Bot
from chatseq.bots.contracts import FitData
from chatseq.bots.forwarding import ForwardingResponder
from chatseq.core.options import PartOf, build_part, check_options, options_of
from chatseq.core.recipe import Recipe

# The table of a responder inside another one; the type of the option `inner`.
InnerResponder = Annotated[dict[str, Any], PartOf("responder")]

USUAL: dict[str, Any] = Recipe.model_fields["responder"].default


def fit_responder(
    data: FitData, folder: Path, table: Mapping[str, Any]
) -> Mapping[str, float | None]:
    """Let the responder of a recipe learn, and return its figures; one that does not has none.

    Args:
        table: its name and its options
        folder: see chatseq.bots.contracts.TrainableResponder

    Raises:
        PartError: there is no such responder.
    """
    name = str(table.get("name", ""))
    component = data.bot.registry.find("responder", name, where="in [responder]").load()
    fit = getattr(component, "fit", None)
    if fit is None:
        return {}
    options = {option: value for option, value in table.items() if option != "name"}
    figures: Mapping[str, float | None] = fit(data, folder, options)
    return figures


class WrappingResponder(ForwardingResponder):
    """The base of responders that stand in front of another one, which the recipe names.

    Derive from it and override `before`, `before_context` or `after`. A constructor of your own
    takes `bot` and `inner` as this one does, beside its options.
    """

    # For the checks: one that learns nothing, and one that does.
    example_options = {"inner": [{"name": "seq2seq"}, {"name": "retrieval"}]}  # noqa: RUF012

    def __init__(self, bot: Bot, *, inner: InnerResponder = USUAL) -> None:
        """Build the responder inside.

        Args:
            inner: the responder that answers, `{name = "qa", OPTION = VALUE}`

        Raises:
            PartError: there is no such responder, or no such option of it.
        """
        where = f"in the bot '{bot.name}' [responder.inner]"
        built = build_part(bot.registry, "responder", inner, bot, where=where)
        super().__init__(built, bot=bot.name)
        self.bot = bot

    @classmethod
    def fit(
        cls, data: FitData, folder: Path, options: Mapping[str, object]
    ) -> Mapping[str, float | None]:
        """Let the responder inside learn; its figures are those of this one."""
        what = f"responder {cls.__name__}"
        given = check_options(cls, options, what=what, where="in [responder]")
        return fit_responder(data, folder, given.get("inner", options_of(cls)["inner"].default))
