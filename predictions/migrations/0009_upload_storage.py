from django.db import migrations, models
from django.db.models import Q

from predictions.migrations._online import AddIndexOnline


class Migration(migrations.Migration):
    """What the admin counts and lists, and what retention looks for, among many uploads and predictions."""

    atomic = False

    dependencies = [("predictions", "0008_upload_indexes")]

    operations = [
        AddIndexOnline(
            "upload",
            models.Index(fields=["owner", "bytes"], name="upload_storage", condition=Q(expired__isnull=True)),
        ),
        AddIndexOnline(
            "upload", models.Index(fields=["created"], name="upload_kept", condition=Q(expired__isnull=True))
        ),
        AddIndexOnline(
            "upload",
            models.Index(fields=["expired"], name="upload_expired", condition=Q(expired__isnull=False)),
        ),
        AddIndexOnline(
            "prediction",
            models.Index(fields=["-created", "-id"], name="prediction_newest"),
        ),
        AddIndexOnline(
            "prediction",
            models.Index(
                fields=["finished"], name="prediction_finished", condition=Q(finished__isnull=False)
            ),
        ),
        AddIndexOnline(
            "prediction",
            models.Index(fields=["finished"], name="prediction_failed", condition=Q(status="failed")),
        ),
    ]
