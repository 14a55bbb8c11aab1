"""A package is written for each kind of part, and works as it stands."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from chatseq.core.errors import PartError
from chatseq.core.plugins import Registry
from chatseq.hookspecs import PART_HOOKS
from chatseq.scaffold.kinds import USES, how_to_use
from chatseq.scaffold.write import TEMPLATES, Written, write_package

LEFT = re.compile(r"your[-_](package|module|kind|hook|use|part)|YourPart", re.IGNORECASE)


def written(registry: Registry, kind: str, folder: Path) -> Written:
    return write_package(registry, f"trial-{kind}", kind, folder)


@pytest.mark.parametrize("kind", PART_HOOKS)
def test_every_kind_has_a_package_without_gaps(
    registry: Registry, kind: str, tmp_path: Path
) -> None:
    package = written(registry, kind, tmp_path)
    assert package.folder == tmp_path / f"trial-{kind}"
    named = package.names.package
    assert {"README.md", "pyproject.toml", ".gitignore", f"{named}/__init__.py"} < set(
        package.files
    )
    found = {path for path in package.folder.rglob("*") if path.is_file()}
    assert found == {package.folder / file for file in package.files}
    assert len(found) == 6
    for file in found:
        text = file.read_text(encoding="utf-8")
        assert not LEFT.search(f"{file} {text}"), file
        if file.suffix == ".py":
            ast.parse(text)
    settings = tomllib.loads((package.folder / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["project"]["name"] == f"trial-{kind}"
    assert settings["project"]["entry-points"] == {"chatseq": {named: named}}
    readme = (package.folder / "README.md").read_text(encoding="utf-8")
    assert PART_HOOKS[kind] in readme
    assert how_to_use(kind, f"trial-{kind}") in readme


def test_every_template_belongs_to_a_kind() -> None:
    folders = {path.name for path in TEMPLATES.iterdir()}
    assert folders == {"common", *(kind.replace("-", "_") for kind in PART_HOOKS)}
    assert set(USES) == set(PART_HOOKS)


def test_the_module_of_a_plugin_imports_nothing_but_the_hooks(
    registry: Registry, tmp_path: Path
) -> None:
    for kind in PART_HOOKS:
        package = written(registry, kind, tmp_path)
        source = package.folder / package.names.package / "__init__.py"
        imports = [
            node
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert [ast.unparse(node) for node in imports] == [
            "from chatseq.hookspecs import Reference, hookimpl"
        ]


@pytest.mark.slow("runs the tests of a package of every kind")
def test_the_tests_of_every_package_pass_as_they_are(registry: Registry, tmp_path: Path) -> None:
    packages = [written(registry, kind, tmp_path) for kind in PART_HOOKS]
    folders = [str(package.folder) for package in packages]
    # One process for all, since each would import torch; so what pyproject sets is set here.
    done = subprocess.run(
        [*PYTEST, "-c", os.devnull, "--rootdir", str(tmp_path), *folders],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert "skipped" not in done.stdout.splitlines()[-1]
    passed = re.findall(r"trial-([a-z-]+)/tests/\S+::\S+ PASSED", done.stdout)
    for kind in PART_HOOKS:
        assert passed.count(kind) >= 5, kind


PYTEST = (sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-W", "error")


@pytest.mark.slow("runs pytest twice in processes of their own")
def test_a_package_needs_no_settings_but_its_own(registry: Registry, tmp_path: Path) -> None:
    package = written(registry, "metric", tmp_path)
    for arguments, place in (((), package.folder), ((str(package.folder),), tmp_path)):
        done = subprocess.run(
            [*PYTEST, *arguments], cwd=place, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-5000:]


@pytest.mark.slow("installs a package")
def test_an_installed_package_is_listed_at_once(registry: Registry, tmp_path: Path) -> None:
    package = written(registry, "strategy", tmp_path)
    target = tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet",
         "--no-deps", "--no-index", "--no-build-isolation", "--target", str(target),
         str(package.folder)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(target)}

    def told(*arguments: str) -> list[dict[str, str]]:
        done = subprocess.run(
            [sys.executable, "-m", "chatseq", "plugins", *arguments, "--json"],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        )
        found: list[dict[str, str]] = json.loads(done.stdout)
        return found

    (row,) = [row for row in told("list") if row["plugin"] == "trial_strategy"]
    assert (row["kind"], row["name"]) == ("strategy", "trial-strategy")
    assert (row["version"], row["status"]) == ("0.1.0", "active")
    assert row["summary"].startswith("Take the likeliest token")
    (shown,) = told("show", "trial-strategy")
    assert "margin" in str(shown["options"])


def test_what_is_there_is_never_written_over(registry: Registry, tmp_path: Path) -> None:
    for name, make in {
        "folder": Path.mkdir,
        "file": Path.touch,
        "link": lambda path: path.symlink_to(tmp_path / "nowhere"),
    }.items():
        make(tmp_path / name)
        with pytest.raises(PartError) as caught:
            write_package(registry, name, "metric", tmp_path)
        assert str(caught.value) == (
            f"{tmp_path / name} is already there, and nothing is ever written over. Choose another "
            "name, or another place: --folder DIR"
        )
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_folder_that_is_missing_is_made(registry: Registry, tmp_path: Path) -> None:
    package = write_package(registry, "loud", "metric", tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "loud" / "pyproject.toml").is_file()
    assert package.names.part == "loud"


def test_a_place_that_cannot_be_written_is_told(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PartError) as caught:
        write_package(registry, "loud", "metric", tmp_path / "file")
    assert str(caught.value) == (
        f"Cannot write {tmp_path / 'file' / 'loud'}: File exists. "
        "Choose another place: --folder DIR"
    )


def test_a_disk_that_fills_leaves_nothing(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text

    def full(self: Path, text: str, **options: str) -> int:
        if self.name == "README.md":
            raise OSError(28, "No space left on device")
        return write(self, text, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(PartError, match="No space left on device"):
        write_package(registry, "loud", "metric", tmp_path)
    assert list(tmp_path.iterdir()) == []
