import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Tables and columns only, with the database's own defaults: the release before goes on writing its rows."""

    dependencies = [
        ("predictions", "0003_prediction_crop"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Distribution",
            fields=[
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="distribution",
                        serialize=False,
                        to="predictions.prediction",
                    ),
                ),
                ("probabilities", models.BinaryField()),
            ],
        ),
        migrations.AddField(
            model_name="batch",
            name="fingerprint",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="batch",
            name="truths",
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name="heartbeat",
            name="rates",
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name="prediction",
            name="covered",
            field=models.BooleanField(db_default=False, default=False, verbose_name="covered"),
        ),
        migrations.AddField(
            model_name="prediction",
            name="note",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=500, verbose_name="note"
            ),
        ),
        migrations.AddField(
            model_name="prediction",
            name="search_name",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=120),
        ),
        migrations.AddField(
            model_name="prediction",
            name="starred",
            field=models.BooleanField(db_default=False, default=False, verbose_name="starred"),
        ),
        migrations.AddField(
            model_name="prediction",
            name="retried",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="prediction",
            name="clean_run",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="covered_runs",
                to="predictions.prediction",
            ),
        ),
    ]
