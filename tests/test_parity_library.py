"""Modules, containers, data, optimizers and tools do what PyTorch's do, line by line."""

from __future__ import annotations

import collections

import numpy as np
import pytest
from both import InPyTorchsLayout
from both import agree as agree_in

torch = pytest.importorskip("torch")


def agree(program, raises=False):
    agree_in(program, raises, InPyTorchsLayout())


# Initialisation

FILLED = {
    "constant_": lambda init, t, g: init.constant_(t, 2.5),
    "ones_": lambda init, t, g: init.ones_(t),
    "zeros_": lambda init, t, g: init.zeros_(t),
    "eye_": lambda init, t, g: init.eye_(t),
    "dirac_": lambda init, t, g: init.dirac_(t, groups=2),
    "uniform_": lambda init, t, g: init.uniform_(t, -1.0, 3.0, generator=g),
    "normal_": lambda init, t, g: init.normal_(t, 1.0, 0.5, generator=g),
    "trunc_normal_": lambda init, t, g: init.trunc_normal_(t, 0.0, 1.0, -1.0, 2.0, generator=g),
    "xavier_uniform_": lambda init, t, g: init.xavier_uniform_(t, 2.0, generator=g),
    "xavier_normal_": lambda init, t, g: init.xavier_normal_(t, generator=g),
    "kaiming_uniform_": lambda init, t, g: init.kaiming_uniform_(t, 0.3, "fan_out", generator=g),
    "kaiming_normal_": lambda init, t, g: init.kaiming_normal_(t, nonlinearity="relu", generator=g),
    "orthogonal_": lambda init, t, g: init.orthogonal_(t, 2.0, generator=g),
    "sparse_": lambda init, t, g: init.sparse_(t, 0.25, 0.5, generator=g),
}
SHAPES = {"eye_": (4, 6), "dirac_": (4, 3, 3, 3), "sparse_": (160, 120)}


@pytest.mark.parametrize("name", FILLED)
def test_initialisation(name):
    """The same values, or, if they are drawn, the same distribution."""

    def filled(lib, part):
        target = lib.zeros(*SHAPES.get(name, (160, 12, 10)), dtype=lib.float64, requires_grad=True)
        result = FILLED[name](lib.nn.init, target, lib.Generator().manual_seed(0))
        kind = [result is target, target.requires_grad, target.is_leaf, list(target.shape)]
        values = target.detach()
        return kind if part == "kind" else values if part == "values" else measured(values)

    agree(lambda lib: filled(lib, "kind"))
    if name in ("constant_", "ones_", "zeros_", "eye_", "dirac_"):
        agree(lambda lib: filled(lib, "values"))
    else:
        measures = [filled(lib, "measures") for lib in (InPyTorchsLayout(), torch)]
        np.testing.assert_allclose(*measures, rtol=0.03, atol=0.03)


def measured(values):
    """What distributions differ in: moments, the tails, zeros, and lengths of the columns."""
    array = np.asarray(values.numpy()).reshape(len(values), -1)
    tails = np.quantile(array, [0.001, 0.25, 0.75, 0.999])
    lengths = np.linalg.norm(array, axis=0)
    return [array.mean(), array.std(), *tails, (array == 0).mean(), lengths.mean()]


def test_every_initialisation_is_compared():
    from nn import init

    assert {*init.__all__} <= {*FILLED, "calculate_gain"}


# Tools


def with_grads(lib):
    parameters = [lib.ones(2, 3, requires_grad=True), lib.ones(4, requires_grad=True)]
    for place, one in enumerate(parameters):
        one.grad = lib.arange(float(one.numel())).reshape(one.shape) - 2 + place
    return [*parameters, lib.ones(1, requires_grad=True)]


def clipped(lib, clip):
    parameters = with_grads(lib)
    result = clip(lib.nn.utils, parameters)
    return [result, *(one.grad for one in parameters[:2])]


def copied(lib):
    parameters = with_grads(lib)
    lib.nn.utils.vector_to_parameters(lib.arange(11.0), parameters)
    return [one.detach() for one in parameters]


TOOLS = [
    lambda lib: clipped(lib, lambda u, p: u.clip_grad_norm_(p, 0.5)),
    lambda lib: clipped(lib, lambda u, p: u.clip_grad_norm_(p, 100.0, norm_type=1)),
    lambda lib: clipped(lib, lambda u, p: u.clip_grad_norm_(p[0], 0.5, float("inf"))),
    lambda lib: clipped(lib, lambda u, p: u.clip_grad_value_(p, 0.5)),
    lambda lib: clipped(lib, lambda u, p: u.clip_grads_with_norm_(p, 0.5, lib.tensor(3.0))),
    lambda lib: clipped(lib, lambda u, p: u.clip_grads_with_norm_(p, 5.0, lib.tensor(3.0))),
    lambda lib: lib.nn.utils.get_total_norm([lib.ones(2, 2), lib.ones(3)]),
    lambda lib: lib.nn.utils.get_total_norm([lib.ones(2), lib.tensor([-3.0])], float("inf")),
    lambda lib: lib.nn.utils.get_total_norm([lib.ones(2, dtype=lib.float64)], 1.0),
    lambda lib: lib.nn.utils.parameters_to_vector(with_grads(lib)),
    lambda lib: lib.nn.utils.parameters_to_vector(with_grads(lib)).requires_grad,
    copied,
    lambda lib: packed(lib),
    lambda lib: packed(lib).data.dtype == packed(lib).to(lib.float64).data.dtype,
    lambda lib: lib.nn.utils.rnn.PackedSequence(*packed(lib)),
    lambda lib: lib.nn.utils.rnn.invert_permutation(lib.tensor([2, 0, 1])),
    lambda lib: lib.nn.utils.rnn.invert_permutation(None),
    lambda lib: lib.nn.utils.rnn.unpack_sequence(packed(lib)),
    lambda lib: lib.nn.utils.rnn.pad_packed_sequence(packed(lib), True, -1.0, 5),
    lambda lib: lib.nn.utils.rnn.pad_sequence([lib.ones(2), lib.zeros(3)], padding_value=2.0),
    lambda lib: lib.nn.utils.rnn.unpad_sequence(lib.ones(3, 2), lib.tensor([2, 3])),
]
TOOLS_REFUSED = [
    lambda lib: lib.nn.utils.vector_to_parameters([1.0], with_grads(lib)),
    lambda lib: lib.nn.utils.get_total_norm([lib.tensor([float("nan")])], 2.0, True),
    lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.ones(3, 2), lib.tensor([2, 3])),
    lambda lib: lib.nn.utils.rnn.pack_sequence([lib.ones(2), lib.ones(3)]),
    lambda lib: lib.nn.utils.rnn.pad_packed_sequence(packed(lib), total_length=2),
]


def packed(lib):
    sequences = [lib.arange(2.0), lib.arange(3.0) + 10, lib.arange(1.0) + 20]
    return lib.nn.utils.rnn.pack_sequence(sequences, enforce_sorted=False)


# Data


def pairs(lib, size=7):
    data = lib.utils.data
    return data.TensorDataset(lib.arange(3.0 * size).reshape(size, 3), lib.arange(size))


def squares(lib, size=5):
    class Squares(lib.utils.data.Dataset):
        def __getitem__(self, index):
            return index**2

        def __len__(self):
            return size

    return Squares()


def stream(lib, size=5):
    class Stream(lib.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(size))

    return Stream()


def endless(lib):
    class Odd(lib.utils.data.Sampler):
        def __iter__(self):
            return iter([1, 3])

        def __len__(self):
            return 2

    return Odd()


Point = collections.namedtuple("Point", "x y")

DATA = [
    lambda lib: [pairs(lib)[2], len(pairs(lib))],
    lambda lib: list(lib.utils.data.DataLoader(pairs(lib), batch_size=3)),
    lambda lib: list(lib.utils.data.DataLoader(pairs(lib), batch_size=3, drop_last=True)),
    lambda lib: list(lib.utils.data.DataLoader(pairs(lib), batch_size=None)),
    lambda lib: len(lib.utils.data.DataLoader(pairs(lib), 3)),
    lambda lib: list(lib.utils.data.DataLoader(squares(lib), 2, collate_fn=tuple)),
    lambda lib: list(lib.utils.data.DataLoader(squares(lib), 2, sampler=endless(lib))),
    lambda lib: list(lib.utils.data.DataLoader(squares(lib), batch_sampler=[[0, 4], [1]])),
    lambda lib: list(lib.utils.data.DataLoader(stream(lib), 2)),
    lambda lib: list(lib.utils.data.DataLoader(stream(lib), 2, drop_last=True)),
    lambda lib: list(lib.utils.data.DataLoader(range(3))),
    lambda lib: sorted(
        int(x) for x in lib.utils.data.DataLoader(squares(lib), shuffle=True, batch_size=None)
    ),
    lambda lib: list(lib.utils.data.Subset(squares(lib), [3, 1])),
    lambda lib: list(lib.utils.data.DataLoader(squares(lib) + squares(lib), 4)),
    lambda lib: lib.utils.data.ConcatDataset([range(2), range(3)])[-1],
    lambda lib: lib.utils.data.ConcatDataset([range(2), range(3)]).cumulative_sizes,
    lambda lib: [sorted(map(int, part)) for part in lib.utils.data.random_split(range(3), [3, 0])],
    lambda lib: [len(part) for part in lib.utils.data.random_split(range(10), [0.55, 0.45])],
    lambda lib: list(lib.utils.data.SequentialSampler("abc")),
    lambda lib: sorted(lib.utils.data.RandomSampler(range(4))),
    lambda lib: len(list(lib.utils.data.RandomSampler(range(4), True, 9))),
    lambda lib: sorted(lib.utils.data.SubsetRandomSampler([7, 3])),
    lambda lib: list(lib.utils.data.WeightedRandomSampler([0.0, 1.0], 3)),
    lambda lib: list(lib.utils.data.BatchSampler(range(5), 2, False)),
    lambda lib: len(lib.utils.data.BatchSampler(range(5), 2, True)),
    lambda lib: lib.utils.data.default_collate([Point(1, 2.0), Point(3, 4.0)]),
    lambda lib: lib.utils.data.default_collate([{"a": np.float32(1)}, {"a": np.float32(2)}]),
    lambda lib: lib.utils.data.default_convert({"a": np.ones(2), "b": [np.float64(1), "c"]}),
]
DATA_REFUSED = [
    lambda lib: lib.utils.data.ConcatDataset([stream(lib)]),
    lambda lib: lib.utils.data.DataLoader(stream(lib), shuffle=True),
    lambda lib: lib.utils.data.DataLoader(stream(lib), sampler=endless(lib)),
    lambda lib: len(stream(lib)),
    lambda lib: lib.utils.data.Dataset()[0],
    lambda lib: pairs(lib)[7],
    lambda lib: lib.utils.data.ConcatDataset([range(2)])[-3],
    lambda lib: lib.utils.data.default_collate([None]),
    lambda lib: lib.utils.data.default_collate([lib.ones(2), lib.ones(3)]),
    lambda lib: lib.utils.data.random_split(range(3), [1, 1]),
    lambda lib: next(iter(lib.utils.data.DataLoader([1, "a"], 2))),
]


# Modules


def small(lib):
    class Small(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", lib.zeros(1))
            self.register_buffer("cache", lib.zeros(1), persistent=False)
            self.register_parameter("scale", lib.nn.Parameter(lib.ones(2)))
            self.register_parameter("off", None)
            self.add_module("first", lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.Tanh()))
            self.register_module("last", lib.nn.BatchNorm1d(2))

        def forward(self, x):
            return self.last(self.first(x) * self.scale)

        def extra_repr(self):
            return "tiny=True"

    return Small()


def hooked(lib):
    """What hooks on calls see, in order, and what they change."""
    module, seen = lib.nn.Identity(), []
    module.register_forward_pre_hook(lambda m, args: seen.append("before") or (args[0] + 1,))
    handle = module.register_forward_hook(lambda m, args, out: seen.append("after") or out * 2)
    first = module(lib.ones(2))
    handle.remove()
    return [first, module(lib.ones(2)), seen]


def changed(lib, change):
    module = small(lib)
    result = change(module)
    return [
        result is module,
        repr(module),
        [str(one.dtype).removeprefix("torch.") for one in module.state_dict().values()],
        [one.requires_grad for one in module.parameters()],
        [one.training for one in module.modules()],
    ]


def loaded(lib, strict):
    module, state = small(lib), small(lib).state_dict()
    del state["scale"]
    state["other"] = lib.ones(1)
    return list(module.load_state_dict(state, strict=strict))


def absent(look_up):
    try:
        look_up()
    except AttributeError as error:
        raise KeyError(str(error)) from None


MODULES = [
    lambda lib: repr(small(lib)),
    lambda lib: list(small(lib).state_dict()),
    lambda lib: list(small(lib).state_dict(prefix="a.")),
    lambda lib: [name for name, _ in small(lib).named_parameters()],
    lambda lib: [name for name, _ in small(lib).named_parameters("a", recurse=False)],
    lambda lib: [name for name, _ in small(lib).named_buffers()],
    lambda lib: [name for name, _ in small(lib).named_modules()],
    lambda lib: [name for name, _ in small(lib).named_children()],
    lambda lib: [len(list(small(lib).buffers())), len(list(small(lib).parameters()))],
    lambda lib: [type(one).__name__ for one in small(lib).children()],
    lambda lib: [type(one).__name__ for one in small(lib).modules()],
    lambda lib: repr(small(lib).get_submodule("first.1")),
    lambda lib: list(small(lib).get_parameter("first.0.weight").shape),
    lambda lib: small(lib).get_buffer("last.running_mean"),
    lambda lib: small(lib).extra_repr(),
    hooked,
    lambda lib: changed(lib, lambda m: m.eval()),
    lambda lib: changed(lib, lambda m: m.train(False)),
    lambda lib: changed(lib, lambda m: m.double()),
    lambda lib: changed(lib, lambda m: m.half()),
    lambda lib: changed(lib, lambda m: m.float()),
    lambda lib: changed(lib, lambda m: m.to(lib.float64)),
    lambda lib: changed(lib, lambda m: m.cpu()),
    lambda lib: changed(lib, lambda m: m.requires_grad_(False)),
    lambda lib: changed(lib, lambda m: m.zero_grad()),
    lambda lib: changed(lib, lambda m: m.apply(lambda one: one.requires_grad_(False))),
    lambda lib: loaded(lib, False),
]
MODULES_REFUSED = [
    lambda lib: loaded(lib, True),
    lambda lib: absent(lambda: small(lib).get_submodule("first.7")),
    lambda lib: absent(lambda: small(lib).get_parameter("seen")),
    lambda lib: absent(lambda: small(lib).get_buffer("scale")),
    lambda lib: absent(lambda: small(lib).anything),
    lambda lib: small(lib).register_buffer("scale", lib.ones(1)),
    lambda lib: small(lib).register_buffer("a.b", lib.ones(1)),
    lambda lib: small(lib).register_buffer("number", 3),
    lambda lib: small(lib).register_parameter("plain", lib.ones(1)),
    lambda lib: small(lib).add_module("number", 3),
    lambda lib: small(lib).add_module("a.b", lib.nn.Tanh()),
    lambda lib: small(lib).to(lib.int64),
    lambda lib: small(lib).train("yes"),
    lambda lib: lib.nn.Module()(1),
    lambda lib: setattr(small(lib), "first", 3),
]


# Containers


def after(container, *changes):
    """The container as it is once functions have changed it."""
    for change in changes:
        change(container)
    shown = "" if "Parameter" in type(container).__name__ else repr(container)
    return [shown, len(container), list(container.state_dict())]


def layers(lib):
    return lib.nn.Linear(2, 3), lib.nn.Tanh(), lib.nn.Linear(3, 1)


def parameters(lib):
    return [lib.nn.Parameter(lib.ones(n)) for n in (1, 2, 3)]


def named(lib):
    return dict(zip("abc", parameters(lib), strict=True))


CONTAINERS = [
    lambda lib: after(lib.nn.Sequential(*layers(lib)), lambda c: c.append(lib.nn.ReLU())),
    lambda lib: after(lib.nn.Sequential(*layers(lib)), lambda c: c.insert(1, lib.nn.ReLU())),
    lambda lib: after(lib.nn.Sequential(*layers(lib)), lambda c: c.extend([lib.nn.ReLU()])),
    lambda lib: after(lib.nn.Sequential(*layers(lib)), lambda c: c.pop(0)),
    lambda lib: after(lib.nn.Sequential(*layers(lib)), lambda c: c.__delitem__(-1)),
    lambda lib: after(lib.nn.Sequential(*layers(lib))[1:]),
    lambda lib: after(lib.nn.Sequential(*layers(lib)) + lib.nn.Sequential(lib.nn.ReLU())),
    lambda lib: repr(lib.nn.Sequential(*layers(lib))[-1]),
    lambda lib: after(lib.nn.ModuleList(layers(lib)), lambda c: c.append(lib.nn.ReLU())),
    lambda lib: after(lib.nn.ModuleList(layers(lib)), lambda c: c.insert(0, lib.nn.ReLU())),
    lambda lib: after(lib.nn.ModuleList(layers(lib)), lambda c: c.extend(layers(lib))),
    lambda lib: after(lib.nn.ModuleList(layers(lib)), lambda c: c.pop(1)),
    lambda lib: after(lib.nn.ModuleList(layers(lib)), lambda c: c.__setitem__(0, c[1])),
    lambda lib: after(lib.nn.ModuleList(layers(lib)), lambda c: c.__delitem__(slice(0, 2))),
    lambda lib: after(lib.nn.ModuleList(layers(lib))[:2]),
    lambda lib: after(
        lib.nn.ModuleDict({"a": lib.nn.Tanh()}), lambda c: c.update({"b": lib.nn.ReLU()})
    ),
    lambda lib: after(lib.nn.ModuleDict({"a": lib.nn.Tanh()}), lambda c: c.clear()),
    lambda lib: repr(lib.nn.ModuleDict({"a": lib.nn.Tanh()}).pop("a")),
    lambda lib: [list(lib.nn.ModuleDict({"a": lib.nn.Tanh()}).keys()), len(lib.nn.ModuleDict())],
    lambda lib: [n for n, _ in lib.nn.ModuleDict({"a": lib.nn.Tanh()}).items()],
    lambda lib: [repr(m) for m in lib.nn.ModuleDict({"a": lib.nn.Tanh()}).values()],
    lambda lib: "a" in lib.nn.ModuleDict({"a": lib.nn.Tanh()}),
    lambda lib: after(lib.nn.ParameterList(parameters(lib)), lambda c: c.append(c[0])),
    lambda lib: after(lib.nn.ParameterList(parameters(lib)), lambda c: c.extend(parameters(lib))),
    lambda lib: [list(p.shape) for p in lib.nn.ParameterList(parameters(lib))[1:]],
    lambda lib: after(lib.nn.ParameterDict(named(lib)), lambda c: c.update({"d": c["a"]})),
    lambda lib: after(lib.nn.ParameterDict(named(lib)), lambda c: c.pop("b")),
    lambda lib: after(lib.nn.ParameterDict(named(lib)), lambda c: c.clear()),
    lambda lib: list(lib.nn.ParameterDict(named(lib)).keys()),
    lambda lib: [list(p.shape) for p in lib.nn.ParameterDict(named(lib)).values()],
    lambda lib: [n for n, _ in lib.nn.ParameterDict(named(lib)).items()],
    lambda lib: lib.nn.ParameterDict(named(lib)).get("z", 5),
    lambda lib: [lib.nn.Parameter(lib.ones(2)).requires_grad, repr(lib.nn.Parameter(lib.ones(1)))],
    lambda lib: lib.nn.Parameter(lib.ones(2), requires_grad=False).is_leaf,
]
CONTAINERS_REFUSED = [
    lambda lib: lib.nn.Sequential(*layers(lib))[5],
    lambda lib: lib.nn.Sequential(3),
    lambda lib: lib.nn.Sequential(*layers(lib)).insert(9, lib.nn.Tanh()),
    lambda lib: lib.nn.ModuleList(layers(lib))[-4],
    lambda lib: lib.nn.ModuleList([3]),
    lambda lib: lib.nn.ModuleList(layers(lib)).extend(3),
    lambda lib: lib.nn.ModuleList(layers(lib))(1),
    lambda lib: lib.nn.ModuleDict({"a": 3}),
    lambda lib: lib.nn.ModuleDict({"a.b": lib.nn.Tanh()}),
    lambda lib: lib.nn.ModuleDict({})["a"],
    lambda lib: lib.nn.ModuleDict({}).update(3),
    lambda lib: lib.nn.ParameterList(parameters(lib))[3],
    lambda lib: absent(lambda: lib.nn.ParameterDict(named(lib))["z"]),
]


# Optimizers


def steps(lib, prepare, count=3):
    """Parameters, rates and state after some steps."""
    weights = [lib.tensor([1.0, -2.0], requires_grad=True), lib.tensor(3.0, requires_grad=True)]
    optimizer, scheduler = prepare(weights)
    rates = []
    for _ in range(count):
        optimizer.zero_grad()
        (weights[0].square().sum() + weights[1] ** 2).backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
            rates.append(scheduler.get_last_lr())
    return [[one.detach() for one in weights], rates, sorted(optimizer.state_dict())]


def two_groups(lib, weights):
    optimizer = lib.optim.SGD(weights[:1], lr=0.1, momentum=0.5)
    optimizer.add_param_group({"params": weights[1:], "lr": 0.01})
    return optimizer


def own_schedule(lib, optimizer):
    class Halving(lib.optim.lr_scheduler.LRScheduler):
        def get_lr(self):
            return [base * 0.5**self.last_epoch for base in self.base_lrs]

    return Halving(optimizer)


def own_optimizer(lib, weights):
    class Signs(lib.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            with lib.no_grad():
                for group in self.param_groups:
                    for one in group["params"]:
                        one.sub_(one.grad.sign() * group["lr"])

    return Signs(weights, 0.5)


def scaled(lib, **options):
    scaler = lib.amp.GradScaler("cpu", init_scale=8.0, **options)
    weight = lib.tensor([2.0], requires_grad=True)
    optimizer = lib.optim.SGD([weight], lr=0.1)
    scaler.scale((weight * 3).sum()).backward()
    scaler.unscale_(optimizer)
    unscaled = weight.grad.clone()
    scaler.step(optimizer)
    scaler.update()
    kept = {k: v for k, v in scaler.state_dict().items() if not k.startswith("_")}
    return [unscaled, weight.detach(), scaler.get_scale(), scaler.is_enabled(), kept]


def twice(lib, name):
    scaler, weight = lib.amp.GradScaler("cpu"), lib.ones(1, requires_grad=True)
    optimizer = lib.optim.SGD([weight], lr=0.1)
    scaler.scale(weight.sum()).backward()
    for _ in range(2):
        getattr(scaler, name)(optimizer)


def refused_load(lib):
    weights = [lib.ones(1, requires_grad=True)]
    state = two_groups(lib, [*weights, lib.ones(1, requires_grad=True)]).state_dict()
    lib.optim.SGD(weights, lr=0.1).load_state_dict(state)


OPTIMIZERS = [
    lambda lib: steps(lib, lambda w: (two_groups(lib, w), None)),
    lambda lib: steps(lib, lambda w: ((o := two_groups(lib, w)), own_schedule(lib, o))),
    lambda lib: steps(lib, lambda w: (own_optimizer(lib, w), None)),
    lambda lib: [len(group["params"]) for group in two_groups(lib, with_grads(lib)).param_groups],
    lambda lib: scaled(lib),
    lambda lib: scaled(lib, growth_interval=1, growth_factor=4.0),
    lambda lib: scaled(lib, enabled=False),
]
OPTIMIZERS_REFUSED = [
    lambda lib: two_groups(lib, with_grads(lib)).add_param_group({"lr": 1.0}),
    lambda lib: two_groups(lib, (w := with_grads(lib))).add_param_group({"params": w[:1]}),
    lambda lib: two_groups(lib, with_grads(lib)).add_param_group([1]),
    refused_load,
    lambda lib: lib.optim.lr_scheduler.StepLR(3, 1),
    lambda lib: lib.optim.lr_scheduler.LambdaLR(two_groups(lib, with_grads(lib)), [abs]),
    lambda lib: lib.amp.GradScaler("cpu").step(two_groups(lib, with_grads(lib))),
    lambda lib: lib.amp.GradScaler("cpu").update(),
    lambda lib: twice(lib, "step"),
    lambda lib: twice(lib, "unscale_"),
]


@pytest.mark.parametrize("program", TOOLS + DATA + MODULES + CONTAINERS + OPTIMIZERS)
@pytest.mark.filterwarnings("ignore:Length of split:UserWarning", "ignore:random_split:UserWarning")
def test_same(program):
    agree(program)


@pytest.mark.parametrize(
    "program",
    TOOLS_REFUSED + DATA_REFUSED + MODULES_REFUSED + CONTAINERS_REFUSED + OPTIMIZERS_REFUSED,
)
def test_refused(program):
    agree(program, raises=True)
