"""Conversations kept as trees of messages; the only place that knows a database."""
