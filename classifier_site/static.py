"""Static files under hashed names, ES module imports between them included."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Django can rewrite imports in every script (support_js_module_import_aggregation), but what it takes for an
# import in a comment of somebody else's script ends collectstatic. Modules are ours, and ours lie in js/.
_IMPORTS: Any = ManifestStaticFilesStorage._js_module_import_aggregation_patterns  # type: ignore[attr-defined]
_PATTERNS: Any = (*ManifestStaticFilesStorage.patterns, ("js/*.js", _IMPORTS[1]))


class HashedStorage(ManifestStaticFilesStorage):
    patterns = _PATTERNS


class CompressedHashedStorage(CompressedManifestStaticFilesStorage):
    """The same with .gz copies, which take too long to make at every local start."""

    patterns = _PATTERNS
