"""Migrates the database, one machine at a time: two environments of one bundle may be deployed at the same moment.

Run in a release's folder: ``python deploy/bin/migrate.py``. Who comes second waits and finds nothing left to do. With
``--wait`` it only waits until somebody has migrated, for the machines of a deployment that were not chosen to.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_site.settings")

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor

# Any number that nobody else uses in this database.
LOCK = 7306118
# Less than a deployment's commands may take.
PATIENCE = "600s"
PATIENCE_OF_OTHERS = 840.0


def migrate() -> None:
    """Under a lock of the session, which PostgreSQL gives back if this process dies."""
    if connection.vendor != "postgresql":
        call_command("migrate", interactive=False)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [PATIENCE])
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        cursor.execute("RESET lock_timeout")
        try:
            call_command("migrate", interactive=False)
        finally:
            # Nothing to give back where the connection is gone.
            if connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def behind() -> bool:
    """Whether this release has migrations that the database has not. One that is away holds no machine up."""
    try:
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except (DatabaseError, InterfaceError) as error:
        sys.stderr.write(f"Whether the database was migrated cannot be told ({type(error).__name__}).\n")
        return False


def wait() -> int:
    end = time.monotonic() + PATIENCE_OF_OTHERS
    while behind():
        if time.monotonic() >= end:
            sys.stderr.write("No machine has migrated the database, and the old release goes on.\n")
            return 1
        time.sleep(2)
    return 0


def main() -> int:
    try:
        django.setup()
        if "--wait" in sys.argv[1:]:
            return wait()
        migrate()
    except (CommandError, DatabaseError, ImproperlyConfigured) as error:
        sys.stderr.write(f"The database was not migrated, and the old release goes on: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
