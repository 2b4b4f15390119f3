//! The desk: what the commands on deployments do, on a data directory at rest or in the server that has it. A request and
//! its answer are documents, so that both ways are one; how a command line becomes a request is in `commands`.

mod deploy;
mod explain;
mod files;
mod grants;
mod list;
mod matrix;
mod reach;
mod replay;
mod request;
mod rollback;
mod tally;

use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use mortise_deployments::{LiveHost, Registry, RegistryError};
use mortise_engine::Catalogue;
use mortise_store::{Access, Store};
use mortise_types::TenantId;

pub(crate) use files::{Files, import};
pub(crate) use reach::{Reached, note_address};
pub(crate) use request::{Answer, Bounds, Deploy, Explain, List, Matrix, Replay, Request, Rollback, Target};

use crate::compose::{self, AtRest};
use crate::failure::Failure;
use crate::place::Place;

/// A request with a component behind it has at most so many bytes.
const REQUEST_MAX_BYTES: usize = 40 << 20;

/// Does what is asked.
#[derive(Debug)]
pub(crate) struct Desk {
    store: Arc<Store>,
    catalogue: Arc<Catalogue>,
    live: Arc<LiveHost>,
    registry: Registry,
    grants: Option<PathBuf>,
}

impl Desk {
    /// The desk of a running platform.
    pub(crate) fn new(
        store: Arc<Store>,
        catalogue: Arc<Catalogue>,
        live: Arc<LiveHost>,
        data: &Place,
    ) -> Self {
        let registry = Registry::new(Arc::clone(&store));
        Self { store, catalogue, live, registry, grants: grants::file(data) }
    }

    /// The desk of data that is opened for it: a directory that nobody has, or a PostgreSQL database, beside whoever has it.
    ///
    /// # Errors
    /// The database's, among them that a server has the directory.
    pub(crate) async fn at_rest(data: &Place, access: Access) -> Result<Self, Failure> {
        let AtRest { store, catalogue, .. } = compose::at_rest(data, access).await?;
        let live = LiveHost::new(compose::runtime(data)?, Arc::new(mortise_types::SystemClock));
        live.attach(Registry::new(Arc::clone(&store))).await?;
        Ok(Self::new(store, catalogue, live, data))
    }

    /// Does what somebody asks for.
    ///
    /// # Errors
    /// Why it was not done.
    pub(crate) async fn answer(
        &self,
        by: &str,
        request: Request,
        component: Vec<u8>,
    ) -> Result<Answer, Failure> {
        match request {
            Request::Deploy(wish) => self.deploy(by, *wish, component).await,
            Request::Rollback(wish) => self.roll_back(by, wish).await,
            Request::List(wish) => self.list(&wish).await,
            Request::Explain(wish) => self.explain(&wish).await,
            Request::Matrix(wish) => self.matrix(&wish).await,
            Request::Replay(wish) => self.replay(*wish, component).await,
        }
    }
}

impl mortise_http::Desk for Desk {
    fn request_max_bytes(&self) -> usize {
        REQUEST_MAX_BYTES
    }

    fn serve(&self, staff: String, request: Vec<u8>) -> BoxFuture<'_, String> {
        Box::pin(async move {
            let answered = match request::parted(request) {
                Ok((request, component)) => Box::pin(self.answer(&staff, request, component)).await,
                Err(failure) => Err(failure),
            };
            request::written(answered)
        })
    }
}

/// A tenant by its name.
fn tenant(name: &str) -> Result<TenantId, Failure> {
    TenantId::new(name).map_err(|error| Failure::unusable(error.to_string()))
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Store(error) => error.into(),
            error => Failure::refused(error.to_string()),
        }
    }
}
