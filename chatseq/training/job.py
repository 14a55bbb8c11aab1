"""What a run works on: exchanges read, split and encoded, a tokenizer learnt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from chatseq.bundle import CorpusRecord, check_name
from chatseq.chat.bot import question_reader
from chatseq.corpus.split import question_key, split_by_question
from chatseq.errors import TrainingError
from chatseq.exchange import Exchange
from chatseq.files import new_hash
from chatseq.model.fit import check_fit
from chatseq.options import build_part
from chatseq.plugins import Registry
from chatseq.recipe import Recipe
from chatseq.text.question import QuestionReader, folded, newest_turns
from chatseq.text.tokenizer import Tokenizer, TokenizerPart
from chatseq.training.data import Examples

_FEWEST = 20  # distinct questions; of fewer, none can be spared for validation
_MOST_SOURCES = 20  # names of files in the record
# Settings that may differ between a run and its resumption: they say how long, not what.
_MAY_CHANGE = {"minutes", "max_epochs", "min_steps", "patience", "checkpoint_seconds"}


@dataclass(frozen=True, slots=True)
class Job:
    """One bot to be trained."""

    name: str
    recipe: Recipe
    registry: Registry
    reader: QuestionReader
    train: Examples
    validation: Examples
    corpus: CorpusRecord
    remarks: tuple[str, ...] = ()  # what the user should know before the run begins

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that was learnt from the corpus."""
        return self.reader.tokenizer

    @property
    def closed(self) -> bool:
        """Whether answers recur, as in a FAQ: then replies can be judged word for word."""
        answers = {exchange.answer for exchange in self.train.exchanges}
        return 2 * len(answers) <= len(self.train)

    def marks(self) -> dict[str, str]:
        """Return what a checkpoint must have in common with this job, by a word for people."""
        recipe = self.recipe.model_dump(mode="json")
        for name in _MAY_CHANGE:
            del recipe["training"][name]
        return {"corpus": self.corpus.fingerprint, "recipe": digest([repr(recipe)])}


def prepare(registry: Registry, exchanges: Iterable[Exchange], recipe: Recipe, *, name: str) -> Job:
    """Read the exchanges and return what is needed to train on them.

    Raises:
        TrainingError: there is nothing to learn from.
        PartError: a part of the recipe does not exist or does not fit.
        RecipeError: a setting asks for what the parts cannot do.
        BundleError: the name cannot be that of a bot.
    """
    check_name(name)
    recipe.check(registry, "the recipe")
    told = check_fit(registry, recipe)
    listed = list(exchanges)
    if not listed:
        raise TrainingError("There are no exchanges to learn from. Check the corpus files.")
    train, validation, remarks = _parted(listed, recipe)
    remarks += told
    reader = question_reader(recipe, _tokenizer(registry, recipe, train))
    most = recipe.data.max_answer_tokens
    learnt = Examples(train, reader, max_answer_tokens=most)
    checked = Examples(validation, reader, max_answer_tokens=most)
    if not learnt:
        raise TrainingError(
            f"All {len(train)} answers are longer than data.max_answer_tokens ({most}). "
            "Set it higher: --set data.max_answer_tokens=200"
        )
    if not checked:
        checked = learnt
    if left_out := learnt.left_out + checked.left_out:
        remarks.append(
            f"{left_out} exchanges were left out, since their answers are longer than "
            f"data.max_answer_tokens ({most})."
        )
    record = _record(listed, recipe.question.context_turns)
    return Job(name, recipe, registry, reader, learnt, checked, record, tuple(remarks))


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
    """Return the exchanges to learn from, those to validate on, and remarks."""
    share = recipe.data.validation_share
    questions = {question_key(exchange.question) for exchange in listed}
    if len(questions) < _FEWEST or round(len(questions) * share) == 0:
        told = f"{len(questions)} distinct questions are too few to spare any for validation"
        remark = f"{told}: the figures are over the questions that were learnt."
        return listed, listed, [remark] if share else []
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


def _record(listed: Sequence[Exchange], context_turns: int) -> CorpusRecord:
    texts = (
        text
        for e in listed
        for text in (*newest_turns(e.context, context_turns), e.question, e.answer)
    )
    names = dict.fromkeys(_file_name(e.source) for e in listed if e.source)
    return CorpusRecord(digest(texts), len(listed), tuple(names)[:_MOST_SOURCES])


def _file_name(source: str) -> str:
    """Return the name of the file of a `file:line`; its folders are nobody's business."""
    return PurePath(source.rpartition(":")[0]).name
