"""Databases with so much in them that plans are those of a busy installation."""

from sqlalchemy import create_engine, text


def fill(owner_database_url: str, script: str) -> None:
    """Run a script of statements past the walls, and let the planner know of what it made."""
    engine = create_engine(owner_database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        for statement in script.split(";\n"):
            if statement.strip():
                db.execute(text(statement))
        db.execute(text("vacuum analyze"))
    engine.dispose()
