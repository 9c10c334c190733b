# The sandbox: the customers' phones, the mailbox and the clock.
sandbox-product = Janela sandbox
sandbox-skip = Skip to content
sandbox-pages = Pages
sandbox-language = Language
sandbox-lost = The sandbox does not answer. Trying again.
sandbox-back = Connected again.
sandbox-today = Today

sandbox-clock = Clock of desk and sandbox
sandbox-clock-hint = Desk and sandbox live by this clock. It moves forward only.
sandbox-clock-forward = Move the clock forward
sandbox-clock-hour = +1 hour
sandbox-clock-day = +1 day
sandbox-clock-week = +1 week
# $when (String) - Day and time.
sandbox-clock-moved = It is now { $when }, here and on the desk.
sandbox-clock-no-step = The clock moves by a duration such as PT1H.

sandbox-phones = Phones
sandbox-phones-hint = Play the customer: read, answer, tap.
sandbox-search = Name or number
sandbox-search-label = Find a customer by name or number
sandbox-customers = Customers
sandbox-customer = Customer
sandbox-no-customers = No customers yet. One appears as soon as it is written to.
# $query (String) - What was searched for.
sandbox-no-match = No customer matches “{ $query }”.
# $count (String) - How many more there are.
sandbox-left-out = { $count } more. Search by name or number to find them.
sandbox-nothing-yet = Nothing yet
sandbox-blocked-tag = blocked
sandbox-customer-wrote = The customer wrote:
sandbox-unread = unread
sandbox-choose = Choose a customer
sandbox-choose-text = What the desk sends arrives here within a second. Answer as the customer, and the answer arrives at the desk.
sandbox-new = A new customer writes first
sandbox-new-phone = Phone number
sandbox-new-to = To
sandbox-message = Message
sandbox-send = Send
# $phone (String) - A phone number.
sandbox-unknown = No phone has the number { $phone }
sandbox-unknown-text = The sandbox forgets customers and messages when it is started anew. This one appears again as soon as it is written to, or writes.
sandbox-unknown-write = Let this customer write
sandbox-back-to-customers = Back to the customers

sandbox-chat = Chat
# $business (String) - Who the chat is with.
sandbox-messages = Messages with { $business }
sandbox-other-businesses = Chats with other businesses
sandbox-chat-empty = No messages here yet. What the desk sends to this number arrives here.
# $when (String) - Day and time.
sandbox-since = The phone remembers what came since { $when }, when the sandbox was started.
# $when (String) - Day and time.
sandbox-since-past = The phone remembers the seeded past, and what came since { $when }, when the sandbox was started.
sandbox-not-arrived = A message of the business did not arrive.
# $name (String) - The customer.
sandbox-write-as = Write as { $name }
# $emoji (String) - The emoji.
sandbox-reaction = Reaction { $emoji }
sandbox-tapped = (tapped)
sandbox-tick-sent = Sent
sandbox-tick-delivered = Delivered
sandbox-tick-read = Read
sandbox-image = Photo
sandbox-video = Video
sandbox-audio = Audio
sandbox-document = Document
sandbox-voice = Voice note
sandbox-send-file = Send a
sandbox-sticker = Sticker
# $number (String) - The number it calls.
sandbox-button-calls = calls { $number }
# $code (String) - The code it copies.
sandbox-button-copies = copies { $code }
sandbox-stop = Stop marketing
sandbox-stop-hint = Tell this business to send no more marketing
sandbox-stopped-note = You asked this business to send no more marketing.
sandbox-resume = Resume marketing
sandbox-resume-hint = Let this business send marketing again
sandbox-block = Block
sandbox-block-hint = Receive nothing more from businesses; they are told nothing
sandbox-unblock = Unblock
sandbox-unblock-hint = Receive messages of businesses again
sandbox-blocked-note = You blocked this business. Its messages do not arrive, and you cannot write to it.
sandbox-report = Report
sandbox-report-hint = Report the business to the platform
sandbox-reported = Reported
sandbox-reported-note = You reported this business. It counts against the rating of its number.

sandbox-refused-blocked = You blocked this business. Unblock it to write again.
sandbox-refused-text = Write something first, at most 4,096 characters.
sandbox-refused-phone = A phone number needs 7 to 15 digits, with the country code first.
sandbox-refused-unknown-phone = There is no such customer.
sandbox-refused-unknown-number = There is no such business number.
sandbox-refused-message = That message is gone.
sandbox-refused-button = This button sends nothing.

sandbox-mailbox = Mailbox
sandbox-mailbox-hint = Every mail the desk sends, newest first.
sandbox-mails = Mails
sandbox-mail = Mail
sandbox-no-mail = No mail yet
sandbox-no-mail-text = Alerts, invitations and reports that the desk sends arrive here instead of at a real address.
sandbox-mail-gone = There is no such mail
sandbox-mail-gone-text = The mailbox is empty when the sandbox is started anew, and keeps the latest thousand.
sandbox-back-to-mails = Back to the mails
# $sender (String) - Who sent it.
sandbox-mail-from = From { $sender }
# $recipients (String) - Who gets it.
sandbox-mail-to = to { $recipients }
# $count (String) - How many files.
sandbox-attached = { $count } attached
sandbox-no-subject = (no subject)
sandbox-mail-frame = The mail as its reader sees it
sandbox-plain = Plain text
