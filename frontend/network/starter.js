// The text of a new network.

export const STARTER = `"""My network

Two convolutions and a fully connected layer.
"""

inputs = ["images"]


def network(classes, width=option(32, min=1, max=512, help="Channels of the first convolution.")):
    return Sequential(
        features=Sequential(
            Conv2d(width, 3, padding=1),
            ReLU(),
            MaxPool2d(2),
            Conv2d(2 * width, 3, padding=1),
            ReLU(),
        ),
        mean=Mean(),
        classifier=Linear(classes),
    )
`;
