//! Reaching the desk: that of a server by its address; that of data, which is opened here where it can be, and else asked of
//! the server that has the directory.

use mortise_store::Access;

use super::Desk;
use super::request::{Answer, Request, packed, read};
use crate::failure::Failure;
use crate::place::Place;

/// The file of a data directory in which its server says where it listens. It counts only while the directory is locked.
const ADDRESS: &str = "server.url";

/// Where a desk is.
#[derive(Debug, Clone)]
pub(crate) enum Reached {
    /// With the data.
    Data(Place),
    /// In a server.
    Server(String),
}

/// Says in a data directory where its server listens. A PostgreSQL database is open to commands beside its server.
pub(crate) fn note_address(data: &Place, url: &str) {
    let Place::Directory(directory) = data else { return };
    if let Err(error) = std::fs::write(directory.join(ADDRESS), url) {
        tracing::warn!(%error, "commands beside this server have to name its --url: its address could not be noted");
    }
}

impl Reached {
    /// Has the desk do something.
    ///
    /// # Errors
    /// Why it was not done, or that no desk could be reached.
    pub(crate) async fn ask(
        &self,
        by: &str,
        request: Request,
        component: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let data = match self {
            Reached::Server(url) => return over_http(url, by, &request, &component).await,
            Reached::Data(data) => data,
        };
        // Revisions are made so that several may make them at a time.
        let access = if request.only_reads() { Access::Reading } else { Access::Shared };
        match (Desk::at_rest(data, access).await, data) {
            (Ok(desk), _) => Box::pin(desk.answer(by, request, component)).await,
            (Err(failure), Place::Directory(directory)) if failure.is_locked => {
                match std::fs::read_to_string(directory.join(ADDRESS)) {
                    Ok(url) => over_http(url.trim(), by, &request, &component).await,
                    Err(_) => Err(failure.mend("name the address of the server that has it by --url")),
                }
            }
            (Err(failure), _) => Err(failure),
        }
    }
}

async fn over_http(url: &str, by: &str, request: &Request, component: &[u8]) -> Result<Answer, Failure> {
    let url = format!("{}/desk", url.trim_end_matches('/'));
    let unreached = |error: reqwest::Error| {
        Failure::unusable(format!("{url}: {error}"))
            .mend("name the address that `mortise serve` listens on by --url")
    };
    let sent = reqwest::Client::new()
        .post(&url)
        .header("Mortise-Staff", by)
        .body(packed(request, component)?)
        .send();
    let response = sent.await.map_err(unreached)?;
    let status = response.status();
    let text = response.text().await.map_err(unreached)?;
    if status.is_success() {
        return read(&text);
    }
    let problem: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let said = problem
        .get("detail")
        .and_then(serde_json::Value::as_str)
        .unwrap_or("it is no server of this version");
    Err(Failure::unusable(format!("{url}: {status}: {said}")))
}
