//! Who may use the API: basic authentication against a file of `user:bcrypt` lines. Passwords are never kept or shown.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::exit::Stop;

/// Users and the hashes of their passwords.
pub(super) struct Users(BTreeMap<String, String>);

/// Somebody unknown is as slow to refuse as somebody known.
const NOBODY: &str = "$2b$10$abcdefghijklmnopqrstuuA1v2cZ1VqSg3sVxyo7iGQtRlT2sZsO6";

impl Users {
    pub(super) fn load(file: &Path) -> Result<Users, Stop> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Stop::usage(format!("--auth-file {} cannot be read: {error}", file.display()))
                .hint("make it with htpasswd -B")
        })?;
        Users::parse(&text).map_err(|why| {
            Stop::usage(format!("--auth-file {}: {why}", file.display()))
                .hint("a line is user:hash, with a bcrypt hash ($2b$…, $2y$… or $2a$…); htpasswd -B makes them")
        })
    }

    fn parse(text: &str) -> Result<Users, String> {
        let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
        let mut users = BTreeMap::new();
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let (user, hash) = line.split_once(':').ok_or_else(|| format!("line {number} is no user:hash"))?;
            hash.parse::<bcrypt::HashParts>().map_err(|_| format!("line {number} has no bcrypt hash"))?;
            users.insert(user.to_owned(), hash.to_owned());
        }
        if users.is_empty() { Err("there is no user in it".to_owned()) } else { Ok(Users(users)) }
    }

    /// Whether an `Authorization` header is one of theirs.
    pub(super) fn let_in(&self, header: Option<&str>) -> bool {
        let credentials =
            header.and_then(|header| header.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
        let decoded = credentials.and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok());
        let Some(pair) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) else { return false };
        let Some((user, password)) = pair.split_once(':') else { return false };
        let known = self.0.get(user);
        let fits = bcrypt::verify(password, known.map_or(NOBODY, String::as_str)).unwrap_or(false);
        fits && known.is_some()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn only_a_known_user_with_the_right_password_comes_in() {
        let hash = bcrypt::hash("right", 4).unwrap();
        let users = Users::parse(&format!("# users\nana:{hash}\n\n")).unwrap();
        let check = |header: Option<&str>, expected: bool| assert_eq!(users.let_in(header), expected, "{header:?}");
        check(Some(&basic("ana:right")), true);
        check(Some(&basic("ana:right").replace("Basic", "basic")), true);
        check(Some(&basic("ana:wrong")), false);
        check(Some(&basic("ana:")), false);
        check(Some(&basic("eva:right")), false);
        check(Some(&basic("ana")), false);
        check(Some("Bearer right"), false);
        check(Some("Basic ***"), false);
        check(None, false);
    }

    #[test]
    fn a_file_without_bcrypt_hashes_is_refused_without_showing_them() {
        let check = |text: &str, why: &str| assert_eq!(Users::parse(text).err().as_deref(), Some(why));
        check("ana:secret", "line 1 has no bcrypt hash");
        check("\nsecret", "line 2 is no user:hash");
        check("# nobody\n", "there is no user in it");
    }

    #[test]
    fn nobody_has_a_hash_that_can_be_checked() {
        assert!(bcrypt::verify("x", NOBODY).is_ok());
    }
}
