"""A bot from its bundle: trained here on four exchanges, then asked through both engines."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from chatseq.bots.bot import question_encoder
from chatseq.bots.bundle import Manifest, bot_folder, set_default_bot, write_bundle
from chatseq.bots.loader import load_bot
from chatseq.core.errors import BundleError, EngineError, PartError, RecipeError
from chatseq.core.exchange import ReplySource
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.engines.export import export_graphs
from chatseq.model.batch import Batch
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.question_encoder import pad_questions
from chatseq.text.tokenizer import END_ID, PAD_ID
from chatseq_subword.part import Subword
from chatseq_subword.tokenizer import SubwordTokenizer

TAUGHT = {
    "hello": "Hello! How can I help?",
    "who are you": "I am a bot, and a small one.",
    "你好": "你好！很高兴见到你。",
    "smile": "Here is one: 😀",
}


def learn(model: Seq2Seq, recipe: Recipe, tokenizer: SubwordTokenizer) -> None:
    """Learn the exchanges by heart."""
    reader = question_encoder(recipe, tokenizer)
    asked = pad_questions([reader.read(question) for question in TAUGHT], reader.features)
    answers = [torch.tensor([*tokenizer.encode(answer), END_ID]) for answer in TAUGHT.values()]
    answer_ids = torch.nn.utils.rnn.pad_sequence(answers, batch_first=True, padding_value=PAD_ID)
    batch = Batch(
        *map(torch.from_numpy, asked), answer_ids=answer_ids, answer_mask=answer_ids != PAD_ID
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        loss = model.loss(batch, label_smoothing=0.0)
        (loss.total / loss.tokens).backward()
        optimiser.step()


@pytest.fixture(scope="module")
def trained(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bot that knows its four answers."""
    torch.manual_seed(0)
    texts = [text for pair in TAUGHT.items() for text in pair]
    tokenizer = Subword(vocabulary_size=512).learn(texts)
    recipe = load_recipe("tiny").apply(
        [
            "tokenizer.name=subword",
            "model.embedding_size=32",
            "model.encoder.hidden_size=16",
            "model.decoder.hidden_size=48",
            "model.dropout=0.0",
            "question.features=4",
            "question.feature_buckets=64",
            "responder.name=seq2seq",  # the bundle is written here, without a corpus
        ]
    )
    model = build_model(registry, recipe, tokenizer.size)
    learn(model, recipe, tokenizer)

    def fill(folder: Path) -> None:
        (folder / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
        (folder / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
        save_file(model.state_dict(), folder / "weights.safetensors")
        export_graphs(model, folder)

    folder = tmp_path_factory.mktemp("bots") / "taught"
    write_bundle(folder, Manifest("taught", {}), fill)
    return folder


@pytest.fixture
def stored(trained: Path, home: Path) -> str:
    """The name of the bot, which is stored."""
    shutil.copytree(trained, bot_folder("taught"))
    return "taught"


@pytest.mark.parametrize("engine", ["onnx", "torch"])
@pytest.mark.parametrize("strategy", ["greedy", "beam"])
def test_a_trained_bot_answers_what_it_was_taught(
    registry: Registry, trained: Path, engine: str, strategy: str
) -> None:
    settings = [f"engine.name={engine}", f"decoding.strategy.name={strategy}"]
    bot = load_bot(registry, trained, overrides=settings)
    replies = list(bot.responder.reply_all(list(TAUGHT)))
    assert [reply.text for reply in replies] == list(TAUGHT.values())
    assert all(reply.source is ReplySource.GENERATED for reply in replies)
    assert all(reply.confidence > 0.8 for reply in replies)
    assert {reply.strategy for reply in replies} == {strategy}
    for question, answer in TAUGHT.items():
        *parts, reply = bot.responder.stream(question)
        assert "".join(map(str, parts)) == answer
        assert not isinstance(reply, str)
        weights = [sum(piece.weights) for piece in reply.pieces]
        assert weights == pytest.approx([1.0] * len(weights), abs=1e-4)


def test_both_engines_say_the_same_and_are_as_sure(registry: Registry, trained: Path) -> None:
    questions = [*TAUGHT, "hullo there", "谁", "something quite different and a good deal longer"]
    onnx, torchs = (
        list(load_bot(registry, trained, overrides=[f"engine.name={name}"]).responder.reply_all(
            questions
        ))
        for name in ("onnx", "torch")
    )  # fmt: skip
    assert [reply.text for reply in onnx] == [reply.text for reply in torchs]
    assert [reply.confidence for reply in onnx] == pytest.approx(
        [reply.confidence for reply in torchs], abs=1e-4
    )


def test_a_bot_is_found_by_name_by_folder_and_by_default(
    registry: Registry, trained: Path, stored: str
) -> None:
    set_default_bot(stored)
    for name in (stored, None, trained, str(trained)):
        bot = load_bot(registry, name)
        assert bot.name == "taught"
        assert len(bot.model) > 20
        assert bot.responder.reply("hello").model == bot.model


def test_torch_stays_out_when_there_are_graphs(trained: Path) -> None:
    program = (
        "import sys; from chatseq.core.plugins import discover;"
        "from chatseq.bots.loader import load_bot;"
        f"print(load_bot(discover(), {str(trained)!r}).responder.reply('hello').text);"
        "heavy = {'torch', 'sqlalchemy', 'array_api_compat', 'onnx', 'click'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.splitlines() == [TAUGHT["hello"], "[]"]


def test_without_a_bot_the_user_is_told_to_train_one(registry: Registry, home: Path) -> None:
    with pytest.raises(BundleError, match=r"There is no bot yet\. Train one: chatseq train FILE"):
        load_bot(registry)
    with pytest.raises(BundleError, match="No bot named 'tought'"):
        load_bot(registry, "tought")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("training.seed=3", r"'training\.seed' is fixed once a bot is trained\. --set"),
        ("model.encoder.name=gru", "'model.encoder.name' is fixed"),
        ("tokenizer.name=subword", "'tokenizer.name' is fixed"),
        ("question.max_tokens=3", "'question.max_tokens' is fixed"),
        ("engine.precision=int8", "'engine.precision' is fixed"),
        ("decodng.max_length=3", "Did you mean 'decoding'"),
        ("decoding.max_lenght=3", "Did you mean 'max_length'"),
        ("decoding.max_length=0", "cannot be 0"),
        ("beam", "'beam' is no setting"),
    ],
)
def test_settings_that_cannot_change_any_more_are_refused(
    registry: Registry, trained: Path, setting: str, told: str
) -> None:
    with pytest.raises(RecipeError, match=told):
        load_bot(registry, trained, overrides=[setting])


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("decoding.strategy.name=beem", "No strategy named 'beem'.*taught.*Did you mean 'beam'"),
        ("decoding.strategy.size=3", "has no option 'size'"),
        ("responder.name=retreival", "No responder named 'retreival'.*taught"),
    ],
)
def test_parts_that_do_not_exist_are_told_with_the_bot(
    registry: Registry, trained: Path, setting: str, told: str
) -> None:
    with pytest.raises(PartError, match=told):
        load_bot(registry, trained, overrides=[setting])


def test_settings_change_while_the_network_stays_loaded(registry: Registry, trained: Path) -> None:
    bot = load_bot(registry, trained)
    beam = bot.with_overrides(["decoding.strategy.name=beam", "decoding.strategy.size=3"])
    assert beam.engine is bot.engine
    assert (beam.strategy_name, bot.strategy_name) == ("beam", "greedy")
    assert beam.responder.reply("hello").alternatives
    assert not bot.responder.reply("hello").alternatives
    assert (beam.name, beam.model) == (bot.name, bot.model)
    short = beam.with_overrides(["decoding.max_length=1", "decoding.adjusters=[]"])
    assert short.strategy_name == "beam"
    assert short.adjusters == ()
    assert short.responder.reply("hello").tokens == 1
    with pytest.raises(RecipeError, match=r"The engine of a loaded bot cannot change\. /set"):
        bot.with_overrides(["engine.threads=2"])
    with pytest.raises(RecipeError, match=r"'training\.seed' is fixed.*/set training\.seed=1"):
        bot.with_overrides(["training.seed=1"])


def test_graphs_that_are_gone_are_told(registry: Registry, trained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    (copy / "step.onnx").unlink()
    with pytest.raises(BundleError, match=r"step\.onnx"):
        load_bot(registry, copy)


def test_a_bot_without_graphs_runs_on_torch_only(
    registry: Registry, trained: Path, tmp_path: Path
) -> None:
    def fill(folder: Path) -> None:
        for name in ("recipe.toml", "tokenizer.json", "weights.safetensors"):
            shutil.copy(trained / name, folder / name)

    write_bundle(tmp_path / "bare", Manifest("bare", {}), fill)
    bot = load_bot(registry, tmp_path / "bare", overrides=["engine.name=torch"])
    assert bot.responder.reply("hello").text == TAUGHT["hello"]
    with pytest.raises(EngineError, match=r"encoder\.onnx"):
        load_bot(registry, tmp_path / "bare")
