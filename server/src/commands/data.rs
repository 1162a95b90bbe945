//! `data`: the data sets.

use vivarium_models::data::DATA_SETS;

use super::print;
use crate::cli::Data;
use crate::error::Result;

pub(super) fn data(command: &Data) -> Result<()> {
    match command {
        Data::List => {
            for row in DATA_SETS {
                print(&format!("{:10} {}", row.set, row.summary))?;
            }
            Ok(())
        }
    }
}
