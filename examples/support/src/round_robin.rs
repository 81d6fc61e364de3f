use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// One address in front of several nodes: each connection goes to the next node, and to the one after it when that one
/// is down.
///
/// It passes bytes on and writes no `X-Forwarded-For`: to the nodes every connection comes from this machine. That is
/// what a balancer below HTTP does, and rules about addresses then see its address and no other. It is for
/// demonstrations and tests; a balancer that speaks HTTP is named as a trusted proxy instead.
#[derive(Debug)]
pub struct RoundRobin {
    listener: TcpListener,
    nodes: Vec<SocketAddr>,
    next: AtomicUsize,
}

impl RoundRobin {
    /// Listens for these nodes, of which there is at least one.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind(listen: &str) -> Result<Self> {
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
        Ok(Self { listener, nodes: Vec::new(), next: AtomicUsize::new(0) })
    }

    /// One more node to pass connections to.
    pub fn add(&mut self, node: SocketAddr) {
        self.nodes.push(node);
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Passes connections on until it is dropped.
    ///
    /// # Errors
    /// When there is no node.
    pub async fn run(self) -> Result<()> {
        if self.nodes.is_empty() {
            bail!("there is no node to pass connections to");
        }
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                taken = self.listener.accept() => {
                    let Ok((client, _)) = taken else {
                        // Too many files are open, or the client has gone: neither lasts.
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    };
                    let first = self.next.fetch_add(1, Ordering::Relaxed);
                    let nodes: Vec<SocketAddr> =
                        self.nodes.iter().cycle().skip(first % self.nodes.len()).take(self.nodes.len()).copied().collect();
                    connections.spawn(pass_on(client, nodes));
                }
                // What became of a connection is between its two ends.
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

async fn pass_on(mut client: TcpStream, nodes: Vec<SocketAddr>) {
    for node in nodes {
        if let Ok(mut server) = TcpStream::connect(node).await {
            let _ends = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// A node that says its number to whoever connects.
    async fn node(number: u8) -> (SocketAddr, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(&[number]).await.unwrap();
            }
        });
        (address, task)
    }

    #[tokio::test]
    async fn each_in_its_turn_and_past_one_that_is_down() {
        let mut proxy = RoundRobin::bind("127.0.0.1:0").await.unwrap();
        let ((first, _one), (second, two)) = (node(1).await, node(2).await);
        proxy.add(first);
        proxy.add(second);
        let address = proxy.address().unwrap();
        let running = tokio::spawn(proxy.run());
        let ask = || async {
            let mut answer = Vec::new();
            TcpStream::connect(address).await.unwrap().read_to_end(&mut answer).await.unwrap();
            answer[0]
        };
        let answers = [ask().await, ask().await, ask().await, ask().await];
        assert_eq!(answers, [1, 2, 1, 2]);
        two.abort();
        let _ended = two.await;
        assert_eq!([ask().await, ask().await], [1, 1]);
        running.abort();
    }

    #[tokio::test]
    async fn without_a_node_there_is_nothing_to_run() {
        assert!(RoundRobin::bind("127.0.0.1:0").await.unwrap().run().await.is_err());
    }
}
