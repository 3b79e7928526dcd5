"""Migrates the database, one machine at a time: two environments of one bundle may be deployed at the same moment.

Run in a release's folder: ``python deploy/bin/migrate.py``. Who comes second waits and finds nothing left to do.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_site.settings")

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

# Any number that nobody else uses in this database.
LOCK = 7306118
# Less than a deployment's commands may take.
PATIENCE = "600s"


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


def main() -> int:
    try:
        django.setup()
        migrate()
    except (CommandError, DatabaseError, ImproperlyConfigured) as error:
        sys.stderr.write(f"The database was not migrated, and the old release goes on: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
