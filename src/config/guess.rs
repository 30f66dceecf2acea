//! Did you mean …?

/// The candidate most like `text`, if one is like it at all.
pub(super) fn nearest<'a>(
    text: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let text: Vec<char> = text.chars().take(LENGTH_MAX).collect();
    let limit = (text.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&text, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Names are short; a text that isn't is nobody's misspelling.
const LENGTH_MAX: usize = 64;

/// How many letters must be added, left out, changed or swapped with the next.
fn distance(text: &[char], other: &str) -> usize {
    let other: Vec<char> = other.chars().take(LENGTH_MAX).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, c) in text.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, d) in other.iter().enumerate() {
            let mut least = (last[j] + usize::from(c != d)).min(last[j + 1] + 1).min(row[j] + 1);
            let swapped = i > 0 && j > 0 && *c == other[j - 1] && text[i - 1] == *d;
            if swapped {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_finds_its_word() {
        let names = ["night", "day", "weekend"];
        assert_eq!(nearest("ngiht", names), Some("night"));
        assert_eq!(nearest("weekends", names), Some("weekend"));
        assert_eq!(nearest("holiday", names), None);
        assert_eq!(nearest("", names), None);
    }
}
