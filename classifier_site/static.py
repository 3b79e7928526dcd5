"""Static files under hashed names, ES module imports between them included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Django can rewrite imports in every script (support_js_module_import_aggregation), but what it takes for an
# import in a comment of somebody else's script ends collectstatic. Modules are ours, and ours lie in js/.
_IMPORTS: Any = ManifestStaticFilesStorage._js_module_import_aggregation_patterns  # type: ignore[attr-defined]
_PATTERNS: Any = (*ManifestStaticFilesStorage.patterns, ("js/*.js", _IMPORTS[1]))


_OWN_TEXT = ("css/", "js/")


class HashedStorage(ManifestStaticFilesStorage):
    """With .gz copies of what the site's own pages load, and of nothing else: that would take too long at every
    local start.
    """

    patterns = _PATTERNS

    def post_process(self, paths: Any, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        compressor = Compressor(use_brotli=False, quiet=True)
        for name, hashed, processed in super().post_process(paths, dry_run=dry_run, **options):
            if hashed and processed is True and name.startswith(_OWN_TEXT):
                path = Path(self.path(hashed))
                # A hashed name stands for its content.
                if not path.with_name(f"{path.name}.gz").exists():
                    compressor.compress(str(path))
            yield name, hashed, processed


class CompressedHashedStorage(CompressedManifestStaticFilesStorage):
    """The same with .gz copies of everything."""

    patterns = _PATTERNS
