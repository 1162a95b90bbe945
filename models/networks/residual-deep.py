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
    plan=option([64, 128, 128, 256, 256, 512, 512, 1024, 1024], min=1, max=4096, len=(2, 17), pairs=True, label="Widths", help="Channels after the stem, then after each block."),
    depth=option([3, 3, 4, 4, 5, 5, 3, 3], min=1, max=16, len=(1, 16), label="Convolutions per block", help="How many separable convolutions each block has; one number for each block, or one for all."),
    skips=option(True, label="Skips", help="Adds a skip around each block."),
    long_skips=option(True, help="Adds skips over several blocks."),
    long_over=option(2, min=2, max=16, label="Blocks per long skip", help="Over how many blocks a long skip goes.", advanced=True),
    pool_every=option(2, min=1, max=16, label="Blocks per pool", help="After how many blocks a pool halves the image."),
    stem_kernel=option(3, min=1, max=15, label="Stem: kernel", help="Pixels along a side of the first convolution's kernel.", advanced=True),
    stem_stride=option(1, min=1, max=8, label="Stem: stride", help="Pixels from one position of this kernel to the next.", advanced=True),
    stem_padding=option(1, min=0, max=7, label="Stem: padding", help="Rows and columns of zeros around the image.", advanced=True),
    stem_pool=option(True, label="Stem: pool", help="Halves the image after the first convolution.", advanced=True),
    activation=option(SiLU, choices=[ReLU, SiLU, Sigmoid, Tanh], help="What is applied to every value between layers."),
    head=option("mean", choices=["mean", "flatten"], help="What the last layers see: the mean of each channel, or all values.", advanced=True),
    hidden=option([512], min=1, max=16384, len=(0, 8), label="Widths of the head", help="How many values each fully connected layer before the scores has; none for the scores alone.", advanced=True),
    dropout=option(0.3, min=0, max=0.95, help="The share of hidden values set to 0 at random in every training step."),
):
    count = len(plan) - 1
    depths = depth * count if len(depth) == 1 else depth
    if len(depths) != count:
        raise OptionError("depth", f"must have one number, or {count}: one for each block of the widths, not {len(depth)}")

    def block(k):
        convs = Sequential(*[separable(plan[k] if i == 0 else plan[k + 1], plan[k + 1], activation) for i in range(depths[k])])
        if not skips:
            return Sequential(convs=convs, name=f"blocks.{k}")
        return Sum(convs=convs, skip=project(plan[k], plan[k + 1]), name=f"blocks.{k}")

    def pool(k):
        pools = (k + 1) % pool_every == 0
        return [MaxPool2d(2, name=f"pool.{(k + 1) // pool_every - 1}")] if pools else []

    body = []
    span = long_over if long_skips else 1
    for first in range(0, count, span):
        last = min(first + span, count) - 1
        part = [block(first)]
        skip = []
        for k in range(first, last):
            part += [*pool(k), block(k + 1)]
            skip += [MaxPool2d(2)] * len(pool(k))
        if last > first:
            name = f"long.{first // span}"
            skip.append(project(plan[first], plan[last + 1], name=name))
            part = [Sum(Sequential(*part), skip[0] if len(skip) == 1 else Sequential(*skip), name=f"{name}.sum")]
        body += [*part, *pool(last)]

    layers = [layer for width in hidden for layer in (Linear(width), ReLU(), Dropout(dropout))]
    stem = [Conv2d(plan[0], stem_kernel, stride=stem_stride, padding=stem_padding, bias=False), BatchNorm2d(), ReLU()]
    return Sequential(
        stem=Sequential(*stem, MaxPool2d(2)) if stem_pool else Sequential(*stem),
        body=Sequential(*body),
        values=Mean(name="mean") if head == "mean" else Flatten(name="flatten"),
        classifier=Sequential(*layers, Linear(classes)),
    )
