"""What all tests share: a home of their own, the installed plugins, and the real corpora."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatseq.plugins import Registry, discover

SHARED = Path(__file__).resolve().parents[2] / "shared" / "corpora"


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test keeps its files in a folder of its own."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("CHATSEQ_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The installed plugins."""
    return discover()


@pytest.fixture(scope="session")
def shared_corpora() -> Path:
    """The real corpora, which lie beside the project and are not part of it."""
    if not SHARED.is_dir():
        pytest.skip("the folder ../shared/corpora is not beside the project")
    return SHARED
