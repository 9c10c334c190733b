//! Jobs: when each runs, how its latest run went, and *Run now* (JO-03).

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use domain::permission::WorkspacePermission;
use persistence::job::{self, JobOverview, JobRun};

use crate::{
    desk::Desk,
    error::WebError,
    flash::{Flash, Flashed},
    form::{html, see_other},
    locale::Words,
    moment::{Moment, Viewer},
    page::{Page, Place},
    session::{Admin, PortalUser, Session},
    visit::Visit,
};

/// Every job. After *Run now* the page says so.
pub async fn show_jobs(
    desk: Data<Desk>,
    visit: Visit,
    user: PortalUser,
    flashed: Flashed,
) -> Result<HttpResponse, WebError> {
    let jobs = desk.store.read(job::list_jobs).await?;
    let mut shown = JobsPage::new(&visit, &user, jobs);
    shown.page.toast = flashed.toast(&desk, &user, visit.t()).await?;
    flashed.told(html(StatusCode::OK, &shown)?)
}

/// *Run now*: whichever process holds the lease obeys at its next look.
pub async fn submit_run(
    desk: Data<Desk>,
    visit: Visit,
    admin: Admin,
    path: Path<String>,
) -> Result<HttpResponse, WebError> {
    let (actor, now, name) = (admin.actor.clone(), visit.now, path.into_inner());
    desk.store.write(move |db| job::request_run_as(db, &actor, &name, now)).await?;
    Flash::JobAsked.beside(see_other("/portal/jobs"), &admin, &desk)
}

/// The page.
#[derive(Template)]
#[template(path = "portal/jobs.html")]
pub struct JobsPage {
    t: Words,
    /// The frame.
    pub page: Page,
    jobs: Vec<JobView>,
    may_run: bool,
}

/// One job, display-ready.
#[derive(Debug, Clone)]
struct JobView {
    name: String,
    title: String,
    schedule: String,
    /// The pattern and its zone, on hover.
    pattern: String,
    state: JobState,
    last: Option<Moment>,
    duration: String,
    rows: String,
    error: Option<String>,
    /// When nobody was there for it, after its latest run.
    passed_over: Option<Moment>,
    next: Option<Moment>,
    run_path: String,
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct JobState {
    icon: &'static str,
    tone: &'static str,
    text: String,
}

impl JobsPage {
    /// The jobs as the viewer sees them.
    #[must_use]
    pub fn new(visit: &Visit, user: &Session, jobs: Vec<JobOverview>) -> Self {
        let t = visit.t();
        let viewer = visit.viewer();
        Self {
            t,
            page: Page::new(visit, user, t.nav_jobs(), Place::Jobs),
            jobs: jobs.iter().map(|job| job_view(job, &viewer)).collect(),
            may_run: user.actor.may_in_workspace(WorkspacePermission::ManageUsers),
        }
    }
}

fn job_view(job: &JobOverview, viewer: &Viewer) -> JobView {
    let t = viewer.words();
    let run = job.last_run.as_ref();
    let rows = run.and_then(|run| run.rows_touched);
    let passed_over = passed_over(job);
    JobView {
        title: title(&job.line.name, t),
        schedule: schedule(&job.line.schedule, t),
        pattern: format!("{} ({})", job.line.schedule, job.line.time_zone),
        state: state(job, viewer.now, t),
        last: run.map(|run| viewer.at(run.started_at)),
        duration: run.and_then(duration).map_or_else(String::new, |took| duration_text(took, t)),
        rows: rows.map_or_else(String::new, |rows| viewer.locale.number(rows)),
        error: run.and_then(|run| run.error.clone()).filter(|_| passed_over.is_none()),
        passed_over: passed_over.map(|at| viewer.at(at)),
        next: job.line.next_run_at.map(|at| viewer.at(at)),
        run_path: format!("/portal/jobs/{}/run", job.line.name),
        name: job.line.name.clone(),
    }
}

/// Longer past its time than this, a job that is not running is late.
const LATE_AFTER: TimeDelta = TimeDelta::minutes(1);

fn state(job: &JobOverview, now: DateTime<Utc>, t: Words) -> JobState {
    let is_late = job.line.next_run_at.is_some_and(|next| next + LATE_AFTER < now);
    let (icon, tone, text) = match &job.last_run {
        Some(run) if run.finished_at.is_none() => ("play", "accent", t.portal_job_running()),
        _ if job.run_requested => ("clock", "accent", t.portal_job_requested()),
        _ if is_late => ("triangle-alert", "warn", t.portal_job_late()),
        _ if passed_over(job).is_some() => ("minus", "", t.portal_job_passed_over()),
        Some(run) if run.error.is_some() => ("circle-alert", "bad", t.portal_job_failed()),
        Some(_) => ("check", "good", t.portal_job_done()),
        None => ("minus", "", t.portal_job_never()),
    };
    JobState { icon, tone, text }
}

/// The occurrence passed over since the latest run; `None` when the job ran after it.
fn passed_over(job: &JobOverview) -> Option<DateTime<Utc>> {
    let ran_after = |at| job.last_run.as_ref().is_some_and(|run| at <= run.started_at);
    job.passed_over_at.filter(|at| !ran_after(*at))
}

fn duration(run: &JobRun) -> Option<TimeDelta> {
    run.finished_at.map(|end| end - run.started_at)
}

fn duration_text(took: TimeDelta, t: Words) -> String {
    match took.num_milliseconds() {
        ..1_000 => t.portal_job_milliseconds(took.num_milliseconds().to_string()),
        1_000..60_000 => t.portal_job_seconds(took.num_seconds().to_string()),
        _ => t.portal_job_minutes(
            took.num_minutes().to_string(),
            (took.num_seconds() % 60).to_string(),
        ),
    }
}

/// What a job does; one that a newer version knows is shown by its name.
fn title(name: &str, t: Words) -> String {
    match name {
        "expire_active_messages" => t.portal_job_expire(),
        "take_off_desk" => t.portal_job_off_desk(),
        "settle_ambiguous_sends" => t.portal_job_settle(),
        "read_numbers" => t.portal_job_numbers(),
        "move_windows" => t.portal_job_windows(),
        "prove_counters" => t.portal_job_recount(),
        "sync_templates" => t.portal_job_templates(),
        "take_agents_offline" => t.portal_job_presence(),
        "tidy" => t.portal_job_tidy(),
        other => other.to_owned(),
    }
}

/// A pattern in words where it has a usual shape, else the pattern itself.
fn schedule(pattern: &str, t: Words) -> String {
    let fields: Vec<&str> = pattern.split_whitespace().collect();
    let [second, minute, hour, "*", "*", "*"] = fields.as_slice() else {
        return pattern.to_owned();
    };
    let every = |field: &str| field.strip_prefix("*/").and_then(|step| step.parse::<u32>().ok());
    let fixed = |field: &str| field.parse::<u32>().ok();
    if *hour == "*" && *minute == "*" {
        if let Some(step) = every(second) {
            return t.portal_schedule_seconds(step.to_string());
        }
        if fixed(second).is_some() {
            return t.portal_schedule_minute();
        }
    }
    if fixed(second).is_none() {
        return pattern.to_owned();
    }
    match (every(minute), fixed(minute), *hour, fixed(hour)) {
        (Some(step), _, "*", _) => t.portal_schedule_minutes(step.to_string()),
        (_, Some(_), "*", _) => t.portal_schedule_hour(),
        (_, Some(minute), _, Some(hour)) => t.portal_schedule_day(format!("{hour:02}:{minute:02}")),
        _ => pattern.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::schedule;
    use crate::locale::Locale;

    #[test]
    fn usual_schedules_are_said_in_words_and_others_shown_as_they_are() {
        let cases = [
            ("*/15 * * * * *", "every 15 seconds"),
            ("20 * * * * *", "every minute"),
            ("40 */15 * * * *", "every 15 minutes"),
            ("50 7 * * * *", "every hour"),
            ("0 17 3 * * *", "every day at 03:17"),
            ("0 0 3 * * MON", "0 0 3 * * MON"),
            ("* * * * * *", "* * * * * *"),
            ("nonsense", "nonsense"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(schedule(pattern, Locale::En.words()), expected);
        }
    }
}
