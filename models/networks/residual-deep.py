"""Residual network, deep

Eight blocks of three to five separable convolutions, with skips around each block and around each pair.
"""

inputs = ["images"]
defaults = {"data.size": 32, "training.epochs": 10, "training.optimizer.weight_decay": 0.0005}


def separable(channels, out, activation):
    return Sequential(
        depthwise=Conv2d(channels, 3, padding=1, groups=channels, bias=False), bn1=BatchNorm2d(), act1=activation(),
        pointwise=Conv2d(out, 1, bias=False), bn2=BatchNorm2d(), act2=activation(),
    )


def project(channels, out, name=None):
    """A 1x1 convolution on a skip, where the number of channels changes."""
    if channels == out:
        return Identity()
    return Sequential(conv=Conv2d(out, 1, bias=False), bn=BatchNorm2d(), name=name)


def residual_deep(
    classes,
    plan=option([64, 128, 128, 256, 256, 512, 512, 1024, 1024], min=1, max=4096, len=(2, 17), label="Widths", help="Channels after the stem, then after each block."),
    depth=option([3, 3, 4, 4, 5, 5, 3, 3], min=1, max=16, len=(1, 16), label="Convolutions per block", help="How many separable convolutions each block has; one number for each block, or one for all."),
    long_skips=option(True, help="Adds a skip over each pair of blocks."),
    activation=option(SiLU, choices=[ReLU, SiLU, Sigmoid, Tanh], help="What is applied to every value between layers."),
    hidden=option(512, min=1, max=16384, label="Width of the head", help="How many values the layer before the scores has.", advanced=True),
    dropout=option(0.3, min=0, max=0.95, help="The share of hidden values set to 0 at random in every training step."),
):
    count = len(plan) - 1
    depths = depth * count if len(depth) == 1 else depth
    if len(depths) != count:
        raise OptionError("depth", f"must have one number, or {count}: one for each block of the widths, not {len(depth)}")
    blocks = []
    for k in range(count):
        channels, out = plan[k], plan[k + 1]
        convs = [separable(channels if i == 0 else out, out, activation) for i in range(depths[k])]
        blocks.append(Sum(convs=Sequential(*convs), skip=project(channels, out), name=f"blocks.{k}"))
    body = []
    for k in range(0, count - 1, 2):
        pair = Sequential(blocks[k], blocks[k + 1])
        if long_skips:
            skip = project(plan[k], plan[k + 2], name=f"long.{k // 2}")
            pair = Sum(pair, skip, name=f"long.{k // 2}.sum")
        body += [pair, MaxPool2d(2, name=f"pool.{k // 2}")]
    if count % 2 == 1:
        body.append(blocks[-1])
    return Sequential(
        stem=Sequential(Conv2d(plan[0], 3, padding=1, bias=False), BatchNorm2d(), ReLU(), MaxPool2d(2)),
        body=Sequential(*body),
        mean=Mean(),
        classifier=Sequential(Linear(hidden), ReLU(), Dropout(dropout), Linear(classes)),
    )
