# The portal: general settings, all active messages, jobs.
portal-chatbot = Chatbot
portal-save = Save
portal-saved = Saved
# $name (String) - Who saved the settings.
portal-changed-by = Last changed by { $name }
portal-never-changed = Never changed: these are the defaults.

portal-active-messages-hint = What agents may send before a customer writes.
portal-active-messages-switch = Active messages
portal-active-messages-switch-hint = On: agents with the permission may send templates. Off: nobody may, and replies go on.
portal-missing = Still missing before it can be turned on
portal-missing-number = No number is connected
portal-missing-number-how = Connect a WhatsApp number to this chatbot.
portal-missing-webhook = No webhook is verified
portal-missing-webhook-how = Enter the webhook's address and its verify token at the platform. It calls once, and this line goes.
portal-missing-template = No template is approved
portal-missing-template-how = Have one approved by the platform. Templates are read by a job.
portal-missing-template-link = See when it runs next
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
portal-direct-transfer-hint = Where the answer to an active message goes.
portal-direct-transfer-switch = Answers go straight to the agent who wrote
portal-direct-transfer-switch-hint = On: the answer opens in the agent's In progress while the agent is online. Off: it waits in the queue for that agent alone.
