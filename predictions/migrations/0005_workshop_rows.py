from django.db import migrations, transaction

from predictions.models import Prediction

ROWS = 1000


def fill(apps, schema_editor):
    """The new columns of the rows that are there, a piece in a transaction, so that no row is locked for long.

    Interrupted, it goes on where it was: what has its name is passed over. What the release before writes in the
    meantime, ``upkeep.name_predictions`` fills.
    """
    alias = schema_editor.connection.alias
    predictions = apps.get_model("predictions", "Prediction").objects.using(alias)
    unnamed = predictions.filter(search_name="").select_related("upload").only("bars", "upload__filename")
    unnamed = unnamed.select_for_update(of=("self",)).order_by("pk")
    last = None
    while True:
        with transaction.atomic(using=alias):
            some = list((unnamed.filter(pk__gt=last) if last else unnamed)[:ROWS])
            for run in some:
                run.search_name = Prediction.search_form(run.upload.filename)
                run.covered = bool(run.bars)
            predictions.bulk_update(some, ["search_name", "covered"], batch_size=ROWS // 4)
        if len(some) < ROWS:
            return
        last = some[-1].pk


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("predictions", "0004_workshop")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
