//! A longer way between nodes: connections through relays that hand on every byte later.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// Listens on a port of the system's choice and hands on to `to`, and back, `delay` later; until the process ends.
pub(crate) fn relay(to: SocketAddr, delay: Duration) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for incoming in listener.incoming().flatten() {
            // A node that is not there yet is dialled again.
            let _ = TcpStream::connect(to).and_then(|outgoing| join(&incoming, &outgoing, delay));
        }
    });
    Ok(address)
}

fn join(one: &TcpStream, other: &TcpStream, delay: Duration) -> io::Result<()> {
    for (from, to) in [(one, other), (other, one)] {
        from.set_nodelay(true)?;
        hand_on(from.try_clone()?, to.try_clone()?, delay);
    }
    Ok(())
}

/// Hands on in one direction. What is under way is not limited: the nodes limit what they send.
fn hand_on(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0 || sender.send((Instant::now() + delay, buffer[..count].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
