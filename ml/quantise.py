"""Post-training quantisation to int8 with a check: accuracy wins where a network cannot have both."""

from __future__ import annotations

from typing import Any

import numpy as np

from ml import data
from ml.preprocessing import Preprocessing, normalise

CALIBRATION_PICTURES = 1000
MOST_LOST = 0.005
LEAST_AGREEMENT = 0.97


def quantise(model: Any, train: data.Split, how: Preprocessing) -> Any:
    """Post-training quantisation to int8 (NNCF), calibrated on training pictures, ten of each class."""
    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet
    from openvino._offline_transformations import apply_moc_transformations

    folded = model.clone()
    # Batch normalisation goes into the kernels first, so that quantisation sees the weights that are computed with.
    apply_moc_transformations(folded, cf=False)
    _, chosen = data.split_off(train, CALIBRATION_PICTURES // len(np.unique(train.labels)), seed=1)
    pictures = normalise(chosen.images, how)
    order = np.random.default_rng(0).permutation(len(pictures))
    batches = [pictures[order[i : i + 1]] for i in range(len(order))]
    return nncf.quantize(
        folded,
        nncf.Dataset(batches),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(batches),
        fast_bias_correction=False,
        # The whole range that was seen. The default, a mean of the pictures' extremes, cuts the strongest activations
        # off: its logits are three times as far from the exact ones, and drawings at once get another sure answer.
        advanced_parameters=AdvancedQuantizationParameters(
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
        ),
    )


def is_worth_it(lost: float, agreement: float) -> bool:
    """Whether int8 may answer: at most half a point of accuracy lost and 97% of the answers unchanged.

    lost: float32's accuracy less int8's, 0..1; agreement: share of equal top-1 classes. Both on held-out pictures.
    """
    return lost <= MOST_LOST and agreement >= LEAST_AGREEMENT
