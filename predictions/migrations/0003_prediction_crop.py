from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('predictions', '0002_prediction_outside'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='prediction',
            name='crop',
            field=models.JSONField(blank=True, default=None, null=True, verbose_name='box'),
        ),
        migrations.AddField(
            model_name='networkinput',
            name='crop_key',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
        migrations.RemoveConstraint(
            model_name='networkinput',
            name='network_input_once',
        ),
        migrations.AddConstraint(
            model_name='networkinput',
            constraint=models.UniqueConstraint(fields=('upload', 'preprocessing', 'bars_key', 'crop_key'), name='network_input_once'),
        ),
    ]
