//! Where known data sets are published, and their checksums.

/// The files of a data set and their mirrors.
#[derive(Debug)]
pub struct Source {
    /// The data set's name.
    pub set: &'static str,
    /// URLs of folders that have all files, the best first.
    pub mirrors: &'static [&'static str],
    /// The files.
    pub files: &'static [RemoteFile],
}

/// A file to download.
#[derive(Debug)]
pub struct RemoteFile {
    /// Its name, in the mirrors and on disk.
    pub name: &'static str,
    /// Its approximate size in bytes; a file twice as large is refused.
    pub bytes: u64,
    /// Its checksum.
    pub sum: Sum,
}

/// A SHA-256 in hexadecimal.
#[derive(Clone, Copy, Debug)]
pub enum Sum {
    /// The checksum of the file.
    File(&'static str),
    /// The checksum of the unpacked content: mirrors compress the same content differently.
    Unpacked(&'static str),
}

/// All data sets that can be downloaded.
pub static SOURCES: &[Source] = &[
    Source {
        set: "mnist",
        mirrors: &[
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ],
        files: &[
            RemoteFile {
                name: "train-images-idx3-ubyte.gz",
                bytes: 9_912_422,
                sum: Sum::File("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            },
            RemoteFile {
                name: "train-labels-idx1-ubyte.gz",
                bytes: 28_881,
                sum: Sum::File("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            },
            RemoteFile {
                name: "t10k-images-idx3-ubyte.gz",
                bytes: 1_648_877,
                sum: Sum::File("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            },
            RemoteFile {
                name: "t10k-labels-idx1-ubyte.gz",
                bytes: 4_542,
                sum: Sum::File("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
            },
        ],
    },
    Source {
        set: "fashion-mnist",
        mirrors: &[
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ],
        // The files in Debian's package dataset-fashion-mnist, unpacked.
        files: &[
            RemoteFile {
                name: "train-images-idx3-ubyte.gz",
                bytes: 26_421_880,
                sum: Sum::Unpacked(
                    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                ),
            },
            RemoteFile {
                name: "train-labels-idx1-ubyte.gz",
                bytes: 29_515,
                sum: Sum::Unpacked(
                    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                ),
            },
            RemoteFile {
                name: "t10k-images-idx3-ubyte.gz",
                bytes: 4_422_102,
                sum: Sum::Unpacked(
                    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                ),
            },
            RemoteFile {
                name: "t10k-labels-idx1-ubyte.gz",
                bytes: 5_148,
                sum: Sum::Unpacked(
                    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
                ),
            },
        ],
    },
    Source {
        set: "cifar-10",
        mirrors: CIFAR,
        files: &[RemoteFile {
            name: "cifar-10-binary.tar.gz",
            bytes: 170_052_171,
            sum: Sum::File("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
        }],
    },
    Source {
        set: "cifar-100",
        mirrors: CIFAR,
        files: &[RemoteFile {
            name: "cifar-100-binary.tar.gz",
            bytes: 168_513_733,
            sum: Sum::File("58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
        }],
    },
];

const CIFAR: &[&str] = &[
    "https://www.cs.toronto.edu/~kriz/",
    "https://web.archive.org/web/2024id_/https://www.cs.toronto.edu/~kriz/",
];

#[cfg(test)]
mod tests {
    use super::*;
    use vivarium_models::data::{DATA_SETS, known};

    #[test]
    fn every_known_set_has_a_source_and_every_source_a_set() {
        let known_sets: Vec<_> = DATA_SETS
            .iter()
            .map(|row| row.set)
            .filter(|set| known(set).is_some())
            .collect();
        let sources: Vec<_> = SOURCES.iter().map(|source| source.set).collect();
        assert_eq!(sources, known_sets);
    }
}
