//! Who listens on a port, as far as the system tells: from the kernel's table of sockets to the process that holds one.
//!
//! Another user's process shows its sockets to root only; then just that user is named.

use std::fs;

/// `process 12 (java)`, or why it cannot be told.
pub fn owner(port: u16) -> String {
    let Some(socket) = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| listening(table, port)) else {
        return "a process that cannot be told (the system lists no such socket)".to_owned();
    };
    holder(&socket.inode)
        .unwrap_or_else(|| format!("a process of user {}, which only that user or root can tell", socket.user))
}

struct Socket {
    inode: String,
    user: String,
}

/// A line: number, local address, remote address, state (0A: listening), queues, timer, retries, user, timeout, inode.
fn listening(table: &str, port: u16) -> Option<Socket> {
    let text = fs::read_to_string(table).ok()?;
    text.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, hexadecimal) = fields.get(1)?.rsplit_once(':')?;
        let here = u16::from_str_radix(hexadecimal, 16).is_ok_and(|number| number == port);
        let listens = here && *fields.get(3)? == "0A";
        listens.then_some(())?;
        Some(Socket { inode: (*fields.get(9)?).to_owned(), user: (*fields.get(7)?).to_owned() })
    })
}

/// The first process with the socket among its files.
fn holder(inode: &str) -> Option<String> {
    let wanted = format!("socket:[{inode}]");
    let ids = fs::read_dir("/proc").ok()?.flatten();
    let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let holds = |id: &u32| {
        let Ok(files) = fs::read_dir(format!("/proc/{id}/fd")) else { return false };
        files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|link| link.as_os_str() == wanted.as_str()))
    };
    let id = ids.into_iter().find(holds)?;
    let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
    Some(format!("process {id} ({})", name.trim()))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    #[test]
    fn this_process_is_named_as_the_owner_of_its_port() {
        for address in ["127.0.0.1:0", "[::]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let port = listener.local_addr().expect("an address").port();
            let owner = super::owner(port);
            assert!(owner.starts_with(&format!("process {} (", std::process::id())), "{owner}");
        }
    }
}
