"""Keeps a copy of a site's rows and pictures in a folder, and makes a site of it again.

    python -m deploy.backup save /srv/backups/2026-11-01
    python -m deploy.backup restore /srv/backups/2026-11-01

Both read the variables of the site: DATABASE_URL, SECRET_KEY, and AWS_STORAGE_BUCKET_NAME or DATA_DIR. SECRET_KEY
itself is not in the copy, only a hash by which a restored site knows whether it has the right one.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from classifier_site import environment

ROWS, FILES, KEY = "database.dump", "media", "secret-key.sha256"


class BackupError(Exception):
    """One sentence for the operator."""


# --- rows --------------------------------------------------------------------------------------------------


def postgres() -> dict[str, str]:
    """The environment of PostgreSQL's own programs; a password on a command line would be seen by everybody."""
    env = environment.Environment()
    entry = environment.database(
        env.url("DATABASE_URL", schemes=("postgres", "postgresql")), Path("convoscope.sqlite3")
    )
    if "postgresql" not in entry["ENGINE"]:
        raise BackupError("DATABASE_URL is not set; write postgres://user:password@host:5432/name.")
    found = {f"PG{key}": str(entry[key]) for key in ("HOST", "PORT", "USER", "PASSWORD") if entry[key]}
    found["PGDATABASE"] = entry["NAME"]
    options = {"PGSSLMODE": "sslmode", "PGSSLROOTCERT": "sslrootcert"}
    return found | {name: entry["OPTIONS"][key] for name, key in options.items() if key in entry["OPTIONS"]}


def run(*command: str) -> str:
    """What a program of PostgreSQL prints."""
    try:
        result = subprocess.run(
            command, env={**os.environ, **postgres()}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise BackupError(f"{command[0]} is not installed; install PostgreSQL's client programs.") from None
    if result.returncode:
        said = [line for line in result.stderr.splitlines() if line.strip()]
        raise BackupError(f"{command[0]} failed: {said[0] if said else 'it said nothing'}")
    return result.stdout


def save_rows(path: Path) -> None:
    run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={path}")


def restore_rows(path: Path) -> None:
    run(
        "pg_restore", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", *_into(path)
    )


def _into(path: Path) -> list[str]:
    return [f"--dbname={postgres()['PGDATABASE']}", str(path)]


def refuse_full_database() -> None:
    statement = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    tables = run("psql", "--no-psqlrc", "--tuples-only", "--command", statement).strip()
    if tables != "0":
        raise BackupError(f"The database already has {tables} tables; name a new, empty one in DATABASE_URL.")


# --- files -------------------------------------------------------------------------------------------------


def bucket() -> Any:
    """The bucket that the site's variables name; None where files lie in DATA_DIR."""
    name = os.environ.get("AWS_STORAGE_BUCKET_NAME", "").strip()
    if not name:
        return None
    import boto3

    where = {
        "region_name": os.environ.get("AWS_S3_REGION_NAME") or None,
        "endpoint_url": os.environ.get("AWS_S3_ENDPOINT_URL") or None,
    }
    return boto3.resource("s3", **where).Bucket(name)


def local_files() -> Path:
    return environment.Environment().folder("DATA_DIR", "./var") / FILES


def save_files(folder: Path) -> int:
    store = bucket()
    if store is None:
        if local_files().is_dir():
            shutil.copytree(local_files(), folder, dirs_exist_ok=True)
        return sum(1 for _path in _below(folder))
    for entry in store.objects.all():
        target = (folder / entry.key).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise BackupError(f"The bucket holds {entry.key!r}, which is no name of the site's; remove it.")
        target.parent.mkdir(parents=True, exist_ok=True)
        store.download_file(entry.key, str(target))
    return sum(1 for _path in _below(folder))


def restore_files(folder: Path) -> int:
    store = bucket()
    if store is None:
        shutil.copytree(folder, local_files(), dirs_exist_ok=True)
    count = 0
    for path in _below(folder):
        count += 1
        if store is not None:
            how = {"ServerSideEncryption": "AES256"}
            store.upload_file(str(path), path.relative_to(folder).as_posix(), ExtraArgs=how)
    return count


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


# --- the key -----------------------------------------------------------------------------------------------


def hash_of_key() -> str:
    key = os.environ.get("SECRET_KEY", "").strip()
    if not key:
        raise BackupError("SECRET_KEY is not set; the second factors in the rows open with it alone.")
    return hashlib.sha256(key.encode()).hexdigest()


def refuse_other_key(path: Path) -> None:
    keys = [os.environ.get("SECRET_KEY", ""), *os.environ.get("SECRET_KEY_FALLBACKS", "").split(",")]
    known = {hashlib.sha256(key.strip().encode()).hexdigest() for key in keys if key.strip()}
    if path.read_text().strip() not in known:
        raise BackupError(
            "SECRET_KEY is not the one of the site that was saved, so nobody's second factor would fit; set it, or "
            "name it in SECRET_KEY_FALLBACKS."
        )


# --- both --------------------------------------------------------------------------------------------------


def save(folder: Path) -> str:
    """Rows first: a picture that comes meanwhile is one file too many, which the sweeper of orphans removes."""
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty; name a new folder.")
    hashed = hash_of_key()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    save_rows(folder / ROWS)
    (folder / FILES).mkdir()
    count = save_files(folder / FILES)
    # Last: a copy without it is not whole.
    (folder / KEY).write_text(hashed + "\n")
    return f"Saved the rows and {count} files in {folder}."


def restore(folder: Path) -> str:
    """Files first: no row is there without its picture."""
    if not (folder / KEY).is_file():
        raise BackupError(f"{folder} holds no whole backup; {KEY} is written last and is missing.")
    refuse_other_key(folder / KEY)
    refuse_full_database()
    count = restore_files(folder / FILES)
    restore_rows(folder / ROWS)
    return f"Restored the rows and {count} files from {folder}. Now: python manage.py migrate"


def main(arguments: Sequence[str] | None = None) -> int:
    read = argparse.ArgumentParser(
        prog="python -m deploy.backup", description=(__doc__ or "").splitlines()[0]
    )
    read.add_argument("what", choices=("save", "restore"))
    read.add_argument("folder", type=Path)
    chosen = read.parse_args(arguments)
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        said = save(chosen.folder) if chosen.what == "save" else restore(chosen.folder)
    except (BackupError, ImproperlyConfigured, BotoCoreError, ClientError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
