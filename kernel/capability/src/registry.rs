//! All capabilities of a platform. What contradicts itself is refused when the program starts: an operation without code,
//! an undo that may be rejected, a write that may lag, a late call that nothing declares, a rejection without a page.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mortise_contract::{CallTemplate, Contracts, DeclarationError, Effect, OperationContract, Undo};
use mortise_store::Migrations;

use crate::book::Book;
use crate::capability::{Capability, Check, RejectionPage};
use crate::erased::Handler;
use crate::policy::{Policy, PolicyError, PolicyKind, PolicyRow};

/// Capabilities that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// A contract is off.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    /// Contract and code differ.
    #[error("`{operation}`: {problem}")]
    Operation {
        /// The operation or event.
        operation: String,
        /// What is off.
        problem: String,
    },
}

/// What capabilities declare, in one. That of the same ones as the last time is shared: a simulation registers them thousands of
/// times.
fn together(capabilities: &[Capability]) -> Result<Arc<Contracts>, DeclarationError> {
    type Known = (Vec<Arc<Contracts>>, Arc<Contracts>);
    static LAST: Mutex<Option<Known>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let parts: Vec<Arc<Contracts>> = capabilities.iter().map(|of| Arc::clone(&of.contracts)).collect();
    if let Some((known, contracts)) = &*last
        && known.len() == parts.len()
        && known.iter().zip(&parts).all(|(known, part)| Arc::ptr_eq(known, part))
    {
        return Ok(Arc::clone(contracts));
    }
    let mut all = Contracts::default();
    for part in &parts {
        all.merge((**part).clone())?;
    }
    let contracts = Arc::new(all);
    *last = Some((parts, Arc::clone(&contracts)));
    Ok(contracts)
}

/// The registered capabilities.
#[derive(Debug, Default)]
pub struct Registry {
    contracts: Arc<Contracts>,
    handlers: BTreeMap<String, Handler>,
    capabilities: BTreeMap<&'static str, &'static str>,
    migrations: Vec<Migrations>,
    checks: Vec<(&'static str, Check)>,
    books: Vec<Book>,
    pages: BTreeMap<&'static str, RejectionPage>,
    policies: BTreeMap<&'static str, PolicyKind>,
}

impl Registry {
    /// All of `capabilities` together.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn new(capabilities: impl IntoIterator<Item = Capability>) -> Result<Self, RegistryError> {
        let capabilities: Vec<Capability> = capabilities.into_iter().collect();
        let mut registry = Self { contracts: together(&capabilities)?, ..Self::default() };
        for capability in capabilities {
            registry.add(capability)?;
        }
        registry.hold()?;
        Ok(registry)
    }

    /// The same with one capability more: one that could be made only when the others were known.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn with(mut self, capability: Capability) -> Result<Self, RegistryError> {
        Arc::make_mut(&mut self.contracts).merge(capability.contracts().clone())?;
        self.add(capability)?;
        self.hold()?;
        Ok(self)
    }

    /// All of a capability but its contracts.
    fn add(&mut self, capability: Capability) -> Result<(), RegistryError> {
        let name = capability.name;
        self.handlers.extend(capability.handlers);
        self.capabilities.insert(name, capability.summary);
        self.migrations.extend(capability.migrations);
        self.checks.extend(capability.checks.into_iter().map(|check| (name, check)));
        self.books.extend(capability.books);
        self.policies.extend(capability.policies.into_iter().map(|kind| (kind.name, kind)));
        for page in capability.pages {
            // One code has one meaning, also where several capabilities answer it.
            if self.pages.insert(page.code, page).is_some_and(|old| old.page != page.page) {
                return Err(DeclarationError::Twice(format!("the page of `{}`", page.code)).into());
            }
        }
        Ok(())
    }

    /// With a kind of choice that belongs to no capability.
    #[must_use]
    pub fn offer<P: Policy>(mut self) -> Self {
        let kind = PolicyKind::of::<P>();
        self.policies.insert(kind.name, kind);
        self
    }

    /// The same operations with something put around the code of each: what a simulator or a test does.
    #[must_use]
    pub fn wrapped(mut self, wrap: impl Fn(&str, Handler) -> Handler) -> Self {
        self.handlers = self
            .handlers
            .into_iter()
            .map(|(name, handler)| {
                let wrapped = wrap(&name, handler);
                (name, wrapped)
            })
            .collect();
        self
    }

    /// The contracts, as data.
    pub fn contracts(&self) -> &Contracts {
        &self.contracts
    }

    /// The code of an operation.
    pub fn handler(&self, operation: &str) -> Option<&Handler> {
        self.handlers.get(operation)
    }

    /// Names and summaries.
    pub fn capabilities(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.capabilities.iter().map(|(name, summary)| (*name, *summary))
    }

    /// Schema histories, in the order of registration.
    pub fn migrations(&self) -> &[Migrations] {
        &self.migrations
    }

    /// Invariants with the capability that holds them.
    pub fn checks(&self) -> impl Iterator<Item = (&'static str, Check)> {
        self.checks.iter().copied()
    }

    /// Books of all capabilities.
    pub fn books(&self) -> &[Book] {
        &self.books
    }

    /// The page of a rejection code.
    pub fn page(&self, code: &str) -> Option<&'static str> {
        self.pages.get(code).map(|page| page.page)
    }

    /// The kinds of choice that scopes may make.
    pub fn policies(&self) -> impl Iterator<Item = &PolicyKind> {
        self.policies.values()
    }

    /// Whether a row is a choice that a capability offers.
    ///
    /// # Errors
    /// An unknown name, or the field that is off.
    pub fn accepts_policy(&self, row: &PolicyRow) -> Result<(), PolicyError> {
        match self.policies.get(row.name.as_str()) {
            Some(kind) => kind.accepts(row),
            None => Err(PolicyError::unknown(row, &self.policies.keys().copied().collect::<Vec<_>>())),
        }
    }

    fn hold(&self) -> Result<(), RegistryError> {
        for (name, contract) in &self.contracts.operations {
            let refuse = |problem: String| RegistryError::Operation { operation: name.clone(), problem };
            let kind = match self.handlers.get(name) {
                None => return Err(refuse("is declared but has no code".into())),
                Some(Handler::Pure(_)) => Effect::Pure,
                Some(Handler::Read(_)) => Effect::Read,
                Some(Handler::Write(_)) => Effect::Write,
                Some(Handler::Remote(_)) => Effect::Remote,
            };
            if kind != contract.effect {
                return Err(refuse(format!("is declared {:?} but its code is {kind:?}", contract.effect)));
            }
            if let Some(problem) = contract.staleness_problem() {
                return Err(refuse(problem));
            }
            if let Some(Undo::Call(undo)) = &contract.undo {
                self.backward(name, "undo", undo)?;
            }
            if let Some(tcc) = &contract.tcc {
                self.backward(name, "confirm", &tcc.confirm)?;
                self.backward(name, "cancel", &tcc.cancel)?;
            }
            for code in contract.rejections.keys() {
                if !self.pages.contains_key(code.as_str()) {
                    return Err(refuse(format!("may be rejected with `{code}`, which has no page")));
                }
            }
            for event in &contract.events {
                if !self.contracts.events.contains_key(event) {
                    return Err(refuse(format!("writes the event `{event}`, which nothing declares")));
                }
            }
        }
        if let Some(name) = self.handlers.keys().find(|name| !self.contracts.operations.contains_key(*name)) {
            let problem = "has code but is not declared".to_owned();
            return Err(RegistryError::Operation { operation: name.clone(), problem });
        }
        for (name, event) in &self.contracts.events {
            if let Some(late) = &event.late {
                self.backward(name, "late call", late)?;
            }
        }
        Ok(())
    }

    /// What goes backward must exist and must not be able to say no.
    fn backward(
        &self,
        owner: &str,
        what: &str,
        template: &CallTemplate,
    ) -> Result<&OperationContract, RegistryError> {
        let refuse = |problem: String| RegistryError::Operation { operation: owner.to_owned(), problem };
        let contract = self
            .contracts
            .operations
            .get(&template.call)
            .ok_or_else(|| refuse(format!("its {what} `{}` is not declared", template.call)))?;
        if !contract.rejections.is_empty() {
            return Err(refuse(format!(
                "its {what} `{}` may be rejected; what goes backward may not",
                template.call
            )));
        }
        Ok(contract)
    }
}
