"""The networks that have been offered and their classes, as rows that answers can refer to."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ml import artifact


class Network(models.Model):
    """A network that has been offered. Rows are made from the cards, so that answers can refer to them."""

    name = models.CharField(primary_key=True, max_length=40)
    title = models.CharField(max_length=80)
    classes = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("network")
        verbose_name_plural = _("networks")

    def __str__(self) -> str:
        return self.title

    @classmethod
    def synchronise(cls) -> None:
        """Writes a row for every card and every label of it; harmless when repeated."""
        for card in artifact.cards():
            values = {"title": card.title, "classes": len(card.labels)}
            cls.objects.update_or_create(name=card.name, defaults=values)
            labels = [
                Label(id=Label.key(card.name, i), network_id=card.name, index=i, name=card.labels[i])
                for i in range(len(card.labels))
            ]
            Label.objects.bulk_create(
                labels, update_conflicts=True, unique_fields=["id"], update_fields=["name"]
            )


class Label(models.Model):
    """A class of a network. The key is ``network:index``, so that an answer's network can be checked by row."""

    id = models.CharField(primary_key=True, max_length=60)
    network = models.ForeignKey(Network, models.CASCADE, related_name="labels")
    index = models.PositiveIntegerField()
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ("network", "index")
        constraints = [models.UniqueConstraint(fields=["network", "index"], name="label_once_per_network")]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def key(network: str, index: int) -> str:
        return f"{network}:{index}"
