//! Whose business a call is: tenant, business line, channel. Policies, price lists and extensions are chosen by it; it
//! grants nothing by itself.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::InvalidText;
use crate::newtype::{TextProblem, check_text, string_newtype};

/// The most characters of a part of a scope.
const PART_MAX_CHARS: usize = 64;

fn check_part(text: &str) -> Result<(), TextProblem> {
    check_text(text, PART_MAX_CHARS, "a-z 0-9 - _ .", |c| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.')
    })
}

string_newtype!(
    /// A company on the platform. Nothing is ever shared between two.
    TenantId, "scope/TenantId", check_part
);
string_newtype!(
    /// A business line of a tenant, such as `grocery`.
    BusinessLine, "scope/BusinessLine", check_part
);
string_newtype!(
    /// Where a trade comes from, such as `web`, `pos` or `api`.
    Channel, "scope/Channel", check_part
);

/// Whose business a call is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "scope/Scope")]
pub struct Scope {
    /// The company.
    pub tenant: TenantId,
    /// Its business line.
    pub line: BusinessLine,
    /// Where the trade comes from.
    pub channel: Channel,
}

impl Scope {
    /// Checks the three parts: 1 to 64 of `a-z 0-9 - _ .` each.
    pub fn new(tenant: &str, line: &str, channel: &str) -> Result<Scope, InvalidText> {
        Ok(Scope {
            tenant: TenantId::new(tenant)?,
            line: BusinessLine::new(line)?,
            channel: Channel::new(channel)?,
        })
    }
}

/// `tenant/line/channel`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.tenant, self.line, self.channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_lowercase_and_short() {
        let scope = Scope::new("acme", "grocery-2.0_x", "web").unwrap();
        assert_eq!(scope.to_string(), "acme/grocery-2.0_x/web");
        assert_eq!(Scope::new("Acme", "grocery", "web").unwrap_err().type_name, "scope/TenantId");
        assert_eq!(Scope::new("acme", "gro/cery", "web").unwrap_err().type_name, "scope/BusinessLine");
        assert_eq!(Scope::new("acme", "grocery", "").unwrap_err().problem, TextProblem::Empty);
        assert!(Scope::new(&"a".repeat(64), "grocery", "web").is_ok());
        assert!(Scope::new(&"a".repeat(65), "grocery", "web").is_err());
    }

    #[test]
    fn json_is_closed_and_checked() {
        let scope = Scope::new("acme", "grocery", "web").unwrap();
        let text = r#"{"tenant":"acme","line":"grocery","channel":"web"}"#;
        assert_eq!(serde_json::to_string(&scope).unwrap(), text);
        assert_eq!(serde_json::from_str::<Scope>(text).unwrap(), scope);
        assert!(serde_json::from_str::<Scope>(r#"{"tenant":"ACME","line":"g","channel":"w"}"#).is_err());
        assert!(serde_json::from_str::<Scope>(r#"{"tenant":"a","line":"g","channel":"w","x":1}"#).is_err());
    }
}
