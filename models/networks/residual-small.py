"""Residual network, small

Five blocks of four separable convolutions, each with a skip around it.
"""

inputs = ["images"]
defaults = {"data.size": 32, "training.epochs": 10, "training.optimizer.weight_decay": 0.0005}


def separable(channels, out, activation):
    return Sequential(
        depthwise=Conv2d(channels, 3, padding=1, groups=channels, bias=False), bn1=BatchNorm2d(), act1=activation(),
        pointwise=Conv2d(out, 1, bias=False), bn2=BatchNorm2d(), act2=activation(),
    )


def separables(channels, out, count, activation):
    first = separable(channels, out, activation)
    return Sequential(first, *[separable(out, out, activation) for _ in range(count - 1)])


def project(channels, out, name=None):
    """The way around convolutions: a 1×1 convolution where they change the number of channels, else nothing."""
    conv = Conv2d(out, 1, bias=False)
    return Identity() if channels == out else Sequential(conv=conv, bn=BatchNorm2d(), name=name)


def each(name, numbers, blocks):
    if len(numbers) not in (1, blocks):
        raise OptionError(name, f"must have one number, or {blocks}: one for each block of the widths, not {len(numbers)}")
    return numbers * blocks if len(numbers) == 1 else numbers


def stem(channels, kernel, stride, padding, pool):
    conv = Conv2d(channels, kernel, stride=stride, padding=padding, bias=False)
    return Sequential(conv, BatchNorm2d(), ReLU(), *([MaxPool2d(2)] if pool else []))


def linears(hidden, dropout, classes):
    return Sequential(*[layer for width in hidden for layer in (Linear(width), ReLU(), Dropout(dropout))], Linear(classes))


def add_long_skips(blocks, plan, over):
    """Adds a skip over so many blocks at a time. Each block is a list: itself, and the pool after it, if there is one."""
    groups = []
    for first in range(0, len(blocks), over):
        before, last = blocks[first : first + over][:-1], blocks[first : first + over][-1]
        layers = sum(before, []) + last[:1]
        if before:
            pools = [MaxPool2d(2) for block in before for _ in block[1:]]
            skip = project(plan[first], plan[first + len(before) + 1], name=f"long.{first // over}")
            layers = [Sum(Sequential(*layers), Sequential(*pools, skip), name=f"long.{first // over}.sum")]
        groups.append(layers + last[1:])
    return groups


def residual_small(
    classes,
    plan=option([64, 128, 128, 256, 512, 1024], min=1, max=4096, len=(2, 17), pairs=True, label="Widths", help="Channels after the stem, then after each block."),
    depth=option([4, 4, 4, 4, 4], min=1, max=16, len=(1, 16), label="Convolutions per block", help="How many separable convolutions each block has; one number for each block, or one for all."),
    skips=option(True, label="Skips", help="Adds a skip around each block."),
    long_skips=option(False, help="Adds skips over several blocks."),
    long_over=option(2, min=2, max=16, label="Blocks per long skip", help="Over how many blocks a long skip goes.", advanced=True),
    pool_every=option(2, min=1, max=16, label="Blocks per pool", help="After how many blocks a pool halves the image."),
    stem_kernel=option(3, min=1, max=15, label="Stem: kernel", help="Pixels along a side of the first convolution's kernel.", advanced=True),
    stem_stride=option(1, min=1, max=8, label="Stem: stride", help="Pixels from one position of this kernel to the next.", advanced=True),
    stem_padding=option(1, min=0, max=7, label="Stem: padding", help="Rows and columns of zeros around the image.", advanced=True),
    stem_pool=option(True, label="Stem: pool", help="Halves the image after the first convolution.", advanced=True),
    activation=option(ReLU, choices=[ReLU, SiLU, Sigmoid, Tanh], help="What is applied to every value between layers."),
    head=option("mean", choices=["mean", "flatten"], help="What the last layers see: the mean of each channel, or all values.", advanced=True),
    hidden=option([512], min=1, max=16384, len=(0, 8), label="Widths of the head", help="How many values each fully connected layer before the scores has; none for the scores alone.", advanced=True),
    dropout=option(0.3, min=0, max=0.95, help="The share of hidden values set to 0 at random in every training step."),
):
    depths = each("depth", depth, len(plan) - 1)

    blocks = []
    for k, (channels, out) in enumerate(zip(plan, plan[1:])):
        convs = separables(channels, out, depths[k], activation)
        block = Sequential(convs=convs, name=f"blocks.{k}")
        if skips:
            block = Sum(convs=convs, skip=project(channels, out), name=f"blocks.{k}")
        blocks.append([block])
        if (k + 1) % pool_every == 0:
            blocks[k].append(MaxPool2d(2, name=f"pool.{k // pool_every}"))
    if long_skips:
        blocks = add_long_skips(blocks, plan, long_over)

    return Sequential(
        stem=stem(plan[0], stem_kernel, stem_stride, stem_padding, stem_pool),
        body=Sequential(*sum(blocks, [])),
        values=Mean(name="mean") if head == "mean" else Flatten(name="flatten"),
        classifier=linears(hidden, dropout, classes),
    )
