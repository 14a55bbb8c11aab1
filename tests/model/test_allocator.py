"""Keeping freed memory: fewer fresh pages where glibc allocates, and no harm elsewhere."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from chatseq.model import allocator

PAGES = """
import resource
import torch
from chatseq.model.allocator import keep_freed_memory

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        torch.ones(10 << 20)  # 40 MB, more than glibc ever keeps by itself
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = pages()
assert keep_freed_memory()
for _ in range(4):  # until every block has its place
    pages()
assert pages() * 4 < given_back, given_back
"""


@pytest.mark.slow("trains in a process of its own to see its memory")
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
def test_steps_reuse_the_memory_of_those_before() -> None:
    subprocess.run([sys.executable, "-c", PAGES], check=True)


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator.sys, "platform", "darwin")
    assert not allocator.keep_freed_memory()


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator.sys, "platform", "linux")
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda _: object())
    assert not allocator.keep_freed_memory()
