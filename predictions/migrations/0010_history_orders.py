from django.db import migrations, models
from django.db.models import Q

from predictions.migrations._online import AddIndexOnline

LISTED = Q(asked=True, deleted__isnull=True)


class Migration(migrations.Migration):
    """The history by confidence and by file name, read in the order in which it is shown."""

    atomic = False

    dependencies = [("predictions", "0009_upload_storage")]

    operations = [
        AddIndexOnline(
            "prediction",
            models.Index(
                fields=["owner", "probability1", "created", "id", "asked", "deleted"],
                name="prediction_history_sure",
                condition=LISTED,
            ),
        ),
        AddIndexOnline(
            "prediction",
            models.Index(
                fields=["owner", "search_name", "-created", "-id", "asked", "deleted"],
                name="prediction_history_name",
                condition=LISTED,
            ),
        ),
    ]
