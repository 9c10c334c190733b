# Sign-in and what belongs to the account.
sign-in-title = Entrar
sign-in-intro = Use o e-mail e a senha do seu atendimento.
sign-in-email = E-mail
sign-in-password = Senha
sign-in-submit = Entrar
sign-in-email-missing = Informe seu e-mail
sign-in-email-invalid = Informe um e-mail, como nome@exemplo.com
sign-in-password-missing = Informe sua senha
sign-in-refused = E-mail ou senha incorretos. Confira os dois e tente de novo.
sign-in-too-many = Tentativas demais. Aguarde { $wait } e tente de novo.
sign-in-signed-out = Você saiu.
sign-in-expired = Sua sessão terminou. Entre para continuar de onde parou.
