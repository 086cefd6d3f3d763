"""Training loops for classifiers of images, and what can hook into them."""

from vision.training.callbacks import Callback, CSVLog, EarlyStopping, GradientClipping, Schedule
from vision.training.checkpoint import Checkpoint
from vision.training.functions import train_cnn
from vision.training.trainer import Trainer

__all__ = [
    "CSVLog",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "GradientClipping",
    "Schedule",
    "Trainer",
    "train_cnn",
]
