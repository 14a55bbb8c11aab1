"""What is trained when little is said: the recipe for a corpus, and the starter bot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chatseq.core.errors import TrainingError
from chatseq.core.exchange import Exchange
from chatseq.core.paths import starter_folder
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.corpus.traits import answers_recur, is_dialogue

STARTER = "starter"  # the name of the bot that the first `chatseq` trains
_MOST_FOR_FAQ = 20_000  # exchanges
_MOST_BY_HEART = 5_000  # exchanges
# For other recipes than `dialogue`, which has the same.
_TURNS = ("question.context_turns=2", "question.max_tokens=96", "model.turn_vectors=true")
_STARTER = (
    # What is left of a minute on two cores after imports, reading, what the responder learns,
    # export and the last figures.
    "training.minutes=0.5",
    "training.threads=0",
    "training.validations=4",
    "responder.decline_below=0.45",  # it is tried with nonsense more than others
    "data.validation_share=0.03",  # each wording counts; the held-back files tell how good it is
)
_HELD_BACK = "held_back"  # so begin the files for evaluation only; never learnt from


def choose_recipe(exchanges: Sequence[Exchange]) -> Recipe:
    """Return the recipe for a corpus; one that reads earlier turns where it has them."""
    recipe = load_recipe(recipe_for(exchanges))
    reads_turns = recipe.question.context_turns > 0
    return recipe.apply(_TURNS) if is_dialogue(exchanges) and not reads_turns else recipe


def recipe_for(exchanges: Sequence[Exchange]) -> str:
    """Return the name of the recipe for a corpus.

    `faq` where answers recur, up to 20,000 exchanges; `by-heart` where they do not, up to 5,000;
    of larger ones, `dialogue` for conversations, else `small`.
    """
    if len(exchanges) <= _MOST_FOR_FAQ and answers_recur(exchanges):
        return "faq"
    if len(exchanges) <= _MOST_BY_HEART:
        return "by-heart"
    return "dialogue" if is_dialogue(exchanges) else "small"


def starter_files() -> list[Path]:
    """Return the files of the starter corpora that are learnt from.

    Raises:
        ChatseqError: they are not installed.
    """
    folder = starter_folder()
    files = sorted(folder.glob("starter_*/*.tsv"))
    found = [path for path in files if not path.stem.startswith(_HELD_BACK)]
    if not found:
        raise TrainingError(
            f"There are no starter corpora in {folder}. Install chatseq again, or train on a file "
            "of your own: chatseq train FILE"
        )
    return found


def starter_recipe() -> Recipe:
    """Return the recipe of the starter bot, which is limited by time."""
    return load_recipe("tiny").apply(_STARTER)
