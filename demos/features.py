"""Look inside a network: ``python -m demos.features``.

Its filters, its feature maps, what excites them most, what it looks at and how far each layer
sees; one picture each. The network is trained first, or its weights are read from a file.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd
import nn
from demos.command import demo_parser, positive_int, prepare_folder, run_demo
from demos.data import load, short_names, stacked
from demos.zoo import COLOUR_ONLY, MODELS, make_model
from nn import functional as F
from nn import optim
from vision import interpret, visualize
from vision.training import Trainer
from vision.weights import load_weights


def trained(args: Namespace, train: Any, classes: int) -> nn.Module:
    """The network, trained or from a file."""
    autograd.manual_seed(args.seed)
    model = make_model(args.model, tuple(train[0].shape[1:]), classes)
    if args.weights is not None:
        return load_weights(model, args.weights)
    trainer = Trainer(model, optim.AdamW(model.parameters(), lr=0.001))
    trainer.fit(train, epochs=args.epochs, batch_size=64)
    return model


def look(
    model: nn.Module, images: NDArray[np.float32], labels: Any, classes: Any, out: Path
) -> Any:
    """All pictures; returns the names of their files."""
    paths = {name: out / f"{name}.png" for name in PICTURES}
    few, first = images[:8], images[0]
    answers = model.eval()(autograd.from_numpy(few)).argmax(dim=1).tolist()
    captions = [f"taken for {classes[answer]}" for answer in answers]
    visualize.plot_filters(model, path=paths["filters"])
    visualize.plot_activations(model, first, path=paths["activations"])
    visualize.plot_maximally_activating(model, images, most=6, path=paths["maximal"])
    visualize.plot_activation_statistics(model, images, path=paths["statistics"])
    heats = {
        "saliency": (
            "Saliency: pixels that move the score",
            interpret.saliency(model, few, samples=8),
        ),
        "grad_cam": ("Grad-CAM: where the last maps speak for it", interpret.grad_cam(model, few)),
        "occlusion": (
            "Occlusion: what the probability loses where a patch covers the image",
            interpret.occlusion_sensitivity(model, few, patch=max(2, first.shape[-1] // 6)),
        ),
    }
    for name, (title, heat) in heats.items():
        visualize.plot_overlay(few, heat, captions, title=title, path=paths[name])
    layers = [name for name, m in model.named_modules() if isinstance(m, nn.Conv2d)][:8]
    fields = [interpret.receptive_field(model, layer, first.shape) for layer in layers]
    visualize.plot_receptive_field(fields, first, path=paths["receptive"])
    clusters = interpret.cluster_feature_maps(model, images, clusters=6, by="images")
    visualize.plot_clusters(clusters, images, path=paths["clusters"])
    model.train()
    F.cross_entropy(model(autograd.from_numpy(images)), autograd.from_numpy(labels)).backward()
    visualize.plot_gradient_flow(model, path=paths["gradients"])
    model.eval()
    return [path.name for path in paths.values()]


PICTURES: tuple[str, ...] = (
    "filters",
    "activations",
    "maximal",
    "statistics",
    "saliency",
    "grad_cam",
)
PICTURES += ("occlusion", "receptive", "clusters", "gradients")


def run(args: Namespace) -> None:
    """Train, look, and say which filters matter most."""
    out = prepare_folder(args.out)
    data = load(args.dataset).transformed([], colours=args.model in COLOUR_ONLY)
    classes = short_names(data.classes)
    model = trained(args, stacked(data.train, args.limit), len(classes))
    images, labels = stacked(data.test, 300)
    names = look(model, images, labels, classes, out)
    ablation = interpret.filter_ablation(model, images, labels)
    print(f"{ablation.accuracy:.2%} of {len(images)} held-out images right; without one filter:")
    for place in np.argsort(-ablation.loss_rise)[:5]:
        left, rise = ablation.accuracy - ablation.accuracy_drop[place], ablation.loss_rise[place]
        print(f"  filter {place} of the last convolution: {left:.2%}, loss up by {rise:.3f}")
    print(f"Files in {out}: {', '.join(names)}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = demo_parser("features", "Look inside a network.", epochs=3)
    add = parser.add_argument
    add("--dataset", default="auto", help="see demos.train (default: auto)")
    add("--model", choices=list(MODELS), metavar="NAME", default="QuickStartCNN")
    add("--weights", type=Path, help="a file of weights, of demos.train say; trained if left out")
    add("--limit", type=positive_int, default=4000, help="images to learn from (default: 4000)")
    args = parser.parse_args(argv)
    return run_demo(parser.prog, lambda: run(args))


if __name__ == "__main__":
    sys.exit(main())
