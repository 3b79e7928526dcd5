"""Examples for the API's description."""

from __future__ import annotations

from typing import Any

HOST = "https://convoscope.example"
EXPLANATION = "9c5e3a5e-5c0c-4b37-8a3f-27d1a0a4b8c1"
RUN = "0b3c8f0e-5f0c-4b52-9a66-1f6f9bd1f6a2"
FILES = f"{HOST}/api/v1/explanations/{EXPLANATION}/files/"

DONE: dict[str, Any] = {
    "id": EXPLANATION,
    "status": "done",
    "kind": "class_map",
    "network": "vgg",
    "artifact": "vgg-76c522d2",
    "prediction": RUN,
    "sample": None,
    "bars": [],
    "parameters": {},
    "result": {"shape": [4, 4]},
    "files": [
        {
            "name": "logits.npy",
            "url": f"{FILES}logits.npy",
            "bytes": 928,
            "type": "application/octet-stream",
        },
        {"name": "maps.npy", "url": f"{FILES}maps.npy", "bytes": 6528, "type": "application/octet-stream"},
    ],
    "created": "2026-11-20T09:32:00.000000Z",
    "finished": "2026-11-20T09:32:00.210000Z",
    "error": None,
}
QUEUED = {**DONE, "status": "queued", "result": None, "files": None, "finished": None}
LISTED = {**DONE, "result": None, "files": None}
OF_SAMPLE = {**DONE, "prediction": None, "sample": "apple"}
FAILED = {
    **QUEUED,
    "status": "failed",
    "finished": DONE["finished"],
    "error": {
        "code": "refused",
        "message": "These numbers grow beyond what the network can hold, so it has no answer. Try smaller ones.",
    },
}
MAP: dict[str, Any] = {
    "id": EXPLANATION,
    "kind": "class_map",
    "network": "vgg",
    "artifact": "vgg-76c522d2",
    "class": {"index": 42, "label": "leopard"},
    "versus": None,
    "unit": "logits",
    "shape": [2, 2],
    "scale": 8.5,
    "values": [[8.5, 2.25], [-1.5, 0.75]],
    "sum": {"mean": 2.5, "bias": -0.125, "logit": 2.375},
    "before": None,
    "after": None,
}
LAYERS: dict[str, Any] = {
    "name": "vgg",
    "title": "VGG",
    "version": "vgg-76c522d2",
    "size": 32,
    "mean": [0.5071, 0.4865, 0.4409],
    "std": [0.2673, 0.2564, 0.2762],
    "labels": 100,
    "pre_activation": False,
    "layers": [
        {
            "name": "pictures",
            "kind": "input",
            "inputs": [],
            "shape": [3, 32, 32],
            "kernel": 1,
            "stride": 1,
            "padding": [0, 0, 0, 0],
            "multiply_adds": 0,
            "epsilon": 0.0,
        },
        {
            "name": "block1/conv1",
            "kind": "convolution",
            "inputs": ["pictures"],
            "shape": [64, 32, 32],
            "kernel": 3,
            "stride": 1,
            "padding": [1, 1, 1, 1],
            "multiply_adds": 1769472,
            "epsilon": 0.0,
        },
    ],
}
