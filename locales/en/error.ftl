# Pages for what could not be done: what happened, and what to do next.
error-way-on = Go on
# $code (String) - The stable code of the error.
# $id (String) - Names the request in the log.
error-reference = { $code } · reference { $id }
error-not-found = This page is not here
error-not-found-next = It may have been moved or removed, or it is not yours to see. Go on from the start page.
error-sign-in-needed = Sign in first
error-sign-in-needed-next = Your session has ended. Sign in and try again.
error-forbidden = You may not do this
error-forbidden-next = Ask an admin for the permission if you need it for your work.
error-foreign-origin = This request was stopped
error-foreign-origin-next = It did not come from a page at Janela's own address. Open Janela at that address and do it there. If it is the one you opened, the admin sets the public URL (JANELA_PUBLIC_URL) to it.
error-stale-form = This form is out of date
error-stale-form-next = You signed in again since it was opened. Load the page anew and send it once more.
error-bad-request = This request cannot be read
error-bad-request-next = Go back, load the page anew and try again.
error-too-large = This is too large
error-too-large-next = Send less at once.
error-unavailable = Janela is busy right now
error-unavailable-next = Nothing was changed. Try again in a moment.
error-clock-jumped = This server's clock jumped, so sending is paused
error-clock-jumped-next = Nothing was sent or lost. Send again in ten minutes, or ask your admin to confirm the clock.
error-too-many = Too many tries
# $wait (String) - How long until the next try.
error-too-many-next = Wait { $wait } and try again.
error-internal = Something went wrong on our side
error-internal-next = It was noted. Try again; if it stays, tell your admin the reference below.
