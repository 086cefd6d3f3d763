"""`gradcheck` and `gradgradcheck` as PyTorch has them: plain differences with a given step."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from autograd.creation import as_tensor
from autograd.errors import DtypeError
from autograd.gradients import grad
from autograd.modes import enable_grad
from autograd.tensor import Tensor
from autograd.testing.layouts import with_layout
from autograd.testing.plain import PlainCheck
from autograd.testing.result import GradcheckError
from autograd.testing.subject import Variable, tensors_of

__all__ = ["gradcheck", "gradgradcheck"]

Tensors: TypeAlias = "Tensor | Sequence[Any]"


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensors,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether gradients are close to central differences, as `torch.autograd.gradcheck` has it.

    ``|analytic - numeric| <= atol + rtol * |numeric|`` for every entry of the Jacobian.
    `check_gradients` sets its own tolerance, knows kinks, and looks at higher orders too.

    Args:
        func: a function of tensors that returns a tensor or a tuple of tensors.
        inputs: a tensor or a sequence; those that require grad are changed in place and restored.
        eps: the step of the differences.
        atol: the absolute tolerance.
        rtol: the relative tolerance.
        raise_exception: raise in place of returning False.
        nondet_tol: by how much two backward passes may differ.
        check_undefined_grad: check that gradients of 0 give 0, also where other outputs get none.
        check_grad_dtypes: check that gradients have the data types of the inputs.
        check_batched_grad: not available, since there is no vmap.
        check_batched_forward_grad: not available, since there is no vmap.
        check_forward_ad: check ``J u`` too, which is computed from two backward passes here.
        check_backward_ad: check gradients.
        fast_mode: compare ``<v, J u>`` for random u and v in place of the whole Jacobian.
        masked: of no effect, since there are no sparse tensors.

    Returns:
        True, or False if a gradient is wrong and `raise_exception` is not set.

    Raises:
        GradcheckError: a gradient is wrong, with the likely cause; or the function cannot be
            checked, with the reason.
        ValueError: no input requires grad.
        RuntimeError: an input's elements share memory.

    Example:
        >>> from autograd import gradcheck, float64, tensor
        >>> gradcheck(lambda x: x * x, tensor([1.0, 2.0], dtype=float64, requires_grad=True))
        True
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("gradcheck: check_forward_ad or check_backward_ad must be set")
    if check_batched_grad or check_batched_forward_grad:
        raise NotImplementedError("gradcheck: there is no vmap to check batched gradients with")
    arguments = as_tuple(inputs)
    variables = [
        Variable(f"input {k}", value, k, in_place=True)
        for k, value in enumerate(arguments)
        if isinstance(value, Tensor) and value.requires_grad
    ]
    check_inputs(variables)
    check = PlainCheck(func, arguments, variables, eps, atol, rtol)
    try:
        check.prepare()
        if check_grad_dtypes:
            check.dtypes()
        if check_backward_ad:
            check.repeatable(nondet_tol)
            if check_undefined_grad:
                check.undefined()
            check.products() if fast_mode else check.jacobian()
        if check_forward_ad:
            check.forward()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensors,
    grad_outputs: Tensors | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Whether gradients of gradients are close to differences, as `torch.autograd.gradgradcheck`.

    Arguments as for `gradcheck`. Besides, `grad_outputs` are the gradients of the outputs, random
    when None, and with gaps in memory if `gen_non_contig_grad_outputs`; `check_fwd_over_rev` and
    `check_rev_over_rev` are `check_forward_ad` and `check_backward_ad` of the gradient.

    Raises:
        GradcheckError: see `gradcheck`.

    Example:
        >>> from autograd import gradgradcheck, float64, tensor
        >>> gradgradcheck(lambda x: x**3, tensor([1.0, 2.0], dtype=float64, requires_grad=True))
        True
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("gradgradcheck: check_fwd_over_rev or check_rev_over_rev must be set")
    arguments = as_tuple(inputs)
    with enable_grad():
        outputs = differentiable(func(*arguments))
    if grad_outputs is None:
        layout = "strided" if gen_non_contig_grad_outputs else "contiguous"
        rng = np.random.default_rng(0)
        seeds = tuple(
            as_tensor(with_layout(rng.normal(size=y.shape).astype(y.dtype), layout))
            for y in outputs
        )
        for seed in seeds:
            seed.requires_grad_()
    else:
        seeds = as_tuple(grad_outputs)

    def gradient(*values: Any) -> tuple[Tensor, ...]:
        own, starts = values[: len(arguments)], values[len(arguments) :]
        wanted = [value for value in own if isinstance(value, Tensor) and value.requires_grad]
        with enable_grad():
            found = grad(
                differentiable(func(*own)), wanted, starts, create_graph=True, allow_unused=True
            )
        return tuple(part for part in found if part is not None)

    return gradcheck(
        gradient,
        (*arguments, *seeds),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
        masked=masked,
    )


def as_tuple(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, Tensor) else tuple(value)


def differentiable(returned: Any) -> tuple[Tensor, ...]:
    return tuple(t for t in tensors_of(returned) if t.dtype.kind == "f" and t.requires_grad)


def check_inputs(variables: Sequence[Variable]) -> None:
    if not variables:
        raise ValueError("gradcheck: no input requires grad; at least one must")
    for variable in variables:
        array = variable.tensor.array
        if array.dtype.kind == "c":
            raise DtypeError(f"gradcheck: {variable.name} is {array.dtype}; only real types work")
        if array.dtype != np.float64:
            warnings.warn(
                f"gradcheck: {variable.name} is {array.dtype}: with the default eps and "
                "tolerances only float64 is exact enough; pass it by .double()",
                UserWarning,
                stacklevel=3,
            )
        if array.size and any(
            s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True)
        ):
            raise RuntimeError(
                f"gradcheck: the elements of {variable.name} of shape {array.shape} share memory "
                "(it was expanded), so they cannot be changed one by one; pass a clone"
            )
