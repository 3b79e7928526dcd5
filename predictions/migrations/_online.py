"""Indexes that are made and removed while the site is in use; on PostgreSQL without a lock on the table's rows."""

from django.db import migrations


def has_index(schema_editor, model, name):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        return name in connection.introspection.get_constraints(cursor, model._meta.db_table)


class AddIndexOnline(migrations.AddIndex):
    """For a migration that is not atomic. Where it was interrupted, what there is of the index is made anew."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        self._add(app_label, schema_editor, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        _remove(self, app_label, schema_editor, from_state, self.index)

    def _add(self, app_label, schema_editor, state):
        _remove(self, app_label, schema_editor, state, self.index)
        model = state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.add_index(model, self.index, **_how(schema_editor))


class RemoveIndexOnline(migrations.RemoveIndex):
    """For a migration that is not atomic; an index that is gone already is no error."""

    def _index(self, app_label, state):
        return state.models[app_label, self.model_name_lower].get_index_by_name(self.name)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        _remove(self, app_label, schema_editor, from_state, self._index(app_label, from_state))

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        index = self._index(app_label, to_state)
        AddIndexOnline(self.model_name, index)._add(app_label, schema_editor, to_state)


def _remove(operation, app_label, schema_editor, state, index):
    model = state.apps.get_model(app_label, operation.model_name)
    allowed = operation.allow_migrate_model(schema_editor.connection.alias, model)
    if allowed and has_index(schema_editor, model, index.name):
        schema_editor.remove_index(model, index, **_how(schema_editor))


def _how(schema_editor):
    return {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}
