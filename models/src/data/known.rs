//! Well-known data sets, and what their files must contain. They are too large for the binary, and are in the library
//! once fetched or imported.

use super::table::{DataSetRow, Source, image_fields};

/// What the files of a known data set must contain.
#[derive(Debug)]
pub struct KnownDataSet {
    /// The layout of its files.
    pub layout: FileLayout,
    /// The names of the classes, in the order of the labels.
    pub classes: &'static [&'static str],
    /// Channels of an image.
    pub channels: usize,
    /// Pixels along a side of an image.
    pub side: usize,
    /// Training images.
    pub train: usize,
    /// Test images.
    pub test: usize,
    /// The labels of its first images. Together with the counts they identify the set.
    pub first_labels: [u8; 10],
}

/// The layout of a data set's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileLayout {
    /// Four files in the format of MNIST: <https://yann.lecun.com/exdb/mnist/>.
    Idx,
    /// Six files with 3,073 bytes per image: <https://www.cs.toronto.edu/~kriz/cifar.html>.
    Cifar10,
    /// Two files with 3,074 bytes per image, from the same page.
    Cifar100,
}

pub(super) const MNIST: DataSetRow = DataSetRow {
    set: "mnist",
    title: "MNIST",
    summary: "70,000 handwritten digits of 28×28 grey pixels, 10,000 for the test.",
    licence: "Y. LeCun, C. Cortes and C. J. C. Burges, CC BY-SA 3.0",
    fields: SMALL_GREY,
    source: Source::Known(&KnownDataSet {
        layout: FileLayout::Idx,
        classes: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        channels: 1,
        side: 28,
        train: 60_000,
        test: 10_000,
        first_labels: [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
    }),
    ..IMAGES
};

pub(super) const FASHION_MNIST: DataSetRow = DataSetRow {
    set: "fashion-mnist",
    title: "Fashion-MNIST",
    summary: "70,000 pieces of clothing of 28×28 grey pixels, 10,000 for the test.",
    licence: "H. Xiao, K. Rasul and R. Vollgraf, Zalando (2017), arXiv:1708.07747, MIT",
    fields: SMALL_GREY,
    source: Source::Known(&KnownDataSet {
        layout: FileLayout::Idx,
        classes: &[
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ],
        channels: 1,
        side: 28,
        train: 60_000,
        test: 10_000,
        first_labels: [9, 0, 0, 3, 0, 2, 7, 2, 5, 5],
    }),
    ..IMAGES
};

pub(super) const CIFAR_10: DataSetRow = DataSetRow {
    set: "cifar-10",
    title: "CIFAR-10",
    summary: "60,000 photographs of ten kinds, 32×32 pixels, 10,000 for the test.",
    source: Source::Known(&KnownDataSet {
        layout: FileLayout::Cifar10,
        classes: &[
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ],
        channels: 3,
        side: 32,
        train: 50_000,
        test: 10_000,
        first_labels: [6, 9, 9, 4, 1, 1, 2, 7, 8, 3],
    }),
    ..IMAGES
};

pub(super) const CIFAR_100: DataSetRow = DataSetRow {
    set: "cifar-100",
    title: "CIFAR-100",
    summary: "60,000 photographs of a hundred kinds, 32×32 pixels, 10,000 for the test.",
    classes: 100,
    source: Source::Known(&KnownDataSet {
        layout: FileLayout::Cifar100,
        classes: FINE,
        channels: 3,
        side: 32,
        train: 50_000,
        test: 10_000,
        first_labels: [19, 29, 0, 11, 1, 86, 90, 28, 23, 31],
    }),
    ..IMAGES
};

/// The common part of the rows.
const IMAGES: DataSetRow = DataSetRow {
    set: "",
    title: "",
    summary: "",
    licence: "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009); no terms stated",
    dimensions: 3,
    classes: 10,
    fields: &image_fields("32", "3"),
    defaults: &[],
    source: Source::Known(&KnownDataSet {
        layout: FileLayout::Idx,
        classes: &[],
        channels: 1,
        side: 1,
        train: 0,
        test: 0,
        first_labels: [0; 10],
    }),
};

const SMALL_GREY: &[crate::spec::Field] = &image_fields("28", "1");

/// The fine classes of CIFAR-100.
const FINE: &[&str] = &[
    "apple",
    "aquarium_fish",
    "baby",
    "bear",
    "beaver",
    "bed",
    "bee",
    "beetle",
    "bicycle",
    "bottle",
    "bowl",
    "boy",
    "bridge",
    "bus",
    "butterfly",
    "camel",
    "can",
    "castle",
    "caterpillar",
    "cattle",
    "chair",
    "chimpanzee",
    "clock",
    "cloud",
    "cockroach",
    "couch",
    "crab",
    "crocodile",
    "cup",
    "dinosaur",
    "dolphin",
    "elephant",
    "flatfish",
    "forest",
    "fox",
    "girl",
    "hamster",
    "house",
    "kangaroo",
    "keyboard",
    "lamp",
    "lawn_mower",
    "leopard",
    "lion",
    "lizard",
    "lobster",
    "man",
    "maple_tree",
    "motorcycle",
    "mountain",
    "mouse",
    "mushroom",
    "oak_tree",
    "orange",
    "orchid",
    "otter",
    "palm_tree",
    "pear",
    "pickup_truck",
    "pine_tree",
    "plain",
    "plate",
    "poppy",
    "porcupine",
    "possum",
    "rabbit",
    "raccoon",
    "ray",
    "road",
    "rocket",
    "rose",
    "sea",
    "seal",
    "shark",
    "shrew",
    "skunk",
    "skyscraper",
    "snail",
    "snake",
    "spider",
    "squirrel",
    "streetcar",
    "sunflower",
    "sweet_pepper",
    "table",
    "tank",
    "telephone",
    "television",
    "tiger",
    "tractor",
    "train",
    "trout",
    "tulip",
    "turtle",
    "wardrobe",
    "whale",
    "willow_tree",
    "wolf",
    "woman",
    "worm",
];
