//! TLS to a real Postgres with a certificate of its own: who is trusted under each `sslmode`, and whom it trusts.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use smt_host::platform::dir::Directory;
use smt_host::platform::postgres::Postgres;
use smt_tests::eventually;

fn sql(url: &str, statements: &str) -> Result<(), tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        for statement in statements.split(";;") {
            client.batch_execute(statement).await?;
        }
        Ok(())
    })
}

/// A file beside the server's data. The server writes it: it may run as another user, who must own its key.
fn server_file(name: &str, text: &str) -> String {
    format!(
        "DO $do$ BEGIN EXECUTE format('COPY (SELECT unnest(string_to_array(%L, E''\\n''))) TO %L', '{text}', \
         current_setting('data_directory') || '/{name}'); END $do$"
    )
}

fn generate(url: &str, parameters: &str) -> Output {
    let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/smt-host");
    let url = format!("{url}?{parameters}");
    Command::new(binary).args(["generate", "--rounds", "1", "--silent", "-cs", &url]).output().unwrap()
}

#[test]
fn each_sslmode_trusts_whom_libpq_would_trust() {
    let dir = Directory::open(None).unwrap();
    let postgres = Postgres::start(dir.path()).unwrap();
    let by_address = postgres.url();
    let by_name = by_address.replace("127.0.0.1", "localhost");
    let check = |url: &str, parameters: &str, code: i32, wanted: &str| {
        let output = generate(url, parameters);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{parameters}: {text}");
        assert!(text.contains(wanted), "{parameters}: {wanted:?} is not in: {text}");
    };
    check(&by_address, "sslmode=require", 5, "TLS");
    check(&by_address, "sslmode=prefer", 0, "");

    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let file = |name: &str, pem: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let (root, stranger) = (file("root.pem", &made.cert.pem()), file("other.pem", &other.cert.pem()));
    let key = server_file("server.key", &made.signing_key.serialize_pem());
    sql(&by_address, &format!("{};;{key}", server_file("server.crt", &made.cert.pem()))).unwrap();
    // The server takes no key that others may read.
    let key = dir.path().join("postgres/data/server.key");
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
    sql(&by_address, "ALTER SYSTEM SET ssl = on;;SELECT pg_reload_conf()").unwrap();
    eventually("TLS", Duration::from_secs(20), || generate(&by_address, "sslmode=require").status.success());

    check(&by_name, &format!("sslmode=verify-full&sslrootcert={root}"), 0, "");
    check(&by_address, &format!("sslmode=verify-full&sslrootcert={root}"), 5, "certificate");
    check(&by_address, &format!("sslmode=verify-ca&sslrootcert={root}"), 0, "");
    check(&by_name, &format!("sslmode=verify-ca&sslrootcert={stranger}"), 5, "certificate");
    check(&by_name, "sslmode=verify-full", 5, "certificate");
    check(&by_name, "sslmode=verify-full&sslrootcert=/nowhere.pem", 2, "/nowhere.pem");
    // Whoever names roots wants them asked.
    check(&by_address, &format!("sslmode=require&sslrootcert={root}"), 0, "");
    check(&by_address, &format!("sslmode=require&sslrootcert={stranger}"), 5, "certificate");

    // Now the server asks for certificates that are named as their users, and takes those of two it knows.
    let [known, namesake, unknown] = ["smt", "somebody", "smt"].map(client);
    let clients = server_file("clients.crt", &format!("{}{}", known.0, namesake.0));
    let rules = server_file("pg_hba.conf", "hostssl all all all scram-sha-256 clientcert=verify-full");
    let ask = "ALTER SYSTEM SET ssl_ca_file = 'clients.crt';;SELECT pg_reload_conf()";
    sql(&by_address, &format!("{clients};;{rules};;{ask}")).unwrap();
    eventually("certificates", Duration::from_secs(20), || !generate(&by_name, "sslmode=require").status.success());
    let pair = |name: &str, (certificate, key): &(String, String), mode: u32| {
        let (certificate, key) = (file(&format!("{name}.crt"), certificate), file(&format!("{name}.key"), key));
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        format!("sslmode=verify-full&sslrootcert={root}&sslcert={certificate}&sslkey={key}")
    };
    check(&by_name, &pair("known", &known, 0o600), 0, "");
    check(&by_name, "sslmode=require", 3, "requires a valid client certificate");
    check(&by_name, &pair("namesake", &namesake, 0o600), 3, "refuses");
    check(&by_name, &pair("unknown", &unknown, 0o600), 5, "UnknownCA");
    check(&by_name, &pair("open", &known, 0o644), 2, "open.key is not usable: others than its owner");
    check(&by_name, &pair("crossed", &(known.0.clone(), unknown.1.clone()), 0o600), 2, "not usable together");
    check(&by_name, "sslmode=require&sslcert=/u.crt", 2, "sslcert is given without sslkey");
}

/// A certificate that shows this name, and its key.
fn client(name: &str) -> (String, String) {
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
    let key = rcgen::KeyPair::generate().unwrap();
    (parameters.self_signed(&key).unwrap().pem(), key.serialize_pem())
}
