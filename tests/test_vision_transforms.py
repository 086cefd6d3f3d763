"""Transforms of images: kinds of images, values, randomness, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import from_numpy
from nn.data import DataLoader, TensorDataset, default_collate
from vision import transforms as T
from vision.transforms.affine import matrices
from vision.transforms.batch import for_batches

RANDOM = np.random.default_rng(0)
FLOATS = RANDOM.random((6, 3, 8, 10)).astype(np.float32)
BYTES = RANDOM.integers(0, 256, (6, 3, 8, 10), np.uint8)

EACH = [
    T.RandomCrop(6, padding=2),
    T.RandomCrop((4, 12), pad_if_needed=True, padding_mode="edge"),
    T.RandomHorizontalFlip(),
    T.RandomVerticalFlip(),
    T.RandomRotation(40),
    T.RandomRotation(40, "bilinear", fill=(1, 0, 1)),
    T.RandomAffine(20, (0.2, 0.3), (0.7, 1.4), (-10, 10, -5, 5), "bilinear"),
    T.ColorJitter(0.4, 0.4, 0.4, 0.2),
    T.RandomErasing(p=0.7),
    T.RandomErasing(p=0.7, value="random"),
    T.RandomResizedCrop(5),
    T.Resize(5),
    T.Resize((16, 3), "nearest"),
    T.CenterCrop((4, 12)),
    T.Pad((1, 2), padding_mode="reflect"),
]
RANDOM_ONES = EACH[:11]


def name_of(transform) -> str:
    return type(transform).__name__


# Kinds of images


@pytest.mark.parametrize("values", [FLOATS, BYTES], ids=["float32", "uint8"])
@pytest.mark.parametrize("transform", EACH, ids=name_of)
def test_every_kind_of_image(transform, values):
    """A batch, an image as Tensor, as array and without channels; the type stays, so does it."""
    before = values.copy()
    kinds = {
        "batch": from_numpy(values[:1]),
        "image": from_numpy(values[0]),
        "array": values[0].transpose(1, 2, 0),
        "grey": values[0, 0],
    }
    if transform.__dict__.get("fill") == (1, 0, 1):
        del kinds["grey"]
    results = {}
    for kind, image in kinds.items():
        autograd.manual_seed(5)
        result = transform(image)
        assert type(result) is type(image)
        assert result.dtype == image.dtype
        assert result.ndim == image.ndim
        results[kind] = result.numpy() if isinstance(result, autograd.Tensor) else result
    np.testing.assert_array_equal(results["batch"][0], results["image"])
    if not (isinstance(transform, T.RandomErasing) and transform.value == "random"):
        np.testing.assert_array_equal(results["array"].transpose(2, 0, 1), results["image"])
    np.testing.assert_array_equal(values, before)


def test_pillow_images():
    image = pytest.importorskip("PIL.Image")
    picture = image.fromarray(np.ascontiguousarray(BYTES[0].transpose(1, 2, 0)))
    result = T.RandomHorizontalFlip(p=1)(picture)
    np.testing.assert_array_equal(result, BYTES[0, :, :, ::-1].transpose(1, 2, 0))
    assert T.CenterCrop(2)(image.new("1", (4, 4), 1)).tolist() == [[255, 255], [255, 255]]


@pytest.mark.parametrize("transform", EACH, ids=name_of)
@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        ([[1.0]], TypeError, "got list, expected a Tensor"),
        (autograd.zeros(4, 4), ValueError, r"got shape \(4, 4\), expected a Tensor of shape \(C"),
        (np.zeros((2, 3, 4, 4)), ValueError, r"got shape \(2, 3, 4, 4\), expected an array"),
        (autograd.zeros(3, 0, 4), ValueError, r"got shape \(3, 0, 4\)"),
        (autograd.zeros(3, 8, 8, requires_grad=True), RuntimeError, "requires grad; detach"),
    ],
)
def test_wrong_images(transform, image, error, message):
    with pytest.raises(error, match=f"^{name_of(transform)}: .*{message}"):
        transform(image)


# Randomness


@pytest.mark.parametrize("transform", RANDOM_ONES, ids=name_of)
def test_a_seed_repeats_a_run(transform):
    images = from_numpy(FLOATS)
    runs = []
    for seed in (3, 3, 4):
        autograd.manual_seed(seed)
        runs.append(np.stack([transform(images).numpy() for _ in range(3)]))
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    assert not np.array_equal(runs[0][0], runs[0][1])


@pytest.mark.parametrize("transform", RANDOM_ONES, ids=name_of)
def test_images_of_a_batch_differ(transform):
    autograd.manual_seed(0)
    same = from_numpy(np.repeat(FLOATS[:1], 30, axis=0))
    results = {image.tobytes() for image in transform(same).numpy()}
    assert len(results) > 1
    assert len(results) == 2 or "Flip" not in name_of(transform)


class Items(TensorDataset):
    transform = T.Compose([T.RandomCrop(8, padding=2), T.RandomHorizontalFlip()])

    def __getitem__(self, index):
        return self.transform(super().__getitem__(index)[0]), index


@pytest.mark.parametrize("batched", [False, True])
def test_workers_repeat_too(batched):
    """With threads the same numbers come whatever their count, and again with the same seed."""
    mix = T.RandomChoice([T.MixUp(num_classes=10), T.CutMix(num_classes=10)])
    collate = (lambda samples: mix(*default_collate(samples))) if batched else None

    def epoch(workers, seed=7):
        autograd.manual_seed(seed)
        loader = DataLoader(
            Items(from_numpy(FLOATS)), 2, shuffle=True, num_workers=workers, collate_fn=collate
        )
        return [part.numpy() for batch in loader for part in batch]

    first = epoch(1)
    for workers in (1, 2, 3):
        for one, other in zip(first, epoch(workers), strict=True):
            np.testing.assert_array_equal(one, other)
    assert any(not np.array_equal(a, b) for a, b in zip(first, epoch(2, seed=8), strict=True))


def test_generator_of_the_thread_is_used():
    state = autograd.get_rng_state()
    with autograd.generator.use_generator(autograd.Generator().manual_seed(1)):
        for transform in EACH:
            transform(from_numpy(FLOATS))
        T.MixUp(num_classes=3)(from_numpy(FLOATS), autograd.tensor([0, 1, 2, 0, 1, 2]))
        T.RandomApply([T.RandomVerticalFlip()])(from_numpy(FLOATS))
    assert autograd.get_rng_state() == state


# Cutting, padding, mirroring


def windows_of(image, height, width):
    rows, columns = image.shape[-2:]
    return {
        image[:, top : top + height, left : left + width].tobytes()
        for top in range(rows - height + 1)
        for left in range(columns - width + 1)
    }


def test_random_crop_finds_every_place():
    autograd.manual_seed(0)
    images = np.repeat(BYTES[:1], 400, axis=0)
    found = {image.tobytes() for image in T.RandomCrop((7, 8))(from_numpy(images)).numpy()}
    assert found == windows_of(BYTES[0], 7, 8)
    padded = np.pad(BYTES[0], ((0, 0), (1, 1), (1, 1)), constant_values=9)
    cropped = T.RandomCrop((8, 10), padding=1, fill=9)(from_numpy(images)).numpy()
    assert {image.tobytes() for image in cropped} == windows_of(padded, 8, 10)


def test_random_crop_errors():
    with pytest.raises(ValueError, match=r"got images of 8 x 10 .*at least 9 x 9"):
        T.RandomCrop(9)(from_numpy(FLOATS))
    for size in (0, (1, 2, 3), ()):
        with pytest.raises(ValueError, match="size must be one positive integer or two"):
            T.RandomCrop(size)


@pytest.mark.parametrize(("flip", "axis"), [(T.RandomHorizontalFlip, 3), (T.RandomVerticalFlip, 2)])
def test_flips(flip, axis):
    images = from_numpy(FLOATS)
    np.testing.assert_array_equal(flip(p=1)(images).numpy(), np.flip(FLOATS, axis))
    np.testing.assert_array_equal(flip(p=0)(images).numpy(), FLOATS)
    autograd.manual_seed(0)
    many = flip(p=0.25)(from_numpy(np.repeat(FLOATS[:1], 2000, axis=0))).numpy()
    flipped = (many == np.flip(FLOATS[:1], axis)).all(axis=(1, 2, 3)).mean()
    assert 0.2 < flipped < 0.3
    with pytest.raises(ValueError, match=r"p must be in \[0, 1\], got 1.5"):
        flip(1.5)


def test_pad_values():
    image = autograd.arange(4).reshape(1, 2, 2)
    assert T.Pad((0, 1, 2, 0), fill=7)(image).tolist() == [
        [[7, 7, 7, 7], [0, 1, 7, 7], [2, 3, 7, 7]]
    ]
    assert T.Pad((1, 0), padding_mode="reflect")(image).tolist() == [[[1, 0, 1, 0], [3, 2, 3, 2]]]
    colours = T.Pad(1, fill=(1, 2, 3))(from_numpy(BYTES)).numpy()
    assert colours[4, :, 0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: T.Pad(-1), "must be 1, 2 or 4 numbers that are not negative"),
        (lambda: T.Pad((1, 2, 3)), "must be 1, 2 or 4 numbers"),
        (lambda: T.Pad(1, padding_mode="wrap"), "padding_mode must be one of constant, edge"),
        (lambda: T.Pad(8, padding_mode="reflect")(from_numpy(FLOATS)), "must be less than"),
        (lambda: T.Pad(1, fill=(1, 2))(from_numpy(FLOATS)), "one for each of 3 channels"),
    ],
)
def test_pad_errors(make, message):
    with pytest.raises(ValueError, match=f"^Pad: .*{message}"):
        make()


def test_center_crop_values():
    image = autograd.arange(20).reshape(1, 4, 5)
    assert T.CenterCrop((2, 3))(image).tolist() == [[[6, 7, 8], [11, 12, 13]]]
    assert T.CenterCrop((1, 7))(image[:, 1:2]).tolist() == [[[0, 5, 6, 7, 8, 9, 0]]]


# Other sizes


@pytest.mark.parametrize("size", [(4, 5), (16, 20), (7, 3), (3, 25), (8, 10), (1, 1)])
@pytest.mark.parametrize("mode", ["antialias", "bilinear", "nearest"])
def test_resize_as_pytorch(size, mode):
    torch = pytest.importorskip("torch")
    kind = "nearest" if mode == "nearest" else "bilinear"
    ours = T.Resize(size, kind, antialias=mode == "antialias")(from_numpy(FLOATS))
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(FLOATS), size, mode=kind, antialias=mode == "antialias"
    )
    assert ours.dtype == autograd.float32
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=2e-6)


def test_resize_sizes():
    shapes = {
        4: (4, 5),
        16: (16, 20),
        (16, 3): (16, 3),
        (4,): (4, 5),
    }
    for size, shape in shapes.items():
        assert tuple(T.Resize(size)(from_numpy(FLOATS)).shape[-2:]) == shape
    assert tuple(T.Resize(8, max_size=9)(from_numpy(FLOATS)).shape[-2:]) == (7, 9)
    assert tuple(T.Resize(4)(from_numpy(FLOATS.swapaxes(2, 3))).shape[-2:]) == (5, 4)
    with pytest.raises(ValueError, match="max_size 8 needs a size of one smaller number"):
        T.Resize(8, max_size=8)


def test_resize_rounds_integers():
    image = autograd.tensor([[[0, 255]]], dtype=autograd.uint8)
    enlarged = T.Resize((1, 4))(image)
    assert enlarged.dtype == autograd.uint8
    assert enlarged.tolist() == [[[0, 64, 191, 255]]]


def test_antialias_averages_fine_patterns():
    stripes = np.tile(np.array([0.0, 1.0], np.float32), (1, 1, 32, 16))
    smooth = T.Resize(8)(from_numpy(stripes)).numpy()[..., 1:-1]
    assert np.abs(smooth - 0.5).max() < 0.01
    assert np.ptp(T.Resize(11, "nearest")(from_numpy(stripes)).numpy()) == 1


def test_random_resized_crop():
    whole = T.RandomResizedCrop((4, 5), scale=(1, 1), ratio=(1.25, 1.25))(from_numpy(FLOATS))
    np.testing.assert_array_equal(whole.numpy(), T.Resize((4, 5))(from_numpy(FLOATS)).numpy())
    never_fits = T.RandomResizedCrop(4, scale=(1, 1), ratio=(1, 1))(from_numpy(FLOATS))
    middle = T.Compose([T.CenterCrop(8), T.Resize(4)])(from_numpy(FLOATS))
    np.testing.assert_array_equal(never_fits.numpy(), middle.numpy())
    with pytest.raises(ValueError, match=r"scale must be \(low, high\)"):
        T.RandomResizedCrop(4, scale=(0.5, 0.1))


# Turning, moving, scaling, shearing


def grid_sampled(images, inverse, mode):
    """The same through PyTorch: a map on pixels about the centre, in its units of half images."""
    torch = pytest.importorskip("torch")
    rows, columns = images.shape[-2:]
    units = np.diag([columns / 2, rows / 2])
    theta = np.zeros((1, 2, 3))
    theta[0, :, :2] = np.linalg.inv(units) @ inverse @ units
    tensor = torch.from_numpy(images.astype(np.float64))
    grid = torch.nn.functional.affine_grid(
        torch.from_numpy(theta).expand(len(images), 2, 3), tensor.shape, align_corners=False
    )
    return torch.nn.functional.grid_sample(tensor, grid, mode, align_corners=False).numpy()


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize(
    ("angle", "scale", "shear"), [(33, 1, (0, 0)), (-61, 1.3, (12, 0)), (160, 0.7, (5, -20))]
)
def test_affine_as_pytorch(angle, scale, shear, mode):
    (x, y), a = np.tan(np.deg2rad(shear)), np.deg2rad(angle)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    forward = scale * turn @ np.array([[1, 0], [-y, 1]]) @ np.array([[1, -x], [0, 1]])
    shears = (shear[0], shear[0], shear[1], shear[1])
    ours = T.RandomAffine((angle, angle), None, (scale, scale), shears, mode)(from_numpy(FLOATS))
    assert ours.dtype == autograd.float32
    theirs = grid_sampled(FLOATS, np.linalg.inv(forward), mode)
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-5)
    if shear == (0, 0):
        against = T.RandomRotation((-angle, -angle), mode)(from_numpy(FLOATS))
        np.testing.assert_allclose(against.numpy(), theirs, atol=1e-5)


def test_affine_moves_by_whole_pixels():
    autograd.manual_seed(0)
    moved = T.RandomAffine(0, translate=(0.2, 0.3), fill=-1)(from_numpy(FLOATS)).numpy()
    places = set()
    for image, original in zip(moved, FLOATS, strict=True):
        fits = [
            (dx, dy)
            for dx in range(-2, 3)
            for dy in range(-2, 3)
            if np.array_equal(
                image[:, max(dy, 0) : 8 + min(dy, 0), max(dx, 0) : 10 + min(dx, 0)],
                original[:, max(-dy, 0) : 8 + min(-dy, 0), max(-dx, 0) : 10 + min(-dx, 0)],
            )
        ]
        assert len(fits) == 1
        places.add(fits[0])
        rows, columns = 8 - abs(fits[0][1]), 10 - abs(fits[0][0])
        assert (image == -1).sum() == 3 * (80 - rows * columns)
    assert len(places) > 1
    images = from_numpy(np.repeat(FLOATS[:1], 50, axis=0))
    along = T.RandomAffine(0, translate=(0.2, 0), fill=-1)(images).numpy()
    assert (along == -1).all(axis=2).any()
    assert not (along == -1).all(axis=3).any()


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_what_comes_from_outside(mode):
    """Each channel's own fill; an image of nothing else stays what it is."""
    fill = (0.25, 0.5, 0.75)
    turn = T.RandomRotation((40, 40), mode, fill=fill)
    plain = autograd.tensor(fill).reshape(3, 1, 1) * autograd.ones(3, 9, 9)
    np.testing.assert_allclose(turn(plain).numpy(), plain.numpy(), rtol=1e-6)
    turned = turn(autograd.zeros(3, 9, 9)).numpy()
    assert turned[:, 0, 0].tolist() == list(fill)
    assert turned[:, 4, 4].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="^RandomRotation: fill .* one for each of 1 channels"):
        turn(autograd.zeros(1, 9, 9))


def test_rotation_counter_clockwise_and_expanded():
    oblong = autograd.arange(8).reshape(1, 2, 4)
    expanded = T.RandomRotation((90, 90), expand=True)(oblong)
    assert expanded.tolist() == [[[3, 7], [2, 6], [1, 5], [0, 4]]]
    square = autograd.arange(9).reshape(1, 3, 3)
    assert T.RandomRotation((90, 90))(square).tolist() == [[[2, 5, 8], [1, 4, 7], [0, 3, 6]]]
    grown = T.RandomRotation((45, 45), expand=True)(autograd.ones(1, 10, 10))
    assert tuple(grown.shape) == (1, 16, 16)
    assert grown.sum().item() == pytest.approx(100, abs=12)
    corner = T.RandomRotation((90, 90), center=(0.5, 0.5))(square)
    assert corner.tolist() == [[[0, 3, 6], [0, 0, 0], [0, 0, 0]]]
    with pytest.raises(
        ValueError, match="with expand images get different sizes, got a batch of 6"
    ):
        T.RandomRotation(10, expand=True)(from_numpy(FLOATS))


@given(st.floats(-180, 180), st.floats(0.5, 2), st.floats(-40, 40), st.floats(-40, 40))
def test_matrices_as_described(angle, scale, shear_x, shear_y):
    angles, shears = np.deg2rad([angle]), np.deg2rad([[shear_x, shear_y]])
    matrix = matrices(angles, np.array([scale]), shears)[0]
    assert np.linalg.det(matrix) == pytest.approx(scale**2)
    upright = matrices(-angles, np.ones(1), np.zeros((1, 2)))[0] @ matrix
    assert upright[0] == pytest.approx([scale, -scale * np.tan(shears[0, 0])])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"degrees": -5}, "degrees must not be negative"),
        ({"degrees": (5, -5)}, r"degrees must be \(low, high\)"),
        ({"degrees": 5, "translate": (0.5, 2)}, "translate must be two shares"),
        ({"degrees": 5, "scale": (0, 1)}, "scale must be positive"),
        ({"degrees": 5, "shear": (1, 2, 3)}, "shear must be"),
        ({"degrees": 5, "center": (1,)}, r"center must be \(x, y\)"),
    ],
)
def test_affine_errors(arguments, message):
    with pytest.raises(ValueError, match=f"^RandomAffine: {message}"):
        T.RandomAffine(**arguments)


def test_unknown_interpolation():
    with pytest.raises(ValueError, match="bicubic"):
        T.Resize(4, "bicubic")


# Colours


def test_jitter_of_each_kind():
    images = from_numpy(FLOATS)
    grey = np.tensordot(FLOATS, [0.2989, 0.587, 0.114], axes=(1, 0))[:, None]
    brighter = T.ColorJitter(brightness=(1.5, 1.5))(images).numpy()
    np.testing.assert_allclose(brighter, (1.5 * FLOATS).clip(0, 1), rtol=1e-6)
    mean = grey.mean(axis=(1, 2, 3), keepdims=True)
    flatter = T.ColorJitter(contrast=(0.3, 0.3))(images).numpy()
    np.testing.assert_allclose(flatter, 0.3 * FLOATS + 0.7 * mean, atol=1e-6)
    paler = T.ColorJitter(saturation=(0, 0))(images).numpy()
    np.testing.assert_allclose(paler, np.repeat(grey, 3, axis=1), atol=1e-6)
    assert paler.dtype == np.float32


def test_jitter_of_hue_as_the_standard_library():
    import colorsys

    turned = T.ColorJitter(hue=(0.15, 0.15))(from_numpy(FLOATS)).numpy()
    for pixel, result in zip(FLOATS[0].reshape(3, -1).T, turned[0].reshape(3, -1).T, strict=True):
        h, s, v = colorsys.rgb_to_hsv(*pixel.tolist())
        assert result == pytest.approx(colorsys.hsv_to_rgb((h + 0.15) % 1, s, v), abs=1e-5)


def test_jitter_leaves_grey_and_uint8_in_range():
    grey = from_numpy(FLOATS[:, :1])
    np.testing.assert_allclose(T.ColorJitter(0, 0, 0.5, 0.5)(grey).numpy(), FLOATS[:, :1])
    out = T.ColorJitter(brightness=(3, 3))(from_numpy(BYTES)).numpy()
    np.testing.assert_array_equal(out, np.minimum(BYTES.astype(int) * 3, 255))
    np.testing.assert_array_equal(T.ColorJitter()(from_numpy(BYTES)).numpy(), BYTES)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: T.ColorJitter(brightness=-1), "brightness must not be negative"),
        (lambda: T.ColorJitter(hue=0.6), r"hue must be \(low, high\) within \[-0.5, 0.5\]"),
        (lambda: T.ColorJitter(contrast=(2, 1)), r"contrast must be \(low, high\)"),
        (lambda: T.ColorJitter(0.1)(autograd.ones(2, 4, 4)), "images of 2 channels"),
        (lambda: T.ColorJitter(0.1)(autograd.ones(3, 4, 4) * 2), r"values from 2 to 2, .*\[0, 1\]"),
        (lambda: T.ColorJitter(0.1)(autograd.ones(3, 4, 4) * float("nan")), "values from nan"),
    ],
)
def test_jitter_errors(make, message):
    with pytest.raises(ValueError, match=f"^ColorJitter: .*{message}"):
        make()


# Erasing


def test_erasing_one_rectangle():
    autograd.manual_seed(0)
    images = autograd.ones(200, 3, 16, 20)
    erased = T.RandomErasing(p=1, scale=(0.1, 0.3), ratio=(0.5, 2), value=(5, 6, 7))(images).numpy()
    for image in erased:
        hole = image[0] == 5
        rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
        assert hole.sum() == len(rows) * len(columns)
        assert np.ptp(rows) + 1 == len(rows)
        assert np.ptp(columns) + 1 == len(columns)
        assert 0.07 < hole.mean() < 0.36
        assert image[1][hole].tolist() == [6] * hole.sum()
        assert (image[:, ~hole] == 1).all()
    reached = (erased[:, 0] == 5).any(axis=0)
    assert reached.all()
    squares = T.RandomErasing(p=1, scale=(0.25, 0.25), ratio=(1, 1))(autograd.ones(50, 1, 16, 16))
    assert set(squares.sum(dim=(1, 2, 3)).tolist()) == {192}


def test_erasing_in_place_and_sometimes():
    image = autograd.ones(1, 3, 8, 8)
    assert T.RandomErasing(p=1, inplace=True)(image) is image
    assert 0 < image.sum().item() < 192
    autograd.manual_seed(0)
    many = T.RandomErasing(p=0.3)(autograd.ones(1000, 1, 8, 8)).numpy()
    assert 0.24 < (many.min(axis=(1, 2, 3)) == 0).mean() < 0.36
    np.testing.assert_array_equal(T.RandomErasing(p=0)(from_numpy(FLOATS)).numpy(), FLOATS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": (0.5, 0.2)}, "scale must be"),
        ({"ratio": (0, 1)}, "ratio must be"),
        ({"value": "noise"}, "value must be a number"),
        ({"p": 2}, "p must be in"),
    ],
)
def test_erasing_errors(arguments, message):
    with pytest.raises(ValueError, match=f"^RandomErasing: {message}"):
        T.RandomErasing(**arguments)


# Mixing


@pytest.mark.parametrize("mix", [T.MixUp, T.CutMix])
def test_mixing_is_by_the_share_in_the_labels(mix):
    """Image i is all i: what is in it tells how much of which is in it."""
    images = autograd.ones(4, 2, 8, 8) * autograd.arange(4.0).reshape(4, 1, 1, 1)
    labels = autograd.arange(4)
    for seed in range(20):
        autograd.manual_seed(seed)
        mixed, shares = mix(num_classes=4)(images, labels)
        assert (mixed.dtype, shares.dtype) == (autograd.float32, autograd.float32)
        np.testing.assert_allclose(shares.sum(dim=1).numpy(), 1, rtol=1e-6)
        expected = shares.numpy() @ np.arange(4)
        np.testing.assert_allclose(mixed.numpy().mean(axis=(1, 2, 3)), expected, rtol=1e-5)
        own = np.diag(shares.numpy())
        assert np.ptp(own) < 1e-6
        np.testing.assert_allclose(shares.numpy()[range(1, 4), range(3)], 1 - own[1:], atol=1e-6)
        if mix is T.CutMix:
            assert set(np.unique(mixed.numpy())) <= {0, 1, 2, 3}
    assert images[3].mean().item() == 3


def test_mixing_follows_alpha():
    shares = []
    for alpha in (0.1, 1.0, 50.0):
        autograd.manual_seed(0)
        own = [
            T.MixUp(alpha=alpha, num_classes=2)(autograd.ones(2, 1, 1, 1), autograd.arange(2))[1]
            for _ in range(200)
        ]
        shares.append(np.array([rows.numpy()[0, 0] for rows in own]))
    spread = [np.std(part) for part in shares]
    expected = [np.sqrt(1 / (4 * (2 * alpha + 1))) for alpha in (0.1, 1.0, 50.0)]
    np.testing.assert_allclose(spread, expected, rtol=0.15)


def test_mixing_twice_and_learning_from_it():
    autograd.manual_seed(0)
    images, shares = T.CutMix()(*T.MixUp(num_classes=3)(from_numpy(FLOATS), autograd.arange(6) % 3))
    assert tuple(shares.shape) == (6, 3)
    scores = images.mean(dim=(2, 3))
    from nn import functional as F

    assert np.isfinite(F.cross_entropy(scores, shares).item())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m(from_numpy(BYTES), autograd.arange(6)), TypeError, "floating-point type"),
        (lambda m: m(from_numpy(FLOATS[0]), autograd.arange(3)), ValueError, r"\(N, C, H, W\)"),
        (lambda m: m(from_numpy(FLOATS), autograd.arange(5)), ValueError, "6 whole numbers"),
        (
            lambda m: m(from_numpy(FLOATS), autograd.arange(6)),
            ValueError,
            "from 0 to 4, got 0 to 5",
        ),
        (lambda m: m(from_numpy(FLOATS), autograd.rand(6)), ValueError, "6 whole numbers"),
    ],
)
@pytest.mark.parametrize("mix", [T.MixUp, T.CutMix])
def test_mixing_errors(mix, call, error, message):
    with pytest.raises(error, match=f"^{mix.__name__}: .*{message}"):
        call(mix(num_classes=5))


@pytest.mark.parametrize("mix", [T.MixUp, T.CutMix])
def test_mixing_settings(mix):
    with pytest.raises(ValueError, match="alpha must be above 0"):
        mix(alpha=0)
    with pytest.raises(ValueError, match="needs num_classes"):
        mix()(from_numpy(FLOATS), autograd.arange(6))
    assert repr(mix(num_classes=3)) == f"{mix.__name__}(alpha=1.0, num_classes=3)"


# Choosing


def test_apply_and_choice_follow_their_probabilities():
    add = [T.Lambda(lambda x: x + 1), T.Lambda(lambda x: x + 10), T.Lambda(lambda x: x + 100)]
    autograd.manual_seed(0)
    applied = [T.RandomApply(add[:2], p=0.3)(0) for _ in range(1000)]
    assert set(applied) == {0, 11}
    assert 0.25 < np.mean(applied) / 11 < 0.35
    choice = T.RandomChoice(add, p=[2, 0, 6])
    chosen = [choice(0) for _ in range(1000)]
    assert set(chosen) == {1, 100}
    assert 0.2 < np.mean([value == 1 for value in chosen]) < 0.3
    assert {T.RandomChoice(add)(0) for _ in range(100)} == {1, 10, 100}
    for bad in (
        {"transforms": []},
        {"transforms": add, "p": [1, 2]},
        {"transforms": add, "p": [0] * 3},
    ):
        with pytest.raises(ValueError, match="^RandomChoice: "):
            T.RandomChoice(**bad)


def test_repr_shows_the_settings():
    assert repr(T.CenterCrop(3)) == "CenterCrop(size=(3, 3))"
    assert repr(T.Compose([T.RandomApply([T.Lambda(abs)])])).startswith(
        "Compose(\n    RandomApply("
    )
    for transform in EACH:
        assert repr(transform).startswith(f"{name_of(transform)}(")


# Whole batches


def test_whole_batches_are_the_single_images():
    """Without randomness the whole is exactly its parts; with it, all that could be still comes."""
    fixed = T.Compose(
        [
            T.Compose([T.Resize(6), T.Pad(1)]),
            T.ToTensor(),
            T.Normalize((0.5,), (0.25,)),
            T.CenterCrop(5),
        ]
    )
    whole = for_batches(fixed)(BYTES).numpy()
    single = np.stack([fixed(image.transpose(1, 2, 0)).numpy() for image in BYTES])
    np.testing.assert_array_equal(whole, single)
    plain = for_batches(None)(BYTES)
    np.testing.assert_array_equal(plain.numpy(), BYTES.astype(np.float32) / np.float32(255))


def test_whole_batches_only_where_they_mean_the_same():
    for transform in (
        T.Compose([T.RandomCrop(4)]),
        T.Compose([T.ToTensor(), T.Lambda(abs)]),
        T.Compose([T.ToTensor(), T.RandomApply([T.RandomVerticalFlip()])]),
        T.Compose([T.RandomRotation(5, expand=True), T.ToTensor()]),
        abs,
    ):
        assert for_batches(transform) is None
    assert for_batches(T.Compose([T.RandomRotation(5), T.ToTensor()])) is not None
