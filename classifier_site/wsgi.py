"""What gunicorn serves."""

from __future__ import annotations

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from classifier_site import refusal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_site.settings")

with refusal.in_sentences():
    django_application = get_wsgi_application()

    from classifier_site.bodies import BoundedBodies
    from classifier_site.checks import refuse_unsafe_production

    refuse_unsafe_production()
application = BoundedBodies(django_application)

# All that lives as long as the process is there now: full collections need not walk through it again and again,
# which a request would wait for.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
