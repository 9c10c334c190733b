file-sound = Audio
# $kind (String) - What it is: an image, a sticker.
# $name (String) - Who sent it.
file-picture-of = { $kind } from { $name }
# $name (String) - The file.
file-download = Download { $name }
# $count (String) - How many.
file-size-bytes = { $count } bytes
# $count (String) - How many.
file-size-kb = { $count } KB
# $count (String) - How many, with a fraction.
file-size-mb = { $count } MB
file-decimal-separator = .
file-waiting = On the way from the platform.
# $at (String) - When.
file-tried = Not to be had yet. The next attempt is { $at }.
file-try-again = Try again now
file-lost = The platform itself could not get it. Ask the customer to send it again.
file-expired = Not to be had within the seven days the platform keeps it. Ask the customer to send it again.
file-refused-wrong-kind = Not shown: it is something else than it was sent as.
file-refused-too-large = Larger than is kept here. Ask the customer for a smaller one.
file-refused-too-many-pixels = More pixels than can be shown. Ask the customer for a smaller one.
file-refused-broken = Damaged, so it cannot be shown. Ask the customer to send it again.
file-refused-elsewhere = Not fetched: the address leads away from the platform.
file-attach = Attach a file
# $name (String) - The contact.
file-title = Send a file to { $name }
file-choose = File
file-choose-hint = Image up to 5 MB, audio or video up to 16 MB, document up to 100 MB
file-link = Or a web address
file-link-hint = The platform fetches the file from there
file-caption = Text below it
file-caption-hint = Up to 1,024 characters; audio and stickers carry none
file-send = Send
file-cancel = Cancel
file-sending = The file is being sent to the desk…
# $name (String) - The file.
# $size (String) - Its size.
file-kept = { $name } ({ $size }) is here already. Choose another only to replace it.
file-problem-none = Choose a file, or give the address of one
file-problem-empty = The file is empty
file-problem-not-taken = WhatsApp does not take files of this kind. Send a JPEG or PNG, an MP4, an audio file, a PDF, an Office document or plain text
file-problem-wrong-name = The name of the file does not fit what is in it. Rename it with the right ending, or choose another
# $limit (String) - A size.
file-problem-too-large = The file is too large: at most { $limit }
file-problem-too-many-pixels = The picture has too many pixels. Make it smaller and choose it again
file-problem-broken = The picture cannot be read. Choose another, or save it anew
file-problem-caption = The text is too long: at most 1,024 characters
