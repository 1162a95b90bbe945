"""Inception

Four blocks of four branches, 1×1, 3×3 and 5×5 convolutions and a pool, joined on their channels.
"""

inputs = ["images"]
defaults = {"data.size": 32, "training.epochs": 10, "training.optimizer.weight_decay": 0.0005}


def widths(default, label, help):
    return option(default, min=1, max=4096, len=(1, 12), label=label, help=help, advanced=True)


def each(name, numbers, blocks):
    if len(numbers) not in (1, blocks):
        raise OptionError(name, f"must have one number, or {blocks}: one for each block, not {len(numbers)}")
    return numbers * blocks if len(numbers) == 1 else numbers


def convolution(out, kernel, activation, stride=1, padding="same"):
    return [Conv2d(out, kernel, stride=stride, padding=padding, bias=False), BatchNorm2d(), activation()]


def stem(out, kernel, activation, stride, padding):
    return Sequential(*convolution(out, kernel, activation, stride, padding), MaxPool2d(2))


def linears(hidden, dropout, classes):
    return Sequential(*[layer for width in hidden for layer in (Linear(width), ReLU(), Dropout(dropout))], Linear(classes))


def inception(
    classes,
    one=widths([64, 128, 192, 256], "1×1 branch", "Channels of the 1×1 convolution in each block. There are as many blocks as numbers here."),
    reduce3=widths([96, 128, 96, 160], "3×3 branch: reduction", "Channels of the 1×1 convolution before the 3×3 one in each block; one number for all blocks, or one for each."),
    three=widths([128, 192, 208, 320], "3×3 branch", "Channels of the 3×3 convolution in each block."),
    reduce5=widths([16, 32, 16, 32], "5×5 branch: reduction", "Channels of the 1×1 convolution before the 5×5 one in each block."),
    five=widths([32, 96, 48, 128], "5×5 branch", "Channels of the 5×5 convolution in each block."),
    project=widths([32, 64, 64, 128], "Pool branch", "Channels of the 1×1 convolution after the pool in each block."),
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
    blocks = len(one)
    reduce3 = each("reduce3", reduce3, blocks)
    three = each("three", three, blocks)
    reduce5 = each("reduce5", reduce5, blocks)
    five = each("five", five, blocks)
    project = each("project", project, blocks)

    def conv(out, kernel):
        return Sequential(*convolution(out, kernel, activation))

    body, pooled = [], 0
    for k in range(blocks):
        body.append(Concat(
            branch1=conv(one[k], 1),
            branch3=Sequential(conv(reduce3[k], 1), conv(three[k], 3)),
            branch5=Sequential(conv(reduce5[k], 1), conv(five[k], 5)),
            branch_pool=Sequential(MaxPool2d(3, stride=1, padding=1), conv(project[k], 1)),
            name=f"block{k + 1}",
        ))
        if k + 1 in pools:
            body.append(MaxPool2d(2, name=f"pool.{pooled}"))
            pooled += 1

    return Sequential(
        stem=stem(stem_width, stem_kernel, activation, stem_stride, stem_padding),
        body=Sequential(*body),
        values=Mean(name="mean") if head == "mean" else Flatten(name="flatten"),
        classifier=linears(hidden, dropout, classes),
    )
