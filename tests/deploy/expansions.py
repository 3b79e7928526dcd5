"""Which steps of migrations a release that is still running would not survive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import migrations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Field, ForeignKey, ManyToManyField

HARMLESS = (
    migrations.AddIndex,
    migrations.RemoveIndex,
    migrations.RenameIndex,
    migrations.RemoveConstraint,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
    migrations.AlterModelTableComment,
    # What it fills in is the migration's own affair; columns are not touched.
    migrations.RunPython,
)


def contractions(app: str, migration: Any, state: ProjectState) -> Iterator[str]:
    """A sentence for each step that the release before cannot live with. ``state`` moves on with the steps."""
    new: set[str] = set()
    for operation in migration.operations:
        if isinstance(operation, migrations.CreateModel):
            new.add(f"{app}.{operation.name_lower}")
        if sentence := _judge(app, operation, new, state):
            yield sentence
        operation.state_forwards(app, state)


def _judge(app: str, operation: Operation, new: set[str], state: ProjectState) -> str:
    said = f"{type(operation).__name__}: {operation.describe()}"
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        steps = operation.database_operations
        return "; ".join(found for step in steps if (found := _judge(app, step, new, state)))
    if isinstance(operation, migrations.CreateModel):
        held = [name for name, field in operation.fields if _holds(field, new)]
        return f"{said}: {', '.join(held)} holds rows that the release before removes" if held else ""
    if f"{app}.{getattr(operation, 'model_name_lower', '')}" in new or isinstance(operation, HARMLESS):
        return ""
    if isinstance(operation, migrations.AddField):
        return "" if _fills_itself(operation.field) else f"{said}: the release before writes rows without it"
    if isinstance(operation, migrations.AlterField):
        before = state.models[app, operation.model_name_lower].fields[operation.name]
        return "" if _takes_as_much(before, operation.field) else said
    return said


def _holds(field: Any, new: set[str]) -> bool:
    """Whether the database refuses to remove a row of an older table while a row of the new one names it.

    Django removes what hangs on a row itself, and the release before does not know of the new table.
    """
    if not isinstance(field, ForeignKey) or not field.db_constraint:
        return False
    target = field.remote_field.model
    name = target if isinstance(target, str) else target._meta.label
    return name != "self" and name.lower() not in new


def _fills_itself(field: Field[Any, Any]) -> bool:
    """Whether the database has something to write where a program names no value."""
    return field.null or field.db_default is not NOT_PROVIDED or isinstance(field, ManyToManyField)


def _takes_as_much(before: Field[Any, Any], after: Field[Any, Any]) -> bool:
    """Whether what could be written and read before still can be, as far as column and type say."""
    if (before.null and not after.null) or (after.unique and not before.unique):
        return False
    if isinstance(before, ForeignKey) != isinstance(after, ForeignKey):
        return False
    narrower = (getattr(before, "max_length", None) or 0) > (getattr(after, "max_length", None) or 1 << 31)
    return (
        before.get_internal_type() == after.get_internal_type()
        and not narrower
        and _default_stays(before, after)
    )


def _default_stays(before: Field[Any, Any], after: Field[Any, Any]) -> bool:
    return before.db_default is NOT_PROVIDED or after.db_default is not NOT_PROVIDED or after.null
