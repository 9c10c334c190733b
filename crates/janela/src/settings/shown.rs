//! What of a secret address may be shown.

/// What stands in the place of a secret.
pub const HIDDEN: &str = "(hidden)";

/// A database's URL as it may be shown: whole but for the password, before `@` or as a parameter.
///
/// A password that holds an unescaped `@`, `/` or `?` is hidden to its end as well.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://").filter(|_| !url.starts_with("sqlite:")) else {
        return url.to_owned();
    };
    let (user, server) = match rest.rsplit_once('@') {
        Some((credentials, server)) => match credentials.split_once(':') {
            Some((user, _)) => (format!("{user}:{HIDDEN}@"), server),
            None => (format!("{credentials}@"), server),
        },
        None => (String::new(), rest),
    };
    let Some((address, parameters)) = server.split_once('?') else {
        return format!("{scheme}://{user}{server}");
    };
    let parameters: Vec<String> = parameters.split('&').map(shown_parameter).collect();
    format!("{scheme}://{user}{address}?{}", parameters.join("&"))
}

/// A name with `%` in it may be an escaped `password`.
fn shown_parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if name.ends_with("password") || name.contains('%') => {
            format!("{name}={HIDDEN}")
        }
        Some(_) | None => parameter.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_url_is_shown_whole_but_for_its_password() {
        let cases = [
            ("sqlite:./janela-data/janela.db", "sqlite:./janela-data/janela.db"),
            ("sqlite:///srv/a@b:c.db", "sqlite:///srv/a@b:c.db"),
            ("postgres://db.example/desk", "postgres://db.example/desk"),
            ("postgres://ana@db.example/desk", "postgres://ana@db.example/desk"),
            ("postgres://ana:hunter2@db:5433/desk", "postgres://ana:(hidden)@db:5433/desk"),
            ("postgres://ana:hu@n/t?er2@db/desk", "postgres://ana:(hidden)@db/desk"),
            (
                "postgresql:///desk?host=/run/pg&user=ana&password=hunter2&sslmode=disable",
                "postgresql:///desk?host=/run/pg&user=ana&password=(hidden)&sslmode=disable",
            ),
            ("postgres:///desk?%70assword=hunter2", "postgres:///desk?%70assword=(hidden)"),
        ];
        for (url, shown) in cases {
            assert_eq!(without_password(url), shown);
        }
    }
}
