//! A stretch of service for a contact: its states, who may act, its protocol number (RO-07, RO-08, RO-11).

use std::fmt;

use crate::ids::{TicketId, UserId};

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TicketState {
    /// Nobody serves it yet.
    Waiting,
    /// An agent serves it.
    InProgress,
    /// Done.
    Closed,
}

/// Who has a ticket, or may have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// Where it stands.
    pub state: TicketState,
    /// Who serves it; `None` unless it is in progress or was.
    pub agent: Option<UserId>,
    /// For whom alone it waits (RO-02); `None` when it waits for anyone.
    pub only_agent: Option<UserId>,
}

/// Why an agent may not do something with a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TicketRefusal {
    /// It is closed already.
    Closed,
    /// Another agent serves it.
    ServedByAnother,
    /// It waits for another agent alone (RO-02).
    WaitsForAnother,
    /// Nobody serves it yet; it must be taken first.
    NotTaken,
}

/// What a contact's message does about tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Arrival {
    /// It joins the contact's open ticket: there is at most one per chatbot (RO-08).
    Joins(TicketId),
    /// It opens a ticket, which goes as [`route`](crate::routing::route) says.
    Opens,
    /// It is kept in the conversation and opens nothing (LI-11).
    OpensNone,
}

/// A ticket's short number, unique in the workspace, such as `0001A8`.
///
/// Invariant: the ticket's id in base 31, at least five digits, and one check character. The 31
/// characters are digits and capitals without I, L, O, U and Z, so that none is taken for another; the
/// check finds every single wrong character and every swap of neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProtocolNumber(String);

/// What a contact's message does: `open` is the contact's open ticket in this chatbot, and a stop word
/// opens none.
pub fn arrival(open: Option<TicketId>, is_stop_word: bool) -> Arrival {
    match open {
        Some(ticket) => Arrival::Joins(ticket),
        None if is_stop_word => Arrival::OpensNone,
        None => Arrival::Opens,
    }
}

impl TicketState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::InProgress, Self::Closed];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::InProgress => "in_progress",
            Self::Closed => "closed",
        }
    }

    /// The state stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether it stands against an active message (`contact_has_open_ticket`) and against a second ticket.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Waiting | Self::InProgress => true,
            Self::Closed => false,
        }
    }
}

impl Holding {
    /// Why `agent` may not take it out of the queue; `None` when they may. Taking what one serves already
    /// is no error.
    #[must_use]
    pub fn refuses_taking(self, agent: UserId) -> Option<TicketRefusal> {
        match self.state {
            TicketState::Closed => Some(TicketRefusal::Closed),
            TicketState::InProgress => {
                (self.agent != Some(agent)).then_some(TicketRefusal::ServedByAnother)
            }
            TicketState::Waiting => {
                let waits_for_another = self.only_agent.is_some_and(|only| only != agent);
                waits_for_another.then_some(TicketRefusal::WaitsForAnother)
            }
        }
    }

    /// Why `agent` may not write in it; `None` when they may.
    #[must_use]
    pub fn refuses_writing(self, agent: UserId) -> Option<TicketRefusal> {
        match self.state {
            TicketState::Closed => Some(TicketRefusal::Closed),
            TicketState::Waiting => Some(TicketRefusal::NotTaken),
            TicketState::InProgress => {
                (self.agent != Some(agent)).then_some(TicketRefusal::ServedByAnother)
            }
        }
    }

    /// Why `agent` may not close it; `None` when they may. One who sees all tickets closes any.
    #[must_use]
    pub fn refuses_closing(self, agent: UserId, sees_all: bool) -> Option<TicketRefusal> {
        match self.state {
            TicketState::Closed => Some(TicketRefusal::Closed),
            TicketState::Waiting | TicketState::InProgress if sees_all => None,
            TicketState::Waiting | TicketState::InProgress => self.refuses_writing(agent),
        }
    }

    /// Whether a template that `agent` sends goes into this ticket: it is theirs, and its session window
    /// is closed. Then `contact_has_open_ticket` does not apply, and the send is not listed in *Sent*
    /// (SW-09).
    #[must_use]
    pub fn takes_template(self, agent: UserId, window_is_open: bool) -> bool {
        !window_is_open && self.refuses_writing(agent).is_none()
    }
}

impl TicketRefusal {
    /// The code the API answers with.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "ticket_closed",
            Self::ServedByAnother => "ticket_served_by_another",
            Self::WaitsForAnother => "ticket_waits_for_another",
            Self::NotTaken => "ticket_not_taken",
        }
    }
}

const SYMBOLS: &[u8; 31] = b"0123456789ABCDEFGHJKMNPQRSTVWXY";
const LEAST_DIGITS: usize = 5;

impl ProtocolNumber {
    /// The number of ticket `id`. An id given by the database is never negative; the sign is dropped.
    #[must_use]
    pub fn of(id: TicketId) -> Self {
        let mut rest = id.0.unsigned_abs();
        let mut digits = Vec::new();
        while rest != 0 || digits.len() < LEAST_DIGITS {
            digits.push((rest % 31) as usize);
            rest /= 31;
        }
        let check = check_digit(&digits);
        let written = digits.iter().rev().chain([&check]);
        Self(written.map(|digit| char::from(SYMBOLS[*digit])).collect())
    }

    /// The ticket a person means by `typed`: case, spaces and dashes do not matter, O is taken for 0, I
    /// and L for 1, and leading zeros may be left out. `None` when it is no protocol number.
    #[must_use]
    pub fn ticket_meant(typed: &str) -> Option<TicketId> {
        let mut digits: Vec<usize> = Vec::new();
        for symbol in typed.bytes().rev().filter(|byte| *byte != b' ' && *byte != b'-') {
            let symbol = match symbol.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            digits.push(SYMBOLS.iter().position(|known| *known == symbol)?);
        }
        let (check, digits) = digits.split_first()?;
        if digits.is_empty() || check_digit(digits) != *check {
            return None;
        }
        let mut id: i64 = 0;
        for digit in digits.iter().rev() {
            id = id.checked_mul(31)?.checked_add(i64::try_from(*digit).ok()?)?;
        }
        Some(TicketId(id))
    }

    /// As it is stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProtocolNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The weighted sum of `digits`, lowest first, modulo 31. Neighbouring weights differ by one and none is
/// a multiple of 31, which is prime: hence what the check finds.
fn check_digit(digits: &[usize]) -> usize {
    digits.iter().zip(2..).map(|(digit, weight)| digit * weight).sum::<usize>() % 31
}
