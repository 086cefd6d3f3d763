from __future__ import annotations

import copy
import io
import itertools

import numpy as np
import pytest
from oracle import refused_in_torch

import autograd
from autograd import load, no_grad, save, tensor
from autograd.kernels.numpy_optim import BLOCK
from nn import optim

SHAPES = [(3, 4), (), (0, 2), (5,), (2, BLOCK - 100)]

ADAM = [
    {},
    {"weight_decay": 0.1},
    {"betas": (0.5, 0.8), "eps": 1e-3},
    {"maximize": True},
    {"maximize": True, "weight_decay": 0.1},
]
CASES = {
    "SGD": [
        {},
        {"weight_decay": 0.1},
        {"maximize": True},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.3},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"momentum": 0.9, "maximize": True, "weight_decay": 0.1},
    ],
    "Adam": [*ADAM, {"amsgrad": True}, {"decoupled_weight_decay": True, "weight_decay": 0.1}],
    "AdamW": [*ADAM, {"amsgrad": True, "weight_decay": 0.3}],
    "RMSprop": [
        {},
        {"alpha": 0.8, "eps": 1e-3},
        {"centered": True},
        {"momentum": 0.9},
        {"momentum": 0.9, "centered": True, "weight_decay": 0.1, "maximize": True},
    ],
    "Adagrad": [
        {},
        {"lr_decay": 0.1, "weight_decay": 0.1},
        {"initial_accumulator_value": 0.5, "eps": 1e-3, "maximize": True},
    ],
    "Adadelta": [{}, {"rho": 0.5, "eps": 1e-3, "weight_decay": 0.1}, {"maximize": True}],
    "Adamax": ADAM,
    "NAdam": [
        *ADAM,
        {"momentum_decay": 0.1},
        {"decoupled_weight_decay": True, "weight_decay": 0.1},
    ],
    "RAdam": [*ADAM, {"decoupled_weight_decay": True, "weight_decay": 0.1}],
}
PAIRS = [(name, options) for name, cases in CASES.items() for options in cases]
NAMES = list(CASES)


def arrays(seed, dtype, shapes=SHAPES):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.normal(size=shape)).astype(dtype) for shape in shapes]


def parameters(values):
    return [autograd.from_numpy(value.copy()).requires_grad_() for value in values]


def set_grads(params, values):
    for param, value in zip(params, values, strict=True):
        param.grad = autograd.from_numpy(value.copy())


def run(name, options, dtype=np.float32, steps=5, seed=0, shapes=SHAPES, lr=0.05):
    params = parameters(arrays(seed, dtype, shapes))
    optimizer = getattr(optim, name)(params, lr=lr, **options)
    for step in range(steps):
        set_grads(params, arrays(100 + step, dtype, shapes))
        optimizer.step()
    return params, optimizer


def torch_run(name, options, dtype=np.float32, steps=5, seed=0, shapes=SHAPES, lr=0.05):
    torch = pytest.importorskip("torch")
    params = [torch.tensor(value, requires_grad=True) for value in arrays(seed, dtype, shapes)]
    optimizer = getattr(torch.optim, name)(params, lr=lr, **options)
    for step in range(steps):
        for param, value in zip(params, arrays(100 + step, dtype, shapes), strict=True):
            param.grad = torch.tensor(value)
        optimizer.step()
    return params, optimizer


def same(params, expected, rtol, atol=0.0):
    for param, other in zip(params, expected, strict=True):
        assert param.array.dtype == other.detach().numpy().dtype
        np.testing.assert_allclose(param.array, other.detach().numpy(), rtol=rtol, atol=atol)


@pytest.mark.parametrize(("name", "options"), PAIRS)
def test_fifty_steps_as_in_torch(name, options):
    shapes = [(3, 4), (), (0, 2)]
    # NAdam keeps its product of momenta in float32, here as there.
    rtol = 1e-6 if name == "NAdam" else 1e-11
    params, _ = run(name, options, np.float64, 50, shapes=shapes)
    same(params, torch_run(name, options, np.float64, 50, shapes=shapes)[0], rtol, rtol)


@pytest.mark.parametrize(("name", "options"), PAIRS)
def test_float32_as_in_torch(name, options):
    params, optimizer = run(name, options)
    same(params, torch_run(name, options)[0], 1e-4, 2e-6)
    for entry in optimizer.state.values():
        assert all(value.dtype == np.float32 for value in entry.values())


@pytest.mark.parametrize(("name", "options"), PAIRS)
def test_state_dict_as_in_torch(name, options):
    shapes = [(3, 4), (), (0, 2)]
    mine = run(name, options, np.float64, shapes=shapes)[1].state_dict()
    other = torch_run(name, options, np.float64, shapes=shapes)[1].state_dict()
    assert list(mine) == list(other)
    assert list(mine["state"]) == list(other["state"])
    for index, entry in other["state"].items():
        assert list(mine["state"][index]) == list(entry)
        for key, value in entry.items():
            np.testing.assert_allclose(
                mine["state"][index][key].numpy(), value.numpy(), rtol=1e-6, atol=1e-12
            )
            assert mine["state"][index][key].dtype == value.numpy().dtype
    for group, theirs in zip(mine["param_groups"], other["param_groups"], strict=True):
        absent = {"foreach", "fused", "capturable", "differentiable"}
        assert group == {key: value for key, value in theirs.items() if key not in absent}
        assert list(group)[-1] == "params"


@pytest.mark.parametrize("name", NAMES)
def test_defaults_as_in_torch(name):
    torch = pytest.importorskip("torch")
    mine = getattr(optim, name)([tensor([1.0], requires_grad=True)]).defaults
    theirs = getattr(torch.optim, name)([torch.ones(1, requires_grad=True)]).defaults
    assert {key: theirs[key] for key in mine} == mine


@pytest.mark.parametrize("name", NAMES)
def test_positional_arguments_as_in_torch(name):
    torch = pytest.importorskip("torch")
    import inspect

    def positional(cls):
        kinds = inspect.signature(cls.__init__).parameters.values()
        return [p.name for p in kinds if p.kind is p.POSITIONAL_OR_KEYWORD]

    absent = {"foreach", "capturable", "maximize", "differentiable"}
    theirs = [p for p in positional(getattr(torch.optim, name)) if p not in absent]
    assert positional(getattr(optim, name)) == theirs


@pytest.mark.parametrize(("name", "options"), PAIRS)
def test_resuming_from_a_file_gives_the_same_steps(name, options):
    whole, _ = run(name, options, steps=5)
    params, optimizer = run(name, options, steps=3)
    file = io.BytesIO()
    save(optimizer.state_dict(), file)
    resumed = getattr(optim, name)(params, lr=9.0)
    resumed.load_state_dict(load(io.BytesIO(file.getvalue())))
    for step in (3, 4):
        set_grads(params, arrays(100 + step, np.float32))
        resumed.step()
    for param, expected in zip(params, whole, strict=True):
        np.testing.assert_array_equal(param.array, expected.array)


@pytest.mark.parametrize("name", NAMES)
def test_state_of_torch_continues_here(name):
    params, theirs = torch_run(name, {}, steps=3)
    mine = parameters([param.detach().numpy() for param in params])
    optimizer = getattr(optim, name)(mine)
    state = theirs.state_dict()
    for entry in state["state"].values():
        for key, value in entry.items():
            entry[key] = autograd.from_numpy(value.numpy().copy())
    optimizer.load_state_dict(state)
    set_grads(mine, arrays(103, np.float32))
    optimizer.step()
    same(mine, torch_run(name, {}, steps=4)[0], 1e-4, 2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_memory_in_another_order(name):
    shape = (37, 1001)
    value, grads = arrays(0, np.float32, [shape])[0], arrays(1, np.float32, [shape])
    plain = parameters([value])[0]
    turned = autograd.from_numpy(np.asfortranarray(value)).requires_grad_()
    strided = autograd.from_numpy(np.repeat(value, 2, axis=1)[:, ::2]).requires_grad_()
    assert not turned.array.flags.c_contiguous
    assert not strided.array.flags.c_contiguous
    for param, order in ((plain, "C"), (turned, "C"), (strided, "F")):
        optimizer = getattr(optim, name)([param], lr=0.1, weight_decay=0.1)
        for _ in range(2):
            param.grad = autograd.from_numpy(np.array(grads[0], order=order))
            optimizer.step()
    np.testing.assert_array_equal(turned.array, plain.array)
    np.testing.assert_array_equal(strided.array, plain.array)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_without_gradient_stay(name):
    first, second = parameters([np.ones(3, np.float32), np.ones(3, np.float32)])
    optimizer = getattr(optim, name)([first, second], lr=0.1)
    first.grad = tensor([1.0, 1.0, 1.0])
    optimizer.step()
    assert second.tolist() == [1.0, 1.0, 1.0]
    assert first.tolist() != [1.0, 1.0, 1.0]


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_only_read(name, weight_decay):
    param = parameters([np.ones(3, np.float32)])[0]
    optimizer = getattr(optim, name)([param], weight_decay=weight_decay, maximize=True)
    param.grad = tensor([1.0, -2.0, 0.0])
    for _ in range(2):
        optimizer.step()
        assert param.grad.tolist() == [1.0, -2.0, 0.0]


@pytest.mark.parametrize("name", NAMES)
def test_float64_options_leave_float32_alone(name):
    param = parameters([np.ones(3, np.float32)])[0]
    optimizer = getattr(optim, name)([param], lr=np.float64(0.1), weight_decay=np.float64(0.1))
    param.grad = tensor([1.0, -2.0, 0.0])
    optimizer.step()
    assert param.array.dtype == np.float32


def test_groups_with_their_own_options():
    a, b = parameters([np.ones(2, np.float32), np.ones(2, np.float32)])
    optimizer = optim.SGD([{"params": a}, {"params": [b], "lr": 0.5, "note": "head"}], lr=0.25)
    set_grads([a, b], [np.ones(2, np.float32)] * 2)
    optimizer.step()
    assert (a.tolist(), b.tolist()) == ([0.75, 0.75], [0.5, 0.5])
    assert optimizer.param_groups[1]["note"] == "head"
    c = parameters([np.ones(2, np.float32)])[0]
    optimizer.add_param_group({"params": (c for c in [c]), "momentum": 0.9})
    set_grads([c], [np.ones(2, np.float32)])
    optimizer.step()
    assert c.tolist() == [0.75, 0.75]
    assert optimizer.state_dict()["param_groups"][2]["params"] == [2]


def test_given_groups_are_not_changed():
    group = {"params": [tensor([1.0], requires_grad=True)]}
    optim.Adam([group])
    assert list(group) == ["params"]


def test_names_of_parameters():
    pairs = [
        ("weight", tensor([1.0], requires_grad=True)),
        ("bias", tensor(0.0, requires_grad=True)),
    ]
    optimizer = optim.SGD(pairs)
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"][0] is pairs[0][1]
    with pytest.raises(ValueError, match="either all groups have parameter names or none"):
        optimizer.add_param_group({"params": tensor([1.0], requires_grad=True)})
    with pytest.raises(ValueError, match="1 names for 2 parameters"):
        optim.SGD([pairs[0], pairs[1][1]])


def test_zero_grad():
    x = tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.SGD([x])
    optimizer.zero_grad()
    (x * x).sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert x.grad.tolist() == [0.0, 0.0]
    assert not x.grad.requires_grad
    optimizer.zero_grad()
    assert x.grad is None


def test_closure_runs_once_with_gradients_on():
    x = tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([x], lr=0.25)
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        calls.append(loss.item())
        return loss

    with no_grad():
        loss = optimizer.step(closure)
    assert calls == [1.0]
    assert loss.item() == 1.0
    assert x.tolist() == [0.5]


def test_backward_after_a_step_is_refused():
    x = tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    optim.SGD([x]).step()
    with pytest.raises(RuntimeError, match="overwritten in place"):
        loss.backward()


def test_step_needs_no_gradients_off_from_the_caller():
    x = tensor([1.0], requires_grad=True)
    x.grad = tensor([1.0])
    optim.SGD([x], lr=0.5).step()
    assert x.requires_grad
    assert x.is_leaf
    assert x.tolist() == [0.5]


def test_tensor_as_learning_rate():
    lr = tensor(0.5)
    x = tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([x], lr=lr)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    x.grad = tensor([1.0])
    optimizer.step()
    scheduler.step()
    assert lr.item() == 0.25
    assert x.tolist() == [0.5]


def test_copies_and_pickles_with_its_parameters():
    import pickle

    x = tensor([1.0], requires_grad=True)
    x.grad = tensor([1.0])
    optimizer = optim.Adam([x], lr=0.5)
    optimizer.step()
    for twin_x, twin in (
        copy.deepcopy((x, optimizer)),
        pickle.loads(pickle.dumps((x, optimizer))),
    ):
        assert twin.param_groups[0]["params"][0] is twin_x
        twin_x.grad = tensor([1.0])
        twin.step()
        assert twin.state[twin_x]["step"].item() == 2.0
        assert twin_x.tolist() != x.tolist()
    assert optimizer.state[x]["step"].item() == 1.0


def test_loading_copies_and_casts():
    params, optimizer = run("Adam", {}, np.float64, shapes=[(2,)])
    state = optimizer.state_dict()
    single = parameters([np.ones(2, np.float32)])
    other = optim.Adam(single)
    other.load_state_dict(state)
    assert other.state[single[0]]["exp_avg"].dtype == np.float32
    twin = optim.Adam(params)
    twin.load_state_dict(state)
    set_grads(params, arrays(0, np.float64, [(2,)]))
    before = state["state"][0]["exp_avg"].tolist()
    twin.step()
    assert state["state"][0]["exp_avg"].tolist() == before
    assert optimizer.state[params[0]]["step"].item() == 5.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("state"), "lacks 'state'"),
        (lambda s: s["param_groups"].append(s["param_groups"][0]), r"\[1, 1\] parameters saved"),
        (lambda s: s["param_groups"][0]["params"].append(1), r"\[2\] parameters saved"),
        (lambda s: s["state"][0].update(exp_avg=tensor([1.0])), r"exp_avg has shape \(1,\)"),
        (lambda s: s["param_groups"][0].update(lr=-1.0), "lr must be at least 0, got -1.0"),
    ],
)
def test_state_that_does_not_fit_changes_nothing(change, message):
    _, optimizer = run("Adam", {}, shapes=[(3,)])
    state = copy.deepcopy(optimizer.state_dict())
    change(state)
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for key, value in before["state"][0].items():
        assert autograd.equal(after["state"][0][key], value)


def leaf():
    return tensor([1.0], requires_grad=True)


BAD = [
    (lambda: optim.SGD([]), ValueError, "empty parameter list"),
    (lambda: optim.SGD(leaf()), TypeError, "got one Tensor"),
    (lambda: optim.SGD([1.0]), TypeError, "parameter 0 must be a Tensor, got float"),
    (lambda: optim.SGD({leaf()}), TypeError, "got a set"),
    (lambda: optim.SGD([{"params": {leaf()}}]), TypeError, "got a set"),
    (lambda: optim.SGD([{"lr": 1.0}]), ValueError, "needs the key 'params', got 'lr'"),
    (
        lambda: optim.SGD([{"params": [leaf()]}, [leaf()]]),
        TypeError,
        "must be a dict, got list",
    ),
    (lambda: optim.SGD([leaf() * 2]), ValueError, "only leaf tensors can be optimized"),
    (lambda: optim.SGD([x := leaf(), x]), ValueError, "appears twice in one group"),
    (
        lambda: optim.SGD([{"params": x} for x in itertools.repeat(leaf(), 2)]),
        ValueError,
        "appears in two groups",
    ),
    (lambda: optim.SGD([leaf()], lr=-1), ValueError, "SGD: lr must be at least 0, got -1"),
    (lambda: optim.SGD([leaf()], lr=float("nan")), ValueError, "lr must be at least 0"),
    (lambda: optim.SGD([leaf()], lr=tensor([1.0, 2.0])), ValueError, "must have one element"),
    (lambda: optim.SGD([leaf()], momentum=-1), ValueError, "momentum must be at least 0"),
    (lambda: optim.SGD([leaf()], nesterov=True), ValueError, "nesterov needs a momentum"),
    (lambda: optim.Adam([leaf()], betas=(1.0, 0.9)), ValueError, r"two numbers in \[0, 1\)"),
    (lambda: optim.AdamW([leaf()], eps=-1.0), ValueError, "AdamW: eps must be at least 0"),
    (lambda: optim.Adadelta([leaf()], rho=1.5), ValueError, r"rho must be in \[0, 1\]"),
    (lambda: optim.SGD([{"params": leaf(), "lr": -2}]), ValueError, "lr must be at least 0"),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


STRICTER = {
    "got a set",  # its order is that of hashes
    "appears twice in one group",  # PyTorch warns
    "lr must be at least 0",  # not a number, or of one group
}


@pytest.mark.parametrize("make", [row[0] for row in BAD if row[2] not in STRICTER])
def test_what_is_refused_is_refused_in_torch(make):
    assert refused_in_torch(make)


def test_refused_group_leaves_the_optimizer_as_it_was():
    optimizer = optim.Adagrad([leaf()])
    with pytest.raises(ValueError, match="lr must be"):
        optimizer.add_param_group({"params": [leaf()], "lr": -1})
    assert len(optimizer.param_groups) == 1
    assert len(optimizer.state) == 1


def test_parameter_that_cannot_be_written_stops_the_step_before_it_begins():
    first = leaf()
    array = np.ones(2, np.float32)
    array.flags.writeable = False
    frozen = autograd.from_numpy(array).requires_grad_()
    optimizer = optim.Adam([first, frozen])
    set_grads([first, frozen], [np.ones(1, np.float32), np.ones(2, np.float32)])
    with pytest.raises(RuntimeError, match="read-only"):
        optimizer.step()
    assert first.tolist() == [1.0]
    assert not optimizer.state


def test_own_optimizer_with_a_step_of_its_own():
    class Signs(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            with no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p.sub_(p.grad.sign() * group["lr"])

    x = leaf()
    x.grad = tensor([-7.0])
    Signs([x], lr=0.5).step()
    assert x.tolist() == [1.5]
    bare = optim.Optimizer([x], {})
    with pytest.raises(NotImplementedError, match="neither update"):
        bare.step()


def test_repr_lists_the_options():
    text = repr(optim.SGD([leaf()], lr=0.5))
    assert text.startswith("SGD (\nParameter Group 0\n    dampening: 0\n    lr: 0.5\n")
