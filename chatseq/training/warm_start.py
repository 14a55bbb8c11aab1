"""Let a trained bot learn the accepted feedback of its history: a short run from its own weights.

It goes through the corpus that the bot keeps, so that nothing is forgotten, and meets what was
accepted more often than the rest, so that it is learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatseq.bots.bot import question_encoder
from chatseq.bots.bundle import Bundle, bot_folder, use_bundle
from chatseq.bots.bundle.pairs import Pairs
from chatseq.bots.loader import load_tokenizer
from chatseq.bots.overrides import apply_overrides
from chatseq.core.errors import TrainingError
from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe
from chatseq.text.filters import TextFilters
from chatseq.training.accepted import (
    Accepted,
    filtered_feedback,
    join_accepted,
    rows_accepted,
)
from chatseq.training.job import Job, WarmStart, job_of

EPOCHS = 2
RATE_SHARE = 0.25  # of the rate that the bot was made with
STEPS_SHARE, FEWEST_STEPS = 0.2, 200  # of its fewest steps, and at least so many
SHARE = 0.01  # of an epoch that each accepted exchange is worth
FEWEST_TIMES, MOST_TIMES = 4, 32  # in an epoch
_TRAINING = "training."


def prepare_warm_start(
    registry: Registry, accepted: Sequence[Accepted], *, name: str, settings: Sequence[str] = ()
) -> Job:
    """Return what is needed to let a bot learn what was accepted.

    Args:
        settings: as `path=value`, of the training, the decoding, the engine and the responder

    Raises:
        BundleError: there is no such bot, or it is damaged or lacks a plugin.
        TrainingError: the bot keeps no corpus, or nothing that was accepted can be learnt.
        RecipeError: a setting does not exist or is fixed by the weights.
        PartError: a setting names a part or an option that does not exist.
    """

    def build(bundle: Bundle) -> Job:
        return _job(registry, bundle, accepted, settings)

    return use_bundle(bot_folder(name), build, registry=registry)


def times_an_epoch(rows: int, accepted: int) -> int:
    """Return how often each accepted exchange comes in an epoch; together at most half of it."""
    wanted = min(max(round(SHARE * rows), FEWEST_TIMES), MOST_TIMES)
    return max(1, min(wanted, rows // accepted))


def _job(
    registry: Registry, bundle: Bundle, accepted: Sequence[Accepted], settings: Sequence[str]
) -> Job:
    made_by = bundle.recipe()
    recipe = _recipe(made_by, settings)
    recipe.check(registry, f"the bot '{bundle.name}'")
    filters = TextFilters.of(registry, recipe.question.filters, where=f"in '{bundle.name}'")
    accepted = filtered_feedback(accepted, filters)  # as the corpus in the bundle is already
    corpus, turns = _corpus(bundle), recipe.question.context_turns
    learnt = len(corpus) - bundle.manifest.corpus.held_back
    joined = join_accepted(corpus[:learnt], corpus[learnt:], accepted, turns)
    reader = question_encoder(recipe, load_tokenizer(registry, bundle, recipe))
    job = job_of(registry, recipe, reader, joined.train, joined.held_back, name=bundle.name)
    oversampled = rows_accepted(job.train.exchanges, accepted, turns)
    if not oversampled:
        raise TrainingError(
            f"All accepted answers are longer than data.max_answer_tokens "
            f"({recipe.data.max_answer_tokens}), which is fixed in the bot '{bundle.name}'. Train "
            f"it anew: chatseq train FILE --from-history --bot {bundle.name} "
            "--set data.max_answer_tokens=200"
        )
    return replace(
        job,
        remarks=(*joined.remarks, *job.remarks),
        warm_start=WarmStart(bundle, made_by.training),
        oversampled=oversampled,
        oversampling=times_an_epoch(len(job.train), len(oversampled)),
        licence=bundle.manifest.licence,
    )


def _recipe(made_by: Recipe, settings: Sequence[str]) -> Recipe:
    """Return the recipe of a short and slow run; the weights fix the rest."""
    training = made_by.training
    short = (
        f"training.max_epochs={EPOCHS}",
        f"training.min_steps={max(FEWEST_STEPS, round(STEPS_SHARE * training.min_steps))}",
        f"training.learning_rate={RATE_SHARE * training.learning_rate}",
        # Held-back questions are judged best before a correction is learnt: the last weights count.
        "training.validations=1",
    )
    others = [setting for setting in settings if not setting.lstrip().startswith(_TRAINING)]
    given = [setting for setting in settings if setting not in others]
    return apply_overrides(made_by, others, where="--set").apply([*short, *given])


def _corpus(bundle: Bundle) -> list[Exchange]:
    try:
        corpus = list(Pairs(bundle.data_folder))
    except (OSError, ValueError, LookupError, TypeError) as fault:
        reason = f"the corpus in {bundle.data_folder} cannot be read: {fault}"
    else:
        reason = "" if corpus else "an older chatseq trained it"
    if reason:
        raise TrainingError(
            f"The bot '{bundle.name}' has no corpus to go on with, for {reason}. Train it again on "
            f"its file: chatseq train FILE --from-history --bot {bundle.name}"
        )
    return corpus
