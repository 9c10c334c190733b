# What the API answers to programs, for the people who write them.
api-no-token = Send a token as Authorization: Bearer …
api-bad-token = The token is unknown or has been revoked
# $scope (String) - The scope's name.
api-scope-missing = The token lacks the scope { $scope }
api-broken-json = The body is not readable as JSON
api-not-json = Send the body as application/json
api-not-found = There is no such thing here
api-unknown = Something the request names does not exist
api-unknown-channel = There is no such channel.
api-unknown-template = The channel's account has no such template in this language.
api-unknown-contact = There is no such contact.
api-unknown-agent = Nobody in the chatbot's team has this id or email.
# $agent (String) - The name of the agent whom the send is for.
api-agent-lacking = { $agent } may not send active messages here
# $chatbot (String) - The chatbot's name.
api-agent-lacking-why = The agent named lacks the permission in { $chatbot }. Name another one, or ask an admin.
api-fields = Some fields are not right
api-key-reused = This idempotency key was used for another request
api-field-missing = This field is missing.
api-field-unknown = There is no such field.
api-field-twice = This field is there twice.
api-field-not-an-object = This must be an object.
api-field-not-text = This must be a string.
api-field-null-character = This must not contain a null character.
api-field-recipient = Name one recipient: either a phone or a contact.
api-field-unscheduled = Sends cannot be scheduled yet. Leave this field out to send now.
api-field-limit = This must be a whole number from 1 to 100.
api-field-cursor = This is not a cursor of this list.
api-field-key = The key must have 1 to 255 visible ASCII characters, without spaces.
api-field-wish = This must be one of stop_marketing, stop_all, resume and opt_in.
api-field-reason-too-long = This must have 200 characters at most.
