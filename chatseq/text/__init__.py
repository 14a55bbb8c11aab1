"""Text: what may be shown on a terminal, how it is normalised, how it becomes ids."""
