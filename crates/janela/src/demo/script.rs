//! What happened in the company before the demo starts, as plain data: who sent what, who answered, who
//! closed. The same for the same `seed`; instants are counted back from the start.

use chrono::TimeDelta;
use domain::media::FileKind;

use crate::demo::company::{ContactSeed, Sequence};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// How long before the demo's start.
    pub ago: TimeDelta,
    /// What.
    pub act: Act,
}

/// What can happen. Agents, numbers and contacts are named by their position in the company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// An agent comes to the desk.
    Arrive { agent: usize },
    /// An agent leaves the desk.
    Leave { agent: usize },
    /// An agent sends an active message, which `fate` befalls.
    Send { agent: usize, number: usize, contact: usize, letter: Letter, fate: Fate },
    /// A contact writes or taps a button.
    Write { number: usize, contact: usize, words: Words },
    /// An agent answers in the contact's open ticket.
    Answer { agent: usize, number: usize, contact: usize, text: &'static str },
    /// An agent closes the contact's open ticket.
    Close { agent: usize, number: usize, contact: usize },
}

/// What a contact says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Typed.
    Text(&'static str),
    /// On a button of a template.
    Button(&'static str),
    /// A file.
    File(Sample),
}

/// A file that a contact sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// What it is.
    pub kind: FileKind,
    /// Its name among the sandbox's samples.
    pub name: &'static str,
    /// What is written below it; empty for nothing.
    pub caption: &'static str,
}

const ROOM: Sample =
    Sample { kind: FileKind::Image, name: "studio.jpg", caption: "It stands by the window now" };
const SPOKEN: Sample = Sample { kind: FileKind::Voice, name: "voice.ogg", caption: "" };
const PAPER: Sample =
    Sample { kind: FileKind::Document, name: "quote.pdf", caption: "Here is the old quote" };

/// A template with what fills it, besides the contact's first name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    /// The template's name.
    pub name: &'static str,
    /// The template's language.
    pub language: &'static str,
    /// Its other variables.
    pub values: &'static [(&'static str, &'static str)],
    /// What its button says, or what people tend to say.
    pub answer: Words,
}

/// What became of a send, apart from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The platform took it; nothing was heard since.
    Taken,
    /// It is on the phone.
    Delivered,
    /// It was read.
    Read,
    /// The platform could not deliver it.
    Failed(Trouble),
}

/// Why the platform could not deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// 131026: there is no such phone on the platform.
    NotOnPlatform,
    /// 131049: the person has had enough marketing.
    EnoughMarketing,
    /// 131048: people reported the number.
    Spam,
}

const MARINA: usize = 2;
const JOAO: usize = 3;
const BEATRIZ: usize = 4;
const CAIO: usize = 5;
const INES: usize = 6;
const LUCIA: usize = 7;
const DIEGO: usize = 8;
const NORA: usize = 9;

/// The first agent's main number, and the one for campaigns, which is flagged.
const MAIN: usize = 0;
const CAMPAIGNS: usize = 1;
const EUROPE: usize = 2;
const IBERIA: usize = 3;

const LUIZA: usize = 0;
const RAFAEL: usize = 1;
const CABRERA: usize = 2;
const MOREIRA: usize = 3;
const KELLER: usize = 4;
const CHEN: usize = 5;
const AMELIE: usize = 6;
const JONAS: usize = 7;

/// The address of the picture that agents send.
pub const PICTURE: &str = "https://casaazul.example/media/pickup.jpg";

/// Stands for the number of the contact's own order.
const ORDER: &str = "order";

const READY_PT: Letter = Letter {
    name: "order_ready",
    language: "pt_BR",
    values: &[("header", PICTURE), ("order", ORDER), ("store", "Vila Madalena")],
    answer: Words::Button("Sim, guardem"),
};
const READY_EN: Letter = Letter {
    name: "order_ready",
    language: "en",
    values: &[("header", PICTURE), ("order", ORDER), ("store", "Vila Madalena")],
    answer: Words::Button("Yes, keep it"),
};
const READY_ES: Letter = Letter {
    name: "order_ready",
    language: "es",
    values: &[("header", PICTURE), ("order", ORDER), ("store", "Chueca")],
    answer: Words::Button("Sí, guárdenlo"),
};
const UPDATE: Letter = Letter {
    name: "order_update",
    language: "en",
    values: &[("order", ORDER)],
    answer: Words::Button("Talk to us"),
};
const TRACKING: Letter = Letter {
    name: "delivery_tracking",
    language: "pt_BR",
    values: &[("button_0", ORDER)],
    answer: Words::Text("Oi! Que horas chega?"),
};
const VIDEO: Letter = Letter {
    name: "assembly_video",
    language: "pt_BR",
    values: &[("header", "https://casaazul.example/media/assembly.mp4"), ("product", "armário")],
    answer: Words::Text("Obrigado, o vídeo ajudou. Falta um parafuso."),
};
const COUPON: Letter = Letter {
    name: "welcome_coupon",
    language: "en",
    values: &[("button_0", "CASA10")],
    answer: Words::Text("Does it hold for sale items too?"),
};
const COME_BACK: Letter = Letter {
    name: "come_back",
    language: "pt_BR",
    values: &[],
    answer: Words::Button("Quero ver"),
};

/// Contacts among the first 40 whose story is told by hand; all others of them stay clean.
const TOLD: [usize; 13] =
    [LUIZA, RAFAEL, MOREIRA, KELLER, CHEN, AMELIE, JONAS, 8, 12, 16, 28, 32, 36];

/// Contacts after the first 40 who have an open ticket when the demo starts.
const SERVED: [usize; 4] = [43, 46, 57, 59];

/// Contacts after the first 40 whom the first agent wrote to in the last days: whom, minutes ago, with
/// what, and what became of it.
const SENT: [(usize, i64, Letter, Fate); 12] = [
    (54, 13, UPDATE, Fate::Delivered),
    (32, 41, READY_PT, Fate::Read),
    (36, 56, TRACKING, Fate::Taken),
    (41, 125, UPDATE, Fate::Delivered),
    (42, 190, READY_PT, Fate::Failed(Trouble::NotOnPlatform)),
    (44, 305, READY_EN, Fate::Read),
    (45, 366, TRACKING, Fate::Delivered),
    (47, 481, VIDEO, Fate::Taken),
    (53, 662, COUPON, Fate::Read),
    (51, 1_561, COUPON, Fate::Failed(Trouble::EnoughMarketing)),
    (48, 1_803, READY_PT, Fate::Read),
    (50, 2_645, UPDATE, Fate::Delivered),
];

/// Whether nothing is known of a contact's last days: no open ticket, nothing sent, no opt-out. Most of
/// the first 40 are so, for whoever tries the demo.
pub fn is_clean(contact: usize) -> bool {
    contact < 40 && !TOLD.contains(&contact)
}

/// Everything that happened to `contacts`, the oldest first.
pub fn write(contacts: &[ContactSeed], seed: u64) -> Vec<Scene> {
    let mut script = Script { scenes: Vec::new() };
    script.tell_by_hand();
    script.tell_the_rest(contacts, &mut Sequence(seed ^ 0x5EED));
    // Stable: what happens at the same instant keeps its order.
    script.scenes.sort_by_key(|scene| std::cmp::Reverse(scene.ago));
    script.scenes
}

struct Script {
    scenes: Vec<Scene>,
}

/// Who writes to whom over which number.
#[derive(Clone, Copy)]
struct Pair {
    agent: usize,
    number: usize,
    contact: usize,
}

fn pair(agent: usize, number: usize, contact: usize) -> Pair {
    Pair { agent, number, contact }
}

impl Script {
    fn add(&mut self, ago: TimeDelta, act: Act) {
        self.scenes.push(Scene { ago, act });
    }

    fn send(&mut self, pair: Pair, ago: TimeDelta, letter: Letter, fate: Fate) {
        let Pair { agent, number, contact } = pair;
        self.add(ago, Act::Arrive { agent });
        self.add(ago, Act::Send { agent, number, contact, letter, fate });
    }

    fn write(&mut self, pair: Pair, ago: TimeDelta, words: Words) {
        self.add(ago, Act::Write { number: pair.number, contact: pair.contact, words });
    }

    /// A contact's message that finds its agent at the desk.
    fn write_to(&mut self, pair: Pair, ago: TimeDelta, words: Words) {
        self.add(ago, Act::Arrive { agent: pair.agent });
        self.write(pair, ago, words);
    }

    fn answer(&mut self, pair: Pair, ago: TimeDelta, text: &'static str) {
        let Pair { agent, number, contact } = pair;
        self.add(ago, Act::Answer { agent, number, contact, text });
    }

    /// A send, the answer to it, a word back, thanks, and the end of the ticket.
    fn serve(&mut self, pair: Pair, ago: TimeDelta, letter: Letter, answered_after: TimeDelta) {
        let Pair { agent, number, contact } = pair;
        let (reply, thanks) = closing(letter, contact);
        self.send(pair, ago, letter, Fate::Read);
        let answered = ago - answered_after;
        self.write_to(pair, answered, letter.answer);
        self.answer(pair, answered - minutes(3), reply);
        self.write(pair, answered - minutes(5), Words::Text(thanks));
        self.add(answered - minutes(12), Act::Close { agent, number, contact });
    }

    fn tell_by_hand(&mut self) {
        self.tell_of_the_first_agent();
        self.tell_who_waits();
        self.tell_of_others();
        for (contact, ago, letter, fate) in SENT {
            self.send(pair(MARINA, MAIN, contact), minutes(ago), letter, fate);
        }
    }

    fn tell_of_the_first_agent(&mut self) {
        let luiza = pair(MARINA, MAIN, LUIZA);
        let earlier = Pair { agent: JOAO, ..luiza };
        self.write_to(earlier, days(93), Words::Text("Oi, o pedido 45110 já saiu?"));
        self.answer(
            earlier,
            days(93) - minutes(4),
            "Oi, Luiza! Saiu hoje, chega amanhã até as 18h.",
        );
        self.add(days(93) - minutes(20), Act::Close { agent: JOAO, number: MAIN, contact: LUIZA });
        self.serve(luiza, days(19), UPDATE, minutes(31));
        self.send(luiza, hours(22) + minutes(53), READY_EN, Fate::Read);
        self.write_to(luiza, hours(22) + minutes(48), READY_EN.answer);
        self.answer(luiza, hours(22) + minutes(46), "Done. It is under your name until Thursday.");

        let rafael = pair(MARINA, MAIN, RAFAEL);
        self.serve(rafael, days(11), TRACKING, minutes(50));
        self.send(rafael, hours(3) + minutes(10), UPDATE, Fate::Read);
        self.write_to(rafael, hours(2) + minutes(51), UPDATE.answer);
        self.write(rafael, hours(2) + minutes(50), Words::Text("Can it come on Friday instead?"));
        self.answer(
            rafael,
            hours(2) + minutes(44),
            "Of course, Rafael. Between 14:00 and 18:00, is that all right?",
        );
        self.write(rafael, minutes(17), Words::Text("Sorry, I was on the road"));
        self.write(rafael, minutes(16), Words::Text("Yes, that works for me"));

        let chen = pair(MARINA, MAIN, CHEN);
        self.send(chen, days(4), UPDATE, Fate::Read);
        self.write_to(chen, days(4) - hours(2), UPDATE.answer);
        self.answer(chen, days(4) - hours(2) - minutes(4), "Hello! What can I do for you?");
        for (ago, file) in [(7, ROOM), (8, SPOKEN), (9, PAPER)] {
            self.write(chen, days(4) - hours(2) - minutes(ago), Words::File(file));
        }
        self.write(
            chen,
            days(3) + hours(1),
            Words::Text("请把发票发给我。Could you send me the invoice?"),
        );
        self.add(days(3) + minutes(49), Act::Arrive { agent: MARINA });
        self.answer(chen, days(3) + minutes(48), "The invoice is attached");
    }

    /// Two wait for one agent alone, who was away when they answered; two for anyone where nobody is. The
    /// first agent is online with free slots, so nobody may wait in her queues (RO-02, RO-04).
    fn tell_who_waits(&mut self) {
        self.send(pair(JOAO, MAIN, 8), hours(20), READY_PT, Fate::Read);
        self.send(pair(JOAO, MAIN, 12), hours(9), TRACKING, Fate::Read);
        for ago in [51, 26] {
            self.add(minutes(ago), Act::Leave { agent: JOAO });
        }
        self.write(pair(JOAO, MAIN, 8), minutes(50), READY_PT.answer);
        self.write(pair(JOAO, MAIN, 12), minutes(25), TRACKING.answer);
        let waits = |contact| pair(INES, EUROPE, contact);
        self.write(waits(43), minutes(29), Words::Text("Hola, ¿abren la tienda el domingo?"));
        self.write(waits(46), minutes(8), Words::Text("Bom dia! O meu sofá chegou com um risco."));
        self.write(waits(46), minutes(7), Words::Text("Posso mandar uma foto?"));
    }

    fn tell_of_others(&mut self) {
        let moreira = pair(JOAO, MAIN, MOREIRA);
        self.send(moreira, hours(6), READY_PT, Fate::Read);
        self.write_to(moreira, hours(5) + minutes(40), READY_PT.answer);
        self.answer(moreira, hours(5) + minutes(33), "Guardado em seu nome, Luísa.");
        self.write(moreira, hours(5) + minutes(30), Words::Text("E até quando posso buscar?"));

        self.serve(pair(BEATRIZ, MAIN, KELLER), days(61), UPDATE, minutes(25));
        let keller = pair(BEATRIZ, CAMPAIGNS, KELLER);
        self.send(keller, days(24), COUPON, Fate::Read);
        self.write(keller, days(24) - minutes(12), Words::Text("STOP"));

        for (number, agent, contact, letter, ago) in [
            (EUROPE, INES, AMELIE, UPDATE, hours(5)),
            (EUROPE, LUCIA, JONAS, READY_EN, hours(15)),
            (EUROPE, LUCIA, 16, READY_ES, hours(7)),
            (EUROPE, DIEGO, 28, READY_ES, hours(26)),
            (MAIN, BEATRIZ, 57, READY_PT, hours(4)),
            (MAIN, CAIO, 59, VIDEO, hours(12)),
        ] {
            let open = pair(agent, number, contact);
            self.send(open, ago, letter, Fate::Read);
            self.write_to(open, ago - minutes(35), letter.answer);
            self.answer(open, ago - minutes(39), closing(letter, contact).0);
        }
    }

    /// One send or two to everyone else, most of them weeks ago.
    fn tell_the_rest(&mut self, contacts: &[ContactSeed], random: &mut Sequence) {
        let sent = SENT.map(|(contact, ..)| contact);
        let by_hand = |contact| TOLD.contains(&contact) || sent.contains(&contact);
        for (contact, seed) in contacts.iter().enumerate().skip(CABRERA) {
            if contact == CABRERA || by_hand(contact) || SERVED.contains(&contact) {
                continue;
            }
            self.tell_one(contact, seed.chatbot, random);
        }
    }

    fn tell_one(&mut self, contact: usize, chatbot: usize, random: &mut Sequence) {
        let is_recent = !is_clean(contact) && contact.is_multiple_of(4);
        let ago = match is_recent {
            true => hours(9) + minutes(random.whole(61 * 60)),
            false => days(4) + minutes(random.whole(22 * 24 * 60)),
        };
        let is_second_number = random.below(3) == 0;
        let number = match (chatbot, is_second_number) {
            (0, false) => MAIN,
            (0, true) => CAMPAIGNS,
            (_, true) if days(9) < ago => IBERIA,
            _ => EUROPE,
        };
        let agents: &[usize] = match (chatbot, is_recent || number == CAMPAIGNS) {
            (0, true) => &[JOAO, BEATRIZ, CAIO, NORA],
            (0, false) => &[MARINA, JOAO, BEATRIZ, CAIO],
            _ => &[INES, LUCIA, DIEGO, NORA],
        };
        let letters: &[Letter] = match number {
            CAMPAIGNS => &[COME_BACK, COME_BACK, COUPON],
            MAIN => &[READY_PT, TRACKING, UPDATE, VIDEO, READY_PT],
            _ => &[READY_ES, UPDATE, READY_EN, READY_ES],
        };
        let one = pair(agents[random.below(agents.len())], number, contact);
        let letter = letters[random.below(letters.len())];
        if !is_recent && random.below(6) == 0 {
            let before = ago + days(2) + minutes(random.whole(24 * 60));
            let other = agents[random.below(agents.len())];
            let fate = if random.below(2) == 0 { Fate::Read } else { Fate::Delivered };
            self.send(Pair { agent: other, ..one }, before, letter, fate);
        }
        let answered_after = minutes(4 + random.whole(170));
        match (number, random.below(100), is_clean(contact)) {
            (CAMPAIGNS, 0..14, false) => {
                self.send(one, ago, letter, Fate::Read);
                self.write(one, ago - answered_after, Words::Text("PARAR"));
            }
            (CAMPAIGNS, 14..26, _) => {
                self.send(one, ago, letter, Fate::Failed(Trouble::EnoughMarketing));
            }
            (CAMPAIGNS, 26..34, _) => self.send(one, ago, letter, Fate::Failed(Trouble::Spam)),
            (CAMPAIGNS, 34..60, _) => self.send(one, ago, letter, Fate::Delivered),
            (CAMPAIGNS, 60..88, _) | (_, 27..70, _) => self.send(one, ago, letter, Fate::Read),
            (_, 70..91, _) => self.send(one, ago, letter, Fate::Delivered),
            (_, 91..95, _) => self.send(one, ago, letter, Fate::Taken),
            (_, 95.., false) => {
                self.send(one, ago, letter, Fate::Failed(Trouble::NotOnPlatform));
            }
            _ => self.serve(one, ago, letter, answered_after),
        }
    }
}

/// What agents answer, and how people thank, in the letter's language.
fn closing(letter: Letter, contact: usize) -> (&'static str, &'static str) {
    const ENGLISH: [(&str, &str); 3] = [
        ("Done, it is kept under your name.", "Perfect, thank you"),
        ("I have changed it for you, nothing more to do.", "Great, thanks"),
        ("I have asked the store: tomorrow before 18:00.", "Thanks a lot!"),
    ];
    const PORTUGUESE: [(&str, &str); 3] = [
        ("Pronto, está separado em seu nome.", "Obrigada!"),
        ("Já verifiquei: chega amanhã até as 18h.", "Valeu 👍"),
        ("Tudo certo, enviamos sem custo.", "Muito obrigado"),
    ];
    const SPANISH: [(&str, &str); 2] = [
        ("Listo, te lo guardamos hasta el jueves.", "Gracias"),
        ("Hecho, mañana lo tienes en la tienda.", "Perfecto, gracias"),
    ];
    let choices: &[_] = match letter.language {
        "pt_BR" => &PORTUGUESE,
        "es" => &SPANISH,
        _ => &ENGLISH,
    };
    choices[contact % choices.len()]
}

impl Sequence {
    /// The next number, at least 0 and less than `bound`.
    fn whole(&mut self, bound: u32) -> i64 {
        i64::try_from(self.below(usize::try_from(bound).unwrap_or(1))).unwrap_or(0)
    }
}

fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

fn hours(count: i64) -> TimeDelta {
    TimeDelta::hours(count)
}

fn days(count: i64) -> TimeDelta {
    TimeDelta::days(count)
}

/// What fills `letter` for the contact called `name`, by the template's own variables.
pub fn values(letter: &Letter, contact: usize, name: &str) -> Vec<(String, String)> {
    let first = name.split(' ').next().unwrap_or(name);
    let order = (48_213 + contact * 17).to_string();
    let fill = |(key, value): &(&str, &str)| {
        ((*key).to_owned(), if *value == ORDER { order.clone() } else { (*value).to_owned() })
    };
    let first = ("name".to_owned(), first.to_owned());
    std::iter::once(first).chain(letter.values.iter().map(fill)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::demo::company;

    fn script(seed: u64, scale: u32) -> Vec<Scene> {
        write(&company::contacts(company::contact_count(scale), seed), seed)
    }

    fn contact_of(act: &Act) -> Option<usize> {
        match act {
            Act::Arrive { .. } | Act::Leave { .. } => None,
            Act::Send { contact, .. }
            | Act::Write { contact, .. }
            | Act::Answer { contact, .. }
            | Act::Close { contact, .. } => Some(*contact),
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_history() {
        assert_eq!(script(3, 1), script(3, 1));
        assert_ne!(script(3, 1), script(4, 1));
    }

    #[test]
    fn scenes_come_in_the_order_of_time_and_before_the_start() {
        let scenes = script(1, 2);
        assert!(scenes.is_sorted_by_key(|scene| std::cmp::Reverse(scene.ago)));
        assert!(scenes.iter().all(|scene| TimeDelta::minutes(5) < scene.ago));
        assert!(scenes.iter().all(|scene| scene.ago < TimeDelta::days(120)));
    }

    #[test]
    fn most_of_the_first_forty_contacts_stay_clean() {
        assert!(20 <= (0..40).filter(|contact| is_clean(*contact)).count());
        assert!(is_clean(CABRERA));
        for seed in 0..20 {
            let scenes = script(seed, 1);
            let of_clean = |scene: &&Scene| contact_of(&scene.act).is_some_and(is_clean);
            let mut tickets = BTreeMap::new();
            for scene in scenes.iter().filter(of_clean) {
                assert!(TimeDelta::hours(72) < scene.ago, "{scene:?}");
                match &scene.act {
                    Act::Write { contact, words, .. } => {
                        assert_ne!(*words, Words::Text("PARAR"));
                        tickets.insert(*contact, true);
                    }
                    Act::Close { contact, .. } => {
                        tickets.insert(*contact, false);
                    }
                    Act::Send { fate, .. } => {
                        assert_ne!(*fate, Fate::Failed(Trouble::NotOnPlatform));
                    }
                    Act::Arrive { .. } | Act::Leave { .. } | Act::Answer { .. } => {}
                }
            }
            assert!(tickets.values().all(|is_open| !is_open));
        }
    }

    #[test]
    fn there_is_enough_to_look_at() {
        for (seed, scale) in [(0, 1), (1, 1), (7, 3)] {
            let scenes = script(seed, scale);
            let sends = scenes.iter().filter(|scene| {
                matches!(scene.act, Act::Send { .. }) && scene.ago < TimeDelta::days(30)
            });
            assert!(150 * usize::try_from(scale).unwrap() <= sends.count());
            let known: BTreeSet<_> =
                scenes.iter().filter_map(|scene| contact_of(&scene.act)).collect();
            assert!(company::contact_count(scale) * 9 / 10 < known.len());
            let of_flagged =
                |wanted: fn(&Act) -> bool| scenes.iter().any(|scene| wanted(&scene.act));
            assert!(of_flagged(|act| matches!(
                act,
                Act::Send { number: CAMPAIGNS, fate: Fate::Failed(Trouble::Spam), .. }
            )));
            assert!(of_flagged(|act| matches!(
                act,
                Act::Write { number: CAMPAIGNS, words: Words::Text("PARAR"), .. }
            )));
        }
    }

    #[test]
    fn letters_are_of_templates_that_may_be_sent() {
        let templates = company::templates();
        for scene in script(1, 1) {
            if let Act::Send { letter, .. } = scene.act {
                let is_it = |template: &&company::TemplateSeed| {
                    template.name == letter.name && template.language == letter.language
                };
                assert_eq!(templates.iter().find(is_it).unwrap().status, "APPROVED");
            }
        }
    }
}
