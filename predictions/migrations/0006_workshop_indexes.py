from django.db import migrations, models
from django.db.models import Q

from predictions.migrations._online import AddIndexOnline, RemoveIndexOnline

HISTORY = [
    *(
        "owner",
        "-created",
        "-id",
        "asked",
        "status",
        "model",
        "top1",
        "probability1",
        "covered",
        "starred",
        "batch",
    ),
    *("search_name", "deleted"),
]


class Migration(migrations.Migration):
    """The history's new index stands before the old one goes, so that no page is slow in between."""

    atomic = False

    dependencies = [("predictions", "0005_workshop_rows")]

    operations = [
        AddIndexOnline(
            "prediction",
            models.Index(
                fields=HISTORY, name="prediction_history_columns", condition=Q(deleted__isnull=True)
            ),
        ),
        RemoveIndexOnline("prediction", "prediction_history"),
        AddIndexOnline(
            "prediction",
            models.Index(
                fields=["owner"], name="prediction_noted", condition=Q(deleted__isnull=True) & ~Q(note="")
            ),
        ),
        AddIndexOnline(
            "prediction",
            models.Index(fields=["owner"], name="prediction_in_flight", condition=Q(finished__isnull=True)),
        ),
        AddIndexOnline(
            "prediction",
            models.Index(fields=["id"], name="prediction_unnamed", condition=Q(search_name="")),
        ),
        AddIndexOnline("batch", models.Index(fields=["owner", "-created", "-id"], name="batch_newest")),
    ]
