"""Testing gradients: of the operations here, and of anyone's own.

`check_gradients` holds derivatives against differences and explains what is wrong; `gradcheck` and
`gradgradcheck` are PyTorch's. With Hypothesis installed, `strategies` draws inputs and whole
computation graphs, and `suite` makes tests for an operation from its description, an `OpSpec`.
"""

from autograd.testing.check import check_gradients
from autograd.testing.compat import gradcheck, gradgradcheck
from autograd.testing.layouts import LAYOUTS, with_layout
from autograd.testing.result import CheckResult, Finding, GradcheckError, Verdict
from autograd.testing.spec import CaseCall, OpSpec, specs_of
from autograd.testing.suites import check_spec, suite

__all__ = [
    "LAYOUTS",
    "CaseCall",
    "CheckResult",
    "Finding",
    "GradcheckError",
    "OpSpec",
    "Verdict",
    "check_gradients",
    "check_spec",
    "gradcheck",
    "gradgradcheck",
    "specs_of",
    "suite",
    "with_layout",
]
