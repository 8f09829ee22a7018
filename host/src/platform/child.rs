//! Child processes that never outlive the host, not even a host that was killed with SIGKILL.
//!
//! The one module with unsafe code: the parent-death signal has to be set between fork and exec, and std's hook for
//! that (`pre_exec`) is unsafe. The hook makes two system calls and allocates nothing.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid, getppid, kill_process, set_parent_process_death_signal};

struct Job {
    command: Command,
    at_host_death: Signal,
    reply: Sender<io::Result<Child>>,
}

/// A running child. Dropping it stops it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stop_signal: Signal,
    grace: Duration,
}

impl Process {
    /// Starts `command` in a process group of its own. `at_host_death` is what the kernel sends it when the host ends
    /// without stopping it; `stop_signal` is what `stop` sends, followed by SIGKILL after `grace`.
    pub fn spawn(command: Command, at_host_death: Signal, stop_signal: Signal, grace: Duration) -> io::Result<Process> {
        let (reply, answer) = channel();
        let gone = || io::Error::other("the thread that starts child processes is gone");
        spawner().send(Job { command, at_host_death, reply }).map_err(|_| gone())?;
        let child = answer.recv().map_err(|_| gone())??;
        Ok(Process { child, stop_signal, grace })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The exit status, if the child has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks the child to stop, and ends it if it does not. Harmless for one that has ended.
    pub fn stop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        // The child is not yet waited for, so its id cannot be another process's.
        if kill_process(Pid::from_child(&self.child), self.stop_signal).is_ok() && self.ends_within(self.grace) {
            return;
        }
        self.kill9();
    }

    /// SIGKILL, and waits until the process is gone.
    pub fn kill9(&mut self) {
        if self.child.kill().is_ok() {
            self.child.wait().ok();
        }
    }

    /// Waits for the child's own end.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while self.ended().is_none() {
            if Instant::now() >= end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The parent-death signal fires when the *thread* that forked ends, so all children come from one thread that lives
/// as long as the process.
fn spawner() -> Sender<Job> {
    static SPAWNER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    let sender = SPAWNER.get_or_init(|| {
        let (sender, jobs) = channel::<Job>();
        std::thread::spawn(move || {
            for job in jobs {
                // Nobody waits for the answer any more: dropping the result would leave the child running.
                if let Err(unsent) = job.reply.send(fork(job.command, job.at_host_death))
                    && let Ok(mut child) = unsent.0
                {
                    child.kill().ok();
                }
            }
        });
        Mutex::new(sender)
    });
    sender.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn fork(mut command: Command, at_host_death: Signal) -> io::Result<Child> {
    let host = getpid();
    // A group of its own, so that a terminal's Ctrl-C reaches the host only, which then stops its children in order.
    command.process_group(0);
    let hook = move || {
        set_parent_process_death_signal(Some(at_host_death))?;
        // The host may have died before the call above: then nothing would ever send the signal.
        if getppid() != Some(host) {
            return Err(io::Error::from_raw_os_error(rustix::io::Errno::SRCH.raw_os_error()));
        }
        Ok(())
    };
    // SAFETY: between fork and exec only async-signal-safe work is allowed. The hook makes two system calls and
    // neither allocates nor takes a lock. It runs after std's change of user, which would clear the signal.
    unsafe { command.pre_exec(hook) };
    command.spawn()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sleeper() -> Process {
        let mut command = Command::new("sleep");
        command.arg("600");
        Process::spawn(command, Signal::KILL, Signal::TERM, Duration::from_secs(5)).unwrap()
    }

    #[test]
    fn a_child_outlives_the_thread_that_asked_for_it() {
        let mut process = std::thread::spawn(sleeper).join().unwrap();
        assert!(!process.ends_within(Duration::from_millis(100)));
        process.stop();
        assert!(process.ended().is_some());
    }

    #[test]
    fn a_dropped_child_is_gone() {
        let process = sleeper();
        let entry = format!("/proc/{}", process.id());
        assert!(std::path::Path::new(&entry).exists());
        drop(process);
        assert!(!std::path::Path::new(&entry).exists());
    }

    #[test]
    fn a_program_that_does_not_exist_is_an_error() {
        let command = Command::new("/nowhere/at-all");
        assert!(Process::spawn(command, Signal::KILL, Signal::TERM, Duration::ZERO).is_err());
    }

    /// Not a check of its own: what the test below runs as the host that is killed.
    #[test]
    fn host_that_waits_to_be_killed() {
        let Some(path) = std::env::var_os("SMT_TEST_CHILD_ID_FILE") else { return };
        let process = sleeper();
        std::fs::write(path, process.id().to_string()).unwrap();
        std::thread::sleep(Duration::from_secs(60));
    }

    #[test]
    fn a_killed_host_leaves_no_child() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("id");
        let mut host = Command::new(std::env::current_exe().unwrap());
        host.args(["--exact", "platform::child::tests::host_that_waits_to_be_killed"]);
        let mut host = host.env("SMT_TEST_CHILD_ID_FILE", &file).spawn().unwrap();
        let id = wait_for(|| std::fs::read_to_string(&file).ok().filter(|id| !id.is_empty()));
        host.kill().unwrap();
        host.wait().unwrap();
        // Gone, or a zombie that waits for process 1.
        let stat = format!("/proc/{id}/stat");
        wait_for(|| std::fs::read_to_string(&stat).map_or(true, |text| text.contains(") Z ")).then_some(()));
    }

    fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            assert!(Instant::now() < end, "not seen in time");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
