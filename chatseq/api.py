"""What a Python program calls; the command line and the chat are written on it.

It knows plugins, switches and corrections as the command line does (chatseq.composition). Importing
it imports nothing heavy; torch is imported when something is trained. docs/api.md shows all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from chatseq.composition import ALL_CORES, installed_plugins, load_answering, thread_settings
from chatseq.core.plugins import Registry
from chatseq.core.settings import Settings, as_overrides, flattened

if TYPE_CHECKING:
    from chatseq.bots.bot import Bot as Answering
    from chatseq.bots.bundle import BundleListing, Manifest
    from chatseq.bots.responder import Responder
    from chatseq.bots.text_stream import TextStream
    from chatseq.chat.session import ChatSession
    from chatseq.core.events import CorpusReport, FinishedReport, TrainingEvent
    from chatseq.core.exchange import Exchange, Reply
    from chatseq.core.recipe import Recipe
    from chatseq.corpus.read import ReadOptions, ReadReport
    from chatseq.evaluation.report import Progress, Report
    from chatseq.history.contracts import History
    from chatseq.training.job import Job
    from chatseq.training.job_sources import JobOptions

    Event = TrainingEvent | CorpusReport
    Files = str | Path | Iterable[str | Path]
    Pairs = Iterable[Exchange | tuple[str, str]]  # of question and answer

CHANGEABLE = ("decoding", "responder")  # sections of a recipe that a loaded bot can still change


class Bot:
    """A trained bot: ask it, stream its replies, or chat with it.

    bot = Bot.load("faq")
    print(bot.ask("do you open on Sundays?").text)
    """

    def __init__(self, answering: Answering, *, corrected: bool = False) -> None:
        """Wrap what `chatseq.bots.loader` has loaded; programs call `Bot.load` or `train`.

        Args:
            corrected: whether the corrections of a chat are known at its next question
        """
        self._answering = answering
        self._corrected = corrected

    @classmethod
    def load(
        cls,
        name: str | Path | None = None,
        *,
        settings: Settings = (),
        corrections: bool = True,
        threads: int | None = None,
        registry: Registry | None = None,
    ) -> Bot:
        """Load a trained bot.

        Args:
            name: its name, or a path to its folder; None: the one trained or chosen last
            settings: of decoding, engine and responder, `{"decoding.max_length": 20}`
            corrections: whether it says what users have said with /correct is right
            threads: of the processor; 0: all, for many questions at once; None: as the bot says
            registry: the plugins; those that are installed and on by default

        Raises:
            BundleError: there is no such bot, or it is damaged or lacks a plugin.
            RecipeError: a setting does not exist or is fixed by training.
            PartError: a setting names a part or an option that does not exist.
            EngineError: its network cannot run here.
        """
        return cls(
            load_answering(
                registry or installed_plugins(),
                name,
                [*thread_settings(threads), *as_overrides(settings)],
                corrections=corrections,
            ),
            corrected=corrections,
        )

    def __repr__(self) -> str:
        return f"<chatseq.Bot {self.name!r}>"

    @property
    def name(self) -> str:
        """The name under which it lies."""
        return self._answering.name

    @property
    def recipe(self) -> Recipe:
        """Everything that decides how it was made and how it answers."""
        return self._answering.recipe

    @property
    def settings(self) -> dict[str, str]:
        """What `with_settings` can change, by path, each value as TOML."""
        sections = self.recipe.model_dump(mode="json", include=set(CHANGEABLE))
        return dict(flattened(sections))

    @property
    def strategy(self) -> str:
        """The name of the decoding strategy."""
        return self._answering.strategy_name

    @property
    def manifest(self) -> Manifest:
        """When and on what it was trained, its licence and figures, read from its folder.

        Raises:
            BundleError: the bot was removed or damaged meanwhile.
        """
        from chatseq.bots.bundle.store import read_manifest

        folder = self._answering.folder
        if folder is None:
            raise ValueError(f"the bot '{self.name}' does not lie on the disk")
        return read_manifest(folder.parent)

    @property
    def figures(self) -> Mapping[str, float | None]:
        """What was measured at the end of training, over questions held back from learning."""
        return self.manifest.figures

    @property
    def responder(self) -> Responder:
        """What answers; for those who build on it, as the chat does."""
        return self._answering.responder

    def ask(self, question: str, context: Sequence[str] = ()) -> Reply:
        """Return the finished reply to a question. Nothing is stored.

        Args:
            context: earlier turns, oldest first: questions and replies in turn
        """
        return self.responder.reply(question, context)

    def ask_all(
        self, questions: Iterable[str], contexts: Iterable[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        """Answer many questions, batched, and yield the replies in order.

        Args:
            contexts: the earlier turns of each question; empty: no question has any
        """
        return self.responder.reply_all(list(questions), list(contexts))

    def stream(self, question: str, context: Sequence[str] = ()) -> TextStream:
        """Return the pieces of a reply as they come to stand; its `reply` is the finished one."""
        from chatseq.bots.text_stream import TextStream

        parts = self.responder.stream(question, context)
        return TextStream(parts, parts.partial)

    def explain(self, question: str, reply: Reply, context: Sequence[str] = ()) -> Reply:
        """Return a reply that it gave with all that explains it; the text stays as it is.

        `chatseq.bots.explain` turns that into lines or a value.
        """
        from chatseq.bots.explain import explained

        return explained(self.responder, question, reply, context)

    def chat(self, *, saved: bool = False, resume: str | None = None) -> ChatSession:
        """Begin a conversation, which remembers what was said; close it in the end.

        Args:
            saved: keep it in the user's history, where `chatseq history` finds it; else it lasts
                as long as the process
            resume: go on with a conversation of that history, by its id or `last`

        Raises:
            HistoryError: there is no conversation to resume.
        """
        from chatseq.chat.chat import Chat
        from chatseq.chat.session import ChatSession
        from chatseq.history.memory import MemoryHistory
        from chatseq.history.opening import open_history

        kept = saved or resume is not None
        chat = Chat(self.responder, open_history if kept else MemoryHistory, bot=self.name)
        if resume is not None:
            chat.resume(resume)
        return ChatSession(chat, corrected_by=self._corrected_by if self._corrected else None)

    def with_settings(self, settings: Settings) -> Bot:
        """Return the bot with settings of decoding and responder changed; the network is shared.

        Raises:
            RecipeError: a setting does not exist, or is fixed once a bot is loaded.
            PartError: a setting names a part or an option that does not exist.
        """
        changed = self._answering.with_overrides(as_overrides(settings))
        return Bot(changed, corrected=self._corrected)

    def _corrected_by(self, history: History) -> Responder:
        """Return what answers when the corrections of a history in memory count, too."""
        from chatseq.chat.corrections import Corrections

        known = Corrections(beside=lambda: history)
        data = replace(self._answering.data, corrections=lambda: known(self.name))
        return replace(self._answering, data=data).responder

    def _as_learnt(self) -> Answering:
        """Return what answers by what was learnt alone, without corrections."""
        if not self._corrected:
            return self._answering
        return replace(self._answering, data=replace(self._answering.data, corrections=tuple))


def list_bots() -> list[BundleListing]:
    """Return the bots of this user by name: each with its manifest, or with its fault."""
    from chatseq.bots.bundle import list_bundles

    return list_bundles()


def read_corpus(
    files: Files,
    *,
    settings: Settings = (),
    options: ReadOptions | None = None,
    report: ReadReport | None = None,
    registry: Registry | None = None,
) -> Iterator[Exchange]:
    """Yield the exchanges of files in order, cleaned; memory stays bounded.

    Args:
        files: a path or several; `one.en+one.fr` names two parallel files
        settings: of the readers, `{"csv.question": "Frage"}`
        options: a format, an encoding, whether bad rows are left out
        report: filled on the way with what was read and what was left out

    Raises:
        CorpusError: a file cannot be read or holds nothing, or there is a bad row.
        PartError: there is no such reader or option of one.
    """
    from chatseq.corpus.read import KIND, ReadOptions
    from chatseq.corpus.read import read_corpus as read

    plugins = registry or installed_plugins()
    chosen = options or ReadOptions()
    given = as_overrides(settings, plain=plugins.parts(KIND))
    joined = replace(chosen, settings=(*chosen.settings, *given))
    return read(plugins, _paths(files), options=joined, report=report)


def train(
    corpus: Files | Pairs = (),
    *,
    name: str | None = None,
    recipe: str | Recipe | None = None,
    settings: Settings = (),
    minutes: float | None = None,
    licence: str = "",
    from_history: bool = False,
    resume: bool = False,
    on_event: Callable[[Event], object] | None = None,
    stop: Callable[[], bool] = lambda: False,
    registry: Registry | None = None,
) -> Bot:
    """Train a bot, store it, make it the default one, and return it.

    Args:
        corpus: files, or pairs of question and answer; nothing: learn on `from_history`
        name: of the bot; that of the first file by default, needed for pairs
        recipe: the name of a recipe, a TOML file or a Recipe; chosen by the corpus by default
        settings: of the recipe and of the readers, `{"training.seed": 7}`
        minutes: stop after so long
        licence: of the corpus; by default what a LICENSE beside its files says
        from_history: learn what was accepted with `chatseq history feedback accept`, too
        resume: go on with a run that was stopped or killed
        on_event: told what was read, then of every report of the run; see chatseq.core.events
        stop: asked after each step; when true, the best weights so far are stored
        registry: the plugins; those that are installed and on by default

    Raises:
        CorpusError: a file cannot be read.
        TrainingError: there is nothing to learn from, or the bot is being trained already.
        RecipeError, PartError: the recipe or a setting does not fit.
    """
    from chatseq.training.job_sources import JobOptions

    plugins = registry or installed_plugins()
    overrides = tuple(as_overrides(settings, plain=plugins.parts("corpus-reader")))
    options = JobOptions(name, recipe, overrides, minutes, licence, from_history)
    tell = on_event or (lambda _: None)
    job = training_job(plugins, corpus, options, tell)
    run_training(job, resume=resume, stop=stop, on_event=tell)
    return Bot.load(job.name, registry=plugins)


def training_job(
    registry: Registry,
    corpus: Files | Pairs,
    options: JobOptions,
    tell: Callable[[Event], object],
) -> Job:
    """Return what `run_training` works on: files or pairs read, a recipe chosen.

    Args:
        corpus: nothing: what was accepted about a bot that goes on learning
        tell: told what was read

    Raises:
        ChatseqError: as `train` does.
    """
    from chatseq.training import job_sources

    files, pairs = _sorted_out(corpus)
    if files:
        return job_sources.job_of_files(registry, files, options, tell)
    if pairs or not options.from_history:
        return job_sources.job_of_exchanges(registry, pairs, options, tell)
    return job_sources.job_of_history(registry, options, tell)


def run_training(
    job: Job,
    *,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
    on_event: Callable[[Event], object] = lambda _: None,
    watch: Callable[[Iterator[TrainingEvent]], Iterator[TrainingEvent]] = iter,
) -> FinishedReport:
    """Train and store the bot of a job, and return the last report, which `on_event` gets, too.

    Args:
        watch: is given the reports of the run and gives them on, as AnswerDiff.watch does

    Raises:
        TrainingError: as chatseq.training.run.train does.
    """
    from chatseq.core.events import FinishedReport
    from chatseq.training.run import train as events_of

    *_, finished = _told(watch(events_of(job, resume=resume, stop=stop)), on_event)
    assert isinstance(finished, FinishedReport)  # noqa: S101  (it always comes last)
    return finished


def evaluate(
    bot: Bot | str | Path | None,
    corpus: Files | Pairs,
    *,
    most: int | None = None,
    settings: Settings = (),
    on_progress: Callable[[Progress], object] | None = None,
    registry: Registry | None = None,
) -> Report:
    """Ask a bot the questions of a corpus and judge its replies, corrections left aside.

    Args:
        bot: by name it is loaded to use all cores; None: the one trained or chosen last
        corpus: files, or pairs of question and answer; an empty answer: it is to be declined
        most: ask so many questions at most, evenly spread
        settings: of the readers of the files

    Raises:
        CorpusError: a file cannot be read.
        BundleError: there is no such bot.
    """
    from chatseq.evaluation.report import evaluate as judge

    plugins = registry or (bot._answering.registry if isinstance(bot, Bot) else installed_plugins())
    files, pairs = _sorted_out(corpus)
    exchanges = read_corpus(files, settings=settings, registry=plugins) if files else pairs
    asked = bot if isinstance(bot, Bot) else Bot.load(bot, threads=ALL_CORES, registry=plugins)
    return judge(asked._as_learnt(), exchanges, plugins, most=most, on_progress=on_progress)


def _told(
    events: Iterator[TrainingEvent], on_event: Callable[[Event], object]
) -> Iterator[TrainingEvent]:
    for event in events:
        on_event(event)
        yield event


def _paths(files: Files) -> list[str | Path]:
    return [files] if isinstance(files, str | Path) else list(files)


def _sorted_out(corpus: Files | Pairs) -> tuple[list[str | Path], list[Exchange]]:
    """Return the files of a corpus, or its pairs as exchanges."""
    if isinstance(corpus, str | Path):
        return [corpus], []
    from chatseq.corpus.read import clean_pairs

    listed = list(corpus)
    files = [each for each in listed if isinstance(each, str | Path)]
    pairs = [each for each in listed if not isinstance(each, str | Path)]
    if files and pairs:
        raise ValueError("a corpus is files or pairs, not both")
    return files, clean_pairs(pairs)
