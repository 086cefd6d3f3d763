"""NumPy's universal functions on Tensors: ``np.exp(x)`` and ``array * x`` are recorded too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import ops
from autograd.functions import arithmetic, comparison, elementary, products

UFUNCS: dict[str, Callable[..., Any]] = {
    "absolute": ops.abs,
    "add": ops.add,
    "arccos": ops.acos,
    "arccosh": ops.acosh,
    "arcsin": ops.asin,
    "arcsinh": ops.asinh,
    "arctan": ops.atan,
    "arctan2": ops.atan2,
    "arctanh": ops.atanh,
    "ceil": ops.ceil,
    "cos": ops.cos,
    "cosh": ops.cosh,
    "divide": ops.div,
    "equal": comparison.eq,
    "exp": ops.exp,
    "exp2": elementary.exp2,
    "expm1": ops.expm1,
    "floor": ops.floor,
    "floor_divide": arithmetic.floor_divide,
    "greater": comparison.gt,
    "greater_equal": comparison.ge,
    "isfinite": comparison.isfinite,
    "isinf": comparison.isinf,
    "isnan": comparison.isnan,
    "less": comparison.lt,
    "less_equal": comparison.le,
    "log": ops.log,
    "log10": elementary.log10,
    "log1p": ops.log1p,
    "log2": elementary.log2,
    "logical_and": comparison.logical_and,
    "logical_not": comparison.logical_not,
    "logical_or": comparison.logical_or,
    "matmul": products.matmul,
    "maximum": ops.maximum,
    "minimum": ops.minimum,
    "multiply": ops.mul,
    "negative": ops.neg,
    "not_equal": comparison.ne,
    "power": arithmetic.pow,
    "reciprocal": elementary.reciprocal,
    "remainder": arithmetic.remainder,
    "sign": ops.sign,
    "sin": ops.sin,
    "sinh": ops.sinh,
    "sqrt": ops.sqrt,
    "square": elementary.square,
    "subtract": ops.sub,
    "tan": ops.tan,
    "tanh": ops.tanh,
    "trunc": ops.trunc,
}
