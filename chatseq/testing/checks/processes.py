"""Asking a part in a process of its own, where the order of a set is another one."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from typing import Any

from chatseq.testing.check import Context, NotApplicable, require

_BEGIN = """
import importlib, json, sys
module, name, options, given = json.load(sys.stdin)
part = getattr(importlib.import_module(module), name)(**options)
"""
_END = """
sys.stdout.buffer.write(json.dumps(answer).encode())
"""


def told_elsewhere(context: Context, program: str, given: Any, hash_seed: str) -> Any:
    """Build the part in another process, run a program there, and return its `answer`.

    Args:
        program: finds `part`, and `given`; both ways pass JSON
        hash_seed: what decides the order of a set there

    Raises:
        NotApplicable: the part cannot be imported there.
    """
    component = context.subject.component
    module, name = getattr(component, "__module__", ""), getattr(component, "__qualname__", "")
    if not _importable(module, name, component):
        raise NotApplicable(f"{name} cannot be imported by another process")
    places = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(  # noqa: S603  (this Python, this program)
        [sys.executable, "-c", _BEGIN + program + _END],
        input=json.dumps([module, name, context.options, given]).encode(),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": places},
    )
    require(done.returncode == 0, f"another process cannot do it: {done.stderr.decode()[-200:]}")
    return json.loads(done.stdout)


def _importable(module: str, name: str, component: Any) -> bool:
    if module == "__main__" or "<locals>" in name:
        return False
    try:
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            return False  # a plugin of one file; its module has no package around it
        return getattr(importlib.import_module(module), name, None) is component
    except (ImportError, ValueError):
        return False
