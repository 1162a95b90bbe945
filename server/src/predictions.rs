//! What a network makes of photos, as rows: the same of the command line and of the API.

use serde::Serialize;
use utoipa::ToSchema;
use vivarium_models::classify::ClassScore;

/// The classes of a row by default.
pub const TOP: usize = 5;

/// The most classes of a row.
pub const MOST_TOP: usize = 100;

/// What a network makes of a photo.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub struct PhotoPrediction {
    /// The photo, as the client named it.
    pub path: String,
    /// The likeliest classes, the likeliest first; empty where there is an error.
    pub top: Vec<ClassScore>,
    /// Why the photo cannot be read, or has no classes.
    pub error: Option<String>,
}

impl PhotoPrediction {
    /// A row of the likeliest classes, or of what is wrong with a photo.
    pub fn new(path: String, result: Result<Vec<ClassScore>, String>) -> Self {
        let (top, error) = match result {
            Ok(top) => (top, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Self { path, top, error }
    }

    /// The row as CSV, with its line end. Scores stand where there are no probabilities.
    pub fn csv(&self) -> String {
        let mut line = cell(&self.path);
        for one in &self.top {
            line.push(',');
            line.push_str(&cell(&one.name));
            line.push(',');
            line.push_str(&one.probability.unwrap_or(one.score).to_string());
        }
        line.push('\n');
        line
    }
}

/// The header of a CSV with the `top` likeliest classes: `path,class,probability,second,second_probability,…`. Networks
/// without probabilities have `score` in their place.
pub fn csv_header(top: usize, has_probabilities: bool) -> String {
    let value = if has_probabilities {
        "probability"
    } else {
        "score"
    };
    let mut header = String::from("path");
    for place in 1..=top {
        header.push_str(&match place {
            1 => format!(",class,{value}"),
            place => {
                let name = ordinal(place);
                format!(",{name},{name}_{value}")
            }
        });
    }
    header.push('\n');
    header
}

fn ordinal(place: usize) -> String {
    const WORDS: [&str; 4] = ["second", "third", "fourth", "fifth"];
    let ending = match (place % 10, place % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    let word = WORDS.get(place.wrapping_sub(2));
    word.map_or_else(|| format!("{place}{ending}"), |word| (*word).to_owned())
}

/// Text as a cell of CSV (RFC 4180). What a spreadsheet would read as a formula gets a leading apostrophe, as in
/// `frontend/chart/csv.js`.
fn cell(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@']);
    let is_formula = formula || text.starts_with(['\t', '\r']);
    let quoted = || text.replace('"', "\"\"");
    if is_formula {
        format!("\"'{}\"", quoted())
    } else if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", quoted())
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &str, names: &[&str]) -> PhotoPrediction {
        let of = |(class, name): (usize, &&str)| ClassScore {
            class,
            name: (*name).to_owned(),
            probability: Some(0.5),
            score: 1.0,
        };
        PhotoPrediction::new(
            path.to_owned(),
            Ok(names.iter().enumerate().map(of).collect()),
        )
    }

    #[test]
    fn the_header_names_every_column() {
        let five = "path,class,probability,second,second_probability,third,third_probability,fourth,fourth_probability,\
                    fifth,fifth_probability\n";
        assert_eq!(csv_header(5, true), five);
        assert_eq!(csv_header(1, false), "path,class,score\n");
        let many = csv_header(23, false);
        for name in [
            "6th,6th_score",
            "11th,",
            "12th,",
            "13th,",
            "21st,",
            "22nd,",
            "23rd,23rd_score\n",
        ] {
            assert!(many.contains(name), "{name} in {many}");
        }
    }

    #[test]
    fn cells_are_quoted_and_no_formula() {
        assert_eq!(
            row("a.jpg", &["cat", "dog"]).csv(),
            "a.jpg,cat,0.5,dog,0.5\n"
        );
        assert_eq!(
            row("=HYPERLINK(\"x\").jpg", &["a,b"]).csv(),
            "\"'=HYPERLINK(\"\"x\"\").jpg\",\"a,b\",0.5\n"
        );
        assert_eq!(row(" @a", &["-1"]).csv(), "\"' @a\",\"'-1\",0.5\n");
    }
}
