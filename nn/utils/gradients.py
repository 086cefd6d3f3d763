"""Tools on all parameters of a model: clipping gradients, and one vector of everything."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

import numpy as np

from autograd import Tensor, cat, no_grad, tensor, writable

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "vector_to_parameters",
]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients down together, in place, so that their norm is at most ``max_norm``.

    The norm is that of one vector of all gradients, ``(|g1|**p + |g2|**p + ...) ** (1 / p)``.

    Args:
        parameters: one tensor or several; those without a gradient are left out.
        max_norm: the largest norm allowed.
        norm_type: p; ``inf`` for the largest absolute value.
        error_if_nonfinite: whether a norm that is infinite or not a number raises.

    Returns:
        the norm before scaling.

    Raises:
        RuntimeError: see ``error_if_nonfinite``; no gradient has changed then.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([3.0, 4.0], requires_grad=True)
        >>> x.grad = tensor([3.0, 4.0])
        >>> clip_grad_norm_([x], max_norm=1.0)
        tensor(5.)
        >>> [round(g, 4) for g in x.grad.tolist()]
        [0.6, 0.8]
    """
    grads = gradients(parameters)
    norm = checked_norm("clip_grad_norm_", "gradients", grads, norm_type, error_if_nonfinite)
    scale_down(grads, max_norm, float(norm))
    return norm


def get_total_norm(
    tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """The norm of several tensors as one vector, ``(|t1|**p + |t2|**p + ...) ** (1 / p)``.

    Args:
        tensors: one tensor or several, such as the gradients of a model.
        norm_type: p; ``inf`` for the largest absolute value.
        error_if_nonfinite: whether a norm that is infinite or not a number raises RuntimeError.

    Example:
        >>> from autograd import tensor
        >>> get_total_norm([tensor([3.0]), tensor([[4.0]])])
        tensor(5.)
    """
    several = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    return checked_norm("get_total_norm", "tensors", several, norm_type, error_if_nonfinite)


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor
) -> None:
    """Scale all gradients, in place, by ``max_norm / total_norm``, where that is below 1.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([3.0, 4.0], requires_grad=True)
        >>> x.grad = tensor([3.0, 4.0])
        >>> clip_grads_with_norm_(x, 1.0, get_total_norm([x.grad]))
        >>> [round(g, 4) for g in x.grad.tolist()]
        [0.6, 0.8]
    """
    scale_down(gradients(parameters), max_norm, float(total_norm))


def scale_down(grads: list[Tensor], max_norm: float, norm: float) -> None:
    scale = float(max_norm) / (norm + 1e-6)
    if not scale >= 1.0:
        with no_grad(), np.errstate(invalid="ignore"):
            for grad in grads:
                array = writable(grad)
                array *= scale


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Clamp every gradient, in place, to the range from ``-clip_value`` to ``clip_value``.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([3.0, 4.0], requires_grad=True)
        >>> x.grad = tensor([-9.0, 0.5])
        >>> clip_grad_value_([x], 1.0)
        >>> x.grad
        tensor([-1.0000,  0.5000])
    """
    bound = float(clip_value)
    with no_grad():
        for grad in gradients(parameters):
            array = writable(grad)
            np.clip(array, -bound, bound, out=array)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters one after another in one vector; gradients flow back to each.

    Example:
        >>> from autograd import tensor
        >>> parameters_to_vector([tensor([[1.0, 2.0]]), tensor(3.0)]).tolist()
        [1.0, 2.0, 3.0]
    """
    return cat([parameter.reshape(-1) for parameter in parameters])  # (d0, d1, ...) -> (size,)


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy the elements of one vector into all parameters, one after another.

    Raises:
        TypeError: when `vec` is no tensor.
        ValueError: when it does not have as many elements as the parameters together; nothing has
            changed then.

    Example:
        >>> from autograd import tensor
        >>> weight = tensor([[0.0, 0.0]], requires_grad=True)
        >>> vector_to_parameters(tensor([1.0, 2.0]), [weight])
        >>> weight.tolist()
        [[1.0, 2.0]]
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: vec must be a Tensor, got {type(vec).__name__}")
    targets = list(parameters)
    sizes = [parameter.numel() for parameter in targets]
    if tuple(vec.shape) != (sum(sizes),):
        raise ValueError(
            f"vector_to_parameters: vec has shape {tuple(vec.shape)}, "
            f"the {len(targets)} parameters {sum(sizes)} elements together"
        )
    ends = np.cumsum(sizes)
    # A copy: the vector may share memory with a parameter.
    pieces = np.split(vec.array.copy(), ends[:-1]) if sizes else []
    with no_grad():
        for parameter, piece in zip(targets, pieces, strict=True):
            array = writable(parameter)
            array[...] = piece.reshape(array.shape)  # (size,) -> (d0, d1, ...)


def gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    several = [parameters] if isinstance(parameters, Tensor) else parameters
    return [parameter.grad for parameter in several if parameter.grad is not None]


def checked_norm(
    operation: str, what: str, tensors: list[Tensor], norm_type: float, finite: bool
) -> Tensor:
    """The norm of all tensors as one vector; if it must be finite, an error where it is not."""
    order = float(norm_type)
    norm = total_norm([one.array for one in tensors], order)
    if finite and not isfinite(norm):
        raise RuntimeError(
            f"{operation}: the norm of order {order} of {len(tensors)} {what} is {norm}; "
            "set error_if_nonfinite=False to go on all the same"
        )
    return tensor(np.asarray(norm, tensors[0].dtype if tensors else np.float32))


def total_norm(arrays: list[np.ndarray[Any, Any]], order: float) -> float:
    """The norm of all arrays as one vector."""
    norms = [vector_norm(array, order) for array in arrays if array.size]
    return float(np.linalg.norm(norms, order)) if norms else 0.0


def vector_norm(array: np.ndarray[Any, Any], order: float) -> float:
    flat = array.ravel(order="K")  # (d0, d1, ...) -> (size,), in the order of the memory
    with np.errstate(over="ignore", invalid="ignore"):
        norm = float(np.linalg.norm(flat, order))
        if not isfinite(norm) and np.isfinite(flat).all():
            # The squares of large float32 values overflow.
            norm = float(np.linalg.norm(flat.astype(np.float64), order))
    return norm
