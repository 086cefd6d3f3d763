"""Convolution in one, two or three dimensions, and its transpose.

Three operations, each linear in both of its inputs; the gradients of each are the other two, so
all orders of derivative exist. Attributes have one entry per dimension; `padding` has pairs
(before, after), where a negative number leaves that many inputs out.
"""

from __future__ import annotations

from typing import Any

from autograd import kernels
from autograd.errors import DtypeError, ShapeError
from autograd.kernels import Windows
from autograd.ops.elementwise import quiet
from autograd.ops.reduce import raw, sum
from autograd.ops.shape import reshape
from autograd.primitive import Case, primitive

Sizes = tuple[int, ...]
Padding = tuple[tuple[int, int], ...]


def settings(stride: Sizes, padding: Padding, dilation: Sizes, groups: int) -> dict[str, Any]:
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


def output_sizes(
    sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Padding, dilation: Sizes
) -> Sizes:
    return tuple(
        (n + before + after - d * (k - 1) - 1) // s + 1
        for n, k, s, (before, after), d in zip(
            sizes, kernel, stride, padding, dilation, strict=True
        )
    )


def windows_of(
    sizes: Sizes, kernel: Sizes, out: Sizes, stride: Sizes, padding: Padding, dilation: Sizes
) -> Windows:
    before = tuple(pair[0] for pair in padding)
    return Windows(sizes[2:], kernel[2:], stride, before, dilation, out[2:])


def conv_to(
    x: Any, weight: Any, out: Sizes, stride: Sizes, padding: Padding, dilation: Sizes, groups: int
) -> Any:
    """The convolution that has exactly the output shape given: trailing padding is fitted."""
    windows = windows_of(x.shape, weight.shape, out, stride, padding, dilation)
    fitted = tuple(
        (before, extent - size - before)
        for before, extent, size in zip(windows.before, windows.extents, windows.sizes, strict=True)
    )
    return conv(x, weight, None, **settings(stride, fitted, dilation, groups))


EXAMPLES = (
    ((2, 2, 5), (3, 2, 3), settings((1,), ((1, 0),), (1,), 1)),
    ((1, 4, 6), (2, 2, 2), settings((2,), ((0, 1),), (2,), 2)),
    ((2, 2, 4, 5), (3, 2, 3, 2), settings((1, 1), ((1, 1), (0, 1)), (1, 1), 1)),
    ((1, 1, 5, 6), (2, 1, 2, 3), settings((2, 3), ((1, 2), (1, 1)), (1, 1), 1)),
    ((1, 3, 4, 4), (3, 1, 2, 2), settings((1, 1), ((0, 0), (0, 0)), (2, 1), 3)),
    ((2, 3, 2, 2), (2, 3, 1, 1), settings((1, 1), ((0, 0), (0, 0)), (1, 1), 1)),
    ((1, 2, 3, 3, 2), (2, 2, 2, 2, 2), settings((1, 2, 1), ((0, 0), (1, 1), (1, 0)), (1,) * 3, 1)),
)


def output_shape(x_shape: Sizes, weight_shape: Sizes, attributes: dict[str, Any]) -> Sizes:
    spatial = {name: value for name, value in attributes.items() if name != "groups"}
    return (
        x_shape[0],
        weight_shape[0],
        *output_sizes(x_shape[2:], weight_shape[2:], **spatial),
    )


@primitive(
    lambda g, weight, x_shape, stride, padding, dilation, groups: conv_input_grad(
        g, weight, input_shape=x_shape, **settings(stride, padding, dilation, groups)
    ),
    lambda g, x, weight_shape, stride, padding, dilation, groups: conv_weight_grad(
        x, g, weight_shape=weight_shape, **settings(stride, padding, dilation, groups)
    ),
    lambda g: sum(g, dim=(0, *range(2, len(g.shape))), keepdim=False),
    case=tuple(
        Case(shapes=(x, w, w[:1]), attributes=attributes)
        if number % 2
        else Case(shapes=(x, w), constants={"bias": None}, attributes=attributes)
        for number, (x, w, attributes) in enumerate(EXAMPLES)
    ),
)
@quiet
def conv(
    x: Any,
    weight: Any,
    bias: Any,
    *,
    stride: Sizes,
    padding: Padding,
    dilation: Sizes,
    groups: int,
) -> Any:
    """``out[n, o, p] = bias[o] + sum over c, k of weight[o, c, k] * x[n, c, p * stride + k]``

    x (N, C, sizes...), weight (O, C / groups, kernel...), bias (O,) or None -> (N, O, out...)
    """
    operation = f"conv{weight.ndim - 2}d"
    check_operands(operation, x, weight, bias, groups, ("C_out", "C_in / groups"))
    check_settings(operation, weight.ndim - 2, stride=stride, padding=padding, dilation=dilation)
    channels = weight.shape[1] * groups
    if x.shape[1] != channels:
        raise ShapeError(
            f"{operation}: input has {x.shape[1]} channels, weight expects {channels} "
            f"(input {x.shape}, weight {weight.shape}{with_groups(groups)})"
        )
    if weight.shape[0] % groups:
        raise ShapeError(
            f"{operation}: {weight.shape[0]} output channels cannot be split into {groups} groups "
            f"(weight {weight.shape})"
        )
    check_bias(operation, bias, weight.shape[0], weight.shape)
    out = output_sizes(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    if min(out) < 1:
        padded = tuple(
            before + size + after
            for size, (before, after) in zip(x.shape[2:], padding, strict=True)
        )
        spread = f" with dilation {dilation}" if max(dilation) > 1 else ""
        raise ShapeError(
            f"{operation}: the kernel {weight.shape[2:]}{spread} is larger than the padded input "
            f"{padded} (input {x.shape}, weight {weight.shape})"
        )
    windows = windows_of(x.shape, weight.shape, (*x.shape[:2], *out), stride, padding, dilation)
    return kernels.conv(x, weight, bias, windows, groups)


@primitive(
    lambda g, weight, y_shape, stride, padding, dilation, groups: conv_to(
        g, weight, y_shape, stride, padding, dilation, groups
    ),
    lambda g, y, weight_shape, stride, padding, dilation, groups: conv_weight_grad(
        g, y, weight_shape=weight_shape, **settings(stride, padding, dilation, groups)
    ),
    case=tuple(
        Case(shapes=(output_shape(x, w, settings), w), attributes={"input_shape": x, **settings})
        for x, w, settings in EXAMPLES
    ),
)
@quiet
def conv_input_grad(
    y: Any,
    weight: Any,
    *,
    input_shape: Sizes,
    stride: Sizes,
    padding: Padding,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The transpose of `conv` in x: from (N, O, out...) back to `input_shape` (N, C, sizes...)."""
    windows = windows_of(input_shape, weight.shape, y.shape, stride, padding, dilation)
    return kernels.conv_input_grad(y, weight, windows, groups)


@primitive(
    lambda g, y, x_shape, stride, padding, dilation, groups: conv_input_grad(
        y, g, input_shape=x_shape, **settings(stride, padding, dilation, groups)
    ),
    lambda g, x, y_shape, stride, padding, dilation, groups: conv_to(
        x, g, y_shape, stride, padding, dilation, groups
    ),
    case=tuple(
        Case(shapes=(x, output_shape(x, w, settings)), attributes={"weight_shape": w, **settings})
        for x, w, settings in EXAMPLES
    ),
)
@quiet
def conv_weight_grad(
    x: Any,
    y: Any,
    *,
    weight_shape: Sizes,
    stride: Sizes,
    padding: Padding,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The transpose of `conv` in its weight: x (N, C, sizes...), y (N, O, out...)."""
    windows = windows_of(x.shape, weight_shape, y.shape, stride, padding, dilation)
    return kernels.conv_weight_grad(x, y, windows, groups)


def conv_transpose(
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    stride: Sizes,
    padding: Sizes,
    output_padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The transposed convolution: `conv_input_grad` used forward.

    x (N, C, sizes...), weight (C, O / groups, kernel...), bias (O,) or None -> (N, O, out...)
    with ``out = (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1``.

    Raises:
        ShapeError: shapes or settings do not fit; nothing has been computed then.
        DtypeError: the data types are not one and the same floating-point type.
    """
    operation = f"conv_transpose{weight.ndim - 2}d"
    check_operands(operation, raw(x), raw(weight), raw(bias), groups, ("C_in", "C_out / groups"))
    shape, kernel = raw(x).shape, raw(weight).shape
    check_settings(
        operation,
        weight.ndim - 2,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
    )
    if shape[1] != kernel[0] or shape[1] % groups:
        raise ShapeError(
            f"{operation}: input has {shape[1]} channels, weight expects {kernel[0]} "
            f"(input {shape}, weight {kernel}{with_groups(groups)})"
        )
    channels = kernel[1] * groups
    check_bias(operation, raw(bias), channels, kernel)
    if any(o >= max(s, d) for o, s, d in zip(output_padding, stride, dilation, strict=True)):
        raise ShapeError(
            f"{operation}: output_padding {output_padding} must be smaller than stride {stride} "
            f"or dilation {dilation}"
        )
    spatial = zip(shape[2:], kernel[2:], stride, padding, output_padding, dilation, strict=True)
    out = tuple((n - 1) * s - 2 * p + d * (k - 1) + o + 1 for n, k, s, p, o, d in spatial)
    if min(out) < 1:
        raise ShapeError(
            f"{operation}: the output would have sizes {out} (input {shape}, "
            f"weight {kernel}, padding {padding})"
        )
    pairs = tuple((p, p) for p in padding)
    y = conv_input_grad(
        x,
        weight,
        input_shape=(shape[0], channels, *out),
        **settings(stride, pairs, dilation, groups),
    )
    if bias is None:
        return y
    return y + reshape(bias, shape=(channels, *(1,) * len(out)))  # (O,) -> (O, 1...)


def with_groups(groups: int) -> str:
    return f", groups {groups}" if groups != 1 else ""


def check_operands(
    operation: str, x: Any, weight: Any, bias: Any, groups: int, names: tuple[str, str]
) -> None:
    """Dimensions and data types of the inputs of a convolution."""
    if x.ndim != weight.ndim or not 3 <= weight.ndim <= 5:
        raise ShapeError(
            f"{operation}: input has shape {x.shape} and weight {weight.shape}, expected "
            f"(N, C_in, sizes...) and ({names[0]}, {names[1]}, kernel...) with as many sizes"
        )
    if 0 in weight.shape:
        raise ShapeError(f"{operation}: weight {weight.shape} has an empty dimension")
    if groups < 1:
        raise ValueError(f"{operation}: groups is {groups}, expected at least 1")
    dtypes = [array.dtype for array in (x, weight, bias) if array is not None]
    if x.dtype.kind != "f" or any(dtype != x.dtype for dtype in dtypes):
        named = ", ".join(
            f"{name} {array.dtype}"
            for name, array in (("input", x), ("weight", weight), ("bias", bias))
            if array is not None
        )
        raise DtypeError(f"{operation}: expected one floating-point type, got {named}")


def check_settings(operation: str, count: int, **values: Any) -> None:
    """One entry per dimension; strides and dilations are positive."""
    for name, value in values.items():
        if len(value) != count:
            raise ValueError(f"{operation}: {name} {value} has {len(value)} entries, not {count}")
        if name in ("stride", "dilation") and min(value) < 1:
            raise ValueError(f"{operation}: {name} is {value}, expected at least 1")


def check_bias(operation: str, bias: Any, channels: int, weight_shape: Sizes) -> None:
    if bias is not None and bias.shape != (channels,):
        raise ShapeError(
            f"{operation}: bias has shape {bias.shape}, expected ({channels},) "
            f"(weight {weight_shape})"
        )
