"""Looking inside a network: what it looks at, what its filters do, which pixels a unit sees.

Each function takes any model that is an ordinary module, and leaves its mode, gradients and hooks
as they were. `vision.visualize` draws what they return.
"""

from vision.interpret.ablation import FilterAblation, filter_ablation
from vision.interpret.activations import (
    FilterStatistics,
    TopActivations,
    activation_statistics,
    activations,
    maximally_activating,
)
from vision.interpret.clusters import FeatureClusters, cluster_feature_maps
from vision.interpret.grad_cam import grad_cam
from vision.interpret.occlusion import occlusion_sensitivity
from vision.interpret.receptive_field import ReceptiveField, receptive_field, receptive_mask
from vision.interpret.saliency import saliency

__all__ = [
    "FeatureClusters",
    "FilterAblation",
    "FilterStatistics",
    "ReceptiveField",
    "TopActivations",
    "activation_statistics",
    "activations",
    "cluster_feature_maps",
    "filter_ablation",
    "grad_cam",
    "maximally_activating",
    "occlusion_sensitivity",
    "receptive_field",
    "receptive_mask",
    "saliency",
]
