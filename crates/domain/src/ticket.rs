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

/// A ticket's short number, unique in the workspace, such as `0018SG`.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANA: UserId = UserId(1);
    const BRUNO: UserId = UserId(2);

    fn waiting(only_agent: Option<UserId>) -> Holding {
        Holding { state: TicketState::Waiting, agent: None, only_agent }
    }

    fn served_by(agent: UserId) -> Holding {
        Holding { state: TicketState::InProgress, agent: Some(agent), only_agent: None }
    }

    fn closed() -> Holding {
        Holding { state: TicketState::Closed, agent: Some(ANA), only_agent: None }
    }

    #[test]
    fn ro_08_a_contact_has_one_open_ticket() {
        let open = Some(TicketId(7));
        let cases = [
            ("it joins the open one", open, false, Arrival::Joins(TicketId(7))),
            ("a stop word joins too", open, true, Arrival::Joins(TicketId(7))),
            ("it opens one", None, false, Arrival::Opens),
            ("a stop word opens none", None, true, Arrival::OpensNone),
        ];
        for (case, open, is_stop_word, expected) in cases {
            assert_eq!(arrival(open, is_stop_word), expected, "{case}");
        }
    }

    #[test]
    fn only_who_may_takes_writes_and_closes() {
        let (closed_refusal, another) = (TicketRefusal::Closed, TicketRefusal::ServedByAnother);
        let takes = [
            ("anyone's", waiting(None), None),
            ("hers alone", waiting(Some(ANA)), None),
            ("his alone", waiting(Some(BRUNO)), Some(TicketRefusal::WaitsForAnother)),
            ("hers already", served_by(ANA), None),
            ("his already", served_by(BRUNO), Some(another)),
            ("closed", closed(), Some(closed_refusal)),
        ];
        for (case, holding, refusal) in takes {
            assert_eq!(holding.refuses_taking(ANA), refusal, "{case}");
        }
        let writes = [
            ("not taken", waiting(Some(ANA)), Some(TicketRefusal::NotTaken)),
            ("hers", served_by(ANA), None),
            ("his", served_by(BRUNO), Some(another)),
            ("closed", closed(), Some(closed_refusal)),
        ];
        for (case, holding, refusal) in writes {
            assert_eq!(holding.refuses_writing(ANA), refusal, "{case}");
            assert_eq!(holding.refuses_closing(ANA, false), refusal, "{case}");
        }
        assert_eq!(served_by(BRUNO).refuses_closing(ANA, true), None);
        assert_eq!(closed().refuses_closing(ANA, true), Some(closed_refusal));
    }

    #[test]
    fn sw_09_a_template_goes_into_the_holders_ticket_once_its_window_is_closed() {
        let cases = [
            ("hers, closed window", served_by(ANA), false, true),
            ("hers, open window", served_by(ANA), true, false),
            ("his", served_by(BRUNO), false, false),
            ("not taken", waiting(None), false, false),
            ("closed ticket", closed(), false, false),
        ];
        for (case, holding, window_is_open, expected) in cases {
            assert_eq!(holding.takes_template(ANA, window_is_open), expected, "{case}");
        }
    }

    #[test]
    fn a_protocol_number_is_short_and_read_as_people_type_it() {
        assert_eq!(ProtocolNumber::of(TicketId(1)).as_str(), "000012");
        assert_eq!(ProtocolNumber::of(TicketId(31)).as_str(), "000103");
        assert_eq!(ProtocolNumber::of(TicketId(1234)).as_str(), "0018SG");
        for typed in ["000012", " 12 ", "o0-0o12", "0000i2", "0000L2"] {
            assert_eq!(ProtocolNumber::ticket_meant(typed), Some(TicketId(1)), "{typed}");
        }
        for typed in ["", "2", "000013", "00001", "é12", "ZZZZZ2", "0000_2", "YYYYYYYYYYYYYYYYYY"]
        {
            assert_eq!(ProtocolNumber::ticket_meant(typed), None, "{typed}");
        }
    }

    /// What happens to one contact in one chatbot.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Writes { stop_word: bool },
        TicketIsTaken,
        TicketIsClosed,
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => any::<bool>().prop_map(|stop_word| Step::Writes { stop_word }),
            1 => Just(Step::TicketIsTaken),
            1 => Just(Step::TicketIsClosed),
        ]
    }

    proptest! {
        #[test]
        fn ro_08_however_they_write_and_are_served_a_contact_never_has_two_open_tickets(
            steps in prop::collection::vec(any_step(), 0..60),
        ) {
            let mut tickets: Vec<TicketState> = Vec::new();
            for step in steps {
                let open = tickets.iter().rposition(|state| state.is_open());
                match step {
                    Step::Writes { stop_word } => {
                        let id = open.map(|place| TicketId(i64::try_from(place).unwrap()));
                        match arrival(id, stop_word) {
                            Arrival::Joins(ticket) => prop_assert_eq!(Some(ticket), id),
                            Arrival::Opens => tickets.push(TicketState::Waiting),
                            Arrival::OpensNone => prop_assert!(stop_word, "a message is lost"),
                        }
                    }
                    Step::TicketIsTaken => {
                        if let Some(place) = open {
                            tickets[place] = TicketState::InProgress;
                        }
                    }
                    Step::TicketIsClosed => {
                        if let Some(place) = open {
                            tickets[place] = TicketState::Closed;
                        }
                    }
                }
                let open = tickets.iter().filter(|state| **state != TicketState::Closed).count();
                prop_assert!(open <= 1, "{tickets:?}");
                if let Step::Writes { stop_word: false } = step {
                    prop_assert_eq!(open, 1, "who writes is served");
                }
            }
        }

        #[test]
        fn a_protocol_number_names_one_ticket(id in 0_i64..=i64::MAX) {
            let number = ProtocolNumber::of(TicketId(id));
            prop_assert_eq!(ProtocolNumber::ticket_meant(number.as_str()), Some(TicketId(id)));
        }

        #[test]
        fn a_slip_of_one_character_or_of_two_neighbours_is_found(
            id in 0_i64..2_000_000_000, place in 0_usize..6, other in 0_usize..31,
        ) {
            let number = ProtocolNumber::of(TicketId(id));
            let mut slipped = number.as_str().as_bytes().to_vec();
            slipped[place] = SYMBOLS[other];
            let slipped = String::from_utf8(slipped).unwrap();
            let meant = ProtocolNumber::ticket_meant(&slipped);
            prop_assert_eq!(meant.is_some(), slipped == number.as_str());

            let mut swapped = number.as_str().as_bytes().to_vec();
            swapped.swap(place, (place + 1).min(5));
            let swapped = String::from_utf8(swapped).unwrap();
            let meant = ProtocolNumber::ticket_meant(&swapped);
            prop_assert_eq!(meant.is_some(), swapped == number.as_str());
        }
    }
}
