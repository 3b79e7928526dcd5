import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Lower


def fill(apps, schema_editor):
    """The new columns of the rows that are there."""
    predictions = apps.get_model("predictions", "Prediction").objects.using(schema_editor.connection.alias)
    uploads = apps.get_model("predictions", "Upload").objects.filter(pk=OuterRef("upload_id"))
    predictions.exclude(bars=[]).update(covered=True)
    predictions.update(search_name=Subquery(uploads.values(folded=Lower("filename"))[:1]))


class Migration(migrations.Migration):

    dependencies = [
        ('predictions', '0003_prediction_crop'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Distribution',
            fields=[
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='distribution', serialize=False, to='predictions.prediction')),
                ('probabilities', models.BinaryField()),
            ],
        ),
        migrations.RemoveIndex(
            model_name='prediction',
            name='prediction_history',
        ),
        migrations.AddField(
            model_name='batch',
            name='fingerprint',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='batch',
            name='truths',
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name='heartbeat',
            name='rates',
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name='prediction',
            name='covered',
            field=models.BooleanField(db_default=False, default=False, verbose_name='covered'),
        ),
        migrations.AddField(
            model_name='prediction',
            name='note',
            field=models.CharField(blank=True, db_default='', default='', max_length=500, verbose_name='note'),
        ),
        migrations.AddField(
            model_name='prediction',
            name='search_name',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=120),
        ),
        migrations.AddField(
            model_name='prediction',
            name='starred',
            field=models.BooleanField(db_default=False, default=False, verbose_name='starred'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='prediction',
            name='clean_run',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='covered_runs', to='predictions.prediction'),
        ),
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(condition=models.Q(('deleted__isnull', True)), fields=['owner', '-created', '-id', 'asked', 'status', 'model', 'top1', 'probability1', 'covered', 'starred', 'batch', 'search_name', 'deleted'], name='prediction_history'),
        ),
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(condition=models.Q(('deleted__isnull', True), models.Q(('note', ''), _negated=True)), fields=['owner'], name='prediction_noted'),
        ),
    ]
