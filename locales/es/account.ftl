# Sign-in and what belongs to the account.
sign-in-title = Iniciar sesión
sign-in-intro = Usa el correo y la contraseña de tu escritorio.
sign-in-email = Correo electrónico
sign-in-password = Contraseña
sign-in-submit = Iniciar sesión
sign-in-email-missing = Escribe tu correo electrónico
sign-in-email-invalid = Escribe un correo, como nombre@ejemplo.com
sign-in-password-missing = Escribe tu contraseña
sign-in-refused = El correo o la contraseña no son correctos. Revisa ambos e inténtalo de nuevo.
sign-in-too-many = Demasiados intentos. Espera { $wait } e inténtalo de nuevo.
sign-in-signed-out = Has cerrado la sesión.
sign-in-expired = Tu sesión ha terminado. Inicia sesión para seguir donde estabas.
