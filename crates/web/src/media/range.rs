//! Which part of a file a request asks for: players jump, and ask for what they need.

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it.
    Whole,
    /// From `first` to `last`, both inclusive.
    Part {
        /// The first byte.
        first: u64,
        /// The last byte.
        last: u64,
    },
    /// Only what lies beyond its end.
    Outside,
}

/// Reads the header `Range` for a file of `size` bytes. Several parts at once, or what is no range, count as all.
pub(super) fn asked(header: Option<&str>, size: u64) -> Asked {
    let Some(range) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Asked::Whole;
    };
    let Some((first, last)) = range.trim().split_once('-') else { return Asked::Whole };
    let end = size.saturating_sub(1);
    let number = |text: &str| text.parse::<u64>().ok();
    let (first, last) = match (first, last) {
        ("", last) => match number(last) {
            Some(count) if 0 < count => (size.saturating_sub(count), end),
            Some(_) => return Asked::Outside,
            None => return Asked::Whole,
        },
        (first, "") => match number(first) {
            Some(first) => (first, end),
            None => return Asked::Whole,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => (first, last.min(end)),
            _ => return Asked::Whole,
        },
    };
    if first < size { Asked::Part { first, last } } else { Asked::Outside }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_players_write_it() {
        let part = |first, last| Asked::Part { first, last };
        let cases = [
            (None, Asked::Whole),
            (Some("bytes=0-"), part(0, 99)),
            (Some("bytes=10-19"), part(10, 19)),
            (Some("bytes=99-"), part(99, 99)),
            (Some("bytes=90-400"), part(90, 99)),
            (Some("bytes=-10"), part(90, 99)),
            (Some("bytes=-400"), part(0, 99)),
            (Some("bytes=100-"), Asked::Outside),
            (Some("bytes=-0"), Asked::Outside),
            (Some("bytes=0-1,5-6"), Asked::Whole),
            (Some("bytes=9-1"), Asked::Whole),
            (Some("bytes=x-"), Asked::Whole),
            (Some("pages=1-2"), Asked::Whole),
            (Some("bytes=99999999999999999999-"), Asked::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(asked(header, 100), expected, "{header:?}");
        }
        assert_eq!(asked(Some("bytes=0-"), 0), Asked::Outside, "an empty file");
    }
}
