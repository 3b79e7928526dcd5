from django.db import migrations, models
from django.db.models import Q

from predictions.migrations._online import AddIndexOnline


class Migration(migrations.Migration):
    """What moderators look for among all uploads."""

    atomic = False

    dependencies = [("predictions", "0007_sharing_and_reports")]

    operations = [
        AddIndexOnline(
            "upload", models.Index(fields=["hidden"], name="upload_hidden", condition=Q(hidden__isnull=False))
        ),
        AddIndexOnline(
            "upload",
            models.Index(
                fields=["fingerprint"], name="upload_fingerprint", condition=Q(fingerprint__isnull=False)
            ),
        ),
        AddIndexOnline(
            "upload",
            models.Index(fields=["id"], name="upload_unseen", condition=Q(fingerprint__isnull=True)),
        ),
    ]
