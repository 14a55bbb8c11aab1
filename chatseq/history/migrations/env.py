"""Run by Alembic: uses the connection, and the transaction, of chatseq.history.migrate."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():  # does nothing here: the transaction is the caller's
    context.run_migrations()
