"""Training: batches, steps, checkpoints and the run that joins them (torch)."""
