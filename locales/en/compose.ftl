# The dialog Active message: template, recipient, variables.
compose-title = Active message
compose-close = Close
compose-cancel = Cancel
compose-back = Back
compose-continue = Continue
compose-send = Send
compose-show = Show
compose-step-template = Template
compose-step-recipient = Recipient
compose-step-variables = Variables
compose-step-done = Done:
compose-preview = Preview
compose-view-full-model = View full model

# Who may not send here, or not now.
compose-invisible = You are invisible. Go online to send
compose-on-break = You are on break. Go online to send
compose-offline = You are offline. Go online to send
compose-go-online = Go online
compose-not-online-why = What you typed stays here.
compose-not-online-refused = Nothing was sent. What you typed stays here: go online, then press Send again.
compose-nowhere = You may not send active messages
compose-nowhere-why = No chatbot of yours has a number you may send from. Ask an admin for the permission.

# Step 1.
compose-template = Template
compose-template-hint = name
compose-language = Language
compose-language-all = all
compose-chatbot = Chatbot
compose-from = From
compose-chosen = chosen
compose-no-templates = No template fits
compose-no-templates-why = Change the name, the language or the chatbot. New templates are made in the platform's console and appear here once they are read.
compose-marketing = marketing
compose-utility = utility
compose-authentication = authentication
compose-approved = approved
compose-pending = in review
compose-rejected = rejected
compose-paused = paused
compose-disabled = disabled
compose-archived = archived
compose-gone = gone
compose-pending-why = Only approved templates can be sent. The platform is still reviewing this one.
compose-rejected-why = The platform rejected this template. Only approved templates can be sent.
compose-paused-why = The platform paused this template because of its quality. Choose another one.
# $when (String) - Day and time, such as "23 Nov at 09:00".
compose-paused-until-why = The platform paused this template because of its quality, until { $when }. Choose another one.
compose-disabled-why = The platform turned this template off for good. Choose another one.
compose-archived-why = This template was put away in the platform's account. Choose another one, or have it taken out again there.
compose-gone-why = This template is no longer in the platform's account. Choose another one.
compose-unfillable = Not from here
compose-unfillable-carousel = It is a carousel: each of its cards takes a picture of its own, which cannot be given here yet.
compose-unfillable-offer = It is an offer that ends at a set time, which cannot be given here yet.
compose-unfillable-code = It carries a one-time code, which a program sends and no agent.
compose-unfillable-header = What stands at its top cannot be given here, such as a product.
compose-unfillable-other = A part of it cannot be given here, such as products to choose from.
compose-choose-template = Choose a template first.
compose-template-in-full = Type the whole name of a template, or choose one of the list: arrow down, then Enter.

# Step 2.
compose-to = To
compose-to-hint = name, or number with country code
compose-recipients = Recipients
compose-people = Contacts
# $name (String) - A contact's name or number.
compose-remove = Take out { $name }
# $country (String) - A country's name.
compose-new-in = { $country }, new
compose-new = new
# $time (String) - A time such as "16:00".
compose-there = { $time } there
# $first (String) - A time such as "13:00".
# $last (String) - A time such as "16:00".
compose-there-between = { $first } to { $last } there
compose-may = may be written to
# $agent (String) - Who serves the contact.
compose-open-ticket-of = open ticket, { $agent }
compose-open-ticket = open ticket
# $day (String) - A day such as "3 Oct".
compose-said-stop = said stop on { $day }
compose-no-name = (No name)
compose-whom = Whom do you write to?
compose-whom-why = Type a name, or a number that starts with + and the country code.
compose-nobody = Nobody found
compose-nobody-why = Check the spelling, or type the whole number with + and the country code to write to someone new.
compose-choose-recipient = Choose whom to write to.
compose-person-in-full = Type the whole name or number, or choose someone of the list: arrow down, then Enter.
compose-number-empty = Type a name or a number.
compose-number-no-country = Start the number with + and the country code, such as +55.
# $code (String) - The first digits, such as "+999".
compose-number-unknown-country = No country has the code { $code }. Check the digits after the +.
compose-number-too-short = Digits are missing. Type the whole number.
compose-number-too-long = That is a digit too many, or more. Check the number.
# $country (String) - The main country of a code that several share.
compose-country-and-others = { $country } and others
compose-go-on = Go on typing
compose-go-on-why = Digits of the number are still missing.
compose-number-invalid = No such number exists there. Check the digits.

# What stands at the foot.
# $chatbot (String) - The chatbot's name.
# $channel (String) - The platform.
# $number (String) - The number it goes from.
compose-foot-from = You write as { $chatbot }, by { $channel }, from { $number }.
# $name (String) - A contact's name or number.
# $number (String) - The number it goes from.
compose-foot-may = { $name } may be written to now, from { $number }.
# $name (String) - A contact's name or number.
# $reason (String) - What stands against it, in a few words.
compose-foot-may-not = { $name } may not be written to: { $reason }.
compose-whatsapp = WhatsApp
compose-wechat = WeChat
compose-wecom = WeCom
compose-sms = SMS

# Step 3.
compose-no-variables = Nothing to fill in
compose-no-variables-why = This template has no variables. Look at the preview and send it.
compose-header-image = Header image
compose-header-video = Header video
compose-header-document = Header document
compose-header-image-hint = Address of a JPEG or PNG, up to 5 MB
compose-header-video-hint = Address of an MP4 or 3GP, up to 16 MB
compose-header-document-hint = Address of a PDF, text or office file, up to 100 MB
compose-header-text = Header
compose-latitude = Latitude
compose-longitude = Longitude
compose-place-name = Name of the place
compose-place-address = Address of the place
# $button (String) - The text on a button.
compose-link-end = End of the address of "{ $button }"
# $button (String) - The text on a button.
compose-code = Code to copy by "{ $button }"
compose-fields = Fields you may use in a value
compose-field-contact-name = the contact's name
compose-field-contact-phone = the contact's number
compose-field-contact-protocol = the contact's last protocol number
compose-field-agent-name = your name
compose-empty = empty
# $problem (String) - What is wrong, as a sentence.
# $field (String) - The variable's name.
compose-problem-at = { $field }: { $problem }
compose-problem-missing = Fill in a value
compose-problem-unknown = The template has no such variable
# $most (Number) - The most characters.
compose-problem-too-long = Too long: { $most } characters at most
compose-problem-newline = No line breaks here: the platform refuses them
compose-problem-tab = No tabs here: the platform refuses them
compose-problem-spaces = No more than four spaces in a row: the platform refuses them
compose-problem-control = It holds a character that cannot be shown. Type it anew
compose-problem-placeholder = Two opening braces are not allowed in a value
# $typed (String) - What was typed, such as "{{nome}}".
compose-problem-placeholder-named = Two braces are not allowed in a value: take out { $typed }
# $typed (String) - What was typed, such as "{{contact.name}}".
# $token (String) - The field as it is written, such as "{contact.name}".
compose-problem-double-braces = { $typed } would not be filled. Write { $token }, with one brace on each side
# $typed (String) - What was typed, such as "{contact.shoe}".
compose-problem-no-field = There is no field { $typed }. Choose one of the list
# $typed (String) - What was typed, such as "{ contact.name }".
# $token (String) - The field as it is written, such as "{contact.name}".
compose-note-misspelt-field = { $typed } is sent as it stands. For the field write { $token }
# $typed (String) - What was typed, such as "{nome}".
compose-note-no-field = { $typed } is no field and is sent as it stands
compose-problem-unknown-field = There is no such field. Choose one of the list
compose-problem-empty-field = This field is empty for this contact. Type a value instead
compose-problem-url = Type a whole address that starts with https://
compose-problem-coordinate = Type a coordinate in degrees, such as -23.55
compose-problem-media = The file cannot be used. Check the address
compose-problem-inner = This address leads into an inner network. Use one that anyone can open
compose-problem-unreachable = Nothing answers at this address. Check it, or try again
compose-problem-no-file = There is no file at this address (404). Check it
compose-problem-leads-on = This address leads on to another one. Use the one where the file is
compose-problem-not-public = This file is not open to everyone. Use an address that needs no sign-in
# $status (Number) - The status, such as 503.
compose-problem-status = The server at this address answers with error { $status }. Try again later
# $found (String) - What was found, such as "a PDF".
compose-problem-not-image = This is { $found }; a JPEG or PNG image is needed
# $found (String) - What was found.
compose-problem-not-video = This is { $found }; an MP4 or 3GP video is needed
# $found (String) - What was found.
compose-problem-not-document = This is { $found }; a PDF, text or office file is needed
compose-found-pdf = a PDF
compose-found-web-page = a web page
compose-found-image = an image
# $format (String) - A format, such as "WEBP".
compose-found-image-of = a { $format } image
compose-found-video = a video
# $format (String) - A format, such as "QuickTime".
compose-found-video-of = a { $format } video
compose-found-archive = a ZIP archive
compose-found-office = an older office file
compose-found-text = a text file
compose-found-audio = an audio file
# $kind (String) - The type, such as "application/wasm".
compose-found-other = a file of the kind { $kind }
# $megabytes (Number) - The most megabytes.
compose-problem-too-large = The file is too large: { $megabytes } MB at most
# $kind (String) - A kind of file, such as "PDF".
# $size (String) - A size such as "1.2 MB".
compose-file-facts = { $kind } · { $size }
# $number (String) - A number such as "1.2".
compose-megabytes = { $number } MB
# $number (Number) - Whole kilobytes.
compose-kilobytes = { $number } KB

# After Send.
compose-refused = This message cannot be sent now
# $left (String) - Remaining time, such as "17 h 00 min".
# $when (String) - Day and time, such as "23 Nov at 09:00".
compose-refused-until = If nothing else happens it may go in { $left } ({ $when }).
compose-refused-for-good = Waiting alone does not help.
compose-key-reused = This form was sent before with other content, so nothing was sent now. Look at Sent; press Send again to send this as well.
compose-resumed = You left this message unfinished.
compose-anew = Start over
# $name (String) - A contact's name or number.
compose-sent = Message sent to { $name }
