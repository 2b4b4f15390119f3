//! What is bound where: ids, names of `let` and `as`, and what the language itself binds. A name that the file has but
//! the place cannot see is told apart from one that nothing has.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mortise_types::nearest;

use crate::ast::Place;
use crate::diagnostic::Diagnostic;
use crate::report::listed;
use crate::typing::{Names, Ty};

use super::ways::Fact;

/// A name and what it stands for.
#[derive(Debug, Clone)]
pub(super) struct Binding<'c> {
    pub(super) name: String,
    pub(super) ty: Ty<'c>,
    /// Whether its step ran; `None` for what is always there.
    pub(super) ran: Option<Fact>,
    /// Tells bindings of one name apart: the offset of the name.
    pub(super) key: usize,
    /// The line on which it is bound; 0 for what the language binds.
    pub(super) line: u32,
}

/// The names that are visible, innermost last.
#[derive(Debug, Default)]
pub(super) struct Scope<'c> {
    bindings: Vec<Binding<'c>>,
    /// Every name that was ever bound, by its key.
    known: HashMap<usize, Binding<'c>>,
    used: BTreeSet<usize>,
    /// Every name of the file, with its place.
    file: BTreeMap<String, Place>,
}

impl<'c> Scope<'c> {
    pub(super) fn new(file: BTreeMap<String, Place>) -> Self {
        Self { bindings: Vec::new(), known: HashMap::new(), used: BTreeSet::new(), file }
    }

    /// Binds what the language itself names.
    pub(super) fn bind_word(&mut self, name: &str, ty: Ty<'c>, key: usize) {
        self.bind(Binding { name: name.to_owned(), ty, ran: None, key, line: 0 });
    }

    pub(super) fn bind(&mut self, binding: Binding<'c>) {
        self.known.insert(binding.key, binding.clone());
        self.bindings.push(binding);
    }

    /// A name as it was bound last, wherever that was.
    pub(super) fn known(&self, key: usize) -> Option<&Binding<'c>> {
        self.known.get(&key)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Binding<'c>> {
        self.bindings.iter().rev().find(|binding| binding.name == name)
    }

    pub(super) fn was_used(&self, key: usize) -> bool {
        self.used.contains(&key)
    }

    /// Where a block begins.
    pub(super) fn mark(&self) -> usize {
        self.bindings.len()
    }

    /// Ends a block: what was bound in it.
    pub(super) fn close(&mut self, mark: usize) -> Vec<Binding<'c>> {
        self.bindings.split_off(mark.min(self.bindings.len()))
    }
}

impl<'c> Names<'c> for Scope<'c> {
    fn find(&mut self, name: &str, place: Place, found: &mut Vec<Diagnostic>) -> Ty<'c> {
        if let Some(binding) = self.bindings.iter().rev().find(|binding| binding.name == name) {
            self.used.insert(binding.key);
            return binding.ty.clone();
        }
        let (code, message, help) = match self.file.get(name) {
            Some(known) if known.offset > place.offset => (
                "not-yet-known",
                format!("`{name}` is not known yet here: it comes on line {}", known.line),
                "move this behind it, or move it up".to_owned(),
            ),
            Some(known) => (
                "not-yet-known",
                format!(
                    "`{name}` is bound inside of a block on line {}, which does not lie on every way here",
                    known.line
                ),
                "give the block an `id` and a `result:` that names it, and read that behind the block"
                    .to_owned(),
            ),
            None => {
                let visible = || self.bindings.iter().map(|binding| binding.name.as_str());
                let known = visible().chain(self.file.keys().map(String::as_str));
                let help = nearest(name, known).map_or_else(
                    || format!("bound here are {}", listed(visible())),
                    |near| format!("did you mean `{near}`?"),
                );
                ("unknown-name", format!("nothing is named `{name}`"), help)
            }
        };
        found.push(Diagnostic::error(code, place, message, help));
        Ty::unknown()
    }

    fn is_bound(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}
