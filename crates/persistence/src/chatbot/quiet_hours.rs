//! Quiet hours of a chatbot: the weekly frames in which contacts may be written to (AD-10).

use chrono::Weekday;
use chrono_tz::Tz;
use diesel::prelude::*;
use domain::{
    ids::ChatbotId,
    permission::Permission,
    phone::PhoneNumber,
    quiet_hours::{Frame, QuietHours, WeeklyFrames},
};

use crate::{db::Db, error::PersistenceError, schema::quiet_hours_frames, user::Actor};

/// The weekly frames in which `chatbot` may write, whether or not quiet hours are on (AD-10).
///
/// # Errors
/// When the database fails.
pub fn find_quiet_hours(db: &mut Db, chatbot: ChatbotId) -> Result<WeeklyFrames, PersistenceError> {
    let rows: Vec<(i64, i64, i64)> = quiet_hours_frames::table
        .filter(quiet_hours_frames::chatbot_id.eq(chatbot.0))
        .order((quiet_hours_frames::weekday.asc(), quiet_hours_frames::opens_minute.asc()))
        .select((
            quiet_hours_frames::weekday,
            quiet_hours_frames::opens_minute,
            quiet_hours_frames::closes_minute,
        ))
        .load(db)?;
    rows.into_iter().map(read_frame).collect::<Result<_, _>>().map(WeeklyFrames)
}

/// [`find_quiet_hours`]'s frames in the contact's own zone, else in every zone their number may be in; in
/// `chatbot_zone` where nothing is known of theirs (AD-10). An own zone that cannot be read counts as none.
pub(crate) fn quiet_hours_for(
    db: &mut Db,
    chatbot: ChatbotId,
    chatbot_zone: &str,
    own_zone: Option<&str>,
    phone: Option<&PhoneNumber>,
) -> Result<QuietHours, PersistenceError> {
    let allowed = find_quiet_hours(db, chatbot)?;
    let own_zone: Option<Tz> = own_zone.and_then(|zone| zone.parse().ok());
    let mut zones = match (own_zone, phone) {
        (Some(zone), _) => vec![zone],
        (None, Some(phone)) => phone.candidate_zones().to_vec(),
        (None, None) => Vec::new(),
    };
    if zones.is_empty() {
        let zone = chatbot_zone.parse();
        zones.push(
            zone.map_err(|_| PersistenceError::unreadable("chatbots", "time_zone", chatbot_zone))?,
        );
    }
    Ok(QuietHours { allowed, zones })
}

/// Replaces the weekly frames in which `chatbot` may write.
///
/// # Errors
/// `NotFound` outside the team, `Denied` without *edit general settings*.
pub fn save_quiet_hours(
    db: &mut Db,
    actor: &Actor,
    chatbot: ChatbotId,
    frames: &WeeklyFrames,
) -> Result<(), PersistenceError> {
    actor.require(chatbot, Permission::EditGeneralSettings)?;
    db.write(|db| {
        save_frames(db, chatbot, frames)?;
        super::note_change(db, chatbot);
        Ok(())
    })
}

pub(super) fn save_frames(
    db: &mut Db,
    chatbot: ChatbotId,
    frames: &WeeklyFrames,
) -> Result<(), PersistenceError> {
    diesel::delete(quiet_hours_frames::table.filter(quiet_hours_frames::chatbot_id.eq(chatbot.0)))
        .execute(db)?;
    for frame in &frames.0 {
        diesel::insert_into(quiet_hours_frames::table)
            .values((
                quiet_hours_frames::chatbot_id.eq(chatbot.0),
                quiet_hours_frames::weekday.eq(i64::from(frame.weekday().number_from_monday())),
                quiet_hours_frames::opens_minute.eq(i64::from(frame.opens())),
                quiet_hours_frames::closes_minute.eq(i64::from(frame.closes())),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// Weekday 1 is Monday.
fn read_frame((weekday, opens, closes): (i64, i64, i64)) -> Result<Frame, PersistenceError> {
    let unreadable = || {
        let value = format!("{weekday} {opens} {closes}");
        PersistenceError::unreadable("quiet_hours_frames", "weekday", value)
    };
    let day = u8::try_from(weekday - 1).map_err(|_| unreadable())?;
    let day = Weekday::try_from(day).map_err(|_| unreadable())?;
    let minute = |minute: i64| u16::try_from(minute).map_err(|_| unreadable());
    Frame::new(day, minute(opens)?, minute(closes)?).map_err(|_| unreadable())
}
