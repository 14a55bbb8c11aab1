"""Write the package of a new plugin from the template of its kind.

Templates are real Python; the names in them that stand for others begin with `your`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from chatseq.core.errors import PartError
from chatseq.core.files import place_beside
from chatseq.core.plugins import Registry
from chatseq.hookspecs import PART_HOOKS
from chatseq.scaffold.kinds import how_to_use
from chatseq.scaffold.names import Names, check_free, names_of

TEMPLATES = Path(__file__).parent / "templates"
COMMON = "common"
_RENAMED = {"gitignore": ".gitignore"}  # else git would obey it here
_PLACEHOLDER = re.compile(
    "your_package|your_module|your_kind|your_hook|your_use|your-part|YourPart"
)


class Written(NamedTuple):
    """A package that was written."""

    folder: Path
    names: Names
    files: tuple[str, ...]  # relative to the folder


def write_package(registry: Registry, name: str, kind: str, folder: Path) -> Written:
    """Write a package that brings one part, into a new folder of that name.

    Args:
        registry: what is installed; its names are not taken twice
        folder: where the new folder is put

    Raises:
        PartError: the name cannot be taken, something is there already, or the disk refuses.
    """
    names = names_of(name, kind)
    check_free(names, registry)
    target = folder / name
    if target.exists() or target.is_symlink():
        raise PartError(
            f"{target} is already there, and nothing is ever written over. Choose another name, or "
            "another place: --folder DIR"
        )
    texts = dict(_texts(names))
    try:
        _put(target, texts)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise PartError(
            f"Cannot write {target}: {reason}. Choose another place: --folder DIR"
        ) from fault
    return Written(target, names, tuple(sorted(texts)))


def _texts(names: Names) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file of the package."""
    own = TEMPLATES / names.kind.replace("-", "_")
    meanings = _meanings(names, own)

    def filled(text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: meanings[found[0]], text)

    for root in (TEMPLATES / COMMON, own):
        for file in sorted(root.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                path = filled(file.relative_to(root).as_posix())
                yield _RENAMED.get(path, path), filled(file.read_text(encoding="utf-8"))


def _meanings(names: Names, template: Path) -> Mapping[str, str]:
    """Return what stands for each placeholder."""
    modules = (template / "your_package").glob("*.py")
    (module,) = [module.stem for module in modules if module.stem != "__init__"]
    return {
        "your_package": names.package,
        "your_module": module,
        "your_kind": names.kind.replace("-", " "),
        "your_hook": PART_HOOKS[names.kind],
        "your_use": how_to_use(names.kind, names.part),
        "your-part": names.part,
        "YourPart": names.component,
    }


def _put(target: Path, texts: Mapping[str, str]) -> None:
    """Write all files, or nothing that could be taken for a package."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = place_beside(target)
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        for path, text in texts.items():
            file = temporary / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
