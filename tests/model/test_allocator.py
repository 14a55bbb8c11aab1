"""Keeping freed memory: fewer fresh pages where glibc allocates, and no harm elsewhere."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from chatseq.model import allocator

PAGES = """
import resource, sys
import torch
from chatseq.model.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def step():
    torch.ones(10 << 20)  # 40 MB, more than glibc ever keeps by itself
for _ in range(6):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(how: str) -> int:
    code = [sys.executable, "-c", PAGES, how]
    return int(subprocess.run(code, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
def test_steps_reuse_the_memory_of_those_before() -> None:
    assert pages("keep") * 4 < pages("give back")


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator.sys, "platform", "darwin")
    assert not allocator.keep_freed_memory()


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator.sys, "platform", "linux")
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda _: object())
    assert not allocator.keep_freed_memory()
