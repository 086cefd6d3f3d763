"""Testing gradients: of the operations here, and of anyone's own.

`check_gradients` holds derivatives against differences and explains what is wrong; `gradcheck` and
`gradgradcheck` are PyTorch's. With Hypothesis installed, `strategies` draws inputs and whole
computation graphs, and `suite` makes tests for an operation from its description, an `OpSpec`.
"""

from autograd.testing.check import check_gradients
from autograd.testing.compat import gradcheck, gradgradcheck
from autograd.testing.layouts import LAYOUTS, with_layout
from autograd.testing.result import CheckResult, Finding, GradcheckError, Verdict

__all__ = [
    "LAYOUTS",
    "CheckResult",
    "Finding",
    "GradcheckError",
    "Verdict",
    "check_gradients",
    "gradcheck",
    "gradgradcheck",
    "with_layout",
]
