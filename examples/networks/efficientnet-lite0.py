"""EfficientNet-Lite0

A network for photos: 16 inverted residual blocks with ReLU6 and without squeeze-and-excitation, so that it is fast on
processors. TensorFlow trained it on ImageNet.
"""

# Tan and Le 2019, arXiv:1905.11946, in the variant of TensorFlow's models/official/efficientnet/lite.
inputs = ["images"]
defaults = {"data.size": 224, "data.channels": 3, "data.normalisation": "efficientnet_lite"}

# Of each stage: blocks, kernel, stride of the first block, expansion, channels.
STAGES = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]


def norm():
    return BatchNorm2d(eps=1e-3, momentum=0.01)


def pointwise(channels):
    return Sequential(conv=Conv2d(channels, 1, bias=False), norm=norm(), act=ReLU6())


def spatial(channels, kernel, stride, groups=1):
    """A convolution with TensorFlow's padding "SAME": with a stride of 2, an even image has fewer zeros before it than after."""
    if stride == 1:
        conv = Conv2d(channels, kernel, padding=kernel // 2, groups=groups, bias=False)
        return Sequential(conv=conv, norm=norm(), act=ReLU6())
    before = (kernel - 2) // 2
    after = kernel - 2 - before
    return Sequential(
        pad=ZeroPad2d((before, after, before, after)),
        conv=Conv2d(channels, kernel, stride=2, groups=groups, bias=False),
        norm=norm(),
        act=ReLU6(),
    )


def inverted_residual(inputs, kernel, stride, expansion, out):
    width = inputs * expansion
    depthwise = spatial(width, kernel, stride, groups=width)
    project = Sequential(conv=Conv2d(out, 1, bias=False), norm=norm())
    if expansion == 1:
        body = Sequential(depthwise=depthwise, project=project)
    else:
        body = Sequential(expand=pointwise(width), depthwise=depthwise, project=project)
    if stride == 1 and inputs == out:
        return Sum(body=body, skip=Identity())
    return Sequential(body=body)


def efficientnet_lite0(
    classes,
    dropout=option(0.2, min=0, max=0.95, help="The share of features set to 0 at random in every training step."),
):
    blocks = []
    channels = 32
    for count, kernel, stride, expansion, out in STAGES:
        for i in range(count):
            blocks = blocks + [inverted_residual(channels, kernel, stride if i == 0 else 1, expansion, out)]
            channels = out
    return Sequential(
        stem=spatial(32, 3, 2),
        blocks=Sequential(*blocks),
        head=pointwise(1280),
        mean=Mean(),
        dropout=Dropout(dropout),
        classifier=Linear(classes),
    )
