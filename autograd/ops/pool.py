"""Pooling over the last one, two or three dimensions.

Attributes have one entry per pooled dimension.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd import kernels
from autograd.errors import DtypeError, ShapeError
from autograd.kernels import Windows
from autograd.ops.elementwise import quiet
from autograd.ops.linalg import matmul
from autograd.ops.reduce import raw
from autograd.ops.shape import reshape
from autograd.primitive import Case, primitive

Sizes = tuple[int, ...]


def pool_windows(
    operation: str,
    shape: Sizes,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> Windows:
    """The windows of a pooling over the last dimensions of a shape.

    With `ceil_mode` a last window may hang over the end, if it starts before the end.

    Raises:
        ValueError: a setting is out of range.
        ShapeError: the shape has too few dimensions, or a kernel is larger than the padded input.
    """
    count = len(kernel_size)
    named = {"kernel_size": kernel_size, "stride": stride, "dilation": dilation}
    for name, value in named.items():
        if len(value) != count or min(value) < 1:
            raise ValueError(f"{operation}: {name} is {value}, expected {count} positive numbers")
    if len(shape) < count:
        raise ShapeError(f"{operation}: input has shape {shape}, expected {count} sizes at the end")
    sizes = shape[len(shape) - count :]
    out = []
    for n, k, s, p, d in zip(sizes, kernel_size, stride, padding, dilation, strict=True):
        extent = d * (k - 1) + 1
        if not 0 <= 2 * p <= extent:
            raise ValueError(
                f"{operation}: padding is {padding}, expected at most half of the kernel "
                f"{kernel_size}"
            )
        room = n + 2 * p - extent
        steps = -(-room // s) if ceil_mode else room // s
        if ceil_mode and steps * s >= n + p:
            steps -= 1
        out.append(steps + 1)
    if min(out) < 1 or min(sizes) < 1:
        padded = tuple(n + 2 * p for n, p in zip(sizes, padding, strict=True))
        raise ShapeError(
            f"{operation}: the kernel {kernel_size} is larger than the padded input {padded} "
            f"(input {shape}, padding {padding})"
        )
    windows = Windows(sizes, kernel_size, stride, padding, dilation, tuple(out))
    if max(dilation) > 1 and max(padding) > 0 and windows.miss():
        raise ShapeError(
            f"{operation}: a window lies in the padding only (input {shape}, kernel {kernel_size}, "
            f"dilation {dilation}, padding {padding})"
        )
    return windows


def settings(
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes | None = None,
    ceil_mode: bool = False,
) -> dict[str, Any]:
    """The attributes of a maximum pooling, for the cases."""
    return {
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": padding,
        "dilation": dilation or (1,) * len(kernel_size),
        "ceil_mode": ceil_mode,
    }


EXAMPLES = (
    ((2, 4, 4), settings((2, 2), (2, 2), (0, 0))),
    ((1, 2, 7), settings((3,), (2,), (1,))),
    ((1, 5, 4), settings((3, 2), (2, 1), (1, 0), ceil_mode=True)),
    ((1, 7), settings((2,), (1,), (1,), dilation=(3,))),
    ((2, 2, 3, 4), settings((2, 2, 2), (1, 1, 2), (0, 1, 0))),
)
PICKED = Windows((3, 4), (2, 3), (1, 2), (0, 1), (1, 1), (2, 2))
PLACES = np.array([[[1, 3], [5, 0]], [[4, 5], [2, 5]]])


@primitive(
    lambda g, places, windows: max_pool_grad(g, places=places, windows=windows),
    residuals=("places", "windows"),
    case=tuple(
        Case(shapes=(shape,), distinct=True, attributes=attributes)
        for shape, attributes in EXAMPLES
    ),
)
@quiet
def max_pool(
    x: Any,
    *,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> Any:
    """The maximum of each window; the first of equal ones gets the gradient, NaN goes through."""
    windows = max_pool_windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    return *kernels.max_pool(x, windows), windows


@primitive(
    lambda g, places, windows: max_pool_pick(g, places=places, windows=windows),
    case=Case(shapes=((2, 2, 2),), attributes={"places": PLACES, "windows": PICKED}),
)
@quiet
def max_pool_grad(y: Any, *, places: Any, windows: Windows) -> Any:
    """Zeros of the input's shape, with y added where the maxima were."""
    return kernels.max_pool_grad(y, places, windows)


@primitive(
    lambda g, places, windows: max_pool_grad(g, places=places, windows=windows),
    case=Case(shapes=((2, 3, 4),), attributes={"places": PLACES, "windows": PICKED}),
)
@quiet
def max_pool_pick(x: Any, *, places: Any, windows: Windows) -> Any:
    """The values of x where the maxima of another tensor were."""
    return kernels.max_pool_pick(x, places, windows)


def max_pool_windows(
    x: Any, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool
) -> Windows:
    operation = f"max_pool{len(kernel_size)}d"
    windows = pool_windows(operation, x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    if x.dtype.kind not in "fiu":
        raise DtypeError(f"{operation}: expected numbers, got {x.dtype}")
    return windows


def max_pool_indices(
    x: Any,
    *,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> Any:
    """Where the maxima of an array are: flat indices into its pooled dimensions, as int64."""
    windows = max_pool_windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    places = kernels.max_pool(x, windows)[1]
    return kernels.max_pool_indices(places, windows).astype(np.int64, copy=False)


def average(
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> dict[str, Any]:
    """The attributes of an average pooling."""
    return {
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": padding,
        "ceil_mode": ceil_mode,
        "count_include_pad": count_include_pad,
        "divisor_override": divisor_override,
    }


AVERAGES = (
    ((2, 4, 4), (2, 2, 2), average((2, 2), (2, 2), (0, 0), False, True, None)),
    ((1, 2, 7), (1, 2, 4), average((3,), (2,), (1,), True, False, None)),
    ((1, 5, 4), (1, 3, 2), average((3, 2), (2, 3), (1, 1), True, True, None)),
    ((2, 3, 4), (2, 2, 2), average((2, 3), (1, 1), (0, 0), False, True, 5)),
    ((1, 2, 3, 2), (1, 3, 2, 2), average((2, 2, 2), (1, 1, 2), (1, 0, 1), False, False, None)),
)


def avg_pool_rule(
    g: Any,
    x_shape: Sizes,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    options = average(kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return avg_pool_grad(g, input_shape=x_shape, **options)


@primitive(
    avg_pool_rule,
    case=tuple(Case(shapes=(x,), attributes=attributes) for x, _, attributes in AVERAGES),
)
@quiet
def avg_pool(
    x: Any,
    *,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    """The mean of each window, zeros standing for padding."""
    if x.dtype.kind != "f":
        raise DtypeError(
            f"avg_pool{len(kernel_size)}d: expected a floating-point input, got {x.dtype}"
        )
    windows = average_windows(x.shape, kernel_size, stride, padding, ceil_mode)
    total = kernels.sum_pool(x, windows)
    total /= divisors(windows, count_include_pad, divisor_override, x.dtype)
    return total


@primitive(
    lambda g, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: (
        avg_pool(
            g,
            **average(kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override),
        )
    ),
    case=tuple(
        Case(shapes=(y,), attributes={"input_shape": x, **attributes})
        for x, y, attributes in AVERAGES
    ),
)
@quiet
def avg_pool_grad(
    y: Any,
    *,
    input_shape: Sizes,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    """The transpose of `avg_pool`: each value, divided, goes to every input of its window."""
    windows = average_windows(input_shape, kernel_size, stride, padding, ceil_mode)
    share = y / divisors(windows, count_include_pad, divisor_override, y.dtype)
    return kernels.spread_pool(share, windows)


def average_windows(
    shape: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, ceil_mode: bool
) -> Windows:
    operation = f"avg_pool{len(kernel_size)}d"
    ones = (1,) * len(kernel_size)
    return pool_windows(operation, shape, kernel_size, stride, padding, ones, ceil_mode)


def divisors(
    windows: Windows, count_include_pad: bool, divisor_override: int | None, dtype: Any
) -> Any:
    """By what the sum of each window is divided: one number, or an array (out...).

    With `count_include_pad` padding counts, but not what hangs over its end.
    """
    if divisor_override is not None:
        if divisor_override == 0:
            raise ValueError(f"avg_pool{len(windows.sizes)}d: divisor_override is 0")
        return divisor_override
    inside = all(n >= extent for n, extent in zip(windows.sizes, windows.extents, strict=True))
    if inside and not any(windows.before):
        return prod(windows.kernel)
    counts: Any = np.ones((), np.intp)
    for n, k, s, p, out in zip(
        windows.sizes, windows.kernel, windows.stride, windows.before, windows.out, strict=True
    ):
        start = np.arange(out) * s - p
        stop = np.minimum(start + k, n + p)
        if not count_include_pad:
            start, stop = np.maximum(start, 0), np.minimum(stop, n)
        counts = counts[..., None] * (stop - start)  # (out...) -> (out..., out of this dimension)
    first = int(counts.flat[0])
    return first if np.all(counts == first) else counts.astype(dtype)


@quiet
def adaptive_avg_pool(x: Any, *, output_size: Sizes) -> Any:
    """The mean over `output_size` windows that cover the last dimensions of x evenly.

    Window o of an axis of n runs from ``floor(o * n / out)`` to ``ceil((o + 1) * n / out)``.

    Raises:
        ValueError: an output size is negative.
        ShapeError: x has too few dimensions, or an empty one to pool.
    """
    count = len(output_size)
    operation = f"adaptive_avg_pool{count}d"
    if min(output_size) < 0:
        raise ValueError(f"{operation}: output_size is {output_size}, expected no negative number")
    shape = raw(x).shape
    if len(shape) < count or min(shape[len(shape) - count :]) < 1:
        raise ShapeError(
            f"{operation}: input has shape {shape}, expected {count} positive sizes at the end"
        )
    lead = len(shape) - count
    sizes = shape[lead:]
    if min(output_size) and not any(n % out for n, out in zip(sizes, output_size, strict=True)):
        kernel = tuple(n // out for n, out in zip(sizes, output_size, strict=True))
        return avg_pool(x, **average(kernel, kernel, (0,) * count, False, True, None))
    for axis, out in enumerate(output_size, lead):
        before, n, after = raw(x).shape[:axis], sizes[axis - lead], shape[axis + 1 :]
        x = reshape(x, shape=(prod(before), n, prod(after)))  # (..., n, ...) -> (rows, n, columns)
        x = matmul(averaging_matrix(n, out, x.dtype), x)
        x = reshape(x, shape=(*before, out, *after))  # (rows, out, columns) -> (..., out, ...)
    return x


def averaging_matrix(size: int, out: int, dtype: Any) -> Any:
    """(out, size): row o holds the weights of the mean over window o."""
    number = np.arange(out)[:, None]
    start, stop = number * size // max(out, 1), -(-(number + 1) * size // max(out, 1))
    place = np.arange(size)
    inside = (place >= start) & (place < stop)
    return (inside / np.maximum(stop - start, 1)).astype(dtype)
