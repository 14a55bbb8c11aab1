"""Training: batches, steps, checkpoints and the run that joins them (torch)."""

import os

# OpenMP reads this once, when torch is imported. By default its threads spin while they wait for
# each other; with other work on the processor a step then takes up to twenty times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
