"""What a run works on: exchanges read, split and encoded, a tokenizer learnt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from chatseq.bots.bot import question_encoder
from chatseq.bots.bundle import Bundle, CorpusRecord, check_name
from chatseq.core.errors import ErrorKind, TrainingError
from chatseq.core.exchange import Exchange
from chatseq.core.files import new_hash
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe, TrainingSection
from chatseq.corpus.split import split_by_question
from chatseq.corpus.traits import answers_recur
from chatseq.decoding.build import build_decoding
from chatseq.model.compatibility import check_compatibility
from chatseq.text.filters import TextFilters
from chatseq.text.normalise import folded, question_key
from chatseq.text.question_encoder import QuestionEncoder, newest_turns
from chatseq.text.tokenizer import Tokenizer, TokenizerPart
from chatseq.training.accepted import Accepted, filtered_feedback, join_accepted
from chatseq.training.data import Examples

_FEWEST = 20  # distinct questions; of fewer, none can be spared for validation
_MOST_SOURCES = 20  # names of files in the record
# Settings that may differ between a run and its resumption: they say how long and where, not what.
_MAY_CHANGE = {"minutes", "max_epochs", "min_steps", "patience", "checkpoint_seconds", "device"}


@dataclass(frozen=True, slots=True)
class WarmStart:
    """A trained bot that a run goes on from."""

    bundle: Bundle  # its weights are the first ones
    training: TrainingSection  # as it was made; kept, for a run that goes on is but an addition


@dataclass(frozen=True, slots=True)
class Job:
    """One bot to be trained."""

    name: str
    recipe: Recipe
    registry: Registry
    reader: QuestionEncoder
    train: Examples
    validation: Examples
    corpus: CorpusRecord
    remarks: tuple[str, ...] = ()  # what the user should know before the run begins
    warm_start: WarmStart | None = None  # None: first weights follow from the seed
    oversampled: tuple[int, ...] = ()  # rows of `train` that come several times in an epoch
    oversampling: int = 1  # so often
    licence: str = ""  # of the corpus, in one line; empty: nobody said so

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that was learnt from the corpus."""
        return self.reader.tokenizer

    @property
    def recipe_to_store(self) -> Recipe:
        """The recipe as the bot keeps it."""
        if self.warm_start is None:
            return self.recipe
        return self.recipe.model_copy(update={"training": self.warm_start.training})

    @property
    def epoch_examples(self) -> Examples:
        """What an epoch goes through: `train`, with the oversampled rows again at the end."""
        if self.oversampling == 1:
            return self.train
        return self.train.picked(
            [*range(len(self.train)), *self.oversampled * (self.oversampling - 1)]
        )

    @property
    def answers_recur(self) -> bool:
        """Whether answers recur, as in a FAQ: then replies can be judged word for word."""
        return answers_recur(self.train.exchanges)

    def compatibility_key(self) -> dict[str, str]:
        """Return what a checkpoint must have in common with this job, by a word for people."""
        recipe = self.recipe.model_dump(mode="json")
        for name in _MAY_CHANGE:
            del recipe["training"][name]
        del recipe["engine"]["device"]
        compatibility_key = {"corpus": self.corpus.fingerprint, "recipe": digest([repr(recipe)])}
        if self.oversampled:
            compatibility_key["choice of corrections"] = digest(
                [repr((self.oversampled, self.oversampling))]
            )
        if self.warm_start is not None:  # a name and a corpus may be those of a newer bot
            compatibility_key["tokenizer"] = digest([self.tokenizer.to_json()])
        return compatibility_key


def prepare(
    registry: Registry,
    exchanges: Iterable[Exchange],
    recipe: Recipe,
    *,
    name: str,
    accepted: Sequence[Accepted] = (),
) -> Job:
    """Read the exchanges and return what is needed to train on them.

    Args:
        accepted: feedback that is learnt too, and wins over the exchanges

    Raises:
        TrainingError: there is nothing to learn from.
        PartError: a part of the recipe does not exist or does not fit.
        RecipeError: a setting asks for what the parts cannot do.
        BundleError: the name cannot be that of a bot.
    """
    check_name(name)
    recipe.check(registry, "the recipe")
    build_decoding(registry, recipe)  # what is wrong with it is told before anything is learnt
    told = check_compatibility(registry, recipe)
    listed = list(exchanges)
    if not listed:
        raise TrainingError(
            "There are no exchanges to learn from. Check the corpus files.",
            kind=ErrorKind.NOTHING_TO_LEARN,
        )
    filters = TextFilters.of(registry, recipe.question.filters, where="in the recipe")
    listed, emptied = _filtered(listed, filters)
    train, held_back, remarks = _parted(listed, recipe)
    accepted = filtered_feedback(accepted, filters)
    joined = join_accepted(train, held_back, accepted, recipe.question.context_turns)
    reader = question_encoder(recipe, _tokenizer(registry, recipe, joined.train))
    job = job_of(registry, recipe, reader, joined.train, joined.held_back, name=name)
    return replace(job, remarks=(*emptied, *remarks, *joined.remarks, *told, *job.remarks))


def _filtered(
    exchanges: Sequence[Exchange], filters: TextFilters
) -> tuple[list[Exchange], list[str]]:
    """Return exchanges as they are learnt, and remarks about those of which no question is left.

    Raises:
        TrainingError: no question is left of any.
    """
    passed = [filters.exchange(each) for each in exchanges]
    left = [each for each in passed if each.question.strip()] if filters else passed
    if not left:
        raise TrainingError(
            "The text filters leave nothing of any question. Change question.filters.",
            kind=ErrorKind.NOTHING_TO_LEARN,
        )
    gone = len(passed) - len(left)
    remark = f"{gone} exchanges were left out, since question.filters leave nothing of the question"
    return left, [f"{remark}."] if gone else []


def job_of(
    registry: Registry,
    recipe: Recipe,
    reader: QuestionEncoder,
    train: Sequence[Exchange],
    held_back: Sequence[Exchange],
    *,
    name: str,
) -> Job:
    """Return the job of learning exchanges that are parted already.

    Args:
        held_back: for validation; where there is none, that is done on what is learnt

    Raises:
        TrainingError: every answer is too long.
    """
    most = recipe.data.max_answer_tokens
    learnt = Examples(train, reader, max_answer_tokens=most)
    checked = Examples(held_back, reader, max_answer_tokens=most)
    if not learnt:
        raise TrainingError(
            f"All {len(train)} answers are longer than data.max_answer_tokens ({most}). "
            "Set it higher: --set data.max_answer_tokens=200"
        )
    remarks = []
    if left_out := learnt.left_out + checked.left_out:
        remarks.append(
            f"{left_out} exchanges were left out, since their answers are longer than "
            f"data.max_answer_tokens ({most})."
        )
    record = _record([*train, *held_back], recipe.question.context_turns, len(checked))
    return Job(name, recipe, registry, reader, learnt, checked or learnt, record, tuple(remarks))


def digest(texts: Iterable[str]) -> str:
    """Return one checksum over texts, in order."""
    hashed = new_hash()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "little"))
        hashed.update(data)
    return hashed.hexdigest()


def _parted(
    listed: list[Exchange], recipe: Recipe
) -> tuple[list[Exchange], list[Exchange], list[str]]:
    """Return the exchanges to learn from, those to be held back for validation, and remarks."""
    share = recipe.data.validation_share
    questions = {question_key(exchange.question) for exchange in listed}
    if len(questions) < _FEWEST or round(len(questions) * share) == 0:
        told = f"{len(questions)} distinct questions are too few to spare any for validation"
        remark = f"{told}: the figures are over the questions that were learnt."
        return listed, [], [remark] if share else []
    train, validation = split_by_question(listed, share, recipe.training.seed)
    return train, validation, []


def _tokenizer(registry: Registry, recipe: Recipe, train: Sequence[Exchange]) -> Tokenizer:
    part: TokenizerPart = build_part(
        registry, "tokenizer", recipe.tokenizer, where="in [tokenizer]"
    )
    questions = _texts_read(train, recipe.question.context_turns)
    read = map(folded, questions) if recipe.question.fold else questions
    return part.learn(read, (exchange.answer for exchange in train))


def _texts_read(exchanges: Sequence[Exchange], context_turns: int) -> Iterator[str]:
    """Yield the questions, then each earlier turn that is read and no question itself, once."""
    yield from (exchange.question for exchange in exchanges)
    known = {exchange.question for exchange in exchanges}
    for exchange in exchanges:
        for turn in newest_turns(exchange.context, context_turns):
            if turn not in known:
                known.add(turn)
                yield turn


def _record(listed: Sequence[Exchange], context_turns: int, held_back: int) -> CorpusRecord:
    texts = (
        text
        for e in listed
        for text in (*newest_turns(e.context, context_turns), e.question, e.answer)
    )
    names = dict.fromkeys(_file_name(e.source) for e in listed if e.source)
    return CorpusRecord(digest(texts), len(listed), tuple(names)[:_MOST_SOURCES], held_back)


def _file_name(source: str) -> str:
    """Return the name of the file of a `file:line`; its folders are nobody's business."""
    return PurePath(source.rpartition(":")[0]).name
