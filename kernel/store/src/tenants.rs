//! Whose rows an operation may touch: the tenants of its calls. PostgreSQL refuses it all others by a policy of each table;
//! SQLite has no such thing and takes its word.

use std::collections::BTreeSet;

use mortise_types::TenantId;

/// The setting that the policies read, for one transaction: tenants' names with commas between.
pub(crate) const SETTING: &str = "mortise.tenants";

/// Some tenants. None of their names holds a comma or a quote: see [`TenantId`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenants(String);

impl Tenants {
    /// Those of the calls of a batch, each once.
    pub fn of<'t>(calls: impl IntoIterator<Item = &'t TenantId>) -> Self {
        let mut calls = calls.into_iter().map(TenantId::as_str);
        let Some(first) = calls.next() else { return Self(String::new()) };
        // Most batches are one tenant's.
        let others: Vec<&str> = calls.filter(|other| *other != first).collect();
        if others.is_empty() {
            return Self(first.to_owned());
        }
        let all: BTreeSet<&str> = others.into_iter().chain([first]).collect();
        Self(all.into_iter().collect::<Vec<_>>().join(","))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenant_stands_once_and_in_order() {
        let named = |names: &[&str]| {
            let ids: Vec<TenantId> = names.iter().map(|name| TenantId::new(*name).unwrap()).collect();
            Tenants::of(&ids).text().to_owned()
        };
        assert_eq!(named(&[]), "");
        assert_eq!(named(&["acme", "acme"]), "acme");
        assert_eq!(named(&["zoo", "acme", "zoo"]), "acme,zoo");
        assert!(TenantId::new("a,b").is_err() && TenantId::new("a'b").is_err());
    }
}
