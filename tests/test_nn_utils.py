from __future__ import annotations

import math

import numpy as np
import pytest

import autograd
from autograd import tensor
from nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    parameters_to_vector,
    vector_to_parameters,
)

SHAPES = [(3, 4), (), (0, 2), (5,)]


def with_grads(dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    params = []
    for shape in SHAPES:
        param = autograd.zeros(shape, dtype=dtype, requires_grad=True)
        param.grad = autograd.from_numpy(np.asarray(rng.normal(size=shape)).astype(dtype))
        params.append(param)
    return [*params, tensor([1.0], requires_grad=True)]


def torch_copies(params):
    torch = pytest.importorskip("torch")
    copies = []
    for param in params:
        copy = torch.tensor(param.detach().numpy(), requires_grad=True)
        copy.grad = None if param.grad is None else torch.tensor(param.grad.numpy())
        copies.append(copy)
    return copies


def assert_same_grads(params, others, rtol):
    for param, other in zip(params, others, strict=True):
        assert (param.grad is None) == (other.grad is None)
        if param.grad is not None:
            assert param.grad.dtype == other.grad.numpy().dtype
            np.testing.assert_allclose(param.grad.numpy(), other.grad.numpy(), rtol=rtol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("norm_type", [2, 1, 3.5, 0.5, math.inf])
@pytest.mark.parametrize("max_norm", [0.5, 1e4, 0.0])
def test_clip_grad_norm_as_in_torch(norm_type, max_norm, dtype):
    torch = pytest.importorskip("torch")
    params = with_grads(dtype)
    if norm_type == math.inf:
        del params[2]  # torch has no largest value of nothing
    others = torch_copies(params)
    norm = clip_grad_norm_(iter(params), max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(others, max_norm, norm_type)
    rtol = 1e-5 if dtype == np.float32 else 1e-12
    assert norm.dtype == dtype
    assert norm.shape == ()
    assert norm.item() == pytest.approx(expected.item(), rel=rtol)
    assert_same_grads(params, others, rtol)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_clip_grad_norm_of_what_is_not_finite(bad):
    torch = pytest.importorskip("torch")
    params = with_grads()
    params[0].grad[0, 0] = bad
    before = params[0].grad.numpy().copy()
    with pytest.raises(RuntimeError, match=f"of 4 gradients is {bad}"):
        clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(params[0].grad.numpy(), before)
    others = torch_copies(params)
    norm = clip_grad_norm_(params, 1.0)
    np.testing.assert_equal(norm.item(), torch.nn.utils.clip_grad_norm_(others, 1.0).item())
    assert_same_grads(params, others, 1e-6)


def test_norm_of_large_float32_does_not_overflow():
    param = tensor([0.0, 0.0], requires_grad=True)
    param.grad = tensor([3e30, 4e30])
    assert clip_grad_norm_(param, 1.0).item() == pytest.approx(5e30)
    assert param.grad.tolist() == pytest.approx([0.6, 0.8])


def test_clipping_nothing():
    assert clip_grad_norm_([], 1.0).item() == 0.0
    assert clip_grad_norm_([tensor([1.0], requires_grad=True)], 1.0).item() == 0.0
    clip_grad_value_([tensor([1.0], requires_grad=True)], 1.0)


def test_clip_grad_value_as_in_torch():
    torch = pytest.importorskip("torch")
    params = with_grads()
    others = torch_copies(params)
    clip_grad_value_(params, 0.3)
    torch.nn.utils.clip_grad_value_(others, 0.3)
    assert_same_grads(params, others, 0)
    clip_grad_value_(params[0], 0.1)
    assert abs(params[0].grad.numpy()).max() == np.float32(0.1)


def test_vector_and_back():
    params = with_grads()
    vector = parameters_to_vector(params)
    assert vector.shape == (19,)
    values = autograd.arange(19, dtype=np.float32)
    vector_to_parameters(values, iter(params))
    assert parameters_to_vector(params).tolist() == values.tolist()
    assert all(param.is_leaf and param.requires_grad for param in params)
    values.zero_()
    assert params[-1].tolist() == [18.0]


def test_gradients_flow_through_the_vector():
    params = with_grads()
    (parameters_to_vector(params) * autograd.arange(19, dtype=np.float32)).sum().backward()
    assert params[-1].grad.tolist() == [18.0]


def test_swapping_parameters_that_share_the_vectors_memory():
    values = autograd.arange(4, dtype=np.float32)
    vector_to_parameters(values, [values[2:], values[:2]])
    assert values.tolist() == [2.0, 3.0, 0.0, 1.0]


@pytest.mark.parametrize("length", [18, 20])
def test_vector_of_another_length_changes_nothing(length):
    params = with_grads()
    with pytest.raises(ValueError, match=rf"shape \({length},\), the 5 parameters 19 elements"):
        vector_to_parameters(autograd.ones(length), params)
    assert params[0].numpy(force=True).max() == 0.0
    with pytest.raises(TypeError, match="must be a Tensor, got list"):
        vector_to_parameters([0.0] * 19, params)
