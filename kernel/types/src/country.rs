//! Countries by their ISO 3166-1 alpha-2 code. The list is closed, so that an address with a mistyped country is
//! refused where it enters.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::newtype::deserialize_text;

/// The officially assigned codes, sorted, one after the other.
const ASSIGNED: &[u8] = b"\
ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZ\
DEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISIT\
JEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZ\
NANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZ\
TCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW";

/// A code that no country has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 3166-1 alpha-2 country code in upper case: {0:?}")]
pub struct UnknownCountry(String);

/// A country, as its two letters in upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// The country of a two-letter code in upper case.
    pub fn new(code: &str) -> Result<CountryCode, UnknownCountry> {
        let refused = || UnknownCountry(code.chars().take(16).collect());
        let letters = <[u8; 2]>::try_from(code.as_bytes()).map_err(|_| refused())?;
        let (assigned, _) = ASSIGNED.as_chunks::<2>();
        assigned.binary_search(&letters).map_err(|_| refused())?;
        Ok(CountryCode(letters))
    }

    /// The two letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a country is made of two ASCII letters, checked by `new`")
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CountryCode({})", self.code())
    }
}

impl FromStr for CountryCode {
    type Err = UnknownCountry;

    fn from_str(code: &str) -> Result<CountryCode, UnknownCountry> {
        CountryCode::new(code)
    }
}

impl Serialize for CountryCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for CountryCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CountryCode, D::Error> {
        deserialize_text(deserializer, "an ISO 3166-1 alpha-2 country code")
    }
}

impl JsonSchema for CountryCode {
    fn schema_name() -> Cow<'static, str> {
        "delivery/CountryCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_complete_and_sorted() {
        let (assigned, rest) = ASSIGNED.as_chunks::<2>();
        assert_eq!((assigned.len(), rest.len()), (249, 0), "ISO 3166-1 assigns 249 codes");
        assert!(assigned.is_sorted_by(|a, b| a < b));
        assert!(assigned.as_flattened().iter().all(u8::is_ascii_uppercase));
    }

    #[test]
    fn only_assigned_codes_are_countries() {
        for code in ["AD", "DE", "US", "CN", "ZW"] {
            assert_eq!(CountryCode::new(code).unwrap().code(), code);
        }
        for code in ["de", "D", "DEU", "UK", "XX", "", "Ä"] {
            assert!(CountryCode::new(code).is_err(), "{code}");
        }
        assert!(serde_json::from_str::<CountryCode>(r#""UK""#).is_err());
    }
}
