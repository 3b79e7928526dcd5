#!/usr/bin/env python3
"""Django's command line."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_site.settings")
    from django.core.management import execute_from_command_line

    from ml.artifact import ArtifactError

    try:
        execute_from_command_line(sys.argv)
    except ArtifactError as error:
        sys.exit(f"A network cannot be used: {error}")


if __name__ == "__main__":
    main()
