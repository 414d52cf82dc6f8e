//! The limit: what TLS itself costs, with the same configuration and runtime as kmipd.

use std::error::Error;
use std::fs;
use std::io::{Write, stderr, stdout};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use kmip_bench::limit;
use kmip_bench::tls::{self, Files};
use kmipd_certs::{Authority, write_private};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A server that reads a message to its end and answers with canned bytes: the ceiling of every KMIP server on rustls.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 lets the system choose. The address is the first line of standard output
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// ca.pem, server.pem and server.key are here
    #[arg(long, value_name = "FOLDER")]
    certificates: PathBuf,
    /// Make the certificates in the folder, client.pem and client.key too, and do not serve
    #[arg(long)]
    make: bool,
    /// Bytes of an answer
    #[arg(long, value_name = "BYTES", default_value_t = 200)]
    answer: usize,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody to tell if this fails.
            let _ = writeln!(stderr(), "limit: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let file = |name: &str| arguments.certificates.join(name);
    if arguments.make {
        let authority = Authority::new()?;
        let server = authority.issue_server(&["127.0.0.1", "localhost"])?;
        let client = authority.issue_client("bench")?;
        fs::create_dir_all(&arguments.certificates)?;
        fs::write(file("ca.pem"), authority.cert_pem())?;
        fs::write(file("server.pem"), &server.cert_pem)?;
        fs::write(file("client.pem"), &client.cert_pem)?;
        write_private(&file("server.key"), &server.key_pem)?;
        write_private(&file("client.key"), &client.key_pem)?;
        return Ok(());
    }
    let (ca, certificate, key) = (file("ca.pem"), file("server.pem"), file("server.key"));
    let config = tls::server(Files { ca: &ca, certificate: &certificate, key: &key })?;
    Runtime::new()?.block_on(async {
        let listener = TcpListener::bind(arguments.listen).await?;
        writeln!(stdout(), "{}", listener.local_addr()?)?;
        limit::serve(listener, config, limit::answer(arguments.answer)).await?;
        Ok(())
    })
}
