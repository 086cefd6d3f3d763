"""Operations that overwrite their first tensor, under PyTorch's names with a trailing underscore.

Each computes its result out of place, which may fail without harm, and then hands it to
`autograd.inplace`, which refuses the write or makes it with the right history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import ops
from autograd.functions import arithmetic, indexing
from autograd.functions.arguments import Number, constant, raw
from autograd.inplace import apply_inplace, write

if TYPE_CHECKING:
    from autograd.tensor import Tensor

WHOLE = (Ellipsis,)


def unary(name: str, function: Callable[[Any], Tensor]) -> Callable[[Tensor], Tensor]:
    def inplace(input: Tensor) -> Tensor:
        return apply_inplace(name, input, lambda: function(input))

    inplace.__name__ = inplace.__qualname__ = name
    inplace.__doc__ = f"``{name[:-1]}``, overwriting the tensor."
    return inplace


abs_ = unary("abs_", ops.abs)
ceil_ = unary("ceil_", ops.ceil)
cos_ = unary("cos_", ops.cos)
erf_ = unary("erf_", ops.erf)
exp_ = unary("exp_", ops.exp)
expm1_ = unary("expm1_", ops.expm1)
floor_ = unary("floor_", ops.floor)
log_ = unary("log_", ops.log)
log1p_ = unary("log1p_", ops.log1p)
neg_ = unary("neg_", ops.neg)
relu_ = unary("relu_", ops.relu)
round_ = unary("round_", lambda x: ops.round(x, decimals=0))
rsqrt_ = unary("rsqrt_", ops.rsqrt)
sigmoid_ = unary("sigmoid_", ops.sigmoid)
sign_ = unary("sign_", ops.sign)
sin_ = unary("sin_", ops.sin)
sqrt_ = unary("sqrt_", ops.sqrt)
square_ = unary("square_", lambda x: ops.mul(x, x))
reciprocal_ = unary("reciprocal_", lambda x: ops.div(1.0, x))
tan_ = unary("tan_", ops.tan)
tanh_ = unary("tanh_", ops.tanh)
trunc_ = unary("trunc_", ops.trunc)


def add_(input: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """``input += alpha * other``."""
    return apply_inplace("add_", input, lambda: arithmetic.add(input, other, alpha=alpha))


def sub_(input: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """``input -= alpha * other``."""
    return apply_inplace("sub_", input, lambda: arithmetic.sub(input, other, alpha=alpha))


def mul_(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input *= other``."""
    return apply_inplace("mul_", input, lambda: ops.mul(input, other))


def div_(input: Tensor, other: Tensor | Number, *, rounding_mode: str | None = None) -> Tensor:
    """``input /= other``."""
    return apply_inplace(
        "div_", input, lambda: arithmetic.div(input, other, rounding_mode=rounding_mode)
    )


def floor_divide_(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input //= other``."""
    return apply_inplace("floor_divide_", input, lambda: arithmetic.floor_divide(input, other))


def remainder_(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input %= other``."""
    return apply_inplace("remainder_", input, lambda: arithmetic.remainder(input, other))


def pow_(input: Tensor, exponent: Tensor | Number) -> Tensor:
    """``input **= exponent``."""
    return apply_inplace("pow_", input, lambda: arithmetic.pow(input, exponent))


def clamp_(
    input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None
) -> Tensor:
    """`clamp`, overwriting the tensor."""
    return apply_inplace("clamp_", input, lambda: arithmetic.clamp(input, min, max))


def lerp_(input: Tensor, end: Tensor, weight: Tensor | Number) -> Tensor:
    """``input += weight * (end - input)``."""
    return apply_inplace("lerp_", input, lambda: arithmetic.lerp(input, end, weight))


def addcmul_(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input += value * tensor1 * tensor2``."""
    return apply_inplace(
        "addcmul_", input, lambda: arithmetic.addcmul(input, tensor1, tensor2, value=value)
    )


def addcdiv_(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input += value * tensor1 / tensor2``."""
    return apply_inplace(
        "addcdiv_", input, lambda: arithmetic.addcdiv(input, tensor1, tensor2, value=value)
    )


def bitwise(name: str, function: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Tensor]:
    def inplace(input: Tensor, other: Any) -> Tensor:
        return apply_inplace(name, input, lambda: constant(function(raw(input), raw(other))))

    inplace.__name__ = inplace.__qualname__ = name
    inplace.__doc__ = f"``{name[:-1]}`` of integers or booleans, overwriting the tensor."
    return inplace


bitwise_and_ = bitwise("bitwise_and_", np.bitwise_and)
bitwise_or_ = bitwise("bitwise_or_", np.bitwise_or)
bitwise_xor_ = bitwise("bitwise_xor_", np.bitwise_xor)


def masked_fill_(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """``input[mask] = value``."""
    return apply_inplace("masked_fill_", input, lambda: arithmetic.masked_fill(input, mask, value))


def scatter_(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | Number | None = None,
    *,
    value: Number | None = None,
) -> Tensor:
    """`scatter`, overwriting the tensor."""
    return apply_inplace(
        "scatter_", input, lambda: indexing.scatter(input, dim, index, src, value=value)
    )


def scatter_add_(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """`scatter_add`, overwriting the tensor."""
    return apply_inplace(
        "scatter_add_", input, lambda: indexing.scatter_add(input, dim, index, src)
    )


def index_add_(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1
) -> Tensor:
    """`index_add`, overwriting the tensor."""
    return apply_inplace(
        "index_add_", input, lambda: indexing.index_add(input, dim, index, source, alpha=alpha)
    )


def zero_(input: Tensor) -> Tensor:
    """Fill with 0; nothing flows back to what the tensor was before."""
    write("zero_", input, WHOLE, 0)
    return input


def fill_(input: Tensor, value: Tensor | Number) -> Tensor:
    """Fill with one value.

    Example:
        >>> import autograd
        >>> autograd.zeros(2).fill_(7)
        tensor([7., 7.])
    """
    if getattr(raw(value), "ndim", 0) != 0:
        raise ValueError(f"fill_: value must be a number or 0-d, got shape {raw(value).shape}")
    write("fill_", input, WHOLE, value)
    return input


def copy_(input: Tensor, src: Tensor) -> Tensor:
    """Overwrite with the values of `src`, which broadcasts and is converted to the dtype.

    Example:
        >>> import autograd
        >>> autograd.zeros(2).copy_(autograd.tensor([1.0, 2.0]))
        tensor([1., 2.])
    """
    write("copy_", input, WHOLE, src)
    return input
