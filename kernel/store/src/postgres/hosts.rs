//! The servers that an address names, one or several of which one is the primary at a time: sqlx knows one host an address, so a
//! list is taken apart here as libpq reads it. A connection is made to the host that takes writes, whoever that has become.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Row as _};

use super::{late, refused};
use crate::error::StoreError;

/// How long one of several hosts may take to answer before the next is asked.
const PATIENCE: Duration = Duration::from_secs(3);
/// Whether a server refuses writes, as a standby does and a primary that was told to.
const READ_ONLY: &str =
    "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool";

/// The hosts of an address, in its order.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    all: Vec<PgConnectOptions>,
    /// Whether a host has to take writes to be the right one: with one host nobody asks, unless the address says so.
    must_write: bool,
    /// Which one it was last.
    last: Arc<AtomicUsize>,
}

impl Hosts {
    /// Reads `postgres://user@one:5432,two:5432/database?target_session_attrs=read-write`, or sockets as
    /// `?host=/one,/two&port=5432,5433`.
    ///
    /// # Errors
    /// An address that is none; one that asks for a standby.
    pub(crate) fn of(url: &str) -> Result<Self, StoreError> {
        let (urls, must_write) = split(url).map_err(|problem| {
            refused(
                "connect",
                sqlx::Error::Configuration(format!("the database's address: {problem}").into()),
            )
        })?;
        let all = urls.iter().map(|url| url.parse::<PgConnectOptions>()).collect::<Result<_, _>>();
        let all = all.map_err(|source| refused("connect", source))?;
        Ok(Self { all, must_write, last: Arc::default() })
    }

    /// Reads the address of one standby: who asks there writes nothing.
    ///
    /// # Errors
    /// [`StoreError::Replica`] for an address that is none, or names several hosts.
    pub(crate) fn of_standby(url: &str) -> Result<Self, StoreError> {
        let off = |problem: &str| StoreError::Replica(format!("the address of a replica: {problem}"));
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(off("write `postgres://user@host/database`, as the primary's"));
        }
        if url.contains("target_session_attrs=") {
            return Err(off(
                "leave `target_session_attrs` out: one host is named, and it has to be a standby",
            ));
        }
        let (urls, _) = split(url).map_err(|problem| off(&problem))?;
        let [url] = &*urls else {
            return Err(off(&format!(
                "it names {} hosts; give each standby an address of its own",
                urls.len()
            )));
        };
        let host = url.parse::<PgConnectOptions>().map_err(|error| off(&error.to_string()))?;
        Ok(Self { all: vec![host], must_write: false, last: Arc::default() })
    }

    /// The same, each as `with` makes it.
    pub(crate) fn map(self, with: impl Fn(PgConnectOptions) -> PgConnectOptions) -> Self {
        Self { all: self.all.into_iter().map(with).collect(), ..self }
    }

    /// A connection to the host that takes writes.
    ///
    /// # Errors
    /// What the last of them says, [`StoreError::NoPrimary`] where those that answer take no writes.
    pub(crate) async fn connect(&self) -> Result<PgConnection, StoreError> {
        self.find().await.map(|(_, connection)| connection)
    }

    /// How to reach the host that takes writes, for who connects by himself.
    ///
    /// # Errors
    /// As [`Hosts::connect`].
    pub(crate) async fn primary(&self) -> Result<PgConnectOptions, StoreError> {
        if !self.must_write {
            return Ok(self.all[0].clone());
        }
        let (index, connection) = self.find().await?;
        let _ = connection.close().await;
        Ok(self.all[index].clone())
    }

    async fn find(&self) -> Result<(usize, PgConnection), StoreError> {
        let (first, count) = (self.last.load(Ordering::Relaxed), self.all.len());
        let mut told = StoreError::NoPrimary(self.name());
        for index in (0..count).map(|step| (first + step) % count) {
            match self.ask(index).await {
                Ok(Some(connection)) => {
                    if self.last.swap(index, Ordering::Relaxed) != index {
                        tracing::warn!(host = %named(&self.all[index]), "another host is the primary now");
                    }
                    return Ok((index, connection));
                }
                Ok(None) => {}
                Err(error) => told = error,
            }
        }
        Err(told)
    }

    /// A connection to one of the hosts, unless it takes no writes.
    async fn ask(&self, index: usize) -> Result<Option<PgConnection>, StoreError> {
        let failed = |source| refused("connect", source);
        if !self.must_write {
            return self.all[index].connect().await.map(Some).map_err(failed);
        }
        let asked = tokio::time::timeout(PATIENCE, async {
            let mut connection = self.all[index].connect().await?;
            let is_read_only: bool = connection.fetch_one(READ_ONLY).await?.try_get(0)?;
            Ok((!is_read_only).then_some(connection))
        });
        asked.await.map_err(|_| late("connect"))?.map_err(failed)
    }

    /// As a person knows them: no password.
    pub(crate) fn name(&self) -> String {
        let database = self.all[0].get_database().unwrap_or_else(|| self.all[0].get_username());
        let hosts: Vec<String> = self.all.iter().map(named).collect();
        format!("the database `{database}` of {}", hosts.join(", "))
    }
}

fn named(host: &PgConnectOptions) -> String {
    match host.get_socket() {
        Some(socket) => format!("{}:{}", socket.display(), host.get_port()),
        None => format!("{}:{}", host.get_host(), host.get_port()),
    }
}

/// One address a host, and whether the host has to take writes.
fn split(url: &str) -> Result<(Vec<String>, bool), String> {
    let (scheme, rest) = url.split_once("://").ok_or("it has no scheme")?;
    let (address, query) = rest.split_once('?').map_or((rest, ""), |(address, query)| (address, query));
    let (authority, path) =
        address.split_once('/').map_or((address, ""), |(authority, path)| (authority, path));
    let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
    let at = if authority.contains('@') { "@" } else { "" };
    let (mut by_host, mut by_port, mut must_write, mut others) = (Vec::new(), Vec::new(), false, Vec::new());
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let list = |value: &str| value.replace("%2C", ",").split(',').map(str::to_owned).collect::<Vec<_>>();
        match parameter.split_once('=') {
            Some(("host", value)) => by_host = list(value),
            Some(("port", value)) => by_port = list(value),
            Some(("target_session_attrs", "any")) => {}
            Some(("target_session_attrs", "read-write" | "primary")) => must_write = true,
            Some(("target_session_attrs", other)) => {
                return Err(format!(
                    "target_session_attrs is `read-write`, `primary` or `any`, not `{other}`: a platform writes"
                ));
            }
            _ => others.push(parameter),
        }
    }
    let in_authority: Vec<&str> = hosts.split(',').collect();
    let count = in_authority.len().max(by_host.len()).max(by_port.len());
    let fits = |have: usize| have <= 1 || have == count;
    if ![in_authority.len(), by_host.len(), by_port.len()].into_iter().all(fits) {
        return Err("it has as many ports as hosts, or one for all".to_owned());
    }
    let urls = (0..count).map(|index| {
        let of = |list: &[String]| list.get(index).or_else(|| list.first()).cloned();
        let host = in_authority.get(index).or_else(|| in_authority.first()).copied().unwrap_or_default();
        let own = [("host", of(&by_host)), ("port", of(&by_port))];
        let own = own.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        let query: Vec<String> = others.iter().map(|other| (*other).to_owned()).chain(own).collect();
        let path = if address.contains('/') { format!("/{path}") } else { String::new() };
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{scheme}://{user}{at}{host}{path}{mark}{}", query.join("&"))
    });
    Ok((urls.collect(), must_write || count > 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_several_hosts_is_one_of_each() {
        for (url, hosts, must_write) in [
            ("postgres://shop@db/trade", &["postgres://shop@db/trade"][..], false),
            ("postgres://shop@db/trade?target_session_attrs=read-write", &["postgres://shop@db/trade"], true),
            (
                "postgres://shop:a@b@one:1,two:2/trade?sslmode=require&target_session_attrs=primary",
                &[
                    "postgres://shop:a@b@one:1/trade?sslmode=require",
                    "postgres://shop:a@b@two:2/trade?sslmode=require",
                ],
                true,
            ),
            (
                "postgres://shop@localhost/trade?host=/a,/b&port=1,2",
                &[
                    "postgres://shop@localhost/trade?host=/a&port=1",
                    "postgres://shop@localhost/trade?host=/b&port=2",
                ],
                true,
            ),
            ("postgres://one,two", &["postgres://one", "postgres://two"], true),
        ] {
            let (urls, writes) = split(url).unwrap();
            assert_eq!(
                (urls.iter().map(String::as_str).collect::<Vec<_>>(), writes),
                (hosts.to_vec(), must_write)
            );
        }
        let told = |url| Hosts::of_standby(url).unwrap_err().to_string();
        assert!(told("mysql://one/trade").contains("postgres://user@host/database"));
        assert!(told("postgres://one,two/trade").contains("it names 2 hosts"));
        assert!(told("postgres://one/trade?target_session_attrs=any").contains("leave"));
        let standby = Hosts::of_standby("postgres://shop:secret@two:5433/trade").unwrap();
        assert_eq!(
            (standby.name().as_str(), standby.must_write),
            ("the database `trade` of two:5433", false)
        );
        assert!(split("postgres://one,two/trade?port=1,2,3").unwrap_err().contains("as many ports as hosts"));
        assert!(
            split("postgres://one/trade?target_session_attrs=standby").unwrap_err().contains("not `standby`")
        );
    }
}
