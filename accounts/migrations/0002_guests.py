import accounts.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='guest_until',
            field=models.DateTimeField(editable=False, null=True, verbose_name='guest until'),
        ),
        migrations.AddField(
            model_name='user',
            name='is_guest',
            field=models.BooleanField(db_default=False, default=False, editable=False, help_text='Tries the site without an account.', verbose_name='guest'),
        ),
        migrations.AddField(
            model_name='user',
            name='trials',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AlterField(
            model_name='user',
            name='email',
            field=accounts.fields.NormalisedEmailField(error_messages={'unique': 'There is an account with this e-mail address already.'}, max_length=254, unique=True, validators=[accounts.fields.refuse_guest_domain], verbose_name='e-mail address'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(condition=models.Q(('is_guest', True)), fields=['guest_until'], name='accounts_user_guests'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('guest_until', None), ('is_guest', False)), models.Q(('guest_until__isnull', False), ('is_guest', True), ('is_staff', False), ('is_superuser', False)), _connector='OR'), name='accounts_user_guest_is_temporary', violation_error_message='A guest ends after a day and has no rights.'),
        ),
    ]
