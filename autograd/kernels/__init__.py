"""The array work behind the larger operations; here is the one place that chooses who does it.

The reference is NumPy. Where `choice.COMPILED` names a module with a compiled form, the name here
stands for that one while it is in use, so call kernels as ``kernels.conv(...)``.
"""

from autograd.kernels import choice
from autograd.kernels.choice import get_kernels, use_kernels
from autograd.kernels.numpy_conv import conv, conv_input_grad, conv_weight_grad
from autograd.kernels.numpy_loss import (
    cross_entropy,
    cross_entropy_grad,
    exponentiate,
    log_softmax,
    softmax,
)
from autograd.kernels.numpy_matmul import matmul
from autograd.kernels.numpy_norm import (
    moments,
    standard_moments,
    standardize,
    standardize_grad,
    standardize_weight_grad,
)
from autograd.kernels.numpy_pool import (
    max_pool,
    max_pool_grad,
    max_pool_indices,
    max_pool_pick,
    spread_pool,
    sum_pool,
)
from autograd.kernels.numpy_select import select
from autograd.kernels.windows import Windows

__all__ = [
    "Windows",
    "conv",
    "conv_input_grad",
    "conv_weight_grad",
    "cross_entropy",
    "cross_entropy_grad",
    "exponentiate",
    "get_kernels",
    "log_softmax",
    "matmul",
    "max_pool",
    "max_pool_grad",
    "max_pool_indices",
    "max_pool_pick",
    "moments",
    "select",
    "softmax",
    "spread_pool",
    "standard_moments",
    "standardize",
    "standardize_grad",
    "standardize_weight_grad",
    "sum_pool",
    "use_kernels",
]

choice.start(globals())
