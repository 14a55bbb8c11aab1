"""What earlier turns are worth, and how dull replies are, on conversations between people.

    python benchmarks/dialogue.py context --corpus self_dialogue --epochs 2 --seeds 0 1
    python benchmarks/dialogue.py context --corpus lccc_base --epochs 8
    python benchmarks/dialogue.py dull --minutes 30 --home DIR --weights 0.3 0.5
    python benchmarks/dialogue.py dull --minutes 30 --home DIR --part test

`context` trains a bot for each number of earlier turns, on the same rows in as many steps, and
prints the teacher-forced perplexity of the same held-out exchanges: of all, and of those that have
earlier turns. `dull` trains one bot and prints how varied its replies to held-out questions are, by
strategy. Everything goes through the command line. With --home the bots are kept, and those that it
holds already are not trained again, so that ways to decode can be compared at once; other settings
of training want another home.

Whole dialogues are held back, as the corpora's README says: choose on the validation part, which is
the default, and report on `--part test`. lccc_base has no test part. The corpora lie beside the
project in ../shared/corpora.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from quality import CORPORA, chatseq, evaluate, train

from chatseq.core.exchange import Reply, ReplySource
from chatseq.core.sequences import evenly_spaced
from chatseq.evaluation.contracts import JudgedReply
from chatseq.text.normalise import units
from chatseq.text.terminal import safe_line
from chatseq_metrics.variety import Distinct, MostFrequentReply

HELD_BACK = 1000  # dialogues of each part
MOST_ASKED = 3000  # exchanges whose perplexity is taken
QUESTIONS = 1000  # that are answered
TURNS = (0, 1, 2, 3)

Dialogue = tuple[str, ...]


class Asked(NamedTuple):
    """A held-out exchange."""

    question: str
    answer: str
    context: Dialogue  # earlier turns, oldest first


def self_dialogue() -> list[Dialogue]:
    """Return the English dialogues, in file order."""
    file = CORPORA / "self_dialogue" / "self_dialogue.jsonl.gz"
    lines = gzip.decompress(file.read_bytes()).decode().split("\n")
    return [tuple(json.loads(line)["turns"]) for line in lines if line]


def lccc_base() -> list[Dialogue]:
    """Return the Chinese dialogues, in file order, without the spaces between characters."""
    file = CORPORA / "lccc_base" / "LCCC-base_valid.json"
    listed = json.loads(file.read_text(encoding="utf-8"))
    return [tuple(turn.replace(" ", "") for turn in turns) for turns in listed]


class Corpus(NamedTuple):
    """How a corpus is read, split and trained on."""

    dialogues: Callable[[], list[Dialogue]]
    parts: tuple[str, ...]  # held back, in this order
    settings: tuple[str, ...] = ()


CASES = {
    "self_dialogue": Corpus(self_dialogue, ("test", "validation")),
    # A token for each character, so that the perplexity is that of characters.
    "lccc_base": Corpus(lccc_base, ("validation",), ("tokenizer.name=character",)),
}
SETTINGS = (
    "responder.name=seq2seq",  # the network alone
    # Nothing of the rows is held out by question: only then is every earlier turn a question too,
    # and the tokenizer the same for any number of turns.
    "data.validation_share=0",
    "question.max_tokens=128",  # room for the earlier turns
    "training.min_steps=0",
    "training.validations=5",
)
BATCH_TOKENS = 4096


def split(corpus: Corpus, most: int | None) -> dict[str, list[Dialogue]]:
    """Return the dialogues by part, whole, with exact copies dropped; the rest is `train`.

    Args:
        most: dialogues that are learnt from; with few of them, fewer are held back
    """
    distinct = list(dict.fromkeys(corpus.dialogues()))
    random.Random(13).shuffle(distinct)  # noqa: S311
    found = {
        part: distinct[at * HELD_BACK : (at + 1) * HELD_BACK][:most]
        for at, part in enumerate(corpus.parts)
    }
    found["train"] = distinct[len(corpus.parts) * HELD_BACK :][:most]
    return found


def exchanges(dialogues: Iterable[Dialogue]) -> list[Asked]:
    """Return the exchanges; of those with the same question and answer only the first.

    Else the number of turns that a bot reads would decide how often such a pair counts.
    """
    found: dict[tuple[str, str], Asked] = {}
    for turns in dialogues:
        for at in range(1, len(turns)):
            asked = Asked(turns[at - 1], turns[at], turns[max(0, at - 1 - max(TURNS)) : at - 1])
            found.setdefault((asked.question, asked.answer), asked)
    return list(found.values())


def write_lines(file: Path, values: Iterable[dict[str, Any]]) -> Path:
    """Write JSON Lines."""
    text = "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)
    file.write_text(text, encoding="utf-8")
    return file


def batch_tokens(dialogues: Iterable[Dialogue], turns: int) -> int:
    """Return the budget with which a batch has as many rows as one without earlier turns.

    So the steps of an epoch are as many. Tokens go about as characters do.
    """
    plain = earlier = 0
    for asked in exchanges(dialogues):
        plain += len(asked.question) + len(asked.answer)
        earlier += sum(map(len, asked.context[-turns:])) if turns else 0
    return round(BATCH_TOKENS * (plain + earlier) / max(1, plain))


class Run(NamedTuple):
    """A trained bot."""

    name: str
    steps: int
    seconds: float


def trained(home: Path, rows: list[Dialogue], turns: int, seed: int, given: Any) -> Run:
    """Train a bot, unless the home has it."""
    name = f"{given.corpus.replace('_', '-')}-{turns}-{seed}"
    if not (home / "bots" / name).is_dir():
        file = write_lines(home / "learn.jsonl", ({"turns": turns} for turns in rows))
        settings = [
            *SETTINGS,
            *CASES[given.corpus].settings,
            f"question.context_turns={turns}",
            f"training.batch_tokens={batch_tokens(rows, turns)}",
            f"training.seed={seed}",
            *([] if given.epochs is None else [f"training.max_epochs={given.epochs}"]),
            *given.settings,
        ]
        limit = [] if given.minutes is None else ["--minutes", str(given.minutes)]
        sets = [part for setting in settings for part in ("--set", setting)]
        train(home, name, file, "--recipe", given.recipe, *limit, *sets)
    log = (home / "runs" / name / "metrics.jsonl").read_text(encoding="utf-8").split("\n")
    last = json.loads(log[-2])  # the text ends with a line end
    return Run(name, last["step"], last["seconds"])


def context(home: Path, parts: dict[str, list[Dialogue]], given: Any) -> None:
    """Print a row for each number of earlier turns."""
    held_out = evenly_spaced(exchanges(parts[given.part]), given.asked)
    later = [asked for asked in held_out if asked.context]
    files = [
        write_lines(home / f"{name}.jsonl", (one._asdict() for one in some))
        for name, some in (("all", held_out), ("later", later))
    ]
    shown = f"ppl of {len(held_out)} | ppl of the {len(later)} with earlier turns"
    print(f"| {given.corpus}, turns read | seed | steps | {shown} | training |", flush=True)
    for seed in given.seeds:
        for turns in given.turns:
            run = trained(home, parts["train"], turns, seed, given)
            cells = [
                # One token of a reply is enough: only the wanted answers are looked at.
                evaluate(home, run.name, file, "--set", "decoding.max_length=1")
                for file in files
            ]
            figures = " | ".join(f"{cell['perplexity_teacher_forced']:.2f}" for cell in cells)
            print(
                f"| {turns} | {seed} | {run.steps} | {figures} | {run.seconds:.0f} s |", flush=True
            )


def dull(home: Path, parts: dict[str, list[Dialogue]], given: Any) -> None:
    """Print a row for each way to decode, and one for the wanted answers."""
    distinct = {asked.question: asked for asked in exchanges(parts[given.part])}
    asked = evenly_spaced(list(distinct.values()), min(given.asked, QUESTIONS))
    print("| replies | questions | distinct-1 | distinct-2 | most frequent | words | said most |")
    show_variety("wanted answers", [one.answer for one in asked])
    run = trained(home, parts["train"], 0, given.seeds[0], given)
    questions = "".join(" ".join(one.question.split()) + "\n" for one in asked)
    for title, arguments in ways(given.weights):
        typed = chatseq(home, "ask", "-", "--bot", run.name, "--json", *arguments, typed=questions)
        lines = [line for line in typed.split("\n") if line]
        show_variety(title, [json.loads(line)["text"] for line in lines])


def ways(weights: Iterable[float]) -> Iterator[tuple[str, list[str]]]:
    """Yield the ways to decode that are compared, with their arguments."""
    for strategy in ("greedy", "beam", "sample"):
        yield strategy, ["--strategy", strategy]
    for weight in weights:
        table = f'{{name="specificity", weight={weight}}}'
        adjusters = f'decoding.adjusters=[{{name="ngram-block"}}, {table}]'
        for strategy in ("greedy", "beam"):
            yield f"{strategy}, specificity {weight}", ["--strategy", strategy, "--set", adjusters]


def show_variety(title: str, replies: list[str]) -> None:
    """Print one row."""
    judged = [JudgedReply("", ("",), Reply(text, ReplySource.GENERATED, 1.0)) for text in replies]
    words, most = Distinct(), MostFrequentReply()
    words.add(judged)
    most.add(judged)
    figures = {**words.figures(), **most.figures()}
    shown = [f"{figures[name] or 0:.3f}" for name in ("distinct_1", "distinct_2")]
    share = f"{figures['most_frequent_reply'] or 0:.1%}"
    length = statistics.fmean(len(units(text)) for text in replies)
    most_said = safe_line(statistics.mode(replies))[:60]
    cells = [title, str(len(replies)), *shown, share, f"{length:.1f}", most_said]
    print(f"| {' | '.join(cells)} |", flush=True)


@contextmanager
def home_of(given: str | None) -> Iterator[Path]:
    """Open the home of the bots: the one given, or one that is gone afterwards."""
    if given is not None:
        Path(given).mkdir(parents=True, exist_ok=True)
        yield Path(given)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def arguments() -> Any:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("case", choices=("context", "dull"))
    parser.add_argument("--corpus", choices=sorted(CASES), default="self_dialogue")
    parser.add_argument("--part", choices=("validation", "test"), default="validation")
    parser.add_argument("--dialogues", type=int, help="learn from so many at most")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--recipe", default="small")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--turns", type=int, nargs="+", choices=TURNS, default=list(TURNS))
    parser.add_argument("--weights", type=float, nargs="+", default=[0.5], help="of specificity")
    parser.add_argument("--asked", type=int, default=MOST_ASKED, help="held-out exchanges")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--home", help="keep the bots in this folder")
    given = parser.parse_args()
    if given.part not in CASES[given.corpus].parts:
        parser.error(f"{given.corpus} has no {given.part} part")
    if given.epochs is None and given.minutes is None:
        given.epochs = 2
    return given


def main() -> None:
    """Run one case."""
    given = arguments()
    parts = split(CASES[given.corpus], given.dialogues)
    with home_of(given.home) as home:
        {"context": context, "dull": dull}[given.case](home, parts, given)


if __name__ == "__main__":
    main()
