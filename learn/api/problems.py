"""What the laboratory refuses, as the API says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError

from learn.kinds import KindError
from learn.subjects import SubjectError
from predictions.api.problems import NotAnswered, PictureExpired

GONE = _("There is no explanation here. It may have been deleted, or the address may be wrong.")


class NoExplanation(NotFound):
    default_detail = GONE


class NoFile(NotFound):
    default_detail = _("This explanation has no such file. Its own address lists those that it has.")


class NoMap(NotFound):
    default_code = "no_map"
    default_detail = _("Only explanations of the kinds class_map, layer_map and occlusion have maps.")


class NoClass(NotFound):
    default_code = "no_class"


class OfSample(PermissionDenied):
    default_code = "of_sample"
    default_detail = _("What is explained of a sample picture is everybody's, and stays.")


class NotComputed(NotAnswered):
    default_detail = _("It is not computed. Look at its status: wait until it is done, then ask again.")


@contextmanager
def refusals() -> Iterator[None]:
    """What cannot be asked becomes an error of the API."""
    try:
        yield
    except SubjectError as error:
        sentence = str(error)
        match error.code:
            case "not_found":
                raise NotFound(sentence) from error
            case "queued":
                raise NotAnswered(sentence) from error
            case "expired":
                raise PictureExpired(sentence) from error
            case "bars":
                raise ValidationError({"bars": [sentence]}) from error
            case _:
                raise ValidationError({"network": [sentence]}) from error
    except KindError as error:
        name = error.field if error.field in ("kind", "parameters") else f"parameters.{error.field}"
        raise ValidationError({name.removesuffix("."): [str(error)]}) from error
