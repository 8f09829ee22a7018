//! The role that owns the embedded database and what is in it, and logs in with a password of the caller's.
//!
//! Never a superuser.

use tokio_postgres::NoTls;

use crate::exit::Stop;

/// Makes `user` the owner, over a superuser's connection at `url`.
pub(super) fn make(url: &str, user: &str, password: &str) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::start(format!("runtime: {error}")))?;
    runtime
        .block_on(run(url, &statements(user, password)))
        .map_err(|error| Stop::dependency(format!("the embedded Postgres cannot make the user {user}: {error}")))
}

async fn run(url: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let done = client.batch_execute(sql).await;
    drop(client);
    connection.await.ok();
    done
}

/// May be run again. Tables that the superuser made (a demo in the same directory) are the owner's, too.
fn statements(user: &str, password: &str) -> String {
    let (name, literal) = (quoted(user, '"'), quoted(user, '\''));
    let password = quoted(password, '\'');
    format!(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal}) THEN CREATE ROLE {name}; END IF; END $$;
         ALTER ROLE {name} LOGIN NOSUPERUSER NOREPLICATION PASSWORD {password};
         ALTER DATABASE postgres OWNER TO {name};
         ALTER SCHEMA public OWNER TO {name};
         GRANT ALL ON ALL TABLES IN SCHEMA public TO {name};"
    )
}

fn quoted(text: &str, quote: char) -> String {
    format!("{quote}{}{quote}", text.replace(quote, &format!("{quote}{quote}")))
}
