"""The manifest of a bundle: what it holds, what it needs, where it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

from chatseq.core.errors import BundleError, ErrorKind
from chatseq.core.files import new_hash

FORMAT = 2  # the newest that this program reads, and the one it writes
MANIFEST = "manifest.json"
RECIPE = "recipe.toml"
TOKENIZER = "tokenizer.json"
WEIGHTS = "weights.safetensors"
CARD = "card.md"
FOLDER = "data"  # the corpus, and what the responder was fitted to
FOLDER_1 = "answers"  # its name in format 1
ANSWERS = "answers.jsonl"  # in that folder
REQUIRED = (RECIPE, TOKENIZER, WEIGHTS)
# Every file that a bundle may hold; nothing else is ever unpacked from an archive.
KNOWN = re.compile(
    r"recipe\.toml|tokenizer\.json|weights\.safetensors|encoder\.onnx|step\.onnx|card\.md"
    r"|(?:data|answers)/[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
)


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of a bundle."""

    size: int  # bytes
    blake2b: str  # hexadecimal


@dataclass(frozen=True, slots=True)
class CorpusRecord:
    """What a bot was trained on, without a word of it."""

    fingerprint: str = ""  # checksum over all questions and answers in order
    exchanges: int = 0
    sources: tuple[str, ...] = ()  # names of files, without folders
    held_back: int = 0  # exchanges that were not learnt; the last ones of the corpus that is kept


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle holds; `files` has every file but the manifest itself."""

    name: str  # as it was trained; a copy may lie under another
    files: Mapping[str, FileRecord]
    created: str = ""  # UTC, ISO 8601
    chatseq: str = ""  # the version that wrote it
    format: int = FORMAT
    licence: str = ""  # of the corpus, where its owner said so
    plugins: Mapping[str, str] = field(default_factory=dict)  # name -> version, those needed
    corpus: CorpusRecord = CorpusRecord()
    figures: Mapping[str, float | None] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the text of `manifest.json`, which ends with its own checksum."""
        finite = {n: v if v is not None and isfinite(v) else None for n, v in self.figures.items()}
        values = {**asdict(self), "figures": finite}
        return json.dumps({**values, "checksum": _checksum(values)}, ensure_ascii=False, indent=1)


def parse_manifest(text: str, where: str) -> Manifest:
    """Read what `Manifest.to_json` wrote.

    Raises:
        BundleError: it is damaged, or of a newer format.
    """
    try:
        values = json.loads(text)
        stated = values.pop("checksum")
        newer = int(values["format"]) > FORMAT
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as fault:
        raise damaged(where, MANIFEST, "it is not a manifest") from fault
    if newer:
        raise BundleError(
            f"{where} was written by a newer chatseq (format {values['format']}; this one reads "
            f"up to {FORMAT}). Upgrade it: pip install --upgrade chatseq",
            kind=ErrorKind.BOT_TOO_NEW,
            place=where,
        )
    if stated != _checksum(values):
        raise damaged(where, MANIFEST, "its content does not match its checksum")
    return _manifest(values, where)


def damaged(where: str, file: str, what: str) -> BundleError:
    """Return the error about a file of a bundle that is not what was written."""
    return BundleError(
        f"{where} is damaged: {file}: {what}. Train the bot again, or import it from its "
        ".chatseq file.",
        kind=ErrorKind.BOT_DAMAGED,
        place=file,
    )


def _manifest(values: dict[str, Any], where: str) -> Manifest:
    try:
        files = {name: FileRecord(**record) for name, record in values.pop("files").items()}
        corpus = values.pop("corpus")
        sources = tuple(corpus.pop("sources"))
        manifest = Manifest(files=files, corpus=CorpusRecord(sources=sources, **corpus), **values)
    except (TypeError, AttributeError, KeyError) as fault:
        raise damaged(where, MANIFEST, "it lacks a field or has an unknown one") from fault
    for name in manifest.files:
        if not KNOWN.fullmatch(name):
            raise damaged(where, MANIFEST, f"it lists {name!r}, which no bot has")
    return manifest


def _checksum(values: Mapping[str, Any]) -> str:
    canonical = json.dumps(values, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    hashed = new_hash()
    hashed.update(canonical.encode())
    return hashed.hexdigest()
