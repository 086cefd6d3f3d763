"""How good a classifier is: shares of right answers, curves, and whether its confidence is true.

True labels come first, then what the classifier said, as in scikit-learn, which does most of the
work. Tensors, arrays and lists are welcome.
"""

from vision.metrics.calibration import (
    ReliabilityCurve,
    expected_calibration_error,
    reliability_curve,
)
from vision.metrics.labels import (
    ClassReport,
    accuracy,
    confusion_matrix,
    precision_recall_f1,
    top_k_accuracy,
)
from vision.metrics.ranking import RocCurve, macro_roc_curve, roc_auc, roc_curve

__all__ = [
    "ClassReport",
    "ReliabilityCurve",
    "RocCurve",
    "accuracy",
    "confusion_matrix",
    "expected_calibration_error",
    "macro_roc_curve",
    "precision_recall_f1",
    "reliability_curve",
    "roc_auc",
    "roc_curve",
    "top_k_accuracy",
]
