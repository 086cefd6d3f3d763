"""Training loops for classifiers of images, and what can hook into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vision.training.callbacks import Callback, EarlyStopping, GradientClipping, Schedule
from vision.training.checkpoint import Checkpoint
from vision.training.finder import LearningRates, find_learning_rate
from vision.training.functions import train_cnn
from vision.training.gradient_flow import GradientFlow
from vision.training.logs import CSVLog, TensorBoard
from vision.training.trainer import Trainer

if TYPE_CHECKING:
    from vision.training.estimator import Classifier

__all__ = [
    "CSVLog",
    "Callback",
    "Checkpoint",
    "Classifier",
    "EarlyStopping",
    "GradientClipping",
    "GradientFlow",
    "LearningRates",
    "Schedule",
    "TensorBoard",
    "Trainer",
    "find_learning_rate",
    "train_cnn",
]


def __getattr__(name: str) -> Any:
    # Its bases are scikit-learn's, whose import is slow and which may be missing.
    if name == "Classifier":
        from vision.training.estimator import Classifier

        return Classifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
