"""For tests of plugins: fakes that stand in for a trained bot or a part of it.

Everything says the same on every run, and importing this needs neither torch nor a file.
"""

from chatseq.testing.engines import RandomEngine, ScriptedEngine, questions_of, saying
from chatseq.testing.responders import ScriptedResponder, ScriptedStream

__all__ = [
    "RandomEngine",
    "ScriptedEngine",
    "ScriptedResponder",
    "ScriptedStream",
    "questions_of",
    "saying",
]
