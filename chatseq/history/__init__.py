"""History: conversations kept in a database (SQLAlchemy)."""
