//! Free loopback ports, for servers that cannot choose one themselves (neither Kafka nor Postgres knows port 0).
//!
//! Never a reservation: between here and the server's own bind another program may take the port, so callers look
//! at their child and try again.

/// Who listens.
mod owner;

use std::net::{Ipv4Addr, TcpListener};

pub use owner::owner;

/// A port of 127.0.0.1 that nobody listens on.
pub fn free() -> u16 {
    free_list(1)[0]
}

/// As many different free ports.
///
/// # Panics
/// When the system has no loopback port (or file descriptor) left: nothing embedded can run then.
pub fn free_list(count: usize) -> Vec<u16> {
    // All are held until the last is known: a port given back at once could be handed out twice.
    let held: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free loopback port")).collect();
    held.iter().map(|listener| listener.local_addr().expect("a bound socket has an address").port()).collect()
}

/// Whether a server could listen on this port of 127.0.0.1 now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_one_list_differ() {
        let mut ports = free_list(20);
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 20);
    }

    #[test]
    fn a_port_that_is_listened_on_is_not_free() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let port = listener.local_addr().expect("address").port();
        assert!(!is_free(port));
        drop(listener);
        assert!(is_free(port));
    }
}
