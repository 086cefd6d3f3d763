"""Making tensors, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.dtypes import (
    check_fits,
    complex64,
    complex128,
    float64,
    get_default_dtype,
    is_floating,
)
from autograd.errors import DtypeError, ShapeError
from autograd.functions.arguments import constant, raw, shape_argument
from autograd.graph import TensorBase, new_tensor

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "arange",
    "as_tensor",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "tensor",
    "tril_indices",
    "triu_indices",
    "zeros",
    "zeros_like",
]


def array_of(data: Any, dtype: Any, name: str = "tensor") -> Any:
    """Data as an array; Python floats become the default dtype, arrays keep theirs."""
    if isinstance(data, TensorBase):
        array = data._array
    elif isinstance(data, (np.ndarray, np.generic)):
        array = np.asarray(data)
    else:
        if isinstance(data, (list, tuple)):
            data = plain(data)
        try:
            array = np.array(data)
        except ValueError as error:
            raise ShapeError(f"{name}: rows of different lengths ({error})") from None
        if dtype is not None:
            check_fits(name, array, np.dtype(dtype))
        if array.dtype == np.float64 and not holds_arrays(data):
            array = converted(array, get_default_dtype() if dtype is None else dtype)
        elif array.dtype == np.complex128 and not holds_arrays(data):
            array = converted(array, complex64 if dtype is None else dtype)
    if array.dtype.kind not in "biufc":
        raise DtypeError(f"{name}: cannot hold values of type {array.dtype}")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array if dtype is None else converted(array, dtype)


def converted(array: Any, dtype: Any) -> Any:
    """In another data type; what it cannot hold becomes infinite or undefined, without a word."""
    with np.errstate(all="ignore"):
        return array.astype(dtype, copy=False)


def plain(data: Any) -> Any:
    """Nested sequences with arrays in place of tensors."""
    if isinstance(data, TensorBase):
        return data._array
    if isinstance(data, (list, tuple)):
        return [plain(item) for item in data]
    return data


def holds_arrays(data: Any) -> bool:
    """Whether nested sequences hold double-precision arrays or scalars, whose dtype is kept."""
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, (np.ndarray, np.generic)) and data.dtype in (float64, complex128)


def checked(name: str, array: Any, device: Any, requires_grad: bool) -> Tensor:
    """A leaf on an array, if it can be what is asked for."""
    on_cpu(name, device)
    if requires_grad and not is_floating(array.dtype):
        raise DtypeError(
            f"{name}: only real floating-point tensors can require grad, this one is {array.dtype}"
        )
    return new_tensor(array, requires_grad)


def sizes(name: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    """A shape to be made, given as numbers or as one sequence."""
    given = shape_argument(name, shape)
    if any(size < 0 for size in given):
        raise ShapeError(f"{name}: sizes must not be negative, got {given}")
    return given


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A new tensor with a copy of the data.

    Args:
        data: a number, nested sequences, an array or a tensor.
        dtype: of the result; by default that of an array, float32 for Python floats, int64 for
            integers and bool for booleans.
        device: None or "cpu".
        requires_grad: record operations on it.

    Raises:
        ShapeError: rows of different lengths.
        DtypeError: the values are not numbers, do not fit into an integer dtype, or an integer
            tensor should require grad.

    Example:
        >>> import autograd
        >>> autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
        tensor([[1., 2.],
                [3., 4.]])
    """
    return checked("tensor", np.array(array_of(data, dtype)), device, requires_grad)


def on_cpu(name: str, device: Any) -> None:
    if device is not None and str(device) != "cpu":
        raise ValueError(f"{name}: device must be 'cpu', got {device!r}")


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """As `tensor`, sharing memory with an array or tensor of the right dtype.

    Example:
        >>> import autograd
        >>> autograd.as_tensor([1, 2], dtype=autograd.float32)
        tensor([1., 2.])
    """
    on_cpu("as_tensor", device)
    if isinstance(data, TensorBase) and (dtype is None or data._array.dtype == np.dtype(dtype)):
        return data  # type: ignore[return-value]  # every TensorBase made here is a Tensor
    return new_tensor(array_of(data, dtype))


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor on the memory of an array.

    Example:
        >>> import autograd, numpy
        >>> array = numpy.zeros(2, dtype="float32")
        >>> autograd.from_numpy(array).add_(1)
        tensor([1., 1.])
        >>> array
        array([1., 1.], dtype=float32)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(ndarray).__name__}")
    if ndarray.dtype.kind not in "biufc":
        raise DtypeError(f"from_numpy: cannot hold values of type {ndarray.dtype}")
    if not ndarray.dtype.isnative:
        raise DtypeError(
            f"from_numpy: {ndarray.dtype} has a foreign byte order; tensor() would convert it"
        )
    return new_tensor(ndarray)


def chosen(dtype: Any) -> np.dtype[Any]:
    return get_default_dtype() if dtype is None else np.dtype(dtype)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros.

    Example:
        >>> import autograd
        >>> autograd.zeros(2, 2)
        tensor([[0., 0.],
                [0., 0.]])
    """
    return checked("zeros", np.zeros(sizes("zeros", size), chosen(dtype)), device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones.

    Example:
        >>> import autograd
        >>> autograd.ones(2)
        tensor([1., 1.])
    """
    return checked("ones", np.ones(sizes("ones", size), chosen(dtype)), device, requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor whose values are whatever the memory held.

    Example:
        >>> import autograd
        >>> autograd.empty(2, 3).shape
        Size([2, 3])
    """
    return checked("empty", np.empty(sizes("empty", size), chosen(dtype)), device, requires_grad)


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """One value everywhere.

    Example:
        >>> import autograd
        >>> autograd.full((2,), 7.0)
        tensor([7., 7.])
    """
    value = array_of(fill_value, dtype, "full")
    if value.ndim:
        raise ShapeError(f"full: fill_value must be a number or 0-d, got shape {value.shape}")
    return checked(
        "full", np.full(sizes("full", (size,)), value, value.dtype), device, requires_grad
    )


def like(input: Tensor, dtype: Any) -> np.dtype[Any]:
    chosen: np.dtype[Any] = np.dtype(raw(input).dtype if dtype is None else dtype)
    return chosen


def zeros_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Zeros with the shape and dtype of a tensor.

    Example:
        >>> import autograd
        >>> autograd.zeros_like(autograd.tensor([3, 4]))
        tensor([0, 0])
    """
    return checked(
        "zeros_like", np.zeros(raw(input).shape, like(input, dtype)), device, requires_grad
    )


def ones_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones with the shape and dtype of a tensor.

    Example:
        >>> import autograd
        >>> autograd.ones_like(autograd.tensor([3, 4]))
        tensor([1, 1])
    """
    return checked(
        "ones_like", np.ones(raw(input).shape, like(input, dtype)), device, requires_grad
    )


def empty_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Unset memory with the shape and dtype of a tensor.

    Example:
        >>> import autograd
        >>> autograd.empty_like(autograd.zeros(2, 3)).shape
        Size([2, 3])
    """
    return checked(
        "empty_like", np.empty(raw(input).shape, like(input, dtype)), device, requires_grad
    )


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """One value everywhere, with the shape and dtype of a tensor.

    Example:
        >>> import autograd
        >>> autograd.full_like(autograd.zeros(2), 7)
        tensor([7., 7.])
    """
    value = array_of(fill_value, like(input, dtype), "full_like")
    array = np.full(raw(input).shape, value, value.dtype)
    return checked("full_like", array, device, requires_grad)


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from `start` (0 when left out) to `end`, which is excluded, by `step`.

    Example:
        >>> import autograd
        >>> autograd.arange(1, 7, 2)
        tensor([1, 3, 5])
    """
    if end is None:
        start, end = 0, start
    if not (step != 0 and (end - start) * step >= 0):
        raise ValueError(f"arange: step {step} does not lead from {start} to {end}")
    numbers = [raw(value) for value in (start, end, step)]
    whole = all(np.asarray(value).dtype.kind in "biu" for value in numbers)
    kind = np.dtype(np.int64) if whole and dtype is None else chosen(dtype)
    return checked("arange", np.arange(*numbers).astype(kind), device, requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers at equal distances from `start` to `end`, both included.

    Example:
        >>> import autograd
        >>> autograd.linspace(0, 1, 3)
        tensor([0.0000, 0.5000, 1.0000])
    """
    if steps < 0:
        raise ValueError(f"linspace: steps must not be negative, got {steps}")
    return checked(
        "linspace", np.linspace(start, end, steps).astype(chosen(dtype)), device, requires_grad
    )


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` powers of `base` from ``base ** start`` to ``base ** end``.

    Example:
        >>> import autograd
        >>> autograd.logspace(0, 2, 3)
        tensor([  1.,  10., 100.])
    """
    if steps < 0:
        raise ValueError(f"logspace: steps must not be negative, got {steps}")
    return checked(
        "logspace",
        np.logspace(start, end, steps, base=base).astype(chosen(dtype)),
        device,
        requires_grad,
    )


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The n by m matrix with ones on the diagonal.

    Example:
        >>> import autograd
        >>> autograd.eye(2)
        tensor([[1., 0.],
                [0., 1.]])
    """
    if n < 0 or (m is not None and m < 0):
        raise ShapeError(f"eye: sizes must not be negative, got {n} and {m}")
    return checked("eye", np.eye(n, m, dtype=chosen(dtype)), device, requires_grad)


def tril_indices(row: int, col: int, offset: int = 0) -> Tensor:
    """The indices of the lower triangle: rows, then columns.

    Example:
        >>> import autograd
        >>> autograd.tril_indices(2, 2)
        tensor([[0, 1, 1],
                [0, 0, 1]])
    """
    return constant(np.stack(np.tril_indices(row, offset, col)).astype(np.int64))


def triu_indices(row: int, col: int, offset: int = 0) -> Tensor:
    """The indices of the upper triangle: rows, then columns.

    Example:
        >>> import autograd
        >>> autograd.triu_indices(2, 2)
        tensor([[0, 0, 1],
                [0, 1, 1]])
    """
    return constant(np.stack(np.triu_indices(row, offset, col)).astype(np.int64))
