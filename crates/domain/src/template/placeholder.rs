//! Finds `{{1}}` and `{{name}}` in the texts of a template.

/// A piece of a template's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Stands as it is.
    Literal(&'a str),
    /// Stands for the variable of this name.
    Placeholder(&'a str),
}

/// Cuts `text` into literals and placeholders, in order. Braces that hold no name are literal.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut literal_from = 0;
    let mut search_from = 0;
    while let Some(found) = text[search_from..].find("{{") {
        let open = search_from + found;
        let Some(length) = text[open + 2..].find("}}") else { break };
        let name = text[open + 2..open + 2 + length].trim();
        if !is_name(name) {
            search_from = open + 1;
            continue;
        }
        if literal_from < open {
            pieces.push(Piece::Literal(&text[literal_from..open]));
        }
        pieces.push(Piece::Placeholder(name));
        literal_from = open + 2 + length + 2;
        search_from = literal_from;
    }
    if literal_from < text.len() {
        pieces.push(Piece::Literal(&text[literal_from..]));
    }
    pieces
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
