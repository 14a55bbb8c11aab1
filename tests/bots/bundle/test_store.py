"""Bundles: whole or absent, every damaged byte found, one version at a time."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chatseq.bots.bundle import (
    Bundle,
    CorpusRecord,
    Manifest,
    open_bundle,
    use_bundle,
    write_bundle,
)
from chatseq.bots.bundle.manifest import FORMAT, _checksum
from chatseq.core.errors import BundleError
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe

FILES = {
    "recipe.toml": load_recipe("tiny").to_toml().encode(),
    "tokenizer.json": b'{"a": 1}',
    "weights.safetensors": bytes(range(256)) * 40,
    "encoder.onnx": b"e" * 500,
    "step.onnx": b"s" * 500,
    "card.md": "# Karte für 中文\n".encode(),
}


def filler(files: dict[str, bytes]) -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        for name, data in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)

    return fill


def written(folder: Path, *, mark: bytes = b"", plugins: dict[str, str] | None = None) -> Bundle:
    files = {**FILES, "weights.safetensors": FILES["weights.safetensors"] + mark * 200_000}
    corpus = CorpusRecord(fingerprint="f" * 64, exchanges=3, sources=("faq.csv",))
    manifest = Manifest("faq", {}, plugins=plugins or {}, corpus=corpus, figures={"bleu": 12.5})
    return write_bundle(folder, manifest, filler(files))


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    return written(tmp_path / "bots" / "faq").folder


def test_what_was_written_is_read(bot: Path) -> None:
    bundle = open_bundle(bot)
    assert bundle.name == "faq"
    assert bundle.recipe() == load_recipe("tiny")
    assert bundle.tokenizer_json() == '{"a": 1}'
    assert bundle.weights.read_bytes() == FILES["weights.safetensors"]
    assert bundle.manifest.corpus == CorpusRecord("f" * 64, 3, ("faq.csv",))
    assert bundle.manifest.figures == {"bleu": 12.5}
    assert bundle.manifest.created.endswith("+00:00")
    assert bundle.has("encoder.onnx", "step.onnx")
    assert not bundle.has("data/index.npz")
    assert bundle.model == bundle.manifest.files["weights.safetensors"].blake2b


def test_files_and_folder_are_private(bot: Path) -> None:
    assert bot.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in bot.iterdir()} == {0o600}


def test_a_figure_that_is_no_number_is_left_out(tmp_path: Path) -> None:
    manifest = Manifest("x", {}, figures={"perplexity": float("inf"), "bleu": float("nan")})
    bundle = write_bundle(tmp_path / "x", manifest, filler(FILES))
    assert open_bundle(bundle.folder).manifest.figures == {"perplexity": None, "bleu": None}


def test_files_in_the_data_folder_are_part_of_the_bot(tmp_path: Path) -> None:
    write_bundle(tmp_path / "x", Manifest("x", {}), filler({**FILES, "data/a.npz": b"1"}))
    assert open_bundle(tmp_path / "x").has("data/a.npz")
    (tmp_path / "x" / "data" / "a.npz").write_bytes(b"2")
    with pytest.raises(BundleError, match="data/a.npz"):
        open_bundle(tmp_path / "x")


def test_an_unknown_file_is_refused_when_writing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no file named 'x\.pkl'"):
        write_bundle(tmp_path / "x", Manifest("x", {}), filler({**FILES, "x.pkl": b""}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_one_flipped_bit_in_any_file_is_found_and_named(bot: Path, name: str) -> None:
    data = bytearray((bot / name).read_bytes())
    data[len(data) // 2] ^= 0x04
    (bot / name).write_bytes(data)
    with pytest.raises(BundleError, match=rf"'faq' .*is damaged: {name}: .*Train the bot again"):
        open_bundle(bot)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_every_cut_file_is_found_and_named(bot: Path, name: str) -> None:
    os.truncate(bot / name, (bot / name).stat().st_size - 1)
    with pytest.raises(BundleError, match=f"damaged: {name}"):
        open_bundle(bot)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_every_missing_file_is_found_and_named(bot: Path, name: str) -> None:
    (bot / name).unlink()
    with pytest.raises(BundleError, match=f"damaged: {name}: .*(missing|No such file)"):
        open_bundle(bot)


def test_every_flipped_bit_of_the_manifest_is_found(bot: Path) -> None:
    file = bot / "manifest.json"
    whole = file.read_bytes()
    for at in range(0, len(whole), 7):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            loaded = open_bundle(bot).manifest
        except BundleError:
            continue
        assert loaded.to_json().encode() == whole, "white space alone may differ unnoticed"


def test_a_manifest_without_a_needed_file_is_refused(bot: Path) -> None:
    rewrite_manifest(bot, lambda values: values["files"].pop("weights.safetensors"))
    with pytest.raises(BundleError, match=r"weights\.safetensors: the manifest does not list it"):
        open_bundle(bot)


def test_a_manifest_that_names_a_file_outside_is_refused(bot: Path) -> None:
    def add(values: dict[str, dict[str, object]]) -> None:
        values["files"]["../../etc/passwd"] = values["files"]["card.md"]

    rewrite_manifest(bot, add)
    with pytest.raises(BundleError, match="which no bot has"):
        open_bundle(bot)


def test_a_newer_format_asks_for_a_newer_program(bot: Path) -> None:
    rewrite_manifest(bot, lambda values: values.update(format=FORMAT + 1, news=[1]))
    with pytest.raises(BundleError, match=r"newer chatseq \(format 3; this one reads up to 2\)"):
        open_bundle(bot)


def rewrite_manifest(bot: Path, change: Callable[[dict[str, dict[str, object]]], object]) -> None:
    """Change a manifest as somebody would who also mends its checksum."""
    values = json.loads((bot / "manifest.json").read_text())
    del values["checksum"]
    change(values)
    (bot / "manifest.json").write_text(json.dumps({**values, "checksum": _checksum(values)}))


def test_a_missing_plugin_is_named(tmp_path: Path, registry: Registry) -> None:
    bot = written(tmp_path / "faq", plugins={"chatseq_subword": "0.1.0", "my_attention": "0.2"})
    open_bundle(bot.folder)
    with pytest.raises(BundleError, match=r"needs the plugin my_attention 0\.2, .*Install it"):
        open_bundle(bot.folder, registry=registry)


def test_a_bot_whose_plugins_are_there_opens(tmp_path: Path, registry: Registry) -> None:
    bot = written(tmp_path / "faq", plugins={"chatseq_subword": "9.9"})
    assert open_bundle(bot.folder, registry=registry).name == "faq"


def test_an_absent_bot_tells_the_nearest_name(home: Path) -> None:
    written(home / "bots" / "faq")
    with pytest.raises(BundleError, match="No bot named 'fap'. Did you mean 'faq'"):
        open_bundle(home / "bots" / "fap")


def test_an_absent_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="There is no bot in .*nowhere"):
        open_bundle(tmp_path / "nowhere")


def test_a_file_in_the_place_of_the_manifest_is_told(tmp_path: Path) -> None:
    (tmp_path / "x" / "manifest.json").mkdir(parents=True)
    with pytest.raises(BundleError, match=r"manifest\.json: Is a directory"):
        open_bundle(tmp_path / "x")


def test_a_huge_or_binary_manifest_is_told(bot: Path) -> None:
    (bot / "manifest.json").write_bytes(b"\xff\xfe" * 10)
    with pytest.raises(BundleError, match="it is not text"):
        open_bundle(bot)
    (bot / "manifest.json").write_bytes(b" " * (2 << 20))
    with pytest.raises(BundleError, match="too large"):
        open_bundle(bot)


def test_a_full_disk_keeps_the_old_bot_and_says_how_much_is_free(tmp_path: Path) -> None:
    bot = written(tmp_path / "faq")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(BundleError, match=r"Cannot write .*faq: .* MB free there"):
            written(tmp_path / "faq", mark=b"x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert open_bundle(tmp_path / "faq").model == bot.model
    assert [path.name for path in tmp_path.iterdir()] == ["faq"]


@pytest.mark.parametrize("call", ["fsync", "rename", "mkdir"])
@pytest.mark.parametrize("at", range(6))
def test_a_fault_at_any_call_leaves_a_whole_bot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, at: int
) -> None:
    bot = written(tmp_path / "faq")
    with monkeypatch.context() as patched:
        fail_at(patched, call, at)
        told = ""
        try:
            written(tmp_path / "faq", mark=b"x")
        except BundleError as fault:
            told = str(fault)
    assert not told or "Input/output error" in told
    found = open_bundle(tmp_path / "faq")
    assert found.manifest.files["weights.safetensors"].size in {10_240, 210_240}
    assert (found.model == bot.model) == (found.weights.stat().st_size == 10_240)


def fail_at(patched: pytest.MonkeyPatch, call: str, at: int) -> None:
    real: Callable[..., object] = getattr(os, call)
    calls = iter(range(1000))

    def failing(*given: object, **named: object) -> object:
        if next(calls) == at:
            raise OSError(5, "Input/output error")
        return real(*given, **named)

    patched.setattr(os, call, failing)


def keep_writing(folder: Path) -> None:
    for turn in range(10_000):
        written(folder, mark=b"ab"[turn % 2 : turn % 2 + 1])


@pytest.mark.slow("kills twenty writers")
def test_killing_the_writer_at_any_time_leaves_a_whole_bot(tmp_path: Path) -> None:
    folder = tmp_path / "faq"
    written(folder)
    context = multiprocessing.get_context("fork")
    for turn in range(20):
        child = context.Process(target=keep_writing, args=(folder,))
        child.start()
        time.sleep(0.02 + 0.0137 * turn % 0.05)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        assert open_bundle(folder).name == "faq"
    written(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["faq"], "what was left is swept"


def test_readers_see_one_version_while_the_bot_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "faq"
    written(folder)
    child = multiprocessing.get_context("fork").Process(target=keep_writing, args=(folder,))
    child.start()
    try:
        seen = {use_bundle(folder, weights_and_checksum) for _ in range(150)}
    finally:
        child.kill()
        child.join()
    assert len({weights for weights, _ in seen}) == len(seen) > 1


def weights_and_checksum(bundle: Bundle) -> tuple[bytes, str]:
    return bundle.weights.read_bytes()[-1:], bundle.model


def test_a_bundle_knows_that_it_was_replaced(tmp_path: Path) -> None:
    first = written(tmp_path / "faq")
    assert first.is_current()
    second = written(tmp_path / "faq", mark=b"x")
    assert second.is_current()
    assert not first.is_current()


def test_building_again_happens_only_when_the_bot_was_replaced(tmp_path: Path) -> None:
    written(tmp_path / "faq")
    calls = []

    def build(bundle: Bundle) -> str:
        calls.append(bundle.model)
        if len(calls) == 1:
            written(tmp_path / "faq", mark=b"x")
            raise RuntimeError("the files of the old bot are gone")
        return bundle.model

    assert use_bundle(tmp_path / "faq", build) == open_bundle(tmp_path / "faq").model
    with pytest.raises(ZeroDivisionError):
        use_bundle(tmp_path / "faq", lambda bundle: 1 // 0)


def test_a_large_bot_opens_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    files = {**FILES, "weights.safetensors": b"w" * (8 << 20)}
    write_bundle(tmp_path / "x", Manifest("x", {}), filler(files))
    started = time.process_time()
    open_bundle(tmp_path / "x")
    assert time.process_time() - started < 0.1
