//! CSV that a spreadsheet can't be tricked with.

/// One row, with its line end (RFC 4180).
pub(super) fn csv_row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(csv_cell).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell no spreadsheet takes for a formula (domain.md T-19): what begins like one gets an apostrophe.
fn csv_cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    let guarded = if is_formula { format!("'{plain}") } else { plain };
    if guarded.contains(['"', ',', ';', '\'']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_can_not_become_a_formula() {
        let table = [
            ("Léa", "Léa"),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("+33", "\"'+33\""),
            ("-1", "\"'-1\""),
            ("@x", "\"'@x\""),
            ("\t=1", "\"'=1\""),
            ("a,b", "\"a,b\""),
            ("a\r\nb", "ab"),
            ("say \"hello\"", "\"say \"\"hello\"\"\""),
        ];
        for (text, cell) in table {
            assert_eq!(csv_cell(text), cell, "{text:?}");
        }
        assert_eq!(csv_row(["a", "b;c"]), "a,\"b;c\"\r\n");
    }
}
