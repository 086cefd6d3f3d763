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

MOST = 30
"""Cases of one part that are drawn: of more, those that take PyTorch longest."""

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
    """Draw the parts that were measured beside PyTorch, and the roofline of the machine.

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
    roof = any(figure.part == "machine" for figure in figures)
    if not parts and not roof:
        raise ValueError(
            "--plot draws training, inference, memory or roofline beside PyTorch's; "
            "none of them was measured"
        )
    drawn = {part: longest(part, figures) for part in parts}
    counts = [len({figure.case for figure in drawn[part]}) for part in parts]
    heights = [*([14.0] if roof else []), *(count + 2.0 for count in counts)]
    figure, axes = pyplot.subplots(
        len(heights),
        1,
        figsize=(9, 0.6 + 0.36 * sum(heights)),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    places = list(axes[:, 0])
    if roof:
        draw_roof(places.pop(0), figures)
    for part, place in zip(parts, places, strict=True):
        bars(place, part, drawn[part])
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def longest(part: str, figures: Sequence[Figure]) -> list[Figure]:
    """The figures of a part, for at most as many cases as can be drawn."""
    values = {f.case: f.value for f in figures if f.part == part and f.who == TORCH}
    chosen = set(sorted(values, key=lambda case: -values[case])[:MOST])
    return [figure for figure in figures if figure.part == part and figure.case in chosen]


def draw_roof(axes: Axes, figures: Sequence[Figure]) -> None:
    """Operations per second over operations per byte, for all kernels that have both."""
    machine = [figure for figure in figures if figure.part == "machine"]
    flops = max(figure.value for figure in machine if figure.unit == "GFLOP/s")
    rate = max(figure.value for figure in machine if figure.unit == "GB/s")
    work = {(f.case, f.unit): f.value for f in figures if f.part == "kernel work"}
    points: dict[str, list[tuple[float, float]]] = {}
    for figure in figures:
        done = work.get((figure.case, "FLOP"))
        if figure.part == "kernels" and done:
            speed = done / (figure.value * 1e-3) / 1e9
            points.setdefault(figure.who, []).append((done / work[figure.case, "B"], speed))
    intensities = [x for pairs in points.values() for x, _ in pairs] or [0.1, 1000.0]
    low, high = min(intensities) / 2, max(intensities) * 2
    knee = flops / rate
    line = [low, min(max(knee, low), high), high]
    axes.plot(line, [min(flops, rate * x) for x in line], color="#444444", linewidth=1.5)
    axes.text(high, flops * 1.06, f"{flops:.0f} GFLOP/s", ha="right", fontsize=8)
    axes.text(low * 1.05, min(flops, rate * low) * 1.3, f"{rate:.0f} GB/s", fontsize=8)
    for name, pairs in points.items():
        xs, ys = zip(*pairs, strict=True)
        colour = COLOURS.get(name, "#666666")
        axes.scatter(xs, ys, s=22, color=colour, alpha=0.8, edgecolors="none", label=name)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("operations of the direct algorithm for each byte that must move", fontsize=8)
    axes.set_ylabel("GFLOP/s", fontsize=8)
    axes.set_title("Convolutions and linear maps, forward and backward", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    if points:
        axes.legend(fontsize=7, loc="lower right", frameon=False)


def bars(axes: Axes, part: str, figures: Sequence[Figure]) -> None:
    """A group of bars for each case, one for each library, as a share of PyTorch's value."""
    values = {(figure.case, figure.who): figure.value for figure in figures}
    cases = [case for case in dict.fromkeys(f.case for f in figures) if (case, TORCH) in values]
    names = [name for name in dict.fromkeys(f.who for f in figures) if name != "MyGrad"]
    height = 0.8 / len(names)
    unit = figures[0].unit
    widest = max(
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
            text = f"{values[case, name]:.4g} {unit}"
            axes.text(share + widest * 0.008, position, text, va="center", fontsize=7)
    axes.axvline(1, color=COLOURS[TORCH], linewidth=1, zorder=0)
    axes.set_yticks(range(len(cases)), cases, fontsize=8)
    axes.set_ylim(len(cases) - 0.4, -0.6)
    axes.set_xlim(0, widest * 1.12)
    axes.set_xlabel(f"{part}: share of {TORCH}'s value (shorter is better)", fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, loc="lower right", frameon=False)
