//! Operations of one's own: extensions that are a pure step of a flow, `custom/NAME`, registered as a capability with the
//! contracts that their manifests state. How a component is run is the host's; what a flow makes of an answer is the flow's.

mod contract;
mod run;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mortise_capability::{Call, Capability, Handler, RejectionPage, StoreError};
use mortise_contract::{Contracts, OperationContract, Value};
use mortise_host::{Extension, Manifest, Runtime};

pub use contract::{CUSTOM_FAILED, ContractProblem, PREFIX, contract, name_of};

const SUMMARY: &str = "Operations of one's own, answered by extensions.";
const FAILED: RejectionPage =
    RejectionPage { code: CUSTOM_FAILED, page: include_str!("../rejections/custom_failed.md") };

/// An extension whose operation is left out, and why.
#[derive(Debug, thiserror::Error)]
#[error("the operation of extension {extension}: {problem}")]
pub struct LeftOut {
    /// `name@version`.
    pub extension: String,
    /// What is wrong with its contract.
    pub problem: ContractProblem,
}

/// What operations are registered with.
pub struct Registering<'a> {
    /// The platform's contracts without them: types that theirs may name.
    pub platform: &'a Contracts,
    /// What is off in contracts, in sentences; none: nothing is.
    pub check: &'a dyn Fn(&Contracts) -> Vec<String>,
}

impl std::fmt::Debug for Registering<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registering").finish_non_exhaustive()
    }
}

impl Registering<'_> {
    /// The operations of these extensions, ready to be called; extensions without one are passed over. Of several
    /// versions the highest counts. One whose contract is off is left out, and nothing else is touched.
    #[must_use]
    pub fn capability(
        &self,
        runtime: &Arc<Runtime>,
        extensions: impl IntoIterator<Item = Arc<Extension>>,
    ) -> (Capability, Vec<LeftOut>) {
        let all = extensions.into_iter().map(|extension| (extension.manifest().clone(), extension));
        self.register(all, |platform, name, contract, extension| {
            run::handler(Arc::clone(runtime), extension, name, contract, platform)
        })
    }

    /// The same from manifests alone: contracts to check flows against, with no code behind them.
    #[must_use]
    pub fn contracts(&self, manifests: impl IntoIterator<Item = Manifest>) -> (Capability, Vec<LeftOut>) {
        let all = manifests.into_iter().map(|manifest| (manifest, ()));
        self.register(all, |_, name, _, ()| {
            Handler::Pure(Arc::new(move |_: &[Call<Value>]| {
                Err(StoreError::Value(format!(
                    "{name} is known by its contract only: its extension is not loaded"
                )))
            }))
        })
    }

    fn register<T>(
        &self,
        all: impl Iterator<Item = (Manifest, T)>,
        code: impl Fn(Arc<Contracts>, String, OperationContract, T) -> Handler,
    ) -> (Capability, Vec<LeftOut>) {
        let (mut contracts, mut left_out, mut pages) = (Contracts::default(), Vec::new(), vec![FAILED]);
        let mut taken = Vec::new();
        for (manifest, with) in newest(all) {
            let Some(own) = &manifest.operation else { continue };
            match self.fitting(&manifest) {
                Ok(contract) => {
                    pages.extend(own.rejections.iter().map(|(code, rejection)| page(code, &rejection.page)));
                    contracts.operations.insert(name_of(&manifest), contract.clone());
                    taken.push((name_of(&manifest), contract, with));
                }
                Err(problem) => {
                    let extension = format!("{}@{}", manifest.name, manifest.version);
                    left_out.push(LeftOut { extension, problem });
                }
            }
        }
        let platform = Arc::new(self.platform.clone());
        let bare = Capability::of("custom", SUMMARY, contracts).pages(&pages);
        let capability = taken.into_iter().fold(bare, |capability, (name, contract, with)| {
            let handler = code(Arc::clone(&platform), name.clone(), contract, with);
            capability.code(name, handler)
        });
        (capability, left_out)
    }

    /// The contract of one, if the platform has no objection to it.
    fn fitting(&self, manifest: &Manifest) -> Result<OperationContract, ContractProblem> {
        let contract = contract(manifest)?;
        let mut with = self.platform.clone();
        with.operations.insert(name_of(manifest), contract.clone());
        let off = (self.check)(&with);
        if off.is_empty() { Ok(contract) } else { Err(ContractProblem::Platform(off.join("; "))) }
    }
}

/// The highest version of each name.
fn newest<T>(all: impl Iterator<Item = (Manifest, T)>) -> Vec<(Manifest, T)> {
    let numbers =
        |version: &str| version.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u64>>();
    let mut newest: BTreeMap<String, (Manifest, T)> = BTreeMap::new();
    for (manifest, with) in all {
        let lower = newest
            .get(&manifest.name)
            .is_some_and(|(known, _)| numbers(&known.version) > numbers(&manifest.version));
        if !lower {
            newest.insert(manifest.name.clone(), (manifest, with));
        }
    }
    newest.into_values().collect()
}

/// A page as the registry keeps it: for as long as the process runs. Each text is kept once.
fn page(code: &str, page: &str) -> RejectionPage {
    RejectionPage { code: kept(code), page: kept(page) }
}

fn kept(text: &str) -> &'static str {
    static KEPT: Mutex<BTreeMap<String, &'static str>> = Mutex::new(BTreeMap::new());
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(text) {
        return known;
    }
    let new: &'static str = Box::leak(text.to_owned().into_boxed_str());
    all.insert(text.to_owned(), new);
    new
}
