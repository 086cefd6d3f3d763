"""Networks for images: small ones, and those whose weights torchvision publishes."""

from vision.models.cnn import CNN
from vision.models.configured import ConvNet, MNISTNet, convnet_from_config
from vision.models.inception import InceptionBlock, SmallInception
from vision.models.resnet import BasicBlock, Bottleneck, ResNet, resnet18, resnet34, resnet50
from vision.models.small import CIFAR10CNN, LeNet5, QuickStartCNN, SimpleCNN, TinyCNN
from vision.models.small_resnet import ResidualPair, SmallResNet
from vision.models.transfer import (
    freeze,
    freeze_backbone,
    head_name,
    replace_head,
    unfreeze,
)
from vision.models.vgg import (
    VGG,
    vgg11,
    vgg11_bn,
    vgg13,
    vgg13_bn,
    vgg16,
    vgg16_bn,
    vgg19,
    vgg19_bn,
)
from vision.weights import load_weights

__all__ = [
    "CIFAR10CNN",
    "CNN",
    "VGG",
    "BasicBlock",
    "Bottleneck",
    "ConvNet",
    "InceptionBlock",
    "LeNet5",
    "MNISTNet",
    "QuickStartCNN",
    "ResNet",
    "ResidualPair",
    "SimpleCNN",
    "SmallInception",
    "SmallResNet",
    "TinyCNN",
    "convnet_from_config",
    "freeze",
    "freeze_backbone",
    "head_name",
    "load_weights",
    "replace_head",
    "resnet18",
    "resnet34",
    "resnet50",
    "unfreeze",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]
