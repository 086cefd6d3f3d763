"""Recurrent layers and cells, packed and padded sequences, against PyTorch."""

import numpy as np
import pytest
from oracle import assert_same, copy_state, leaf, to_torch

import autograd
import nn
from autograd import kernels, ops, tensor
from autograd.ops import recurrent
from nn.utils import rnn

F32, F64 = np.float32, np.float64
KINDS = [("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("GRU", {}), ("LSTM", {})]
OPTIONS = [
    {},
    {"bias": False, "batch_first": True},
    {"num_layers": 2, "bidirectional": True},
    {"num_layers": 3},
]


def draw(*shape, dtype=F64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def pair(name, *args, dtype=F64, **options):
    """The same layer here and in PyTorch, with the same parameters."""
    torch = pytest.importorskip("torch")
    autograd.manual_seed(1)
    ours = getattr(nn, name)(*args, **options).to(dtype)
    theirs = getattr(torch.nn, name)(*args, **options).to(to_torch(np.zeros(1, dtype)).dtype)
    copy_state(ours, theirs)
    assert repr(ours) == repr(theirs)
    return ours, theirs


def flat(value):
    if isinstance(value, tuple) and not hasattr(value, "batch_sizes"):
        return [part for item in value for part in flat(item)]
    return [value.data if hasattr(value, "batch_sizes") else value]


def same_outcome(ours, theirs, mine, yours, tolerance=None):
    """Equal results and, for random gradients of all of them, equal gradients."""
    out, expected = flat(ours(*mine)), flat(theirs(*yours))
    total = expected_total = 0.0
    for place, (one, other) in enumerate(zip(out, expected, strict=True)):
        assert_same(one, other, tolerance, f"output {place}")
        seed = draw(*other.shape, seed=place).astype(other.detach().numpy().dtype)
        total = total + (one * tensor(seed)).sum()
        expected_total = expected_total + (other * to_torch(seed)).sum()
    total.backward()
    expected_total.backward()
    for place, (one, other) in enumerate(zip(flat(tuple(mine)), flat(tuple(yours)), strict=True)):
        assert_same(one.grad, other.grad, tolerance, f"gradient of input {place}")
    for (name, one), (_, other) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        assert_same(one.grad, other.grad, tolerance, name)


def states(name, *shape, dtype=F64, sizes=None):
    """Initial states for both libraries."""
    arrays = [draw(*shape[:-1], size, dtype=dtype, seed=9) for size in sizes or shape[-1:]]
    if name.startswith("LSTM"):
        arrays = arrays if sizes else [*arrays, draw(*shape, dtype=dtype, seed=8)]
        return tuple(map(leaf, arrays)), tuple(to_torch(a, True) for a in arrays)
    return leaf(arrays[0]), to_torch(arrays[0], True)


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(("name", "extra"), KINDS)
@pytest.mark.parametrize("given", [False, True])
def test_layers(name, extra, options, given, dtype):
    ours, theirs = pair(name, 3, 4, dtype=dtype, **extra, **options)
    x = draw(5, 2, 3, dtype=dtype)
    if options.get("batch_first"):
        x = x.swapaxes(0, 1)
    mine, yours = [leaf(x)], [to_torch(x, True)]
    if given:
        depth = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
        one, other = states(name, depth, 2, 4, dtype=dtype)
        mine.append(one)
        yours.append(other)
    same_outcome(ours, theirs, mine, yours)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(("name", "extra"), KINDS)
@pytest.mark.parametrize("given", [False, True])
def test_layers_without_a_batch(name, extra, options, given):
    ours, theirs = pair(name, 3, 4, **extra, **options)
    x = draw(5, 3)
    mine, yours = [leaf(x)], [to_torch(x, True)]
    if given:
        depth = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
        one, other = states(name, depth, 4)
        mine.append(one)
        yours.append(other)
    same_outcome(ours, theirs, mine, yours)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(("name", "extra"), KINDS)
@pytest.mark.parametrize("enforce_sorted", [False, True])
def test_layers_on_packed_sequences(name, extra, options, enforce_sorted):
    torch = pytest.importorskip("torch")
    options = {k: v for k, v in options.items() if k != "batch_first"}
    ours, theirs = pair(name, 3, 4, **extra, **options)
    lengths = [5, 3, 3, 1] if enforce_sorted else [3, 1, 5, 3]
    x = draw(5, 4, 3)
    depth = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    one, other = states(name, depth, 4, 4)

    def packing(pack, pad, module):
        def run(x, hx):
            packed = pack(x, lengths, enforce_sorted=enforce_sorted)
            out, last = module(packed, hx)
            return pad(out, padding_value=2.0)[0], last

        run.named_parameters = module.named_parameters
        return run

    utils = torch.nn.utils.rnn
    same_outcome(
        packing(rnn.pack_padded_sequence, rnn.pad_packed_sequence, ours),
        packing(utils.pack_padded_sequence, utils.pad_packed_sequence, theirs),
        [leaf(x), one],
        [to_torch(x, True), other],
    )


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True, "bias": False}])
@pytest.mark.parametrize("dims", [2, 3])
def test_lstm_with_a_projection(options, dims):
    ours, theirs = pair("LSTM", 3, 4, proj_size=2, **options)
    x = draw(*((5, 1, 3) if dims == 3 else (5, 3)))
    depth = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    lead = (depth, 1) if dims == 3 else (depth,)
    one, other = states("LSTM", *lead, 4, sizes=(2, 4))
    same_outcome(ours, theirs, [leaf(x), one], [to_torch(x, True), other])


def test_lstm_with_a_projection_on_packed_sequences():
    torch = pytest.importorskip("torch")
    ours, theirs = pair("LSTM", 3, 4, proj_size=2, bidirectional=True)
    parts = [draw(4, 3), draw(2, 3, seed=1)]
    out, last = ours(rnn.pack_sequence([tensor(part) for part in parts]))
    expected, expected_last = theirs(torch.nn.utils.rnn.pack_sequence(list(map(to_torch, parts))))
    for mine, yours in zip(flat((out, last)), flat((expected, expected_last)), strict=True):
        assert_same(mine, yours)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("name", "extra"),
    [("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu"}), ("GRUCell", {}), ("LSTMCell", {})],
)
@pytest.mark.parametrize("lead", [(), (2,)])
@pytest.mark.parametrize("given", [False, True])
def test_cells(name, extra, bias, lead, given):
    ours, theirs = pair(name, 3, 4, bias=bias, **extra)
    x = draw(*lead, 3)
    mine, yours = [leaf(x)], [to_torch(x, True)]
    if given:
        one, other = states(name, *lead, 4)
        mine.append(one)
        yours.append(other)
    same_outcome(ours, theirs, mine, yours)


@pytest.mark.parametrize(("name", "extra"), KINDS)
def test_state_of_pytorch_is_read(name, extra):
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.nn, name)(3, 4, num_layers=2, bidirectional=True, **extra)
    ours = getattr(nn, name)(3, 4, num_layers=2, bidirectional=True, **extra)
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    x = draw(3, 2, 3, dtype=F32)
    assert_same(ours(tensor(x))[0], theirs(to_torch(x))[0])
    assert [len(part) for part in ours.all_weights] == [len(part) for part in theirs.all_weights]


def test_initial_parameters_are_uniform():
    autograd.manual_seed(0)
    layer = nn.LSTM(30, 100)
    for value in layer.parameters():
        array = value.array
        assert np.abs(array).max() <= 0.1
        assert abs(array.mean()) < 0.02
        assert array.std() == pytest.approx(0.1 / np.sqrt(3), rel=0.1)


def test_dropout_acts_between_layers_in_training_only():
    autograd.manual_seed(0)
    layer = nn.GRU(3, 50, num_layers=2, dropout=0.5)
    x = tensor(draw(4, 2, 3, dtype=F32))
    assert not autograd.equal(layer(x)[0], layer(x)[0])
    layer.eval()
    assert autograd.equal(layer(x)[0], layer(x)[0])
    layer.train().dropout = 0.0
    whole = layer(x)[0]
    layer.dropout = 1.0
    out, last = layer(x)
    assert not autograd.equal(out, whole)
    layer.dropout = 0.0
    assert autograd.equal(last[0], layer(x)[1][0])  # the first layer's state is not dropped


def test_dropout_of_one_layer_warns():
    with pytest.warns(UserWarning, match="RNN: dropout acts between layers"):
        nn.RNN(2, 3, dropout=0.5)


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize(
    ("sizes", "reverse"), [((3, 3, 3), False), ((3, 2, 2), True), ((3, 1), False)]
)
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_kernels_agree_with_the_recurrence_in_steps(name, sizes, reverse, nonlinearity):
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[name]
    extra = {"nonlinearity": nonlinearity} if name == "rnn" else {}
    shapes = [(sum(sizes), 5), *[(3, 4)] * (2 if name == "lstm" else 1)]
    shapes += [(4 * gates, 5), (4 * gates, 4), (4 * gates,), (4 * gates,)]
    outcomes = []
    for run in (getattr(ops, name), getattr(recurrent, f"{name}_by_steps")):
        given = [leaf(draw(*shape, seed=k)) for k, shape in enumerate(shapes)]
        out = run(*given, batch_sizes=sizes, reverse=reverse, **extra)
        gradients = autograd.grad(out, given, tensor(draw(*out.shape, seed=20)))
        outcomes.append([out, *gradients])
    for one, other in zip(*outcomes, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("reverse", [False, True])
def test_long_sequences_go_through_two_threads_in_chunks(name, reverse):
    """Large enough for blocks of columns, several chunks, and a second thread."""
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[name]
    extra = {"nonlinearity": "tanh"} if name == "rnn" else {}
    shapes = [(60 * 33 + 7, 20), *[(33, 192)] * (2 if name == "lstm" else 1)]
    shapes += [(192 * gates, 20), (192 * gates, 192), (192 * gates,), (192 * gates,)]
    arrays = [draw(*shape, seed=k) / 20 for k, shape in enumerate(shapes)]
    sizes = (*(33,) * 60, 7)
    outcomes = []
    before = autograd.get_num_threads()
    try:
        for threads in (1, 2, 2, None):
            autograd.set_num_threads(threads or 2)
            given = [leaf(array) for array in arrays]
            run = getattr(ops, name) if threads else getattr(recurrent, f"{name}_by_steps")
            out = run(*given, batch_sizes=sizes, reverse=reverse, **extra)
            gradients = autograd.grad(out, given, tensor(draw(*out.shape, seed=20)))
            outcomes.append([out, *gradients])
    finally:
        autograd.set_num_threads(before)
    for one, again, other in zip(*outcomes[1:], strict=True):
        assert autograd.equal(one, again)
        assert_same(one, other)
    for one, other in zip(outcomes[0], outcomes[3], strict=True):
        assert_same(one, other)


def test_an_error_in_one_thread_ends_both():
    hidden = np.zeros((64, 256))
    with pytest.raises(ValueError, match="matmul"):
        kernels.rnn(
            draw(64 * 40, 3),
            hidden,
            draw(256, 4),
            draw(256, 256),
            None,
            None,
            "tanh",
            (64,) * 40,
            False,
        )


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_a_state_computed_from_the_input_has_both_gradients(name):
    """Second order, where one input of the operation is a function of another."""
    torch = pytest.importorskip("torch")
    ours, theirs = pair(name, 3, 3)
    x = draw(4, 2, 3)

    def penalty(lib, module, x):
        first = x[:1] * 2
        out, _ = module(x, (first, first.tanh()) if name == "LSTM" else first)
        grad = autograd.grad if lib is autograd else lib.autograd.grad
        (slope,) = grad((out * out).sum(), x, create_graph=True)
        return (slope * slope).sum()

    mine, yours = leaf(x), to_torch(x, True)
    penalty(autograd, ours, mine).backward()
    penalty(torch, theirs, yours).backward()
    assert_same(mine.grad, yours.grad)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_same(one.grad, other.grad)


def test_only_what_is_needed_is_computed():
    layer = nn.LSTM(3, 4)
    layer.weight_ih_l0.requires_grad_(False)
    x = tensor(draw(5, 2, 3, dtype=F32))
    layer(x)[0].sum().backward()
    assert x.grad is None
    assert layer.weight_ih_l0.grad is None
    assert layer.weight_hh_l0.grad.shape == (16, 4)
    assert not np.may_share_memory(layer.bias_ih_l0.grad.array, layer.bias_hh_l0.grad.array)


ERRORS = [
    ("RNN", lambda m, t: m(t(draw(5, 2, 4))), "input has shape"),
    ("RNN", lambda m, t: m(t(draw(3))), "input has shape"),
    ("GRU", lambda m, t: m(t(draw(0, 2, 3))), "at least one time step"),
    ("GRU", lambda m, t: m(t(draw(5, 2, 3)), t(draw(1, 3, 4))), "initial state 0"),
    ("LSTM", lambda m, t: m(t(draw(5, 2, 3)), (t(draw(1, 2, 4)), t(draw(2, 4)))), "state 1"),
    ("LSTM", lambda m, t: m(t(draw(5, 2, 3, dtype=F32))), "input is float32, weights float64"),
    ("LSTMCell", lambda m, t: m(t(draw(2, 4))), "input has shape"),
    ("RNNCell", lambda m, t: m(t(draw(2, 3)), t(draw(3, 4))), "hx has shape"),
    ("GRUCell", lambda m, t: m(t(draw(1, 2, 3))), "input has shape"),
]


@pytest.mark.parametrize(("name", "call", "message"), ERRORS)
def test_what_does_not_fit_raises(name, call, message):
    ours, theirs = pair(name, 3, 4)
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        call(ours, tensor)
    assert isinstance(caught.value, RuntimeError)
    with pytest.raises((RuntimeError, ValueError)):
        call(theirs, to_torch)


@pytest.mark.parametrize(
    "make",
    [
        lambda lib: lib.RNN(0, 3),
        lambda lib: lib.LSTM(3, -1),
        lambda lib: lib.GRU(3, 3, num_layers=0),
        lambda lib: lib.GRU(3, 3, dropout=1.5),
        lambda lib: lib.LSTM(3, 3, proj_size=3),
        lambda lib: lib.RNN(3, 3, nonlinearity="sin"),
        lambda lib: lib.RNN(3.0, 3),
    ],
)
def test_what_cannot_be_made_raises(make):
    torch = pytest.importorskip("torch")
    for lib in (nn, torch.nn):
        with pytest.raises((ValueError, TypeError)):
            make(lib)
    with pytest.raises(TypeError, match="pair"):
        nn.LSTM(3, 4)(tensor(draw(5, 2, 3, dtype=F32)), tensor(draw(1, 2, 4, dtype=F32)))


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("side", ["left", "right"])
def test_pad_sequence(batch_first, side):
    torch = pytest.importorskip("torch")
    parts = [draw(n, 2, seed=n) for n in (3, 5, 0, 5)]
    mine, yours = [leaf(p) for p in parts], [to_torch(p, True) for p in parts]
    options = {"batch_first": batch_first, "padding_value": -1.0, "padding_side": side}
    out = rnn.pad_sequence(mine, **options)
    expected = torch.nn.utils.rnn.pad_sequence(yours, **options)
    assert_same(out, expected)
    (out * out).sum().backward()
    (expected * expected).sum().backward()
    for one, other in zip(mine, yours, strict=True):
        assert_same(one.grad, other.grad)
    back = rnn.unpad_sequence(rnn.pad_sequence(mine, batch_first), [3, 5, 0, 5], batch_first)
    assert all(autograd.equal(one, two) for one, two in zip(back, mine, strict=True))


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("lengths", [[4, 4, 4], [4, 2, 1], [3, 3, 1], [1, 4, 2], [2, 2, 3]])
@pytest.mark.parametrize("total", [None, 6])
def test_packing_and_padding(batch_first, lengths, total):
    torch = pytest.importorskip("torch")
    x = draw(4, 3, 2)
    if batch_first:
        x = x.swapaxes(0, 1)
    enforce = sorted(lengths, reverse=True) == lengths
    results = []
    for utils, x_, give in (
        (rnn, leaf(x), tensor),
        (torch.nn.utils.rnn, to_torch(x, True), torch.tensor),
    ):
        packed = utils.pack_padded_sequence(x_, give(lengths), batch_first, enforce)
        padded, counts = utils.pad_packed_sequence(packed, batch_first, 7.0, total)
        (padded * padded).sum().backward()
        results.append([packed.data, packed.batch_sizes, padded, counts, x_.grad])
        results[-1] += [packed.sorted_indices, packed.unsorted_indices]
    for one, other in zip(*results, strict=True):
        assert_same(one, other)


def test_packing_sequences():
    torch = pytest.importorskip("torch")
    parts = [draw(n, 2, seed=n) for n in (2, 4, 1)]
    packed = rnn.pack_sequence([tensor(p) for p in parts], enforce_sorted=False)
    expected = torch.nn.utils.rnn.pack_sequence(list(map(to_torch, parts)), enforce_sorted=False)
    assert_same(packed.data, expected.data)
    for one, part in zip(rnn.unpack_sequence(packed), parts, strict=True):
        np.testing.assert_array_equal(one.array, part)
    assert packed.to(autograd.float32).data.dtype == F32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u, t: u.pack_padded_sequence(t(draw(4, 2, 1)), t([3, 4])), "rise"),
        (lambda u, t: u.pack_padded_sequence(t(draw(4, 2, 1)), t([3, 0])), "between 1 and 4"),
        (lambda u, t: u.pack_padded_sequence(t(draw(4, 2, 1)), t([3])), "one for each of 2"),
        (
            lambda u, t: u.pad_packed_sequence(u.pack_sequence([t(draw(3, 1))]), total_length=2),
            "total_length is 2",
        ),
        (lambda u, t: u.pad_sequence([]), "at least one"),
        (lambda u, t: u.pad_sequence([t(draw(2, 3)), t(draw(2, 2))]), "agree in all other"),
        (lambda u, t: u.pad_sequence([t(draw(2))], padding_side="up"), "padding_side"),
    ],
)
def test_sequences_that_do_not_fit_raise(call, message):
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=message):
        call(rnn, tensor)
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        call(torch.nn.utils.rnn, lambda v: torch.tensor(v))


def test_packing_more_steps_than_there_are_raises():
    with pytest.raises(ValueError, match="between 1 and 4"):
        rnn.pack_padded_sequence(tensor(draw(4, 2, 1)), [5, 1])
