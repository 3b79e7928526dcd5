"""Refuses what looks like a secret and is not in .ci/known_secrets.json, the list of what was looked at.

To accept findings: look at each, then `.venv/bin/python .ci/secret_scan.py --accept`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

KNOWN = Path(".ci/known_secrets.json")
PLUGINS = [
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "GitHubTokenDetector",
    "JwtTokenDetector",
    "KeywordDetector",
    "PrivateKeyDetector",
    "SlackDetector",
    "StripeDetector",
    "TwilioKeyDetector",
]
FILTERS = [
    "detect_secrets.filters.heuristic.is_indirect_reference",
    "detect_secrets.filters.heuristic.is_templated_secret",
    "detect_secrets.filters.heuristic.is_prefixed_with_dollar_sign",
]
# Weights and pictures hold no text.
BINARY = {".avif", ".bin", ".gif", ".heic", ".ico", ".jpg", ".keras", ".mo", ".npz", ".png", ".webp"}
PLACEHOLDERS = {"password", "your password"}  # as in postgres://user:password@host
# People who do not exist may have passwords.
IN_TESTS = {"Secret Keyword", "Basic Auth Credentials"}


def scanned_files() -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    names = [name for name in listed.split("\0") if name and Path(name) != KNOWN]
    return [name for name in names if Path(name).is_file() and Path(name).suffix not in BINARY]


def findings() -> dict[tuple[str, str, str], int]:
    """The line of each finding, by file, kind and fingerprint."""
    collection = SecretsCollection()
    options = {
        "plugins_used": [{"name": name} for name in PLUGINS],
        "filters_used": [{"path": path} for path in FILTERS],
    }
    with transient_settings(options):
        for name in scanned_files():
            collection.scan_file(name)
    return {
        (name, secret.type, secret.secret_hash): secret.line_number
        for name, secret in collection
        if secret.secret_value not in PLACEHOLDERS
        and not (name.startswith("tests/") and secret.type in IN_TESTS)
    }


def main() -> int:
    found = findings()
    if "--accept" in sys.argv:
        KNOWN.write_text(json.dumps(sorted(found), indent=2) + "\n")
        return 0
    known = {tuple(entry) for entry in json.loads(KNOWN.read_text())}
    new = sorted(entry for entry in found if entry not in known)
    for entry in new:
        sys.stderr.write(
            f"{entry[0]}:{found[entry]}: looks like a secret ({entry[1]}); see .ci/secret_scan.py\n"
        )
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
