"""Wide multilayer perceptron

Five wide layers with batch normalisation, as many parameters as a large convolutional network.
"""

inputs = ["images"]
defaults = {"training.epochs": 5}


def mlp_wide(
    classes,
    hidden=option(
        [8192, 8192, 8192, 2048, 256],
        min=1,
        max=16384,
        len=(1, 16),
        label="Hidden widths",
        help="How many values each hidden layer has, from the input to the output.",
    ),
    activation=option(
        ReLU,
        choices=[ReLU, SiLU, Sigmoid, Tanh],
        help="What is applied to every value between layers.",
    ),
    norm=option(
        True,
        label="Batch normalisation",
        help="Normalises every hidden value over the batch before its activation.",
    ),
    dropout=option(
        0.0,
        min=0,
        max=0.95,
        help="The share of hidden values set to 0 at random in every training step.",
    ),
):
    layers = []
    for width in hidden:
        layers.append(Linear(width))
        if norm:
            layers.append(BatchNorm1d())
        layers.append(activation())
        if dropout > 0:
            layers.append(Dropout(dropout))
    return Sequential(flatten=Flatten(), net=Sequential(*layers, Linear(classes)))
