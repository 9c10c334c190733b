# Why an active message may not go out: what stands against it, short and in a sentence.
refusal-not-permitted = You may not send active messages here
# $chatbot (String) - The chatbot's name.
refusal-not-permitted-why = You lack the permission, or you are not in the team of { $chatbot }. Ask an admin.
refusal-agent-not-online = You are not online
refusal-agent-not-online-why = Go online to send active messages.
refusal-active-messages-disabled = Active messages are off
# $chatbot (String) - The chatbot's name.
refusal-active-messages-disabled-why = { $chatbot } does not send active messages now. An admin can turn them on in General settings.
refusal-channel-cannot-initiate = The customer must write first
refusal-channel-cannot-initiate-why = On this channel nobody may start a conversation. Wait for the customer, or use another channel.
refusal-number-not-ready = The number cannot send
refusal-number-not-ready-why = It is disconnected, restricted or refused by the platform. Tell an admin, or choose another number.
refusal-tier-limit-reached = The number's limit is reached
refusal-tier-limit-reached-why = It has written to as many customers in 24 hours as the platform allows. Replies in open sessions go on.
refusal-template-not-approved = The template may not be used
refusal-template-not-approved-why = The platform has not approved it, or has paused or disabled it. Choose another template.
refusal-contact-unreachable = Cannot be reached here
refusal-contact-unreachable-why = The contact has no valid number on this channel. Check the number.
refusal-contact-opted-out = Said stop
refusal-contact-opted-out-why = The contact does not want such messages. It holds until the contact takes it back.
refusal-contact-has-open-ticket = Open ticket
refusal-contact-has-open-ticket-why = The contact is being served right now. Write in that conversation, or wait until it is closed.
refusal-already-called-back = Already called back
refusal-already-called-back-why = Someone has written to this contact from this list already.
# $limit (String) - How many active messages a contact may get.
refusal-agent-contact-cap = Limit of { $limit } in 24 hours reached
# $chatbot (String) - The chatbot's name.
# $limit (String) - How many active messages a contact may get.
refusal-agent-contact-cap-why = The limit of { $chatbot } is { $limit } active messages to one contact in 24 hours. If the contact answers, you can reply at once.
refusal-quiet-hours = Quiet hours
refusal-quiet-hours-why = At this hour the contact may not be written to; the contact's own time zone counts.
refusal-variables-invalid = Variables to correct
refusal-variables-invalid-why = A variable is missing, too long or has line breaks or too many spaces. Correct it at the field.
refusal-insufficient-credit = Not enough credit
refusal-insufficient-credit-why = The balance is below the price of this message. Ask an admin to add credit.
# $left (String) - Remaining time, such as "17 h 00 min".
# $when (String) - Day and time, such as "23 Nov at 09:00".
refusal-again-in = You may write again in { $left }, on { $when }.
# $left (String) - Remaining time, such as "17 h 00 min".
# $when (String) - A time of today, such as "15:14".
refusal-again-today = You may write again in { $left }, at { $when }.
# $left (String) - Remaining time, such as "17 h 00 min".
refusal-in = in { $left }
