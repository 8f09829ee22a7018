//! `s3-server DIRECTORY BUCKET`: the embedded S3 as a process, for tests that kill it. Where it is and what opens it
//! stands in DIRECTORY/told. It ends with its parent.

use std::path::Path;
use std::time::Duration;

use smt_host::platform::s3::S3;

fn main() -> anyhow::Result<()> {
    let parent = rustix::process::getppid();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, bucket] = arguments.as_slice() else { anyhow::bail!("usage: s3-server DIRECTORY BUCKET") };
    let s3 = S3::start(Path::new(dir), bucket).map_err(|stop| anyhow::anyhow!("{stop}"))?;
    let path = Path::new(dir).join("told");
    let told = format!("{}\n{}\n{}\n", s3.endpoint(), s3.access_key_id(), s3.secret_access_key());
    std::fs::write(path.with_extension("part"), told)?;
    std::fs::rename(path.with_extension("part"), path)?;
    while rustix::process::getppid() == parent {
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
