"""Training: batches, steps, checkpoints and the run that joins them (torch)."""

import os

# OpenMP reads this once, when torch is imported. By default its threads spin for long while they
# wait for each other, so that other work on the processor makes a step up to twenty times as long;
# without spinning, waking up costs more than small matrices gain. This is about 50 microseconds.
os.environ.setdefault("GOMP_SPINCOUNT", "100000")
