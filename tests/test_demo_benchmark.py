"""The benchmark runs, and writes figures that make sense."""

import gzip
import importlib.util
import json
from dataclasses import replace

import numpy as np
import pytest

import autograd
import nn
from demos.benchmark import machine, measure, memory, mnist, operations, overhead, start
from demos.benchmark.command import PARTS, main
from demos.benchmark.measure import MYGRAD, TORCH, Contender, Figure, Settings, Table, take_turns
from demos.benchmark.report import draw, read, write
from demos.benchmark.roofline import layers_of
from demos.benchmark.steps import training_step
from demos.more_networks import MORE_NETWORKS
from demos.networks import NETWORKS, Network

LITTLE = Settings(turns=1, threads=1, kernels=("numpy",), cases=("perceptron",))
TORCH_IS_THERE = importlib.util.find_spec("torch") is not None


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """Small batches and short turns; threads and kernels as they were."""
    threads, kernels = autograd.get_num_threads(), autograd.get_kernels()
    monkeypatch.setattr(measure, "TURN", 0.0)
    for networks in (NETWORKS, MORE_NETWORKS):
        for name, network in list(networks.items()):
            monkeypatch.setitem(networks, name, network._replace(shape=(2, *network.shape[1:])))
    yield
    autograd.set_num_threads(threads)
    autograd.use_kernels(kernels)


@pytest.mark.parametrize("name", [*NETWORKS, *MORE_NETWORKS])
def test_networks_are_the_same_in_both_libraries(name):
    torch = pytest.importorskip("torch")
    network: Network = (NETWORKS | MORE_NETWORKS)[name]
    ours, theirs = network.build(nn), network.build(torch.nn)
    sizes = {key: tuple(value.shape) for key, value in ours.state_dict().items()}
    assert sizes == {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    autograd.manual_seed(0)
    samples = autograd.randn(*network.shape)
    state = {key: torch.from_numpy(value.numpy()) for key, value in ours.state_dict().items()}
    theirs.load_state_dict(state)
    expected = theirs.eval()(torch.from_numpy(samples.numpy())).detach().numpy()
    found = ours.eval()(samples).detach().numpy()
    assert found.shape == expected.shape
    assert abs(found - expected).max() < 1e-4 * max(1, abs(expected).max())


def test_times_of_more_networks():
    figures = PARTS["more"](replace(LITTLE, more=("generator", "discriminator")))
    assert {f.case for f in figures} == {"generator", "discriminator"}
    assert all(f.value > 0 for f in figures)


def test_times_of_steps(capsys):
    figures = PARTS["training"](LITTLE) + PARTS["inference"](LITTLE)
    said = capsys.readouterr().out
    who = ["ndgrad numpy", *([TORCH] if TORCH_IS_THERE else [])]
    assert [(f.part, f.case, f.who) for f in figures] == [
        (part, "perceptron", name) for part in ("training", "inference") for name in who
    ]
    assert all(0 < figure.value < 1e5 for figure in figures)
    assert said.count("| perceptron ") == 2
    assert ("geometric mean" in said) == TORCH_IS_THERE


def test_times_of_operations(capsys, monkeypatch):
    names = ["sigmoid", "cross_entropy, 10 classes", "LSTM"]
    some = {name: operations.OPERATIONS[name] for name in names}
    monkeypatch.setattr(operations, "OPERATIONS", some)
    figures = PARTS["operations"](LITTLE)
    kinds = [f"{name}: {kind}" for name in names for kind in ("forward", "backward")]
    assert [f.case for f in figures if f.who == "ndgrad numpy"] == kinds
    assert all(0 < figure.value < 1e5 for figure in figures)
    assert capsys.readouterr().out.count("| LSTM: ") == 2


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("name", operations.OPERATIONS)
def test_operations_are_the_same_in_both_libraries(name, kernels):
    """Results and gradients, at the sizes that are timed."""
    torch = pytest.importorskip("torch")
    if kernels == "numba":
        pytest.importorskip("numba")
    operation = operations.OPERATIONS[name]
    random = np.random.default_rng(0)
    values = [random.standard_normal(shape, np.float32) for shape in operation.shapes]
    rivals = (
        Contender("ours", autograd, nn, nn.optim, kernels),
        Contender("theirs", torch, torch.nn, torch.optim),
    )
    layers = [operation.layer(rival.modules) for rival in rivals] if operation.layer else []
    if layers:
        state = layers[0].state_dict()
        layers[1].load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in state.items()})
    results = []
    for number, rival in enumerate(rivals):
        rival.begin()
        arrays = [rival.library.tensor(value, requires_grad=True) for value in values]
        rival.library.manual_seed(0)
        out = operation.call(rival, *layers[number : number + 1], *arrays)
        (out * out).sum().backward()
        results.append([out.detach().numpy(), *(array.grad.numpy() for array in arrays)])
    for ours, theirs in zip(*results, strict=True):
        assert ours.shape == theirs.shape
        if name != "dropout":
            assert np.abs(ours - theirs).max() <= 1e-4 * max(1, np.abs(theirs).max())


def test_mygrad_takes_part_where_it_has_the_network():
    pytest.importorskip("mygrad")
    settings = Settings(turns=1, threads=1, kernels=("numpy",), cases=("E CIFAR-10 CNN",))
    assert MYGRAD in {figure.who for figure in PARTS["training"](settings)}


def test_the_networks_of_mygrad_are_the_same(monkeypatch):
    """One step of Adam from the same weights leads to the same ones, nearly."""
    pytest.importorskip("mygrad")
    from demos.benchmark import mygrad_networks as twin

    case = "E CIFAR-10 CNN"
    autograd.manual_seed(0)
    model = NETWORKS[case].build(nn)
    weights = [value for value in model.parameters() if value.ndim > 1]
    made = []

    def parameter(*shape):
        value = next(weight for weight in weights if tuple(weight.shape) == shape)
        made.append(twin.mygrad.tensor(value.detach().numpy().copy()))
        return made[-1]

    monkeypatch.setattr(twin, "parameter", parameter)
    step = twin.NETWORKS[case](NETWORKS[case].shape)
    random = np.random.default_rng(0)  # as there
    samples = autograd.tensor(random.standard_normal(NETWORKS[case].shape).astype(np.float32))
    labels = autograd.tensor(random.integers(0, 10, len(samples)))
    with autograd.no_grad():
        for value in model.parameters():
            if value.ndim == 1:
                value.zero_()
    optimizer = nn.optim.Adam(model.parameters())
    nn.functional.cross_entropy(model(samples), labels).backward()
    optimizer.step()
    step()
    for ours, theirs in zip(weights, made, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.data, rtol=1e-3, atol=2e-4)


def test_overhead_and_imports(monkeypatch):
    monkeypatch.setattr(overhead, "CHAIN", 5)
    figures = PARTS["overhead"](LITTLE) + PARTS["imports"](LITTLE)
    assert all(figure.value > 0 for figure in figures)
    assert figures[-1].value < 10


def test_a_chain_leaves_no_nodes():
    figures = overhead.chain(LITTLE, length=1000)
    assert [figure.value for figure in figures if figure.unit == "nodes left"] == [0, 0]


class TestStart:
    def test_processes_are_timed(self, monkeypatch):
        monkeypatch.setattr(start, "EVERYTHING", "perceptron")
        figures = start.start(LITTLE)
        assert all(0 < figure.value < 100 for figure in figures)

    def test_everything_runs(self, monkeypatch):
        networks = {"perceptron": NETWORKS["perceptron"]}
        monkeypatch.setattr("demos.networks.NETWORKS", networks)
        monkeypatch.setattr(start, "OPERATIONS", {"exp": operations.OPERATIONS["exp"]})
        start.main("ndgrad numpy", autograd.get_num_threads(), [start.EVERYTHING])

    def test_a_failure_is_told(self, tmp_path):
        with pytest.raises(RuntimeError, match="KeyError"):
            start.seconds("ndgrad numpy", ["no such network"], 1, tmp_path)


@pytest.mark.skipif(not memory.STATUS.exists(), reason="memory is read from Linux's /proc")
class TestMemory:
    def test_what_grows_is_measured(self):
        kept = []
        grown = memory.growth(lambda: None, lambda: lambda: kept.append(np.ones(20_000_000, bool)))
        assert 55 < grown < 80  # three steps

    def test_what_is_freed_counts_at_its_peak(self):
        grown = memory.growth(lambda: None, lambda: lambda: np.ones(50_000_000, bool).sum())
        assert 45 < grown < 70

    def test_what_was_there_before_does_not_count(self):
        grown = memory.growth(lambda: np.ones(90_000_000, bool).sum(), lambda: lambda: None)
        assert grown < 10

    def test_in_processes(self):
        figures = PARTS["memory"](LITTLE)
        assert all(0 < figure.value < 500 for figure in figures)

    def test_checkpoints(self):
        assert 0 < memory.measured("ndgrad numpy", memory.CHECKPOINTED, 1, 2) < 1000

    def test_a_failure_is_told(self):
        with pytest.raises(RuntimeError, match="KeyError"):
            memory.measured("ndgrad numpy", "no such network", 1)


@pytest.fixture
def small_machine(monkeypatch):
    monkeypatch.setattr(machine, "SIDES", (16,))
    monkeypatch.setattr(machine, "TRIAD", 1 << 10)
    cost = machine.page_cost
    monkeypatch.setattr(machine, "page_cost", lambda: cost(1 << 16))
    time = machine.median_time
    monkeypatch.setattr(machine, "median_time", lambda step: time(step, 0))


def test_layers_are_found_with_their_work():
    found = {layer.title: layer for layer in layers_of("ResNet-18")}
    conv = found["Conv2d 2 x 64 x 32 x 32 -> 128, 3x3, stride 2"]
    assert conv.work("forward")["FLOP"] == 2 * (2 * 128 * 16 * 16) * (64 * 9)
    moved = 2 * 64 * 32 * 32 + 2 * 128 * 16 * 16 + 128 * 64 * 9
    assert conv.work("input gradient") == {**conv.work("forward"), "B": 4 * moved}
    norm = found["BatchNorm2d 2 x 64 x 32 x 32"]
    assert norm.work("forward") == {"B": 4 * 2 * (2 * 64 * 32 * 32)}
    assert norm.work("backward") == {"B": 4 * 3 * (2 * 64 * 32 * 32)}
    assert "Linear 2 x 512 -> 10" in found


def test_roofline(small_machine, tmp_path, capsys):
    cases = ("perceptron", "E CIFAR-10 CNN")
    settings = Settings(turns=1, threads=1, kernels=("numpy",), cases=cases)
    figures = PARTS["roofline"](settings)
    said = capsys.readouterr().out
    assert "GB/s" in said
    assert "MaxPool2d 2 x 32 x 32 x 32: backward" in said
    assert "Adam, perceptron, 269,322 parameters" in said
    assert all(f.value > 0 for f in figures if f.part in ("kernels", "kernel work"))
    draw(figures, tmp_path / "roof.png")
    assert (tmp_path / "roof.png").read_bytes().startswith(b"\x89PNG")


def test_threads_share_the_work_of_the_machine(small_machine):
    assert machine.product(16, 2) > 0
    assert machine.in_parts(machine.triad, 2) > 0


@pytest.fixture
def little_mnist(tmp_path):
    """Images whose class is where their bright column is."""
    random = np.random.default_rng(0)
    (tmp_path / "mnist").mkdir()
    for name, count in (("train", 512), ("t10k", 100)):
        labels = random.integers(0, 10, count).astype(np.uint8)
        images = np.zeros((count, 28, 28), np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[:, 2 * label : 2 * label + 3] = 255
        for kind, header, data in (("images-idx3", 16, images), ("labels-idx1", 8, labels)):
            with gzip.open(tmp_path / "mnist" / f"{name}-{kind}-ubyte.gz", "wb") as file:
                file.write(bytes(header) + data.tobytes())
    return tmp_path


def test_a_whole_training(little_mnist, capsys):
    settings = Settings(turns=1, threads=1, kernels=("numpy",), epochs=3, data=little_mnist)
    figures = PARTS["mnist"](settings)
    unknown = [figure.value for figure in figures if figure.unit == "%"]
    assert len(unknown) == 1 + TORCH_IS_THERE
    assert max(unknown) < 50  # of 100; chance is 90
    assert "of the test images are known" in capsys.readouterr().out


def test_a_whole_training_without_data(tmp_path, capsys):
    assert PARTS["mnist"](Settings(data=tmp_path)) == []
    assert "MNIST is not in" in capsys.readouterr().out


def test_a_training_that_fails_is_told(tmp_path):
    options = {"folder": tmp_path, "epochs": 1, "limit": 1, "threads": 1}
    with pytest.raises(RuntimeError, match="No such file"):
        mnist.run("ndgrad", "numpy", options)


def test_turns_are_taken():
    order = []
    steps = {"one": lambda: order.append(1), "two": lambda: order.append(2)}
    assert set(take_turns(steps, turns=3)) == {"one", "two"}
    assert order == [1, 1, 2, 2, *[1, 2] * 3]


def test_a_turn_begins_with_what_was_asked_for():
    order = []
    steps = {"one": lambda: order.append("step")}
    take_turns(steps, turns=1, begin={"one": lambda: order.append("begin")})
    assert order == ["begin", "step", "step", "begin", "step"]


def test_contenders_use_their_kernels():
    Contender("ndgrad numpy", None, None, None, "numpy").begin()
    assert autograd.get_kernels() == "numpy"


def test_a_step_trains():
    rival = Contender("ndgrad", autograd, nn, nn.optim)
    made = []
    build = NETWORKS["perceptron"].build
    network = NETWORKS["perceptron"]._replace(build=lambda nn: made.append(build(nn)) or made[0])
    NETWORKS["perceptron"], before = network, NETWORKS["perceptron"]
    try:
        step = training_step(rival, "perceptron")
    finally:
        NETWORKS["perceptron"] = before
    weight = made[0][1].weight.detach().numpy().copy()
    step()
    assert (made[0][1].weight.detach().numpy() != weight).any()


def test_means_and_the_largest_ratio(capsys):
    table = Table("training", "step", "ms", ["ndgrad numpy", TORCH])
    table.add("one", {"ndgrad numpy": 1.0, TORCH: 2.0})
    table.add("two", {"ndgrad numpy": 4.0, TORCH: 2.0})
    table.finish()
    said = capsys.readouterr().out
    assert "geometric mean 1.00, largest 2.00 (two)" in said
    lines = [line for line in said.splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1


def figures(factor):
    return [
        Figure("training", case, who, value * factor, "ms")
        for case, who, value in (
            ("one", "ndgrad numpy", 1.0),
            ("one", TORCH, 2.0),
            ("two", "ndgrad numpy", 3.0),
            ("two", TORCH, 2.0),
        )
    ]


def test_figures_in_a_file(tmp_path):
    write(figures(1), tmp_path / "figures.json")
    assert read(tmp_path / "figures.json") == figures(1)
    assert json.loads((tmp_path / "figures.json").read_text())["about"]["numpy"]


def test_comparison_of_two_files(tmp_path, capsys):
    write(figures(1), tmp_path / "old.json")
    write([*figures(0.5), Figure("memory", "one", TORCH, 1.0, "MB")], tmp_path / "new.json")
    main(["--compare", str(tmp_path / "old.json"), str(tmp_path / "new.json")])
    said = capsys.readouterr().out
    assert "training: two: ndgrad numpy (ms) |          3 |        1.5 |      0.50 |" in said
    assert "training, PyTorch: geometric mean of new / old 0.50" in said
    assert "memory" not in said


def test_a_file_of_something_else(tmp_path):
    (tmp_path / "old.json").write_text("{}")
    with pytest.raises(ValueError, match=r"old\.json: expected a file that --json wrote"):
        read(tmp_path / "old.json")


def test_a_picture(tmp_path):
    pytest.importorskip("torch")
    path = tmp_path / "figures.png"
    arguments = ["training", "--turns", "1", "--threads", "1", "--kernels", "numpy"]
    main([*arguments, "--cases", "perceptron", "--plot", str(path)])
    assert path.read_bytes().startswith(b"\x89PNG")


def test_no_such_part(capsys):
    with pytest.raises(SystemExit):
        main(["fast"])
    assert "no such part: fast; there are overhead, chain, imports" in capsys.readouterr().err


def test_more_networks_are_chosen_by_name_too(capsys):
    arguments = ["more", "training", "--turns", "1", "--threads", "1", "--kernels", "numpy"]
    assert main([*arguments, "--cases", "LeNet"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| LeNet")]
    assert len(rows) == 1


def test_no_such_network(capsys):
    with pytest.raises(SystemExit):
        main(["training", "--cases", "AlexNet"])
    assert "no network is called 'AlexNet'; there are A TinyCNN" in capsys.readouterr().err
