"""Residual networks, with the names of torchvision's parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import nn
from autograd import Tensor
from nn import init
from vision.weights import Weights, load_weights

__all__ = ["BasicBlock", "Bottleneck", "ResNet", "resnet18", "resnet34", "resnet50"]

NormLayer = Callable[[int], nn.Module]


class BasicBlock(nn.Module):
    """``relu(x + f(x))`` with two convolutions of 3 x 3 in f.

    Args:
        inplanes: channels that come in.
        planes: channels of both convolutions.
        stride: of the first one.
        downsample: makes the shape of f's output from x, where they differ.
        norm_layer: makes the normalisation of so many channels.
    """

    expansion: ClassVar[int] = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        norm_layer: NormLayer = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, padding=1, bias=False)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))  # (N, C, H, W) -> (N, planes, H/stride, W/stride)
        out: Tensor = self.relu(self.bn2(self.conv2(x)) + identity)
        return out


class Bottleneck(nn.Module):
    """``relu(x + f(x))`` with convolutions of 1 x 1, 3 x 3 and 1 x 1 in f, the last one wider.

    The arguments are those of `BasicBlock`; ``4 * planes`` channels leave it. The stride is that
    of the 3 x 3 convolution, as in torchvision.
    """

    expansion: ClassVar[int] = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        norm_layer: NormLayer = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 1, bias=False)
        self.bn1 = norm_layer(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, padding=1, bias=False)
        self.bn2 = norm_layer(planes)
        self.conv3 = nn.Conv2d(planes, planes * self.expansion, 1, bias=False)
        self.bn3 = norm_layer(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))  # (N, C, H, W) -> (N, planes, H, W)
        x = self.relu(self.bn2(self.conv2(x)))  # -> (N, planes, H/stride, W/stride)
        out: Tensor = self.relu(self.bn3(self.conv3(x)) + identity)
        return out


class ResNet(nn.Module):
    """A residual network: images (N, 3, H, W) to class scores (N, num_classes).

    Args:
        block: `BasicBlock` or `Bottleneck`.
        layers: how many blocks each of the four stages has.
        num_classes: the number of classes.
        zero_init_residual: whether each block begins as the identity, its last normalisation
            having scale 0.
        norm_layer: makes the normalisation of so many channels.

    Reference: He et al. 2016, arXiv:1512.03385.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        norm_layer: NormLayer = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = norm_layer(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        inplanes = 64
        for stage, blocks in enumerate(layers):
            planes, stride = 64 << stage, 1 if stage == 0 else 2
            setattr(
                self,
                f"layer{stage + 1}",
                residual_stage(block, inplanes, planes, blocks, stride, norm_layer),
            )
            inplanes = planes * block.expansion
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(inplanes, num_classes)
        self.reset_parameters(zero_init_residual)

    def reset_parameters(self, zero_init_residual: bool = False) -> None:
        """Draw the convolutions anew, with variance ``2 / fan_out``."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if zero_init_residual:
            for module in self.modules():
                if isinstance(module, (BasicBlock, Bottleneck)):
                    final = module.bn3 if isinstance(module, Bottleneck) else module.bn2
                    if isinstance(final.weight, nn.Parameter):
                        init.zeros_(final.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))  # (N, 3, H, W) -> (N, 64, H/2, W/2)
        x = self.maxpool(x)  # -> (N, 64, H/4, W/4)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # -> (N, D, H/32, W/32)
        x = self.avgpool(x).flatten(1)  # -> (N, D, 1, 1) -> (N, D)
        scores: Tensor = self.fc(x)
        return scores


def residual_stage(
    block: type[BasicBlock] | type[Bottleneck],
    inplanes: int,
    planes: int,
    blocks: int,
    stride: int,
    norm_layer: NormLayer,
) -> nn.Sequential:
    """Blocks of one width; the first one changes the size and the number of channels."""
    width = planes * block.expansion
    downsample = None
    if stride != 1 or inplanes != width:
        downsample = nn.Sequential(
            nn.Conv2d(inplanes, width, 1, stride, bias=False), norm_layer(width)
        )
    first = block(inplanes, planes, stride, downsample, norm_layer)
    rest = [block(width, planes, norm_layer=norm_layer) for _ in range(1, blocks)]
    return nn.Sequential(first, *rest)


def resnet18(*, weights: Weights = None, **kwargs: Any) -> ResNet:
    """ResNet-18; 11,689,512 parameters for 1000 classes.

    Args:
        weights: a file or a state_dict with torchvision's names, see `load_weights`.
        **kwargs: for `ResNet`, such as ``num_classes``.

    Example:
        >>> from autograd import zeros
        >>> tuple(resnet18(num_classes=5)(zeros(2, 3, 32, 32)).shape)
        (2, 5)
    """
    return load_weights(ResNet(BasicBlock, (2, 2, 2, 2), **kwargs), weights)


def resnet34(*, weights: Weights = None, **kwargs: Any) -> ResNet:
    """ResNet-34; 21,797,672 parameters for 1000 classes. Arguments as `resnet18`."""
    return load_weights(ResNet(BasicBlock, (3, 4, 6, 3), **kwargs), weights)


def resnet50(*, weights: Weights = None, **kwargs: Any) -> ResNet:
    """ResNet-50; 25,557,032 parameters for 1000 classes. Arguments as `resnet18`."""
    return load_weights(ResNet(Bottleneck, (3, 4, 6, 3), **kwargs), weights)
