"""Parameter: a tensor that a module trains."""

from __future__ import annotations

from typing import Any

import autograd
from autograd import Tensor

__all__ = ["Parameter", "new_parameter"]


class Parameter(Tensor):
    """A tensor that is registered as trainable when it is assigned to a module's attribute.

    Results of operations on it are plain tensors.

    Args:
        data: a tensor, whose memory is shared; an empty one when None.
        requires_grad: whether it is trained.

    >>> import nn
    >>> from autograd import ones
    >>> nn.Parameter(ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        super().__init__()
        if data is not None:
            if not isinstance(data, Tensor):
                raise TypeError(
                    f"Parameter: data is an autograd.Tensor or None, got {type(data).__name__}"
                )
            self.data = data
        self.requires_grad_(requires_grad)


def new_parameter(shape: tuple[int, ...], device: Any = None, dtype: Any = None) -> Parameter:
    """A parameter whose values are still to be drawn.

    Raises:
        ValueError: a device other than "cpu".
        TypeError: a dtype that is not floating-point.
    """
    if device is not None and str(device) != "cpu":
        raise ValueError(f"Parameter: device is 'cpu' or None, got {device!r}")
    return Parameter(autograd.empty(shape, dtype=dtype))
