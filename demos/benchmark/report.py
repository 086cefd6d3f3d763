"""Figures in files, compared and drawn."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from demos.benchmark.measure import TORCH, Figure, geometric_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["compare", "draw", "read", "write"]

COLOURS = {
    "ndgrad numba": "#1b6ca8",
    "ndgrad numpy": "#7fb6e0",
    "ndgrad": "#1b6ca8",
    TORCH: "#e07b39",
    "MyGrad": "#9a9a9a",
}


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write figures to a JSON file, with what they were measured on."""
    about = {"python": platform.python_version(), "processor": processor(), "cores": cores()}
    for package in ("numpy", "numba", "torch", "mygrad"):
        try:
            about[package] = version(package)
        except PackageNotFoundError:
            about[package] = "none"
    content = {"about": about, "figures": [figure._asdict() for figure in figures]}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> list[Figure]:
    """The figures of a file that `write` wrote.

    Raises:
        ValueError: the file holds something else.
    """
    try:
        return [
            Figure(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))["figures"]
        ]
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: expected a file that --json wrote ({error})") from error


def processor() -> str:
    """What the system calls the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def cores() -> str:
    return str(os.cpu_count())


def compare(old: Path, new: Path) -> None:
    """Print, for everything that both files hold, the new value over the old one."""
    before = {figure.name: figure for figure in read(old)}
    both = [(before[figure.name], figure) for figure in read(new) if figure.name in before]
    if not both:
        raise ValueError(f"{old} and {new} have no figure in common")
    width = max(len(figure.name) for _, figure in both)
    print(f"| {'figure'.ljust(width)} | {'old':>10} | {'new':>10} | new / old |")
    print(f"|{'-' * (width + 2)}|{'-' * 12}|{'-' * 12}|{'-' * 11}|")
    ratios: dict[tuple[str, str], list[float]] = {}
    for first, second in both:
        ratio = second.value / first.value if first.value else float("nan")
        if first.value > 0 and second.value > 0:
            ratios.setdefault((first.part, first.who), []).append(ratio)
        print(
            f"| {second.name.ljust(width)} | {first.value:>10.4g} | {second.value:>10.4g} "
            f"| {ratio:>9.2f} |"
        )
    for (part, who), values in ratios.items():
        print(f"{part}, {who}: geometric mean of new / old {geometric_mean(values):.2f}")


def draw(figures: Sequence[Figure], path: Path) -> None:
    """Draw each part as bars: times of PyTorch's for networks, else the values themselves.

    Raises:
        ValueError: there is nothing to be drawn.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    parts = [
        part
        for part in ("training", "inference", "memory", "kernels")
        if any(figure.part == part and figure.who == TORCH for figure in figures)
    ]
    if not parts:
        raise ValueError(
            "--plot draws training, inference, memory or roofline beside PyTorch's; "
            "none of them was measured"
        )
    counts = [len({f.case for f in figures if f.part == part}) for part in parts]
    figure, axes = pyplot.subplots(
        len(parts),
        1,
        figsize=(9, 1.2 + sum(0.45 * count + 0.9 for count in counts)),
        height_ratios=[count + 2 for count in counts],
        squeeze=False,
        layout="constrained",
    )
    for part, place in zip(parts, axes[:, 0], strict=True):
        bars(place, part, [figure for figure in figures if figure.part == part])
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def bars(axes: Axes, part: str, figures: Sequence[Figure]) -> None:
    """A group of bars for each case, one for each library, as a share of PyTorch's value."""
    values = {(figure.case, figure.who): figure.value for figure in figures}
    cases = [case for case in dict.fromkeys(f.case for f in figures) if (case, TORCH) in values]
    names = [name for name in dict.fromkeys(f.who for f in figures) if name != "MyGrad"]
    height = 0.8 / len(names)
    unit = figures[0].unit
    longest = max(
        values[case, name] / values[case, TORCH]
        for case in cases
        for name in names
        if (case, name) in values
    )
    for place, name in enumerate(names):
        for row, case in enumerate(cases):
            if (case, name) not in values:
                continue
            share = values[case, name] / values[case, TORCH]
            position = row + (place - (len(names) - 1) / 2) * height
            axes.barh(
                position,
                share,
                height * 0.92,
                color=COLOURS.get(name, "#666666"),
                label=name if row == 0 else None,
            )
            text = f"{values[case, name]:.3g} {unit}"
            axes.text(share + longest * 0.008, position, text, va="center", fontsize=7)
    axes.axvline(1, color=COLOURS[TORCH], linewidth=1, zorder=0)
    axes.set_yticks(range(len(cases)), cases, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, longest * 1.12)
    axes.set_xlabel(f"{part}: share of {TORCH}'s value (shorter is better)", fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, loc="lower right", frameon=False)
