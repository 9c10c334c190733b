# Sign-in and what belongs to the account.
sign-in-title = Sign in
sign-in-intro = Use the email and password of your desk.
sign-in-email = Email
sign-in-password = Password
sign-in-submit = Sign in
sign-in-email-missing = Enter your email address
sign-in-email-invalid = Enter an email address, like name@example.com
sign-in-password-missing = Enter your password
sign-in-refused = Email or password is wrong. Check both and try again.
# $wait (String) - How long until the next try, such as "less than 1 min".
sign-in-too-many = Too many tries. Wait { $wait } and try again.
sign-in-signed-out = You are signed out.
sign-in-expired = Your session has ended. Sign in to go on where you were.
