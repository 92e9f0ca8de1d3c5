//! Numbers of things in words.

/// A number and what it counts: 1 recording, 2 recordings.
pub(crate) fn counted(number: usize, thing: &str) -> String {
    match (number, thing) {
        (1, _) => format!("1 {thing}"),
        (_, "person") => format!("{number} people"),
        _ => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one() {
        assert_eq!([0, 1, 2].map(|it| counted(it, "row")), ["0 rows", "1 row", "2 rows"]);
        assert_eq!([1, 2].map(|it| counted(it, "person")), ["1 person", "2 people"]);
    }
}
