//! What the demo tells others: where everything is, and how to go on.

use super::Platform;
use crate::exit::Stop;

/// `endpoints.json`, for other programs.
pub(super) fn endpoints(platform: &Platform, connect: Option<String>) -> Result<(), Stop> {
    let mut endpoints = platform.endpoints(platform.kafka.brokers());
    endpoints.connect = connect;
    endpoints.write(platform.dir.path())
}

pub(super) fn where_it_is(platform: &Platform, connect: Option<&str>) {
    println!("\nThe platform stays up until Ctrl-C. From another terminal:");
    let program = std::env::args().next().unwrap_or_else(|| "smt-host".to_owned());
    let dir = platform.dir.path().display();
    println!("  {program} print jovens --from-beginning --limit 3 --dir {dir}");
    println!("  {program} status --dir {dir}");
    println!("  curl {}/subjects", platform.registry.url());
    if let Some(connect) = connect {
        println!("  curl {connect}/connectors?expand=status   (post your own connectors there: they start at once)");
    }
    println!("  addresses and the database's password: {}", platform.dir.path().join("endpoints.json").display());
}

pub(super) fn where_objects_are(platform: &Platform, lasts: bool) {
    let bucket = platform.dir.path().join("s3").join(super::sinks::BUCKET);
    let until = if lasts { "" } else { ", until this ends (--dir keeps them)" };
    println!("objects are files below {}{until}", bucket.display());
}

pub(super) fn how_to_go_on(hold: bool) {
    let program = std::env::args().next().unwrap_or_else(|| "smt-host".to_owned());
    println!("\nHow to go on:");
    if !hold {
        println!(
            "  leave it running       {program} demo --hold --customers 500   (without --customers it never ends)"
        );
        println!(
            "  look into the topics   {program} print jovens --from-beginning --dir DIR   (while it runs; it says where)"
        );
    }
    println!("  keep what was made     {program} demo --dir my-demo");
    println!("  write a plugin         plugins/jovens is 37 lines; plugins/README.md says how to build and try yours");
}
