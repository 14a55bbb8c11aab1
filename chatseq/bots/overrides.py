"""Which settings of a recipe may still change when its bot is trained."""

from __future__ import annotations

from collections.abc import Iterable

from chatseq.core.errors import ErrorKind, RecipeError
from chatseq.core.recipe import Recipe, renamed

# The rest is in the weights and the graphs.
_CHANGEABLE = ("decoding", "engine", "responder")
_FIXED = ("engine.precision",)


def apply_overrides(recipe: Recipe, overrides: Iterable[str], *, where: str) -> Recipe:
    """Return the recipe of a trained bot with settings changed that may still change.

    Args:
        overrides: settings as `path=value`
        where: they were given, such as "--set"; part of what an error tells

    Raises:
        RecipeError: a setting does not exist, does not fit or is fixed by training.
    """
    wanted = list(map(renamed, overrides))
    if not wanted:
        return recipe
    new = recipe.apply(wanted, where=where)  # a misspelt setting is told first
    for override in wanted:
        path = override.partition("=")[0].strip()
        if path.split(".")[0] not in _CHANGEABLE or path in _FIXED:
            raise RecipeError(
                f"'{path}' is fixed once a bot is trained. {where} {override}. Change settings "
                f"under {', '.join(_CHANGEABLE)}, or train again: "
                f"chatseq train FILE --set {override}",
                kind=ErrorKind.SETTING_FIXED,
                place=path,
                choices=_CHANGEABLE,
            )
    return new
