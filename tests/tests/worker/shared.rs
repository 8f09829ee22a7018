//! Several workers of one group: any answers, each runs its share, and what a killed one had goes to the others.

use std::collections::BTreeSet;

use smt_host::platform::postgres::Postgres;
use smt_host::platform::s3::S3;
use smt_tests::read_committed;

use super::workshop::sql;
use super::*;

const COUNT: usize = 6;
const NAMES: usize = 12;

/// Which worker each connector is running at.
fn places(worker: &Worker) -> BTreeSet<(String, String)> {
    let all = worker.call("GET", "/connectors?expand=status", "").json();
    let at = |(name, one): (&String, &Value)| {
        let task = &one["status"]["tasks"][0];
        let is_running = task["state"] == "RUNNING" && one["status"]["connector"]["state"] == "RUNNING";
        is_running.then(|| (name.clone(), task["worker_id"].as_str().unwrap().to_owned()))
    };
    all.as_object().unwrap().iter().filter_map(at).collect()
}

fn workers(places: &BTreeSet<(String, String)>) -> BTreeSet<&str> {
    places.iter().map(|(_, worker)| worker.as_str()).collect()
}

#[test]
fn two_workers_share_connectors_and_one_takes_over_what_a_killed_one_had() {
    let dir = world().dir.path().join("shared");
    std::fs::create_dir_all(&dir).unwrap();
    let (postgres, s3) = (Postgres::start(&dir).unwrap(), S3::start(&dir, "workshop").unwrap());
    let start = || workshop::worker("shared", &postgres, &s3, &[]);
    let one = start();
    for n in 0..COUNT {
        sql(&postgres.url(), &format!("CREATE TABLE t{n} (id serial); INSERT INTO t{n} VALUES (default)"));
        let config = format!(
            r#"{{"connector.class":"JdbcSource","connection.url":"jdbc:postgresql://overridden/","mode":"incrementing",
                "incrementing.column.name":"id","table.whitelist":"t{n}","topic.prefix":"shared-"}}"#
        );
        assert_eq!(one.call("PUT", &format!("/connectors/c{n}/config"), &config).status, 201);
    }
    eventually("all at one", SOON, || places(&one).len() == COUNT && workers(&places(&one)) == [one.id()].into());
    let other = start();
    eventually("a share each", SOON, || {
        let places = places(&other);
        places.len() == COUNT && workers(&places) == [one.id(), other.id()].into()
    });
    // Asked at one, done at whichever runs it.
    let (moved, _) = places(&one).into_iter().find(|(_, worker)| worker == other.id()).unwrap();
    assert_eq!(one.call("PUT", &format!("/connectors/{moved}/pause"), "").status, 202);
    other.becomes(&moved, "PAUSED PAUSED");
    assert_eq!(other.call("PUT", &format!("/connectors/{moved}/resume"), "").status, 202);
    one.becomes(&moved, "RUNNING RUNNING");
    one.kill9();
    eventually("all at the other", SOON, || {
        places(&other).len() == COUNT && workers(&places(&other)) == [other.id()].into()
    });
    for n in 0..COUNT {
        sql(&postgres.url(), &format!("INSERT INTO t{n} VALUES (default)"));
        eventually("a row", SOON, || read_committed(&format!("shared-t{n}")).len() >= 2);
        assert_eq!(read_committed(&format!("shared-t{n}")).len(), 2);
    }
    // One that is asked to stop says that nobody runs them.
    let log = other.stop();
    assert_eq!(log.matches("connector let go").count(), COUNT, "{log}");
}

/// The same call to both workers at once, for each of many names.
fn at_once(workers: [&Worker; 2], call: impl Fn(&Worker, usize, &str) -> Reply + Sync) -> Vec<[Reply; 2]> {
    let call = &call;
    std::thread::scope(|scope| {
        let names =
            (0..NAMES).map(|n| [0, 1].map(|side| scope.spawn(move || call(workers[side], side, &format!("same-{n}")))));
        let started: Vec<_> = names.collect();
        started.into_iter().map(|both| both.map(|thread| thread.join().unwrap())).collect()
    })
}

#[test]
fn of_two_workers_that_are_sent_one_new_name_at_once_one_makes_it() {
    let start = || worker("same", &[]);
    let (one, other) = (start(), start());
    let config = |side: usize| {
        format!(
            r#"{{"connector.class":"JdbcSource","connection.url":"jdbc:postgresql://nowhere/","mode":"bulk",
                 "table.whitelist":"t","topic.prefix":"side{side}-"}}"#
        )
    };
    let prefix = |reply: &Reply| reply.json()["config"]["topic.prefix"].as_str().map(str::to_owned);
    let created = at_once([&one, &other], |worker, side, name| {
        let body = format!(r#"{{"name":"{name}","initial_state":"STOPPED","config":{}}}"#, config(side));
        worker.call("POST", "/connectors", &body)
    });
    for (n, both) in created.iter().enumerate() {
        let statuses = both.each_ref().map(|reply| reply.status);
        assert!([[201, 409], [409, 201]].contains(&statuses), "same-{n}: {both:?}");
        let winner = statuses.iter().position(|status| *status == 201).unwrap();
        assert_eq!(both[1 - winner].json()["message"], format!("Connector same-{n} already exists"));
        for worker in [&one, &other] {
            // Also what was read, not only what was answered.
            eventually("the winner's", SOON, || {
                prefix(&worker.call("GET", &format!("/connectors/same-{n}"), "")) == Some(format!("side{winner}-"))
            });
        }
    }
    let deleted = at_once([&one, &other], |worker, _, name| worker.call("DELETE", &format!("/connectors/{name}"), ""));
    for both in &deleted {
        let statuses = both.each_ref().map(|reply| reply.status);
        assert!([[204, 404], [404, 204]].contains(&statuses), "{both:?}");
    }
    let put = at_once([&one, &other], |worker, side, name| {
        worker.call("PUT", &format!("/connectors/{name}/config"), &config(side))
    });
    for both in &put {
        let statuses = both.each_ref().map(|reply| reply.status);
        assert!([[201, 200], [200, 201]].contains(&statuses), "{both:?}");
    }
    [one, other].into_iter().for_each(Worker::kill9);
}
