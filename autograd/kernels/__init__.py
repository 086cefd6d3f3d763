"""The array work behind the larger operations; here is the one place that chooses who does it.

The reference is NumPy. Where `choice.COMPILED` names a module with a compiled form, the name here
stands for that one while it is in use, so call kernels as ``kernels.conv(...)``.
"""

from autograd.kernels import choice
from autograd.kernels.choice import get_kernels, use_kernels
from autograd.kernels.numpy_along import add_along, take_along
from autograd.kernels.numpy_attention import (
    attention,
    attention_grad,
    self_attention,
    self_attention_grad,
)
from autograd.kernels.numpy_conv import conv, conv_input_grad, conv_weight_grad
from autograd.kernels.numpy_loss import (
    cross_entropy,
    cross_entropy_grad,
    exponentiate,
    log_softmax,
    log_softmax_grad,
    softmax,
    softmax_grad,
)
from autograd.kernels.numpy_matmul import linear, matmul
from autograd.kernels.numpy_norm import (
    moments,
    scale_shift,
    standard_moments,
    standardize,
    standardize_backward,
    standardize_grad,
    standardize_weight_grad,
)
from autograd.kernels.numpy_optim import (
    adadelta_step,
    adagrad_step,
    adam_step,
    adamax_step,
    nadam_step,
    radam_step,
    rmsprop_step,
    sgd_step,
)
from autograd.kernels.numpy_pool import (
    max_pool,
    max_pool_grad,
    max_pool_indices,
    max_pool_pick,
    spread_pool,
    sum_pool,
)
from autograd.kernels.numpy_recurrent import gru, gru_grad, lstm, lstm_grad, rnn, rnn_grad
from autograd.kernels.numpy_reduce import add_up, running_sum
from autograd.kernels.numpy_rows import sum_rows
from autograd.kernels.numpy_select import clip, clip_grad, drop, leak, relu, relu_grad, select
from autograd.kernels.numpy_tape import evaluate
from autograd.kernels.special import erf
from autograd.kernels.windows import Windows

__all__ = [
    "Windows",
    "adadelta_step",
    "adagrad_step",
    "adam_step",
    "adamax_step",
    "add_along",
    "add_up",
    "attention",
    "attention_grad",
    "clip",
    "clip_grad",
    "conv",
    "conv_input_grad",
    "conv_weight_grad",
    "cross_entropy",
    "cross_entropy_grad",
    "drop",
    "erf",
    "evaluate",
    "exponentiate",
    "get_kernels",
    "gru",
    "gru_grad",
    "leak",
    "linear",
    "log_softmax",
    "log_softmax_grad",
    "lstm",
    "lstm_grad",
    "matmul",
    "max_pool",
    "max_pool_grad",
    "max_pool_indices",
    "max_pool_pick",
    "moments",
    "nadam_step",
    "radam_step",
    "relu",
    "relu_grad",
    "rmsprop_step",
    "rnn",
    "rnn_grad",
    "running_sum",
    "scale_shift",
    "select",
    "self_attention",
    "self_attention_grad",
    "sgd_step",
    "softmax",
    "softmax_grad",
    "spread_pool",
    "standard_moments",
    "standardize",
    "standardize_backward",
    "standardize_grad",
    "standardize_weight_grad",
    "sum_pool",
    "sum_rows",
    "take_along",
    "use_kernels",
]

choice.start(globals())
