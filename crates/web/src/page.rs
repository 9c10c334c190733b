//! What every whole page needs besides its own content: language, theme, who is signed in, where one is.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::permission::Permission;
use persistence::user::Actor;

use crate::{
    locale::{Locale, Words},
    moment::Viewer,
    session::Session,
    theme::Theme,
    visit::Visit,
};

/// The frame around a page; `base.html` and the layouts read it. Every page struct has a field `page`
/// and, for its own words, a field `t`.
#[derive(Debug, Clone)]
pub struct Page {
    /// The page's own title, without the product's name.
    pub title: String,
    /// Whether a form on it came back with problems: the title then starts with *Error:*.
    pub has_problems: bool,
    /// Who it is built for.
    pub viewer: Viewer,
    /// The colour theme.
    pub theme: Theme,
    /// Where in the desk or portal it stands.
    pub place: Place,
    /// The path and query it was asked for by; where the language links lead back to.
    pub path: String,
    /// Who is signed in; `None` on the sign-in page and on errors shown to a stranger.
    pub user: Option<PageUser>,
    /// How many conversations hold something unread, for the desk's rail.
    pub unread: u32,
    /// Said once, at the bottom, when the page opens.
    pub toast: Option<Toast>,
}

/// Who is signed in, as the frame shows it.
#[derive(Debug, Clone)]
pub struct PageUser {
    /// The name in full.
    pub name: String,
    /// One or two letters of it.
    pub initials: String,
    /// The word of the presence, such as `online`: for `data-presence`.
    pub presence: &'static str,
    /// The presence in the reader's words.
    pub presence_text: String,
    /// The timer of a break (RO-06); `None` unless on one.
    pub on_break: Option<BreakTimer>,
    /// The name of the live event of the reader's own presence.
    pub presence_event: String,
    /// Bound to the session; every form carries it.
    pub form_token: String,
    /// Whether the desk is open to this user.
    pub uses_desk: bool,
    /// Whether the portal is open to this user.
    pub uses_portal: bool,
    /// Which of the portal's pages are.
    pub portal: PortalPlaces,
}

/// How long a break has lasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakTimer {
    /// For the script that counts on: UTC with milliseconds.
    pub since: String,
    /// In the reader's words, cut to the minute.
    pub lasted: String,
}

/// The pages of the portal that are open to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortalPlaces {
    /// General settings of some chatbot, if only to look.
    pub general_settings: bool,
    /// All active messages of some chatbot.
    pub active_messages: bool,
    /// The jobs; open to whoever sees any page.
    pub jobs: bool,
}

impl PortalPlaces {
    /// Those open to `actor`.
    #[must_use]
    pub fn of(actor: &Actor) -> Self {
        Self {
            general_settings: actor.chatbots().iter().any(|one| actor.opens_portal_of(*one)),
            active_messages: !actor.chatbots_where(Permission::ViewGrowth).is_empty(),
            jobs: actor.opens_portal(),
        }
    }
}

/// Where a page stands, for `aria-current` in the menus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nowhere in the menus.
    None,
    /// The desk's conversations, whichever tab.
    Conversations,
    /// Portal: general settings.
    GeneralSettings,
    /// Portal: all active messages.
    ActiveMessages,
    /// Portal: jobs.
    Jobs,
}

/// A short message at the bottom of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// `done` or `error`.
    pub kind: &'static str,
    /// The sentence.
    pub text: String,
}

impl Page {
    /// The frame of a page for someone signed in.
    #[must_use]
    pub fn new(visit: &Visit, session: &Session, title: String, place: Place) -> Self {
        let t = visit.locale.words();
        let presence_text = match session.presence {
            domain::presence::Presence::Online => t.presence_online(),
            domain::presence::Presence::OnBreak => t.presence_on_break(),
            domain::presence::Presence::Invisible => t.presence_invisible(),
            domain::presence::Presence::Offline => t.presence_offline(),
        };
        let on_break =
            (session.presence == domain::presence::Presence::OnBreak).then(|| BreakTimer {
                since: json_instant(session.presence_since),
                lasted: visit.viewer().elapsed(session.presence_since),
            });
        let user = PageUser {
            on_break,
            name: session.actor.user.name.clone(),
            initials: initials(&session.actor.user.name),
            presence: session.presence.as_str(),
            presence_text,
            presence_event: format!("janela:presence-{}", session.actor.id()),
            form_token: session.form_token.clone(),
            uses_desk: session.actor.opens_desk(),
            uses_portal: session.actor.opens_portal(),
            portal: PortalPlaces::of(&session.actor),
        };
        Self { user: Some(user), place, ..Self::for_stranger(visit, title) }
    }

    /// The frame of a page for someone who is not signed in.
    #[must_use]
    pub fn for_stranger(visit: &Visit, title: String) -> Self {
        Self {
            title,
            has_problems: false,
            viewer: visit.viewer(),
            theme: visit.theme,
            place: Place::None,
            path: visit.path.clone(),
            user: None,
            unread: 0,
            toast: None,
        }
    }

    /// The same frame over a form that came back with problems.
    #[must_use]
    pub fn with_problems(self) -> Self {
        Self { has_problems: true, ..self }
    }

    /// The words of the page's language.
    #[must_use]
    pub fn t(&self) -> Words {
        self.viewer.words()
    }

    /// The title in full, as the browser's tab shows it.
    #[must_use]
    pub fn full_title(&self) -> String {
        let t = self.t();
        let title = t.common_title(&self.title);
        if self.has_problems { t.common_title_error(&title) } else { title }
    }

    /// The language's tag, for `lang`.
    #[must_use]
    pub fn lang(&self) -> &str {
        self.viewer.locale.as_ref()
    }

    /// Every language there is, for the language menus.
    #[must_use]
    pub fn languages(&self) -> Vec<LanguageChoice> {
        Locale::iter()
            .map(|locale| LanguageChoice {
                tag: locale.to_string(),
                name: locale.words().language_name(),
                current: *locale == self.viewer.locale,
            })
            .collect()
    }

    /// Every theme there is, for the account menu.
    #[must_use]
    pub fn themes(&self) -> Vec<ThemeChoice> {
        let t = self.t();
        let choice = |theme: Theme, name, icon| ThemeChoice {
            word: theme.as_str(),
            name,
            icon,
            current: theme == self.theme,
        };
        vec![
            choice(Theme::System, t.common_theme_system(), "monitor"),
            choice(Theme::Light, t.common_theme_light(), "sun"),
            choice(Theme::Dark, t.common_theme_dark(), "moon"),
        ]
    }

    /// Now, as scripts read it: UTC with milliseconds.
    #[must_use]
    pub fn now(&self) -> String {
        json_instant(self.viewer.now)
    }

    /// [`Self::unread`] in the reader's digits, as far as there is room for it.
    #[must_use]
    pub fn unread_shown(&self) -> String {
        const MOST: u32 = 99;
        let shown = self.viewer.locale.number(i64::from(self.unread.min(MOST)));
        if MOST < self.unread { format!("{shown}+") } else { shown }
    }

    /// The session's form token; empty where nobody is signed in.
    #[must_use]
    pub fn form_token(&self) -> &str {
        self.user.as_ref().map_or("", |user| user.form_token.as_str())
    }
}

/// One line of a language menu.
#[derive(Debug, Clone)]
pub struct LanguageChoice {
    /// The tag, such as `pt-BR`.
    pub tag: String,
    /// The language's own name for itself.
    pub name: String,
    /// Whether the page is in it.
    pub current: bool,
}

/// One line of the theme menu.
#[derive(Debug, Clone)]
pub struct ThemeChoice {
    /// The word it is kept by.
    pub word: &'static str,
    /// The theme in the reader's words.
    pub name: String,
    /// Its icon.
    pub icon: &'static str,
    /// Whether the page is in it.
    pub current: bool,
}

/// An instant as JSON and scripts carry it (CL-04): UTC with milliseconds.
#[must_use]
pub fn json_instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The first letters of the first and the last word of a name; `?` for an empty one.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().next());
    let first = words.next().unwrap_or('?');
    words.next_back().map_or_else(
        || first.to_uppercase().collect(),
        |last| first.to_uppercase().chain(last.to_uppercase()).collect(),
    )
}
