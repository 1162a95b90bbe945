//! The query of a URL as ordered pairs; a name may occur several times.

use axum::extract::Query;

/// The extractor, which is axum's own; the handlers read what they need.
pub(super) type Pairs = Query<Vec<(String, String)>>;

/// All values of a name.
pub(super) fn values<'a>(
    pairs: &'a [(String, String)],
    name: &'a str,
) -> impl Iterator<Item = &'a str> {
    pairs
        .iter()
        .filter(move |(of, _)| of == name)
        .map(|(_, value)| value.as_str())
}
