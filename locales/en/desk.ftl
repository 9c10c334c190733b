# The desk: conversations, the thread, what stands beside it.
desk-conversations = Conversations
# $name (String) - The contact.
desk-conversation-title = { $name }, conversations
desk-active-message = Active message
desk-tab-waiting = Waiting
desk-tab-in-progress = In progress
desk-tab-sent = Sent
desk-search = Search by name, number or text
desk-search-hint = Name, number or text
desk-no-name = (No name)
desk-you = You
# $text (String) - The message.
desk-last-ours = You: { $text }
# $count (String) - Messages nobody has looked at.
desk-unread = { $count } unread
# $name (String) - The contact.
desk-arrived = New message from { $name }
desk-arrivals = New messages
desk-mark-seen = Mark as read
desk-reserved-for-you = Waits for you alone
# $name (String) - The agent.
desk-reserved-for = Waits for { $name } alone
# $name (String) - The agent.
desk-served-by = { $name } serves
# $count (String) - Sends before the latest.
desk-earlier-sends = { $count } earlier

desk-not-online-on-break = You are on break. Go online to send
desk-not-online-invisible = You are invisible. Go online to send
desk-not-online-offline = You are offline. Go online to send
desk-go-online = Go online

desk-waiting-since = Waiting since
desk-empty-waiting = Nobody waits
desk-empty-waiting-text = New conversations arrive here by themselves.
desk-empty-in-progress = Nothing in progress
desk-empty-in-progress-text = Take a conversation from Waiting, or write first. Answers to your active messages open here.
desk-empty-sent = Nothing sent
desk-empty-sent-text = Your active messages stand here for 72 hours, until the customer answers.
desk-empty-search = Nothing found
# $typed (String) - What was typed.
desk-empty-search-text = No conversation here has { $typed } in its name, number or text.
desk-clear-search = Clear the search
desk-nothing-open = No conversation open
desk-nothing-open-text = Pick one from the list.
desk-nothing-open-keys = The keys j and k move through it.
desk-nothing-open-yet = Messages show here once a conversation is open.
desk-more = Only the latest 100 are shown. Search finds the rest.
desk-show-more = Show more

desk-clock-window = Session window
desk-clock-closed = closed
# $left (String) - Remaining time.
desk-clock-label-open = Session open, { $left } left
# $left (String) - Remaining time.
desk-clock-label-soon = Session closes soon, { $left } left
desk-clock-label-closed = Session closed
# $when (String) - Day and time.
desk-clock-open-until = Open until { $when }. Only an answer of the customer opens it anew.
# $when (String) - Day and time.
desk-clock-closed-since = Closed since { $when }. Only an answer of the customer opens it anew.
desk-clock-never = The customer has not written yet. Only their message opens it.
# $d (String) - Days.
# $h (String) - Hours.
desk-left-days = { $d } d { $h } h
# $h (String) - Hours.
# $m (String) - Minutes, two digits.
desk-left-hours = { $h } h { $m } min
# $h (String) - Hours.
# $m (String) - Minutes, two digits.
desk-left-short = { $h } h { $m }
# $h (String) - Hours.
desk-left-short-hours = { $h } h
# $m (String) - Minutes.
desk-left-minutes = { $m } min
desk-now = now

# $name (String) - The contact.
desk-thread-label = Conversation with { $name }
# $name (String) - The contact.
desk-about-label = About { $name }
desk-about-nobody = About the contact
desk-about-nobody-text = Open a conversation to see whether you may write to the contact, and until when or from when.
desk-back-to-list = Back to the list
desk-back-to-thread = Back to the conversation
desk-messages = Messages
desk-earlier-messages = Earlier messages
desk-latest-messages = Latest messages
desk-no-messages = No messages yet
desk-today = Today
desk-risk-before = This session closes in
desk-risk-at = , at
desk-take = Take
desk-close = Close
desk-program = Automatic

# $name (String) - The template.
# $language (String) - Its language.
desk-template-tag = Template · { $name } · { $language }
desk-media-image = Image
desk-media-video = Video
desk-media-document = Document
desk-media-audio = Voice message
desk-media-location = Location
desk-media-contacts = Contact card
desk-media-sticker = Sticker
desk-media-other = A message of a kind that is not shown here
# $emoji (String) - The reaction.
desk-reaction = Reacted with { $emoji }
desk-reaction-removed = Took a reaction back
# $emoji (String) - The reaction.
# $name (String) - Who put it there.
desk-reaction-by = { $name } reacted with { $emoji }
desk-quote-unknown = A message that is not kept here
desk-quote-revoked = A deleted message
# $name (String) - Who wrote the message that is answered.
desk-quote-label = In answer to { $name }
desk-forwarded = Forwarded
desk-forwarded-often = Forwarded many times
desk-revoked = The customer deleted this message
desk-edited = Edited
desk-edited-earlier = What it said before
desk-from-app = Written on the phone app
desk-from-ad = Came from an ad
desk-from-post = Came from a post
desk-from-elsewhere = Came from a link
# $product (String) - The seller's id of the product.
desk-about-product = Asks about product { $product }
desk-map = Show on a map
desk-place-page = Page of the place
desk-card-phone = Phone
desk-card-email = Email
desk-card-organization = Works at
desk-form = Filled-in form
desk-form-empty = Nothing was filled in
desk-order = Order
# $quantity (String) - How many.
# $price (String) - Price of one with its currency.
desk-order-line = { $quantity } at { $price }
desk-order-total = Total
desk-order-product-unknown = Product without a name
desk-call-accepted = May be called
# $when (String) - Day and time.
desk-call-accepted-until = May be called until { $when }
desk-call-rejected = Does not want to be called
desk-call-unknown = Answered whether they may be called
desk-unsupported = A message that WhatsApp does not hand over
desk-unsupported-type = WhatsApp does not hand messages of this kind over. Ask the customer to say it in words.
desk-unsupported-content = WhatsApp does not have the content of this message. Ask the customer to send it again.
desk-unsupported-media = WhatsApp could not get the file. Ask the customer to send it again.
desk-unsupported-other = WhatsApp did not hand this message over. Ask the customer to send it again.
# $kind (String) - The platform's word for the kind of message.
desk-unknown-kind = A message of the kind "{ $kind }", which cannot be shown here yet. It is kept.

desk-state-scheduled = Scheduled
desk-state-sending = Sending
desk-state-sent = Sent
desk-state-delivered = Delivered
desk-state-read = Read
desk-state-played = Played
desk-state-replied = Replied
desk-state-failed = Failure
desk-state-expired = Expired
# $hours (String) - How long an answer was awaited, such as "24 h".
desk-state-expired-read = Expired: read, but no answer within { $hours }
# $hours (String) - How long an answer was awaited, such as "24 h".
desk-state-expired-delivered = Expired: delivered, but no answer within { $hours }
# $hours (String) - How long an answer was awaited, such as "24 h".
desk-state-expired-sent = Expired: sent, but no answer within { $hours }
# $state (String) - How far it came, such as "Read".
# $hours (String) - How long an answer was awaited, such as "24 h".
desk-state-unanswered = { $state }, but no answer within { $hours }
desk-state-cancelled = Cancelled

desk-failure-unknown-outcome = Nobody knows whether it arrived. It still counts; send again if the customer did not get it.
desk-failure-not-in-time = It could not be sent within 24 hours. Send it again.
desk-failure-session-expired = The session closed before it went out. Send a template, or wait for the customer.
desk-failure-not-on-platform = This number is not on WhatsApp. Check the number or call.
desk-failure-spam = WhatsApp limits this number for low quality. Tell a manager before sending more.
desk-failure-template = WhatsApp no longer takes this template. Choose another one.
desk-failure-busy = WhatsApp was too busy for too long. Send it again.
desk-failure-credentials = The connection to WhatsApp fails. Tell an admin.
# $code (String) - The code.
desk-failure-other = The platform refused it (code { $code }). Try again, or tell an admin the code.
desk-failure-held-back = WhatsApp held it back to spare the customer. Wait a day before you send it again.
# $when (String) - Day and time, such as "23 Nov at 09:00".
desk-failure-held-back-until = WhatsApp held it back to spare the customer. Send it again on { $when }, not before.
desk-failure-held-back-over = WhatsApp held it back to spare the customer. You may send it again now.
desk-failure-experiment = WhatsApp shows this customer no marketing unless they write first. Use another channel, or wait until they write.
desk-failure-permission = The connection to WhatsApp lacks a permission. Tell an admin.
desk-failure-wrong-number = WhatsApp does not take this number. Check it.
desk-failure-misfiled = WhatsApp limits templates of this account because some were filed under the wrong category. Tell an admin.
desk-failure-blocked = The business has blocked this customer on WhatsApp. Ask an admin to lift the block.
desk-failure-country = WhatsApp lets the business write to nobody in this country. Use another channel, and tell an admin.
desk-failure-own-number = The message was for the number it was sent from. Choose another customer.
desk-failure-test-number = A test number writes only to numbers entered for it at WhatsApp. Ask an admin to add this one.
desk-failure-needs-number = WhatsApp needs the customer's phone number for this template. Ask for the number, or choose another template.
desk-failure-identity = The customer's WhatsApp is on another phone now. Make sure that it is still them, then send it again.
desk-failure-media = WhatsApp could not take the file. Check its kind, its size and its address, then send it again.
desk-failure-variables = The values do not fit the template. Check the variables and send it again.
desk-failure-too-long = With its values the text is too long. Shorten a value and send it again.
desk-failure-content = WhatsApp does not allow this text. Choose another template, and tell an admin.
desk-failure-template-paused = WhatsApp has paused this template for low quality. Choose another one, or wait until it is approved again.
# $when (String) - Day and time, such as "23 Nov at 09:00".
desk-failure-template-paused-until = WhatsApp has paused this template for low quality until { $when }. Choose another one, or send it again then.
desk-failure-template-paused-over = WhatsApp had paused this template for low quality. You may send it again now.
desk-failure-template-off = WhatsApp has switched this template off for good. Choose another one.
desk-failure-marketing-off = WhatsApp takes no marketing template this way from this account. Tell an admin.
desk-failure-account = WhatsApp has restricted the account. Nothing goes out until it lifts that. Tell an admin.
desk-failure-billing = WhatsApp is waiting for a payment. Tell an admin.
desk-failure-registration = The number is not registered with WhatsApp as it should be. Tell an admin.
desk-failure-pair = Too many messages to this customer in a short time. Wait a minute and send it again.
# $code (String) - The code.
desk-failure-request = WhatsApp did not take the message as it was put, which is no fault of yours (code { $code }). Tell an admin the code.
# $title (String) - The platform's own words.
# $code (String) - The code.
desk-failure-other-told = The platform refused it: { $title } (code { $code }). Try again, or tell an admin the code.
# $when (String) - Day and time, such as "23 Nov at 09:00".
desk-held-number = It waits: WhatsApp has stopped this number. Next try: { $when }.
# $when (String) - Day and time, such as "23 Nov at 09:00".
desk-held-templates = It waits: WhatsApp takes no templates from this number now. Next try: { $when }.
desk-held-credentials = It waits: the connection to WhatsApp fails. Tell an admin.
# $when (String) - Day and time, such as "23 Nov at 09:00".
desk-held-again = WhatsApp was busy. Next try: { $when }.
desk-held-unknown = It may have left; WhatsApp has not said so yet.

# $name (String) - The contact.
desk-reply-label = Reply to { $name }
desk-reply-hint = Write a reply
desk-reply-keys = Enter sends, Shift Enter is a new line
desk-send = Send
desk-expired = Session expired.
desk-expired-text = You may write freely again once the customer answers.
desk-expired-template = Send a template
desk-expired-kept = What you wrote was not sent. Copy it from here:
desk-take-first = Take this conversation to answer.
# $name (String) - The agent.
desk-take-waits-for = This conversation waits for { $name } alone.
# $name (String) - The agent.
desk-served-by-other = { $name } serves this conversation.
desk-served-elsewhere = Another agent serves this customer now.
desk-moved-answered = The customer wrote: this conversation is in progress now.
desk-moved-answered-waiting = The customer wrote: this conversation waits now.
desk-moved-in-progress = This conversation is in progress now.
desk-moved-waiting = This conversation waits now.
desk-moved-open-in-progress = Open in progress
desk-moved-open-waiting = Open in Waiting
desk-no-ticket = No ticket is open. The customer's answer opens one.

desk-refused-empty = Write something first.
desk-refused-too-long = This is too long: 4,096 characters at most.
desk-refused-expired = Not sent: the session has expired. What you wrote is kept below.
desk-refused-used-up = Not sent: the messages of this session are used up until the customer answers.
desk-refused-closed = Not sent: the ticket was closed meanwhile.
desk-refused-served = Another agent serves this conversation now.
desk-refused-waits = This conversation waits for another agent alone.
desk-refused-not-taken = Take this conversation first.
desk-refused-stale = Not sent: this page was out of date. Check the conversation and send it once more.
desk-refused-quote-gone = Not sent: the message you answer is not there any more. Send it without it, or choose another one.
# $name (String) - Who wrote the message.
desk-answer-this = Answer this message of { $name }
desk-answers-to = Answer to:
desk-answers-cancel = Answer no message
# $name (String) - Who wrote the message.
desk-react = React to this message of { $name }
desk-react-take-back = Take back
desk-emoji-thumbs-up = Thumbs up
desk-emoji-heart = Heart
desk-emoji-laughing = Laughing
desk-emoji-surprised = Surprised
desk-emoji-sad = Sad
desk-emoji-thanks = Thank you

desk-close-title = Close this ticket?
# $protocol (String) - The ticket's number.
# $name (String) - The contact.
desk-close-text = Ticket { $protocol } of { $name } leaves your desk. If the customer writes again, a new one opens.
desk-close-keep = Keep it open
desk-close-confirm = Close the ticket
# $protocol (String) - The ticket's number.
desk-closed-toast = Ticket { $protocol } is closed

desk-gate-title = May I write?
desk-gate-reply-and-message = Yes, reply and active message
desk-gate-reply-message-later = Reply yes. Active message not yet
desk-gate-reply-no-message = Reply yes. Active message no
desk-gate-template-only = Reply no. Template yes
desk-gate-message = Active message yes
desk-gate-not-yet = Not yet
desk-gate-no = No
desk-gate-unknown = Not known yet
desk-gate-unknown-text = This number has no message templates yet.
desk-gate-session-open = Session open
# $when (String) - Time.
desk-gate-until = until { $when }
desk-gate-session-closed = Session closed
desk-gate-until-answer = until they answer
desk-gate-ticket = Open ticket
desk-gate-after-closing = after closing
# $used (String) - Sends counted.
# $limit (String) - Sends allowed.
desk-gate-your-limit = Your limit, { $used } of { $limit }
# $used (String) - Sends counted.
# $limit (String) - Sends allowed.
desk-gate-team-limit = Limit of all agents, { $used } of { $limit }
# $left (String) - Remaining time.
desk-gate-in = in { $left }
desk-gate-free = free
desk-gate-go-online = go online
desk-gate-not-online = You are not online
desk-gate-marketing-stop = No marketing

# $phone (String) - The number.
desk-number-title = Number { $phone }
desk-number-rating = Rating
desk-rating-high = High
desk-rating-medium = Medium
desk-rating-low = Low
desk-number-unique = Unique contacts, 24 h
# $used (String) - Contacts counted.
# $limit (String) - Contacts allowed.
desk-number-of = { $used } of { $limit }

desk-contact-title = Contact
desk-contact-ticket = Ticket
desk-contact-first = First contact
desk-contact-last-agent = Last agent
desk-contact-marketing = Marketing
desk-marketing-in = opted in
desk-marketing-out = said stop
desk-marketing-unknown = not asked
desk-contact-tags = Tags
# $place (String) - The city of the zone.
desk-local-there = { $place },
desk-local-to = to
desk-local-suffix = there
desk-history-title = History
# $to (String) - The new number.
desk-history-number = Number changed to { $to }
desk-history-id = Goes by another WhatsApp id
desk-history-key = Another device: make sure who it is
# $name (String) - The contact they are from then on.
desk-history-is-now = Is { $name } now, says WhatsApp
# $name (String) - The contact they were until then.
desk-history-was = Was { $name } before, says WhatsApp
desk-history-stop = Told WhatsApp: no more offers
desk-history-resume = Told WhatsApp: offers again
desk-history-signup = Signed up on WhatsApp
desk-send-price = price
# $category (String) - The platform's word for the rate.
desk-price-charged = charged ({ $category })
desk-price-free = free
desk-tickets-title = Earlier tickets
desk-tickets-none = None yet
# $protocol (String) - The ticket's number.
# $name (String) - Who closed it.
desk-ticket-closed-by = { $protocol }, closed by { $name }
# $protocol (String) - The ticket's number.
desk-ticket-closed = { $protocol }, closed

desk-sends-title = Your sends
# $name (String) - The template.
# $language (String) - Its language.
desk-send-template = { $name } · { $language }
desk-send-until = listed until

desk-keys = Keys
desk-keys-help = This help
desk-keys-search = Search
desk-keys-next = Next, previous conversation
desk-keys-message = Active message
desk-keys-reply = Reply
desk-keys-close = Close the ticket
desk-keys-desk = Desk
desk-keys-sent = Sent
desk-keys-shut = Close
desk-next = Next conversation
desk-previous = Previous conversation

desk-channel-whatsapp = WhatsApp
desk-channel-wechat = WeChat
desk-channel-wecom = WeCom
desk-channel-sms = SMS
