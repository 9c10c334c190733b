# The portal: general settings, all active messages, jobs.
portal-chatbot = Chatbot
portal-save = Save
portal-saved = Settings saved. They hold from now on.
# $name (String) - Who saved the settings.
portal-changed-by = Last changed by { $name }
portal-overtaken = Someone else saved these settings meanwhile
portal-overtaken-text = What you entered stands below and is not saved yet. Save again to replace theirs.
portal-overtaken-link = See theirs instead
portal-never-changed = Never changed: these are the defaults.
portal-look-only = You may look at these settings, but not change them
# $names (String) - The people, by name.
portal-look-only-editors = Who may change them: { $names }.
portal-look-only-nobody = Nobody may change them at present. Ask an admin for the permission.
portal-on = On
portal-off = Off

portal-active-messages-hint = What agents may send before a customer writes.
portal-active-messages-switch = Active messages
portal-active-messages-switch-hint = On: agents with the permission may send templates. Off: nobody may, and replies go on.
portal-missing = Still missing before it can be turned on
portal-missing-number = No number is connected
portal-missing-number-how = This version of Janela has no page to connect one: only the numbers of its demo are there.
portal-missing-webhook = No webhook is verified
portal-missing-webhook-how = In the app's WhatsApp configuration at Meta, enter this callback address and the connection's verify token. Meta calls once, and this line goes.
portal-missing-webhook-later = It can be verified once a number is connected.
portal-missing-webhook-link = Open the app dashboard
portal-missing-template = No template is approved
portal-missing-template-how = Have one approved in WhatsApp Manager. Janela reads templates every 15 minutes, and an admin can have them read at once.
portal-missing-template-link = Open WhatsApp Manager
portal-missing-template-job = Read templates now
portal-not-ready = Active messages cannot be turned on yet. See what is missing below.
portal-cap = Limit the total number of active messages per customer
portal-cap-hint = Off: only the platform's own limits hold.
portal-cap-sends = Messages per customer in 24 hours
portal-cap-sends-hint = A whole number from 1 to 100. A failed message is given back. Replies in a session do not count.
portal-cap-blank = Enter how many messages a customer may get in 24 hours
portal-cap-not-whole = Messages per customer must be a whole number, in digits
# $least (String) - The least.
# $most (String) - The most.
portal-cap-out-of-bounds = Messages per customer must be from { $least } to { $most }
portal-scope = Who shares the limit
portal-scope-each = Each agent separately
portal-scope-each-hint = Every agent may send that many to the same customer, whatever colleagues sent.
portal-scope-all = All agents together
portal-scope-all-hint = A customer gets that many in all: what a colleague sent counts for everyone.

portal-direct-transfer = Direct transfer
portal-direct-transfer-hint = Where the reply to an active message goes.
portal-direct-transfer-switch = Replies go straight to the agent who wrote
portal-direct-transfer-switch-hint = On: the reply opens in the agent's In progress while the agent is online. Off: it waits in the queue for that agent alone.

portal-jobs-hint = What happens without a click.
portal-jobs-empty = No jobs yet
portal-jobs-empty-text = They appear here once the server runs its timetable.
portal-job = Job
portal-job-last = Last run
portal-job-duration = Duration
portal-job-rows = Rows
portal-job-next = Next run
portal-job-run = Run now
portal-job-asked = Asked for. It runs within seconds.
portal-job-running = Running
portal-job-requested = Starts shortly
portal-job-late = Late
portal-job-failed = Failed
portal-job-done = Done
portal-job-never = Not run yet
portal-job-passed-over = Skipped
portal-job-passed-over-why = Janela was not running at
# $count (String) - How many.
portal-job-milliseconds = { $count } ms
# $count (String) - How many.
portal-job-seconds = { $count } s
# $minutes (String) - Whole minutes.
# $seconds (String) - The rest.
portal-job-minutes = { $minutes } min { $seconds } s
portal-job-expire = Expire active messages
portal-job-off-desk = Take old sends off the desk
portal-job-settle = Settle unknown outcomes
portal-job-numbers = Read numbers
portal-job-windows = Move the windows of numbers
portal-job-recount = Prove the counters
portal-job-templates = Read templates
portal-job-presence = Take absent agents offline
portal-job-tidy = Delete what was kept long enough
# $count (String) - How many.
portal-schedule-seconds = every { $count } seconds
portal-schedule-minute = every minute
# $count (String) - How many.
portal-schedule-minutes = every { $count } minutes
portal-schedule-hour = every hour
# $time (String) - A time of day.
portal-schedule-day = every day at { $time }

portal-growth-hint = Every message an agent or a program sent first.
portal-growth-caption = Active messages, newest first
portal-filter = Filter
portal-search = Contact: name or number
portal-all = all
portal-apply = Apply
portal-agent = Agent
portal-template = Template
portal-state = State
portal-from = From
portal-to = To
portal-when = When
portal-contact = Contact
portal-number = Number
portal-pages = Pages
portal-newest-first = Newest first
portal-older = Older
portal-nothing-found = Nothing found
portal-nothing-found-text = No active message fits these filters.
portal-clear = Clear the filters
portal-filter-search-gone = What was searched for is kept for a day only. Enter it again.
portal-filter-no-agent = Agent: there is no such person in your teams. Choose one from the list.
portal-filter-no-template = Template: there is no such template. Choose one from the list.
portal-filter-no-state = State: there is no such state. Choose one from the list.
portal-filter-no-chatbot = Chatbot: there is no such chatbot among yours. Choose one from the list.
portal-filter-no-day = Enter a day such as 2026-11-22
portal-filter-days-turned = The last day is before the first
portal-no-sends = No active messages yet
portal-no-sends-text = What agents send first shows here, with its state. Sending starts on the desk.
portal-open-desk = Open the desk
# $name (String) - The token's name.
portal-by-token = Program { $name }
portal-all-sends = All active messages
# $name (String) - The contact.
portal-send-title = Active message to { $name }
portal-message = Message
portal-why = Why
portal-expires = Replies count until
portal-history = History
portal-what = What
portal-source = Told by
portal-event-accepted = Sent: accepted by the platform
portal-event-unsettled = Sending: outcome unknown
portal-source-platform = Platform
portal-source-dispatcher = Janela, when sending
portal-source-job = Janela, by a job
portal-source-clock = Janela, by the clock
portal-decision = Why it was allowed
portal-no-decision = The decision is no longer kept, or you may not read decisions.
portal-verdict = Decision
portal-allowed = Allowed, nothing stood against it
portal-policy = Policy
# $profile (String) - The profile's name.
# $version (String) - Its number.
portal-policy-version = { $profile }, version { $version }
portal-door = Asked for
portal-door-desk = on the desk
portal-door-outside-hours = on the outside-hours screen
portal-door-api = by the API
portal-door-schedule = by a schedule
portal-facts = What was seen
portal-yes = yes
portal-no = no
portal-fact-permitted = Permission to send
portal-fact-switch = Active messages on
portal-fact-cap = Sent to this customer in 24 hours
# $count (String) - How many.
# $limit (String) - The limit.
portal-fact-cap-of = { $count } of { $limit }
portal-fact-cap-off = no limit set
portal-fact-tier = Customers of the number in 24 hours
portal-fact-tier-none = no limit of the platform
portal-fact-session = Session
# $when (String) - Day and time.
portal-fact-session-open = open until { $when }
portal-fact-session-closed = closed
portal-fact-opt-outs = Opt-outs
portal-fact-none = none
portal-fact-ticket = Open ticket
portal-fact-quiet = Quiet hours apply

portal-read-marks = Read marks
portal-read-marks-hint = What customers see of the desk in WhatsApp.
portal-read-marks-switch = Tell customers that their messages were read
portal-read-marks-switch-hint = They see it when an agent looks at the conversation, and that someone is typing. Off, they see neither.
# $phone (String) - The number.
portal-number-rests = { $phone } sends nothing for now
# $phone (String) - The number.
portal-number-templates-rest = { $phone } sends no templates for now
# $since (String) - When it was told to stop.
# $until (String) - When it is tried again.
portal-number-rests-until = Stopped { $since }. Messages wait; next try: { $until }.
portal-number-resume = Try again now
portal-number-resumed = The number sends again

portal-numbers = Numbers
portal-numbers-hint = What WhatsApp says of each, and what happened to it.
portal-numbers-none = No number is connected yet.
portal-number-no-history = Nothing happened yet.
portal-number-unread = not read yet
portal-number-no-end = until further notice
# $when (String) - Day and time.
portal-number-until = until { $when }
portal-number-restricted = May not write first
# $after (String) - What it is now.
# $before (String) - What it was.
portal-number-changed = { $after }, before: { $before }
# $limit (String) - Customers in 24 hours, as WhatsApp wrote it.
portal-number-limit-is = limit { $limit }
portal-number-connected = Connected
portal-number-disconnected = Disconnected
portal-number-flagged = Flagged for low quality
portal-number-restricted-status = Restricted
portal-number-banned = Banned
portal-number-event-quality = Quality or limit changed
portal-number-event-limit = Limit changed
portal-number-event-account = Account changed
portal-number-event-alert = WhatsApp alert
portal-number-event-review = Account reviewed
portal-number-event-name = Display name reviewed
portal-number-event-username = Username changed
portal-number-event-security = Two-step verification changed
portal-number-event-refusal = Message refused
portal-number-event-trouble = Trouble at WhatsApp
portal-number-event-paused = Stopped for now
portal-number-event-resumed = Sends again
portal-number-event-promoted = Limit raised by Janela
portal-number-event-rating = Rating changed
portal-number-event-status = Status changed
portal-number-event-template-status = Template status changed
portal-number-event-template-quality = Template quality changed
portal-number-event-template-category = Template category changed
portal-number-event-template-components = Template text changed
