"""Pictures of data, of trainings, and of what networks have learned.

Each function returns a Matplotlib figure, saves it where it is given a `path`, and a notebook shows
it. Figures have a white background of their own, so that they can be read on any page. Nothing here
needs a screen or touches Matplotlib's global state.
"""

from vision.visualize.activations import (
    plot_activation_statistics,
    plot_activations,
    plot_maximally_activating,
)
from vision.visualize.boundary import plot_decision_boundary
from vision.visualize.classes import plot_class_accuracy, plot_confusion_matrix
from vision.visualize.comparison import plot_parameters_against_accuracy
from vision.visualize.curves import plot_history, plot_learning_rates
from vision.visualize.filters import plot_filters
from vision.visualize.gradients import plot_gradient_flow
from vision.visualize.images import plot_images, plot_predictions
from vision.visualize.overlays import plot_clusters, plot_overlay, plot_receptive_field
from vision.visualize.probabilities import plot_reliability, plot_roc

__all__ = [
    "plot_activation_statistics",
    "plot_activations",
    "plot_class_accuracy",
    "plot_clusters",
    "plot_confusion_matrix",
    "plot_decision_boundary",
    "plot_filters",
    "plot_gradient_flow",
    "plot_history",
    "plot_images",
    "plot_learning_rates",
    "plot_maximally_activating",
    "plot_overlay",
    "plot_parameters_against_accuracy",
    "plot_predictions",
    "plot_receptive_field",
    "plot_reliability",
    "plot_roc",
]
