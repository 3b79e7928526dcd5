"""The settings of sites that tests start: the site's own, but a hash of a password costs next to nothing.

Hundreds of accounts are made in a browser or by a program; a million rounds for each were a tenth of the suite's time.
"""

from classifier_site.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
