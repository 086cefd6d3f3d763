"""Convolutions and poolings that fit together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from autograd.testing.strategies.shapes import Shape

__all__ = ["ConvCase", "PoolCase", "conv_cases", "pool_cases"]


@dataclass(frozen=True)
class ConvCase:
    """A convolution.

    Attributes:
        input: the input's shape (N, C, sizes...).
        weight: the weight's shape (O, C / groups, kernel...).
        bias: the bias's shape (O,), or None.
        stride, padding, dilation: a number for each dimension.
        groups: into how many groups channels are split.
        output: the result's shape (N, O, out...).
    """

    input: Shape
    weight: Shape
    bias: Shape | None
    stride: Shape
    padding: Shape
    dilation: Shape
    groups: int
    output: Shape

    @property
    def dims(self) -> int:
        """How many dimensions the kernel has."""
        return len(self.stride)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of input, weight and, if there is one, bias."""
        own = (self.input, self.weight)
        return own if self.bias is None else (*own, self.bias)

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments of ``conv1d``, ``conv2d`` and ``conv3d``."""
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
        }


@dataclass(frozen=True)
class PoolCase:
    """A pooling.

    Attributes:
        input: the input's shape (N, C, sizes...).
        kernel_size, stride, padding, dilation: a number for each dimension.
        ceil_mode: whether a last window may hang over the end.
    """

    input: Shape
    kernel_size: Shape
    stride: Shape
    padding: Shape
    dilation: Shape
    ceil_mode: bool

    @property
    def dims(self) -> int:
        """How many dimensions the kernel has."""
        return len(self.kernel_size)

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments of ``max_pool1d``, ``max_pool2d`` and ``max_pool3d``."""
        return {
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "ceil_mode": self.ceil_mode,
        }


@st.composite
def conv_cases(draw: st.DrawFn, dims: int | None = None, max_out: int = 3) -> ConvCase:  # noqa: D417 (Hypothesis passes draw)
    """Convolutions in one to three dimensions, with stride, padding, dilation and groups.

    Args:
        dims: the number of dimensions; one to three when None.
        max_out: the largest output in each dimension.
    """
    count = draw(st.integers(1, 3)) if dims is None else dims

    def each(low: int, high: int) -> Shape:
        return tuple(draw(st.integers(low, high)) for _ in range(count))

    groups = draw(st.sampled_from([1, 1, 2, 3]))
    inside, outside = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    kernel, stride, dilation = each(1, 3), each(1, 3), each(1, 2)
    extents = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    padding = tuple(draw(st.integers(0, extent)) for extent in extents)
    sizes, out = [], []
    for extent, s, p in zip(extents, stride, padding, strict=True):
        wanted = draw(st.integers(1, max_out))
        left_over = draw(st.integers(0, s - 1))
        size = max(1, (wanted - 1) * s + extent - 2 * p + left_over)
        sizes.append(size)
        out.append((size + 2 * p - extent) // s + 1)
    batch = draw(st.integers(1, 2))
    channels = groups * outside
    return ConvCase(
        (batch, groups * inside, *sizes),
        (channels, inside, *kernel),
        (channels,) if draw(st.booleans()) else None,
        stride,
        padding,
        dilation,
        groups,
        (batch, channels, *out),
    )


@st.composite
def pool_cases(  # noqa: D417 (Hypothesis passes draw)
    draw: st.DrawFn, dims: int | None = None, max_out: int = 3, dilated: bool = True
) -> PoolCase:
    """Poolings in one to three dimensions; padding is at most half of the kernel.

    Args:
        dims: the number of dimensions; one to three when None.
        max_out: about the largest output in each dimension.
        dilated: also with gaps in the windows, as only maximum pooling has them.
    """
    count = draw(st.integers(1, 3)) if dims is None else dims
    kernel, stride, padding, dilation, sizes = [], [], [], [], []
    for _ in range(count):
        k, s = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        d = draw(st.integers(1, 2)) if dilated else 1
        p = draw(st.integers(0, k // 2))
        extent = d * (k - 1) + 1
        size = (
            (draw(st.integers(1, max_out)) - 1) * s + extent - 2 * p + draw(st.integers(0, s - 1))
        )
        kernel.append(k)
        stride.append(s)
        padding.append(p)
        dilation.append(d)
        sizes.append(max(size, extent - 2 * p, d))  # so that no window lies in padding only
    lead = draw(st.sampled_from([(1, 1), (2, 1), (1, 2)]))
    return PoolCase(
        (*lead, *sizes),
        tuple(kernel),
        tuple(stride),
        tuple(padding),
        tuple(dilation),
        draw(st.booleans()),
    )
