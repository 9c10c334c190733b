//! Light, dark, or as the system says: kept in a cookie, applied by the server.

use actix_web::HttpRequest;

/// The cookie the choice is kept in; it names no one.
pub const THEME_COOKIE: &str = "janela_theme";

/// The colour theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Every theme.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word it is kept by, and the value of `data-theme`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme kept as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == word)
    }

    /// Whether it differs from what the system says anyway.
    #[must_use]
    pub fn is_chosen(self) -> bool {
        self != Self::System
    }

    /// The theme the browser sent, else as the system says.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        request
            .cookie(THEME_COOKIE)
            .and_then(|cookie| Self::parse(cookie.value()))
            .unwrap_or_default()
    }
}
