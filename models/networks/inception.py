"""Inception

Four blocks of four branches, 1x1, 3x3 and 5x5 convolutions and a pool, joined on their channels.
"""

inputs = ["images"]
defaults = {"data.size": 32, "training.epochs": 10, "training.optimizer.weight_decay": 0.0005}


def widths(default, label, help):
    return option(default, min=1, max=4096, len=(1, 12), label=label, help=help, advanced=True)


def inception(
    classes,
    one=widths([64, 128, 192, 256], "1x1 branch", "Channels of the 1x1 convolution in each block. There are as many blocks as numbers here."),
    reduce3=widths([96, 128, 96, 160], "3x3 branch: reduction", "Channels of the 1x1 convolution before the 3x3 one in each block; one number for all blocks, or one for each."),
    three=widths([128, 192, 208, 320], "3x3 branch", "Channels of the 3x3 convolution in each block."),
    reduce5=widths([16, 32, 16, 32], "5x5 branch: reduction", "Channels of the 1x1 convolution before the 5x5 one in each block."),
    five=widths([32, 96, 48, 128], "5x5 branch", "Channels of the 5x5 convolution in each block."),
    project=widths([32, 64, 64, 128], "Pool branch", "Channels of the 1x1 convolution after the pool in each block."),
    pools=option([2, 3], min=1, max=12, len=(0, 12), label="Pools", help="The blocks after which a pool halves the image."),
    stem_width=option(64, min=1, max=1024, label="Stem: channels", help="Channels of the first convolution.", advanced=True),
    stem_kernel=option(3, min=1, max=15, label="Stem: kernel", help="Pixels along a side of the first convolution's kernel.", advanced=True),
    stem_stride=option(1, min=1, max=8, label="Stem: stride", help="Pixels from one position of this kernel to the next.", advanced=True),
    stem_padding=option(1, min=0, max=7, label="Stem: padding", help="Rows and columns of zeros around the image.", advanced=True),
    activation=option(ReLU, choices=[ReLU, SiLU, Sigmoid, Tanh], help="What is applied to every value between layers."),
    head=option("mean", choices=["mean", "flatten"], help="What the last layers see: the mean of each channel, or all values.", advanced=True),
    hidden=option([1024], min=1, max=16384, len=(0, 8), label="Widths of the head", help="How many values each fully connected layer before the scores has; none for the scores alone.", advanced=True),
    dropout=option(0.4, min=0, max=0.95, help="The share of hidden values set to 0 at random in every training step."),
):
    count = len(one)

    def each(name, list):
        if len(list) not in (1, count):
            raise OptionError(name, f"must have one number, or {count}: one for each block, not {len(list)}")
        return list * count if len(list) == 1 else list

    branches = zip(
        one, each("reduce3", reduce3), each("three", three), each("reduce5", reduce5), each("five", five), each("project", project)
    )

    def conv(out, kernel):
        return Sequential(Conv2d(out, kernel, padding="same", bias=False), BatchNorm2d(), activation())

    body = []
    pooled = 0
    for k, (a, b, c, d, e, f) in enumerate(branches, start=1):
        body.append(Concat(
            branch1=conv(a, 1),
            branch3=Sequential(conv(b, 1), conv(c, 3)),
            branch5=Sequential(conv(d, 1), conv(e, 5)),
            branch_pool=Sequential(MaxPool2d(3, stride=1, padding=1), conv(f, 1)),
            name=f"block{k}",
        ))
        if k in pools:
            body.append(MaxPool2d(2, name=f"pool.{pooled}"))
            pooled += 1

    layers = [layer for width in hidden for layer in (Linear(width), ReLU(), Dropout(dropout))]
    return Sequential(
        stem=Sequential(
            Conv2d(stem_width, stem_kernel, stride=stem_stride, padding=stem_padding, bias=False),
            BatchNorm2d(), activation(), MaxPool2d(2),
        ),
        body=Sequential(*body),
        values=Mean(name="mean") if head == "mean" else Flatten(name="flatten"),
        classifier=Sequential(*layers, Linear(classes)),
    )
