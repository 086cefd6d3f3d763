"""Module: registration, walks, state, hooks, modes, containers and the summary."""

import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from oracle import assert_same, compare_modules, copy_state, leaf, to_torch

import autograd
import nn
from autograd import tensor


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def nested(library):
    """The same nested model of either library."""

    class Block(library.Module):
        def __init__(self, width):
            super().__init__()
            self.conv = library.Conv2d(width, width, 3, padding=1, bias=False)
            self.norm = library.BatchNorm2d(width)
            self.act = library.ReLU()

        def forward(self, x):
            return x + self.act(self.norm(self.conv(x)))

    class Net(library.Module):
        def __init__(self):
            super().__init__()
            self.stem = library.Sequential(library.Conv2d(2, 4, 3), library.LeakyReLU(0.1))
            self.blocks = library.ModuleList([Block(4) for _ in range(2)])
            self.pool = library.AdaptiveAvgPool2d(1)
            self.heads = library.ModuleDict(
                {"main": library.Linear(4, 3), "extra": library.Linear(4, 3, bias=False)}
            )
            self.drop = library.Dropout(0.0)

        def forward(self, x):
            x = self.stem(x)
            for block in self.blocks:
                x = block(x)
            x = self.drop(self.pool(x).flatten(1))
            return self.heads["main"](x) + self.heads["extra"](x)

    return Net()


class TestAgainstTorch:
    def test_a_nested_model(self):
        torch = pytest.importorskip("torch")
        ours, theirs = nested(nn), nested(torch.nn)
        compare_modules(ours, theirs, draw(3, 2, 6, 6))
        for of in ("named_parameters", "named_buffers", "named_modules", "named_children"):
            mine, yours = getattr(ours, of)(), getattr(theirs, of)()
            assert [name for name, _ in mine] == [name for name, _ in yours], of

    def test_training_steps(self):
        torch = pytest.importorskip("torch")
        ours, theirs = nested(nn), nested(torch.nn)
        copy_state(ours, theirs)
        for step in range(3):
            x, y = draw(4, 2, 6, 6, seed=step), np.array([0, 1, 2, 1])
            loss = nn.functional.cross_entropy(ours(tensor(x)), tensor(y))
            expected = torch.nn.functional.cross_entropy(theirs(to_torch(x)), to_torch(y))
            ours.zero_grad()
            theirs.zero_grad()
            loss.backward()
            expected.backward()
            assert_same(loss, expected)
            with autograd.no_grad():
                for parameter in ours.parameters():
                    parameter.sub_(0.1 * parameter.grad)
            with torch.no_grad():
                for parameter in theirs.parameters():
                    parameter.sub_(0.1 * parameter.grad)
        for (key, mine), yours in zip(
            ours.state_dict().items(), theirs.state_dict().values(), strict=True
        ):
            assert_same(mine, yours, what=key)

    def test_a_torch_state_is_loaded_as_it_is(self):
        torch = pytest.importorskip("torch")
        ours, theirs = nested(nn), nested(torch.nn)
        assert str(ours.load_state_dict(theirs.state_dict())) == "<All keys matched successfully>"
        x = draw(2, 2, 6, 6)
        assert_same(ours.eval()(tensor(x)), theirs.eval()(to_torch(x)))

    @pytest.mark.parametrize(
        "build",
        [
            lambda lib: lib.ModuleList([lib.Linear(2, 2), lib.Linear(2, 2), lib.ReLU()]),
            lambda lib: lib.ModuleList([lib.Sequential(lib.Tanh()) for _ in range(3)]),
            lambda lib: lib.Sequential(),
            lambda lib: lib.Sequential(OrderedDict(a=lib.ReLU(), b=lib.Sequential(lib.Tanh()))),
            lambda lib: lib.Conv2d(3, 6, 3, padding="same", groups=3, padding_mode="circular"),
            lambda lib: lib.ConvTranspose1d(2, 2, 3, stride=2, output_padding=1, bias=False),
            lambda lib: lib.MaxPool2d((2, 3), padding=1),
            lambda lib: lib.AvgPool1d(2),
            lambda lib: lib.Embedding(3, 2, padding_idx=1),
            lambda lib: lib.ReLU(inplace=True),
            lambda lib: lib.ReLU6(True),
            lambda lib: lib.LeakyReLU(0.2, True),
            lambda lib: lib.Dropout2d(0.3),
            lambda lib: lib.CrossEntropyLoss(),
            lambda lib: lib.GELU("tanh"),
            lambda lib: lib.Unflatten(1, (2, 3)),
        ],
    )
    def test_repr(self, build):
        torch = pytest.importorskip("torch")
        assert repr(build(nn)) == repr(build(torch.nn))


class TestRegistration:
    def test_kinds_of_attributes(self):
        module = nn.Module()
        module.weight = nn.Parameter(autograd.ones(2))
        module.child = nn.ReLU()
        module.plain = autograd.zeros(3)
        module.register_buffer("seen", autograd.zeros(1))
        module.register_buffer("cache", autograd.zeros(1), persistent=False)
        module.register_parameter("off", None)
        module.number = 3
        assert [name for name, _ in module.named_parameters()] == ["weight"]
        assert [name for name, _ in module.named_buffers()] == ["seen", "cache"]
        assert [name for name, _ in module.named_children()] == ["child"]
        assert list(module.state_dict()) == ["weight", "seen"]
        assert module.off is None
        assert {"weight", "seen", "child", "number"} <= set(dir(module))
        module.seen = autograd.ones(1)
        assert module.get_buffer("seen").tolist() == [1]
        del module.weight, module.child, module.cache
        assert not list(module.parameters())
        assert not list(module.children())
        with pytest.raises(AttributeError, match="'Module' object has no attribute 'weight'"):
            _ = module.weight

    def test_a_name_changes_its_kind(self):
        module = nn.Module()
        module.part = 1
        module.part = nn.Parameter(autograd.ones(1))
        assert "part" not in module.__dict__
        module.part = nn.ReLU()
        assert not list(module.parameters())
        assert isinstance(module.part, nn.ReLU)

    def test_a_refused_assignment_changes_nothing(self):
        module = nn.Module()
        module.part = nn.ReLU()
        result = nn.Parameter(autograd.ones(1))
        with autograd.no_grad():
            copied = nn.Parameter(autograd.ones(1))
        copied.requires_grad_(False)
        copied.mul_(result)
        with pytest.raises(ValueError, match="part' is the result of an operation"):
            module.part = copied
        assert isinstance(module.part, nn.ReLU)

    def test_setting_none_keeps_the_name(self):
        module = nn.Linear(2, 2)
        module.bias = None
        assert list(module.state_dict()) == ["weight"]
        module.bias = nn.Parameter(autograd.ones(2))
        assert list(module.state_dict()) == ["weight", "bias"]

    @pytest.mark.parametrize(
        ("act", "error", "message"),
        [
            (lambda m: setattr(m, "weight", autograd.ones(2, 2)), TypeError, "Tensor as parameter"),
            (lambda m: setattr(m, "part", 3), TypeError, "int as module 'part', expected a nn.Mod"),
            (lambda m: setattr(m, "seen", 3), TypeError, "int as buffer 'seen'"),
            (lambda m: m.register_parameter("a.b", None), KeyError, "contains a dot"),
            (lambda m: m.register_buffer("", None), KeyError, "empty"),
            (lambda m: m.register_buffer("weight", None), KeyError, "'weight' already exists"),
            (lambda m: m.register_parameter("forward", None), KeyError, "already exists"),
            (lambda m: m.register_parameter("x", autograd.ones(1)), TypeError, "expected a nn.Par"),
            (lambda m: m.register_buffer("x", [1]), TypeError, "cannot assign list as buffer"),
            (lambda m: m.add_module("x", 3), TypeError, "cannot assign int as module 'x'"),
            (lambda m: m.register_module(3, None), TypeError, "is a string, got int"),
            (lambda m: setattr(m, "forward", nn.ReLU()), KeyError, "'forward' already exists"),
            (lambda m: m.train("yes"), ValueError, "True or False, got 'yes'"),
            (lambda m: m.get_submodule("part.x"), AttributeError, "ReLU has no child 'x'"),
            (lambda m: m.get_parameter("part.x"), AttributeError, "ReLU has no parameter 'x'"),
            (lambda m: m(1, 2, 3), TypeError, "positional argument"),
            (lambda m: nn.Module()(1), NotImplementedError, "Module: this module has no forward"),
            (lambda m: m.to(autograd.int64), TypeError, "floating-point dtype, got int64"),
            (lambda m: nn.Parameter([1.0]), TypeError, "autograd.Tensor or None, got list"),
            (lambda m: nn.Parameter(tensor([1])), TypeError, "floating-point"),
        ],
    )
    def test_errors(self, act, error, message):
        module = nn.Linear(2, 2)
        module.part = nn.ReLU()
        module.register_buffer("seen", None)
        before = repr(module)
        with pytest.raises(error, match=message):
            act(module)
        assert repr(module) == before

    def test_before_init(self):
        class Early(nn.Module):
            def __init__(self, value):
                self.part = value

        for value in (nn.Parameter(autograd.ones(1)), nn.ReLU()):
            with pytest.raises(AttributeError, match=r"before Module\.__init__\(\) call"):
                Early(value)
        with pytest.raises(AttributeError, match=r"Module\.__init__\(\) was not called"):
            Early(3)(1)

    def test_shared_members_are_listed_once(self):
        first, second = nn.Linear(2, 2), nn.Linear(2, 2)
        second.weight = first.weight
        model = nn.Sequential(first, second, first)
        assert len(list(model.parameters())) == 3
        assert len(list(model.named_parameters(remove_duplicate=False))) == 6
        assert [name for name, _ in model.named_modules()] == ["", "0", "1"]
        assert len(list(model.children())) == 2
        assert list(model.state_dict())[-1] == "2.bias"

    def test_paths(self):
        model = nested(nn)
        assert model.get_submodule("blocks.1.norm") is model.blocks[1].norm
        assert model.get_submodule("") is model
        assert model.get_parameter("heads.main.bias") is model.heads["main"].bias
        assert model.get_buffer("blocks.0.norm.running_var") is model.blocks[0].norm.running_var


class TestParameter:
    def test_shares_memory_and_results_are_plain(self):
        data = autograd.ones(2)
        parameter = nn.Parameter(data)
        data.fill_(3)
        assert parameter.tolist() == [3, 3]
        assert parameter.requires_grad
        assert type(parameter * 2) is autograd.Tensor
        assert type(parameter.detach()) is autograd.Tensor
        assert isinstance(parameter, autograd.Tensor)
        assert not nn.Parameter(data, requires_grad=False).requires_grad
        assert nn.Parameter().shape == (0,)

    def test_copies(self):
        parameter = nn.Parameter(autograd.ones(2), requires_grad=False)
        parameter.tag = "kept"
        for other in (copy.deepcopy(parameter), pickle.loads(pickle.dumps(parameter))):
            assert type(other) is nn.Parameter
            assert other.tolist() == [1, 1]
            assert other.tag == "kept"
            assert not other.requires_grad
            other.fill_(5)
        assert parameter.tolist() == [1, 1]


class TestState:
    def test_entries_are_detached_and_share_memory(self):
        layer = nn.Linear(2, 2)
        state = layer.state_dict()
        assert isinstance(state, OrderedDict)
        assert not state["weight"].requires_grad
        state["weight"].fill_(7)
        assert layer.weight.tolist() == [[7, 7], [7, 7]]
        assert layer.state_dict(keep_vars=True)["weight"] is layer.weight
        into = {"x": 1}
        assert layer.state_dict(destination=into, prefix="a.") is into
        assert list(into) == ["x", "a.weight", "a.bias"]

    def test_loading_copies_into_the_same_parameters(self):
        layer, other = nn.Linear(2, 2), nn.Linear(2, 2).double()
        weight = layer.weight
        layer.load_state_dict(other.state_dict())
        assert layer.weight is weight
        assert weight.dtype == autograd.float32
        np.testing.assert_allclose(weight.detach().numpy(), other.weight.detach().numpy(), 1e-6)
        layer.load_state_dict({"weight": np.ones((2, 2)), "bias": [1.0, 2.0]})
        assert layer.bias.tolist() == [1, 2]

    def test_assigning_takes_the_tensors_themselves(self):
        model, given = nn.BatchNorm1d(2), nn.BatchNorm1d(2).double().state_dict()
        model.weight.requires_grad_(False)
        model.load_state_dict(given, assign=True)
        assert model.weight.dtype == model.running_mean.dtype == autograd.float64
        assert isinstance(model.weight, nn.Parameter)
        assert not model.weight.requires_grad
        given["weight"].fill_(9)
        assert model.weight.tolist() == [9, 9]

    def test_every_problem_is_listed_and_nothing_changes(self):
        model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
        before = {key: value.tolist() for key, value in model.state_dict().items()}
        bad = {
            "0.weight": autograd.zeros(3, 2),
            "0.bias": autograd.zeros(4),
            "1.weight": autograd.zeros(1),
            "1.running_mean": np.array(["a"] * 3),
            "1.running_var": np.zeros(3, np.complex64),
            "new": autograd.zeros(1),
        }
        with pytest.raises(RuntimeError) as caught:
            model.load_state_dict(bad)
        text = str(caught.value)
        assert text.startswith("Error(s) in loading state_dict for Sequential:")
        for part in (
            'Missing key(s) in state_dict: "1.bias", "1.num_batches_tracked".',
            'Unexpected key(s) in state_dict: "new".',
            "size mismatch for 0.bias: the state_dict has shape (4,), the model (3,).",
            "size mismatch for 1.weight: the state_dict has shape (1,), the model (3,).",
            "1.running_mean",
            "dtype mismatch for 1.running_var: got complex64, expected float32.",
        ):
            assert part in text
        assert {key: value.tolist() for key, value in model.state_dict().items()} == before

    def test_not_strict(self):
        layer = nn.Linear(2, 2)
        bias = layer.bias.tolist()
        keys = layer.load_state_dict({"weight": autograd.zeros(2, 2), "x": 1}, strict=False)
        assert keys == (["bias"], ["x"])
        assert keys.missing_keys == ["bias"]
        assert keys.unexpected_keys == ["x"]
        assert layer.weight.tolist() == [[0, 0], [0, 0]]
        assert layer.bias.tolist() == bias
        with pytest.raises(RuntimeError, match="size mismatch for weight"):
            layer.load_state_dict({"weight": autograd.zeros(3, 2)}, strict=False)
        with pytest.raises(TypeError, match="mapping"):
            layer.load_state_dict([1])

    def test_a_scalar_stored_as_a_vector(self):
        norm = nn.BatchNorm1d(1)
        norm.load_state_dict({**norm.state_dict(), "num_batches_tracked": tensor([4])})
        assert norm.num_batches_tracked.item() == 4

    @pytest.mark.parametrize("clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
    def test_copies(self, clone):
        model = nn.Sequential(OrderedDict(a=nn.Linear(2, 3), b=nn.BatchNorm1d(3)))
        model(tensor(draw(4, 2))).sum().backward()
        other = clone(model.eval())
        assert repr(other) == repr(model)
        assert not other.training
        x = tensor(draw(3, 2, seed=1))
        assert other(x).tolist() == model(x).tolist()
        with autograd.no_grad():
            other.a.weight.fill_(0)
        assert model.a.weight.abs().sum().item() > 0
        assert type(other.a.weight) is nn.Parameter

    def test_a_copy_keeps_tied_parameters_tied(self):
        model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        model[1].weight = model[0].weight
        other = copy.deepcopy(model)
        assert other[1].weight is other[0].weight
        assert other[0].weight is not model[0].weight


class TestConversion:
    def test_keeps_parameters_and_integers(self):
        model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
        weight = model[0].weight
        model(tensor(draw(4, 2))).sum().backward()
        assert model.double() is model
        assert model[0].weight is weight
        assert weight.dtype == weight.grad.dtype == autograd.float64
        assert weight.requires_grad
        assert model[1].running_mean.dtype == autograd.float64
        assert model[1].num_batches_tracked.dtype == autograd.int64
        assert model(tensor(draw(4, 2)).double()).dtype == autograd.float64
        assert model.float()[0].weight.dtype == autograd.float32
        assert model.half()[0].weight.dtype == autograd.float16

    def test_to(self):
        layer = nn.Linear(1, 1)
        assert layer.cpu().to("cpu").weight.dtype == autograd.float32
        assert layer.to(autograd.float64).weight.dtype == autograd.float64
        assert layer.to("cpu").weight.dtype == autograd.float64
        assert layer.to(dtype=autograd.float32).weight.dtype == autograd.float32
        assert layer.to(autograd.zeros(1, dtype=autograd.float64)).weight.dtype == autograd.float64
        assert layer.to("cpu", autograd.float32).weight.dtype == autograd.float32
        assert layer.to(device="cpu").weight.dtype == autograd.float32
        assert layer.to("float64").weight.dtype == autograd.float64
        with pytest.raises(ValueError, match="cuda"):
            layer.to("cuda")


class TestModes:
    def test_train_eval_apply_freeze(self):
        model = nested(nn)
        assert all(module.training for module in model.modules())
        assert model.eval() is model
        assert not any(module.training for module in model.modules())
        model.blocks.train()
        assert model.blocks[0].norm.training
        assert not model.stem.training
        order = []
        assert model.apply(lambda module: order.append(type(module).__name__)) is model
        assert order[:3] == ["Conv2d", "LeakyReLU", "Sequential"]
        assert order[-1] == "Net"
        assert model.requires_grad_(False) is model
        assert not any(parameter.requires_grad for parameter in model.parameters())

    def test_zero_grad(self):
        layer = nn.Linear(2, 1)
        layer(autograd.ones(1, 2)).sum().backward()
        kept = layer.weight.grad
        layer.zero_grad(set_to_none=False)
        assert layer.weight.grad.tolist() == kept.tolist() == [[0, 0]]
        layer.zero_grad()
        assert layer.weight.grad is None


class TestForwardHooks:
    def test_order_and_replacement(self):
        layer = nn.Identity()
        calls = []
        layer.register_forward_pre_hook(lambda m, args: calls.append("pre 1"))
        layer.register_forward_pre_hook(
            lambda m, args: (calls.append("pre 0"), (args[0] * 2,))[1], prepend=True
        )
        layer.register_forward_hook(lambda m, args, out: calls.append(("post", args[0].item())))
        layer.register_forward_hook(lambda m, args, out: out + 1)
        assert layer(tensor(3.0)).item() == 7
        assert calls == ["pre 0", "pre 1", ("post", 6.0)]

    def test_a_value_alone_replaces_the_arguments(self):
        layer = nn.Identity()
        layer.register_forward_pre_hook(lambda m, args: args[0] * 5)
        assert layer(tensor(1.0)).item() == 5

    def test_with_kwargs(self):
        class Scale(nn.Module):
            def forward(self, x, factor=1):
                return x * factor

        layer = Scale()
        seen = []
        layer.register_forward_pre_hook(
            lambda m, args, kwargs: (args, {"factor": kwargs["factor"] + 1}), with_kwargs=True
        )
        layer.register_forward_hook(
            lambda m, args, kwargs, out: seen.append(kwargs), with_kwargs=True
        )
        assert layer(tensor(2.0), factor=2).item() == 6
        assert seen == [{"factor": 3}]
        layer.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
        with pytest.raises(RuntimeError, match="expected None or a tuple of the new args and kw"):
            layer(tensor(2.0), factor=1)

    def test_handles_remove(self):
        layer = nn.Identity()
        handle = layer.register_forward_hook(lambda m, args, out: out * 2)
        with layer.register_forward_pre_hook(lambda m, args: (args[0] + 1,)):
            assert layer(tensor(1.0)).item() == 4
        assert layer(tensor(1.0)).item() == 2
        handle.remove()
        handle.remove()
        assert layer(tensor(1.0)).item() == 1

    def test_always_call(self):
        class Fails(nn.Module):
            def forward(self, x):
                raise ValueError("no")

        layer, calls = Fails(), []
        layer.register_forward_hook(lambda m, args, out: calls.append("never"))
        layer.register_forward_hook(lambda m, args, out: calls.append(out), always_call=True)
        with pytest.raises(ValueError, match="no"):
            layer(1)
        assert calls == [None]
        layer.register_forward_hook(lambda m, args, out: 1 / 0, always_call=True)
        with (
            pytest.warns(UserWarning, match="ZeroDivisionError"),
            pytest.raises(ValueError, match="no"),
        ):
            layer(1)

    def test_a_hook_survives_a_deep_copy(self):
        layer = nn.Identity()
        handle = layer.register_forward_hook(double)
        other = copy.deepcopy(layer)
        handle.remove()
        assert layer(tensor(1.0)).item() == 1
        assert other(tensor(1.0)).item() == 2


def double(module, args, output):
    return output * 2


class TestBackwardHooks:
    def test_two_inputs_and_outputs(self):
        torch = pytest.importorskip("torch")

        def run(library, make):
            class Pair(library.Module):
                def forward(self, x, y, note=None):
                    return x * y, x + 1

            module, seen = Pair(), []
            module.register_full_backward_pre_hook(
                lambda m, gout: seen.append(("pre", shown(gout)))
            )
            module.register_full_backward_hook(
                lambda m, gin, gout: seen.append(("post", shown(gin), shown(gout)))
            )
            x, y = make([1.0, 2.0], requires_grad=True), make([3.0, 4.0], requires_grad=True)
            product, total = module(x, y, 3)
            (product.sum() * 3 + total.sum()).backward()
            product, _ = module(x, y, note=1)
            product.sum().backward()
            return seen, shown([x.grad, y.grad])

        assert run(nn, tensor) == run(torch.nn, torch.tensor)

    def test_what_needs_no_gradient_gets_none(self):
        module, seen = nn.Bilinear(1, 1, 1, bias=False), []
        module.register_full_backward_hook(lambda m, gin, gout: seen.append(shown(gin)))
        with autograd.no_grad():
            module.weight.fill_(2)
        module(tensor([3.0]), tensor([4.0], requires_grad=True)).sum().backward()
        assert seen == [[None, [6.0]]]

    def test_replacing_gradients(self):
        layer = nn.Linear(2, 2)
        layer.register_full_backward_pre_hook(lambda m, gout: (gout[0] * 2,))
        layer.register_full_backward_hook(lambda m, gin, gout: (gin[0] * 10,))
        plain = copy.deepcopy(layer)
        plain._backward_hooks.clear()
        plain._backward_pre_hooks.clear()
        x, y = leaf(draw(3, 2)), leaf(draw(3, 2))
        layer(x).sum().backward()
        plain(y).sum().backward()
        assert_same(x.grad, y.grad * 20)
        assert_same(layer.weight.grad, plain.weight.grad * 2)

    def test_without_a_gradient_in_the_input(self):
        layer, seen = nn.Linear(2, 1), []
        layer.register_full_backward_hook(lambda m, gin, gout: seen.append((gin, shown(gout))))
        layer(autograd.ones(1, 2)).sum().backward()
        assert seen == [((None,), [[[1.0]]])]
        with autograd.no_grad():
            layer(autograd.ones(1, 2))
        assert len(seen) == 1

    def test_wrong_number_of_gradients(self):
        layer = nn.Linear(2, 1)
        layer.register_full_backward_hook(lambda m, gin, gout: (None, None))
        with pytest.raises(RuntimeError, match="returned 2 gradients for grad_input, expected 1"):
            layer(leaf(draw(1, 2))).sum().backward()

    def test_removed(self):
        layer, seen = nn.Identity(), []
        handle = layer.register_full_backward_hook(lambda m, gin, gout: seen.append(1))
        handle.remove()
        layer(leaf(draw(2))).sum().backward()
        assert not seen


def shown(gradients):
    return [None if g is None else g.tolist() for g in gradients]


class TestContainers:
    def test_sequential(self):
        a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
        model = nn.Sequential(a, b)
        assert model.append(c) is model
        assert len(model) == 3
        assert model[-1] is c
        assert list(model) == [a, b, c]
        assert list(model[1:]) == [b, c]
        assert type(model[:1]) is nn.Sequential
        model.insert(0, c)
        model.insert(-1, a)
        assert list(model) == [c, a, b, a, c]
        assert list(model._modules) == ["0", "1", "2", "3", "4"]
        del model[1:3]
        assert list(model) == [c, a, c]
        assert model.pop(0) is c
        model[0] = b
        assert list(model.extend([a, b])) == [b, c, a, b]
        assert len(model + nn.Sequential(a)) == 5
        model += [c]
        assert len(model) == 5
        x = tensor([0.5])
        assert model(x).tolist() == c(b(a(c(b(x))))).tolist()

    def test_sequential_with_names(self):
        model = nn.Sequential(OrderedDict(first=nn.ReLU(), second=nn.Tanh()))
        assert model.first is model[0]
        assert list(model[1:]._modules) == ["second"]

    def test_module_list(self):
        layers = nn.ModuleList(nn.Linear(1, 1) for _ in range(3))
        layers += [nn.ReLU()]
        layers.insert(1, nn.Tanh())
        assert [type(layer).__name__ for layer in layers] == [
            "Linear",
            "Tanh",
            "Linear",
            "Linear",
            "ReLU",
        ]
        assert type(layers[1:]) is nn.ModuleList
        assert isinstance(layers[-1], nn.ReLU)
        assert layers[np.int64(1)] is layers[1]
        with pytest.raises(NotImplementedError, match="ModuleList: this module has no forward"):
            layers(1)

    def test_module_dict(self):
        choices = nn.ModuleDict([("a", nn.ReLU())])
        choices["b"] = nn.Tanh()
        choices.update({"a": nn.Sigmoid()})
        choices.update(nn.ModuleDict({"c": nn.ReLU()}))
        assert list(choices) == list(choices.keys()) == ["a", "b", "c"]
        assert "a" in choices
        assert len(choices) == 3
        assert isinstance(choices.pop("a"), nn.Sigmoid)
        del choices["b"]
        assert [name for name, _ in choices.items()] == ["c"]
        assert isinstance(next(iter(choices.values())), nn.ReLU)
        choices.clear()
        assert not len(choices)

    def test_parameter_list(self):
        values = nn.ParameterList([autograd.ones(1), nn.Parameter(autograd.ones(2))])
        values.append(autograd.ones(3))
        values += [autograd.ones(4)]
        values[0] = autograd.zeros(1)
        assert [tuple(value.shape) for value in values] == [(1,), (2,), (3,), (4,)]
        assert all(isinstance(value, nn.Parameter) for value in values)
        assert list(values.state_dict()) == ["0", "1", "2", "3"]
        assert type(values[1:3]) is nn.ParameterList
        assert values[-1].shape == (4,)
        assert values[0].tolist() == [0]
        assert "(1): Parameter containing: [float32 of size 2]" in repr(values)

    def test_parameter_dict(self):
        values = nn.ParameterDict({"a": autograd.ones(1)})
        values["b"] = nn.Parameter(autograd.ones(2))
        values.update([("c", autograd.ones(3))])
        assert list(values) == ["a", "b", "c"]
        assert values.get("x") is None
        assert "b" in values
        assert values.pop("a").shape == (1,)
        del values["b"]
        assert [name for name, _ in values.items()] == list(values.keys()) == ["c"]
        assert len(values) == 1
        assert len(list(values.values())) == 1
        values.clear()
        assert len(values) == 0

    @pytest.mark.parametrize(
        ("act", "error", "message"),
        [
            (lambda m: m[2], IndexError, "Sequential: index 2 is out of range for 2 entries"),
            (lambda m: m.insert(4, nn.ReLU()), IndexError, "index 4 is out of range"),
            (lambda m: m.insert(0, 3), TypeError, "expected a nn.Module, got int"),
            (lambda m: m.append(3), TypeError, "cannot assign int as module '2'"),
            (lambda m: nn.Sequential(3), TypeError, "cannot assign int"),
            (lambda m: nn.ModuleDict({"train": nn.ReLU()}), KeyError, "already exists"),
            (lambda m: nn.ModuleDict()["x"], KeyError, "x"),
            (lambda m: nn.ParameterList([3]), TypeError, "a nn.Parameter or a Tensor, got int"),
            (lambda m: nn.ParameterList()[0], IndexError, "out of range for 0 entries"),
        ],
    )
    def test_errors(self, act, error, message):
        model = nn.Sequential(nn.ReLU(), nn.Tanh())
        with pytest.raises(error, match=message):
            act(model)
        assert list(map(repr, model)) == ["ReLU()", "Tanh()"]


class TestScopes:
    """What the graph records of the modules that ran."""

    def paths(self, model, x):
        found, stack = set(), [model(x).grad_fn]
        while stack:
            node = stack.pop()
            if hasattr(node, "module"):
                found.add(node.module.path if node.module is not None else ())
                stack.extend(function for function, _ in node.next_functions)
        return found

    def test_names_lead_from_the_root_to_the_layer(self):
        model = nested(nn)
        paths = self.paths(model, leaf(draw(2, 2, 6, 6)))
        assert ("", "stem", "0") in paths
        assert ("", "heads.main") in paths
        assert ("", "blocks.1", "norm") in paths
        assert () not in paths

    def test_a_list_names_its_children_wherever_it_is_registered(self):
        inner = nn.ModuleList([nn.Tanh()])
        outer = nn.ModuleDict({"a": nn.ModuleList([inner])})
        model = nn.Module()
        model.parts = outer
        assert inner[0]._scope == "parts.a.0.0"
        inner.append(nn.ReLU())
        assert inner[1]._scope == "parts.a.0.1"
        assert inner[1:][0]._scope == "parts.a.0.1"

    def test_nothing_remains_after_an_error(self):
        class Fails(nn.Module):
            def forward(self, x):
                raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            Fails()(1)
        x = leaf(draw(2))
        assert (x * 2).grad_fn.module is None


class TestSummary:
    def test_table(self):
        model = nested(nn)
        result = nn.summary(model, (3, 2, 6, 6))
        names = [(row.name, row.kind, row.depth, row.output_shape) for row in result.rows]
        assert names[0] == ("", "Net", 0, [3, 3])
        assert names[2] == ("0", "Conv2d", 2, [3, 4, 4, 4])
        assert ("blocks.1", "Block", 1, [3, 4, 4, 4]) in names
        assert result.total_params == sum(p.numel() for p in model.parameters())
        assert result.rows[2].params == 4 * 2 * 9 + 4
        assert result.rows[2].mult_adds == 3 * 4 * 4 * (4 * 2 * 9)
        text = str(result)
        assert "stem (Sequential)" in text
        assert f"Total params: {result.total_params:,}" in text
        assert "Conv2d" not in str(nn.summary(model, (3, 2, 6, 6), depth=1))

    def test_leaves_the_model_as_it_was(self):
        model = nested(nn)
        model.stem.eval()
        before = {key: value.tolist() for key, value in model.state_dict().items()}
        nn.summary(model, input_data=tensor(draw(1, 2, 6, 6)))
        with pytest.raises(ValueError, match="conv2d"):
            nn.summary(model, (1, 5, 6, 6))
        assert {key: value.tolist() for key, value in model.state_dict().items()} == before
        assert model.training
        assert not model.stem[0].training
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())

    def test_shared_and_frozen_layers(self):
        layer = nn.Linear(3, 3)
        model = nn.Sequential(layer, layer, nn.Linear(3, 1).requires_grad_(False))
        result = nn.summary(model, (2, 3))
        assert [row.again for row in result.rows] == [False, False, True, False]
        assert (result.total_params, result.trainable_params) == (16, 12)
        assert "(again)" in str(result)

    def test_several_inputs_and_none(self):
        model = nn.Bilinear(2, 3, 4)
        assert nn.summary(model, [(5, 2), (5, 3)]).rows[0].output_shape == [5, 4]
        given = {"input1": autograd.ones(5, 2), "input2": autograd.ones(5, 3)}
        assert nn.summary(model, input_data=given).input_bytes == 4 * 25
        embedding = nn.Embedding(3, 2)
        assert nn.summary(embedding, (4,), dtypes=[autograd.int64]).rows[0].output_shape == [4, 2]
        assert nn.summary(nested(nn)).rows[2].name == "0"
        with pytest.raises(ValueError, match="not both"):
            nn.summary(model, (1, 2), autograd.ones(1, 2))
        with pytest.raises(ValueError, match="2 input sizes but 1 dtypes"):
            nn.summary(model, [(1, 2), (1, 3)], dtypes=[autograd.float32])
