# What a contact wishes to get from the business, as an agent enters it.
wish-enter = Enter what they wish
# $name (String) - The contact.
wish-title = What does { $name } wish?
wish-intro = It holds from now on, for every chatbot and agent here.
wish-choice = Wish
wish-stop-marketing = No offers
wish-stop-marketing-hint = Other messages may still go.
wish-stop-all = No active messages at all
wish-stop-all-hint = Only answers to what they write.
wish-resume = Active messages again
wish-resume-hint = Ends every stop. Say how you know.
wish-opt-in = Offers, agreed to
wish-opt-in-hint = Ends every stop and is kept as their consent. Say how you know.
wish-reason = How do you know?
wish-reason-hint = Such as "told me on the phone"
wish-save = Save
wish-cancel = Cancel
wish-problem-none = Choose what they wish
wish-problem-reason = Say how you know
wish-problem-reason-long = Shorten it to 200 characters at most
# $wish (String) - What the contact wishes.
# $name (String) - Who entered it.
wish-history = { $wish }, entered by { $name }
# $wish (String) - What the contact wishes.
# $name (String) - For whom the program speaks.
wish-history-program = { $wish }, entered by a program of { $name }
# $line (String) - What was entered by whom.
# $reason (String) - How it is known.
wish-history-reason = { $line }: { $reason }
