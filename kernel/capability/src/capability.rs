//! A capability as it is registered: contract, handlers, schema history, pages of its rejections, and what `verify` asks it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::LocalBoxFuture;
use mortise_contract::{Contracts, Declaration, DeclarationError};
use mortise_store::{Migrations, Reader, StoreError};

use crate::book::Book;
use crate::erased::Handler;
use crate::operation::{PureOperation, ReadOperation, RemoteOperation, WriteOperation};
use crate::policy::{Policy, PolicyKind};

/// Something that is off in the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whose: a tenant, an order, an item, as precisely as it can be named.
    pub subject: String,
    /// What is off, with the figures.
    pub problem: String,
}

/// What a check finds, when it is done.
pub type Findings<'a> = LocalBoxFuture<'a, Result<Vec<Finding>, StoreError>>;

/// An invariant that holds in every committed state.
#[derive(Clone, Copy)]
pub struct Check {
    /// `stock identity`, `ledger balance`.
    pub name: &'static str,
    /// Finds what is off; bounded to the first hundred findings.
    pub run: for<'a> fn(&'a Reader<'a>) -> Findings<'a>,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

/// What a rejection means to the person who meets it.
#[derive(Debug, Clone, Copy)]
pub struct RejectionPage {
    /// The code.
    pub code: &'static str,
    /// Markdown, by `include_str!`.
    pub page: &'static str,
}

/// What a capability declares, worked out once a process: a simulation registers all capabilities thousands of times, and
/// schemas took half of its time.
fn declared(contract: fn() -> Declaration) -> Result<Arc<Contracts>, DeclarationError> {
    static DECLARED: Mutex<BTreeMap<usize, Arc<Contracts>>> = Mutex::new(BTreeMap::new());
    let mut known = DECLARED.lock().unwrap_or_else(PoisonError::into_inner);
    match known.entry(contract as usize) {
        Entry::Occupied(known) => Ok(Arc::clone(known.get())),
        Entry::Vacant(unknown) => Ok(Arc::clone(unknown.insert(Arc::new(contract().finish()?)))),
    }
}

/// One capability, ready to be registered.
#[derive(Debug)]
pub struct Capability {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) contracts: Arc<Contracts>,
    pub(crate) handlers: BTreeMap<String, Handler>,
    pub(crate) migrations: Option<Migrations>,
    pub(crate) checks: Vec<Check>,
    pub(crate) books: Vec<Book>,
    pub(crate) pages: Vec<RejectionPage>,
    pub(crate) policies: Vec<PolicyKind>,
}

impl Capability {
    /// A capability with what it declares and no code yet.
    ///
    /// # Errors
    /// What the declaration refuses.
    pub fn new(
        name: &'static str,
        summary: &'static str,
        contract: fn() -> Declaration,
    ) -> Result<Self, DeclarationError> {
        Ok(Self::bare(name, summary, declared(contract)?))
    }

    /// A capability with contracts that were worked out elsewhere, and no code yet.
    #[must_use]
    pub fn of(name: &'static str, summary: &'static str, contracts: Contracts) -> Self {
        Self::bare(name, summary, Arc::new(contracts))
    }

    const fn bare(name: &'static str, summary: &'static str, contracts: Arc<Contracts>) -> Self {
        Self {
            name,
            summary,
            contracts,
            handlers: BTreeMap::new(),
            migrations: None,
            checks: Vec::new(),
            books: Vec::new(),
            pages: Vec::new(),
            policies: Vec::new(),
        }
    }

    fn handler(mut self, operation: &str, handler: Handler) -> Self {
        self.handlers.insert(format!("{}.{operation}", self.name), handler);
        self
    }

    /// With code over values, for an operation whose whole name is given: one that is known when the program starts only.
    #[must_use]
    pub fn code(mut self, operation: String, code: Handler) -> Self {
        self.handlers.insert(operation, code);
        self
    }

    /// With the code of a pure operation.
    #[must_use]
    pub fn pure(self, operation: &str, code: impl PureOperation) -> Self {
        self.handler(operation, Handler::pure(code))
    }

    /// With the code of a reading operation.
    #[must_use]
    pub fn read(self, operation: &str, code: impl ReadOperation) -> Self {
        self.handler(operation, Handler::read(code))
    }

    /// With the code of a writing operation.
    #[must_use]
    pub fn write(self, operation: &str, code: impl WriteOperation) -> Self {
        self.handler(operation, Handler::write(code))
    }

    /// With the code of a remote operation.
    #[must_use]
    pub fn remote(self, operation: &str, code: impl RemoteOperation) -> Self {
        self.handler(operation, Handler::remote(code))
    }

    /// With the history of its tables.
    #[must_use]
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.migrations = Some(migrations);
        self
    }

    /// With an invariant that `mortise verify` holds it to.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// With a book that says who has how much of what.
    #[must_use]
    pub fn book(mut self, book: Book) -> Self {
        self.books.push(book);
        self
    }

    /// With the pages of its rejections.
    #[must_use]
    pub fn pages(mut self, pages: &[RejectionPage]) -> Self {
        self.pages.extend_from_slice(pages);
        self
    }

    /// With choices that a scope may make; see [`Policy`].
    #[must_use]
    pub fn policy<P: Policy>(mut self) -> Self {
        self.policies.push(PolicyKind::of::<P>());
        self
    }

    /// Its contract.
    pub fn contracts(&self) -> &Contracts {
        &self.contracts
    }
}
