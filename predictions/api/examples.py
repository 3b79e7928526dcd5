"""Examples for the API's description."""

from __future__ import annotations

from typing import Any

HOST = "https://convoscope.example"
RUN = "0b3c8f0e-5f0c-4b52-9a66-1f6f9bd1f6a2"
OTHER_RUN = "d7a1b7f2-8f0c-4f3e-a9a0-0c1f3f6f2b11"
CLEAN_RUN = "5a7e1f64-30b1-44a9-8d7b-9a8e0c9b6f77"
PICTURE = "8e1d1b52-6a53-4a5e-8d38-8d2f2c7d4a90"
BATCH = "c2f1d7f4-0b7a-4a35-9c39-6a4d6f1f1d55"

TOP5 = [
    {"index": 42, "label": "leopard", "probability": 0.8125},
    {"index": 88, "label": "tiger", "probability": 0.1016},
    {"index": 43, "label": "lion", "probability": 0.0312},
    {"index": 66, "label": "raccoon", "probability": 0.0117},
    {"index": 3, "label": "bear", "probability": 0.0068},
]
DONE: dict[str, Any] = {
    "id": RUN,
    "batch": BATCH,
    "picture": PICTURE,
    "status": "done",
    "model": "vgg",
    "filename": "cat.jpg",
    "bars": [],
    "crop": [0.125, 0.0, 0.75, 1.0],
    "clean": None,
    "top5": TOP5,
    "outside": False,
    "artifact": "vgg-76c522d2",
    "image_url": f"{HOST}/api/v1/predictions/{RUN}/image/",
    "image_removed": None,
    "url": f"{HOST}/predictions/{RUN}/",
    "created": "2026-11-20T09:30:00.000000Z",
    "finished": "2026-11-20T09:30:00.052000Z",
    "error": None,
    "starred": False,
    "note": "",
    "wait": None,
}
QUEUED = {**DONE, "status": "queued", "top5": None, "outside": None, "artifact": None, "finished": None}
WAITING = {**QUEUED, "wait": {"place": 3, "seconds": 1.4, "says": "about 2 s"}}
CANCELLED = {**QUEUED, "status": "cancelled", "finished": "2026-11-20T09:30:01.000000Z"}
CHANGED = {**DONE, "filename": "leopard.jpg", "note": "Only the spots are visible.", "starred": True}
COVERED = {
    **DONE,
    "id": OTHER_RUN,
    "bars": [[0.4, 0.0, 0.2, 1.0]],
    "clean": RUN,
    "top5": [
        {"index": 88, "label": "tiger", "probability": 0.5547},
        {"index": 42, "label": "leopard", "probability": 0.2656},
        {"index": 43, "label": "lion", "probability": 0.0898},
        {"index": 3, "label": "bear", "probability": 0.0234},
        {"index": 66, "label": "raccoon", "probability": 0.0117},
    ],
    "image_url": f"{HOST}/api/v1/predictions/{OTHER_RUN}/image/",
    "url": f"{HOST}/predictions/{OTHER_RUN}/",
}
REJECTED: dict[str, Any] = {
    **dict.fromkeys(DONE),
    "batch": BATCH,
    "status": "rejected",
    "filename": "notes.txt",
    "bars": [],
    "created": "2026-11-20T09:30:00.000000Z",
    "error": {
        "code": "not_a_picture",
        "message": "This file is not a picture. Send a JPEG, PNG, WebP, GIF, HEIC or AVIF file.",
    },
    "starred": False,
    "note": "",
}
SUBMITTED = {"batch": BATCH, "results": [QUEUED, REJECTED]}
ACTIVITY = {
    "first": "2025-11-17",
    "last": "2026-11-20",
    "total": 31,
    "days": [{"day": "2026-11-19", "count": 24}, {"day": "2026-11-20", "count": 7}],
}
EXPORT_CSV = (
    "file name,network,version,status,label 1,probability 1\ncat.jpg,vgg,vgg-76c522d2,done,leopard,0.8125\n"
)
PROBABILITIES = {"id": RUN, "model": "vgg", "artifact": "vgg-76c522d2", "probabilities": TOP5[::-1]}
COMPARED = {
    "a": DONE,
    "b": COVERED,
    "same_picture": True,
    "classes": [
        {"label": "leopard", "a": 0.8125, "b": 0.2656, "difference": -0.5469},
        {"label": "tiger", "a": 0.1016, "b": 0.5547, "difference": 0.4531},
    ],
}
LINK = {
    "id": "f0a4c2de-93b1-4f0e-8a55-6f0d5c1b7e21",
    "url": f"{HOST}/s/Vb3nqk0uUqZxw1e8gTq5yQmF0c7H2rjL9sPdXaKoW4E/",
    "kind": "comparison",
    "prediction": RUN,
    "other": OTHER_RUN,
    "batch": None,
    "created": "2026-11-20T09:31:00.000000Z",
}
NETWORKS = {
    "results": [
        {
            "name": "vgg",
            "title": "VGG",
            "version": "vgg-76c522d2",
            "size": 32,
            "classes": 100,
            "labels": ["apple", "aquarium_fish", "baby"],
            "metrics": {"top1": 0.7267, "top5": 0.9292, "ece": 0.0136, "nll": 0.9648, "n": 10000},
        }
    ]
}

COUNTS = {
    "pictures": 24,
    "rejected": 1,
    "runs": 48,
    "queued": 0,
    "running": 0,
    "done": 47,
    "failed": 1,
    "cancelled": 0,
}
BATCH_ROW = {
    "id": BATCH,
    "url": f"{HOST}/batches/{BATCH}/",
    "created": "2026-11-20T09:30:00.000000Z",
    "models": ["vgg", "wideresnet"],
    "counts": COUNTS,
}
SHARE = {"right": 19, "n": 24, "share": 0.7917, "low": 0.5953, "high": 0.9076}
BATCH_DETAIL = {
    **BATCH_ROW,
    "wait": None,
    "agreement": {"same": 18, "of": 23, "share": 0.7826},
    "totals": [
        {
            "model": "vgg",
            "done": 24,
            "mean_confidence": 0.6842,
            "labels": [{"label": "leopard", "count": 9}, {"label": "tiger", "count": 6}],
            "more_labels": 3,
        }
    ],
    "truths": {PICTURE: "leopard"},
    "accuracy": [
        {
            "model": "vgg",
            "top1": SHARE,
            "top5": {**SHARE, "right": 24, "share": 1.0, "low": 0.862, "high": 1.0},
            "confusion": {"classes": ["leopard", "tiger"], "counts": [[9, 3], [2, 10]], "left_out": 0},
            "unknown": 0,
        }
    ],
}
NO_BATCH = ("not_found", "There is no batch here. It may have been deleted, or the address may be wrong.")
RESULTS_CSV = "file name,status,error,true label,agreement,vgg status,vgg error,vgg version,vgg label 1\n"
RESULTS_JSON = {
    "batch": BATCH,
    "created": "2026-11-20T09:30:00+00:00",
    "networks": ["vgg"],
    "totals": {
        "pictures": 1,
        "rejected": 0,
        "runs": 1,
        "done": 1,
        "failed": 0,
        "cancelled": 0,
        "agreement": None,
    },
    "pictures": [
        {
            "file_name": "cat.jpg",
            "status": "taken",
            "true_label": "leopard",
            "agreement": None,
            "networks": {
                "vgg": {
                    "id": RUN,
                    "status": "done",
                    "version": "vgg-76c522d2",
                    "error": None,
                    "top5": TOP5,
                }
            },
        }
    ],
}
