"""Evaluation: figures over the replies of a bot."""
