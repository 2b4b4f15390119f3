//! A capability and a peer with faults built in, as an author might build them in: the explorer has to find each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use mortise_capability::{
    Book, Call, Capability, Entry, Intended, Policies, Registry, RejectionPage, RemoteOperation, Reply,
    SendContext, Settling, Stands, StoreError, Unanswered, WriteOperation,
};
use mortise_contract::{Declaration, Event, NoDetail, Operation, Value};
use mortise_simulator::{Act, Composition, Message, Peers, Wired};
use mortise_store::{Migration, Migrations, Reader, Role, Statement, Tx};
use mortise_types::{Clock, IdSource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What is wrong with the capability or its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Nothing,
    /// Putting back forgets to put back.
    Forgets,
    /// A message that comes twice counts twice.
    CountsTwice,
    /// A peer that is asked twice charges twice.
    ChargesTwice,
}

macro_rules! records {
    ($($name:ident { $($field:ident: $type:ty),* })*) => {$(
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $(pub $field: $type),* }
    )*};
}

records! {
    Order { order: String }
    Done {}
    Charge { order: String, charge: String }
    News { charge: String, order: String, message: String }
}

const MOVE: Statement = Statement::pair(
    "till.move",
    "INSERT INTO till_book (tenant, owner, account, amount) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (tenant, owner, account) DO UPDATE SET amount = amount + excluded.amount",
    "INSERT INTO till_book (tenant, owner, account, amount)
     SELECT tenant, owner, account, sum(amount) FROM unnest($1, $2, $3, $4) AS item (tenant, owner, account, amount)
     GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
     ON CONFLICT (tenant, owner, account) DO UPDATE SET amount = till_book.amount + excluded.amount",
);
const SEEN: Statement = Statement::pair(
    "till.seen",
    "INSERT INTO till_book (tenant, owner, account, amount) VALUES (?1, ?2, 'seen', 0) ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, owner, n)),
     added AS (
       INSERT INTO till_book (tenant, owner, account, amount)
       SELECT tenant, owner, 'seen', 0 FROM item ORDER BY tenant, owner, n ON CONFLICT DO NOTHING RETURNING tenant, owner)
     SELECT min(n) FROM item WHERE ((tenant, owner) IN (TABLE added)) IS TRUE GROUP BY tenant, owner",
);
const BOOK: Statement =
    Statement::both("till.book", "SELECT tenant, owner, account, amount FROM till_book WHERE account IN ('pens', 'money')
     UNION ALL SELECT tenant, owner, 'heard too often', amount - 1 FROM till_book WHERE account = 'heard' AND amount > 1");

async fn book(reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<(String, String, String, i64)> = reader.fetch_all(&BOOK, ()).await?;
    let entry = |(tenant, owner, account, amount): (String, String, String, i64)| {
        let stands = if account == "pens" { Stands::WhileOpen } else { Stands::ForGood };
        Entry { tenant, owner, account, amount, currency: None, stands }
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// Moves an account of the order by so much.
struct Moves(&'static str, i64);

impl WriteOperation for Moves {
    type Input = Order;
    type Output = Done;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<Order>]) -> Result<Vec<Reply<Done>>, StoreError> {
        let rows =
            calls.iter().map(|c| (c.context.scope.tenant.as_str(), c.input.order.as_str(), self.0, self.1));
        tx.execute(&MOVE, rows).await?;
        Ok(calls.iter().map(|_| Reply::done(Done {})).collect())
    }
}

/// Puts pens back once, or forgets to.
struct PutBack(Fault);

impl WriteOperation for PutBack {
    type Input = Order;
    type Output = Done;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<Order>]) -> Result<Vec<Reply<Done>>, StoreError> {
        for call in calls {
            let tenant = call.context.scope.tenant.as_str();
            let once = tx.execute(&SEEN, [(tenant, format!("back {}", call.input.order))]).await? == [1];
            if once && self.0 != Fault::Forgets {
                tx.execute(&MOVE, [(tenant, call.input.order.as_str(), "pens", -1_i64)]).await?;
            }
        }
        Ok(calls.iter().map(|_| Reply::done(Done {})).collect())
    }
}

/// Takes what the bank says of a charge.
struct Hear(Fault);

impl WriteOperation for Hear {
    type Input = News;
    type Output = Done;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<News>]) -> Result<Vec<Reply<Done>>, StoreError> {
        let mut replies = Vec::new();
        for call in calls {
            let tenant = call.context.scope.tenant.as_str();
            let once = tx.execute(&SEEN, [(tenant, call.input.message.as_str())]).await? == [1];
            if once || self.0 == Fault::CountsTwice {
                tx.execute(&MOVE, [(tenant, call.input.order.as_str(), "heard", 1_i64)]).await?;
            }
            replies.push(if once {
                Reply::done(Done {}).emit("till.paid", &call.input)?
            } else {
                Reply::done(Done {})
            });
        }
        Ok(replies)
    }
}

/// The bank: charges, by the key of the call.
#[derive(Debug)]
pub struct Bank {
    fault: Fault,
    charges: Mutex<BTreeMap<String, i64>>,
}

impl Bank {
    fn charge(&self, charge: &str) {
        let mut charges = self.charges.lock().unwrap();
        let count = charges.entry(charge.to_owned()).or_default();
        if *count == 0 || self.fault == Fault::ChargesTwice {
            *count += 1;
        }
    }
}

struct Pay(Arc<Bank>);

impl RemoteOperation for Pay {
    type Input = Order;
    type Output = Charge;
    type Intent = Charge;
    type Answer = String;

    async fn intent(
        &self,
        _: &mut Tx<'_>,
        calls: &[Call<Order>],
    ) -> Result<Vec<Intended<Charge, Charge>>, StoreError> {
        let intent = |call: &Call<Order>| {
            let order = call.input.order.clone();
            let charge = Charge { charge: format!("charge-{order}"), order };
            Intended::send(charge.clone(), &charge)
        };
        calls.iter().map(intent).collect()
    }

    async fn send(&self, _: SendContext, intent: Charge) -> Result<String, Unanswered> {
        self.0.charge(&intent.order);
        Ok("charged".to_owned())
    }

    async fn settle(
        &self,
        tx: &mut Tx<'_>,
        items: &[Settling<Order, Charge, String>],
    ) -> Result<Vec<Reply<Charge>>, StoreError> {
        let rows = items.iter().map(|item| {
            (item.call.context.scope.tenant.as_str(), item.intent.order.as_str(), "money", 1_i64)
        });
        tx.execute(&MOVE, rows).await?;
        Ok(items.iter().map(|item| Reply::done(item.intent.clone())).collect())
    }
}

/// Takes a charge back, whatever has become of it.
struct Refund(Arc<Bank>);

impl RemoteOperation for Refund {
    type Input = Charge;
    type Output = Done;
    type Intent = Charge;
    type Answer = i64;

    async fn intent(
        &self,
        _: &mut Tx<'_>,
        calls: &[Call<Charge>],
    ) -> Result<Vec<Intended<Charge, Done>>, StoreError> {
        calls.iter().map(|call| Intended::send(call.input.clone(), &Done {})).collect()
    }

    async fn send(&self, _: SendContext, intent: Charge) -> Result<i64, Unanswered> {
        Ok(self.0.charges.lock().unwrap().insert(intent.order, 0).unwrap_or(0))
    }

    async fn settle(
        &self,
        tx: &mut Tx<'_>,
        items: &[Settling<Charge, Charge, i64>],
    ) -> Result<Vec<Reply<Done>>, StoreError> {
        for item in items {
            let tenant = item.call.context.scope.tenant.as_str();
            let reader: &Reader<'_> = tx;
            let entries = book(reader).await?;
            let held =
                entries.iter().find(|entry| entry.owner == item.intent.order && entry.account == "money");
            let held = held.map_or(0, |entry| entry.amount);
            tx.execute(&MOVE, [(tenant, item.intent.order.as_str(), "money", -held)]).await?;
        }
        Ok(items.iter().map(|_| Reply::done(Done {})).collect())
    }
}

fn declaration() -> Declaration {
    let order = json!({ "order": "${ input.order }" });
    Declaration::new("till")
        .operation(
            Operation::write::<Order, Done>("take", "Takes a pen.")
                .rejects::<NoDetail>("sold_out")
                .undo("till.put_back", order),
        )
        .operation(Operation::write::<Order, Done>("put_back", "Puts it back.").nothing_to_undo())
        .operation(Operation::write::<Order, Done>("sell", "The pen is sold.").nothing_to_undo())
        .operation(
            Operation::remote::<Order, Charge>("pay", "Charges the customer.")
                .rejects::<NoDetail>("declined")
                .undo("till.refund", json!({ "charge": "${ output.charge }", "order": "${ output.order }" })),
        )
        .operation(Operation::remote::<Charge, Done>("refund", "Takes the charge back.").nothing_to_undo())
        .operation(
            Operation::write::<News, Done>("hear", "The bank says that it was paid.")
                .emits("till.paid")
                .nothing_to_undo(),
        )
        .event(Event::new::<News, String>("paid", "charge", "It was paid."))
}

#[derive(Debug)]
pub struct Till(pub Fault);

impl Composition for Till {
    fn peers(&self, _: Arc<dyn Clock>) -> Arc<dyn Peers> {
        Arc::new(Outside(Arc::new(Bank { fault: self.0, charges: Mutex::default() })))
    }

    fn flows(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

#[derive(Debug)]
struct Outside(Arc<Bank>);

impl Peers for Outside {
    fn wire(&self, _: Arc<dyn IdSource>) -> Result<Wired, String> {
        let fault = self.0.fault;
        let till =
            Capability::new("till", "Pens for tests.", declaration).map_err(|error| error.to_string())?;
        let till = till
            .write("take", Moves("pens", 1))
            .write("put_back", PutBack(fault))
            .write("sell", Moves("pens", -1))
            .write("hear", Hear(fault))
            .remote("pay", Pay(Arc::clone(&self.0)))
            .remote("refund", Refund(Arc::clone(&self.0)))
            .book(Book { name: "till", run: |reader| Box::pin(book(reader)) })
            .migrations(Migrations {
                owner: "till",
                role: Role::Capability,
                steps: &[Migration {
                    version: 1,
                    description: "book",
                    sqlite: "CREATE TABLE till_book (tenant TEXT NOT NULL, owner TEXT NOT NULL, account TEXT NOT NULL,
                             amount INTEGER NOT NULL, PRIMARY KEY (tenant, owner, account)) STRICT, WITHOUT ROWID;",
                    postgres: r#"CREATE TABLE till_book (tenant TEXT COLLATE "C" NOT NULL, owner TEXT COLLATE "C" NOT NULL,
                               account TEXT COLLATE "C" NOT NULL, amount BIGINT NOT NULL,
                               PRIMARY KEY (tenant, owner, account));"#,
                }],
            })
            .pages(&[
                RejectionPage { code: "sold_out", page: "# sold_out" },
                RejectionPage { code: "declined", page: "# declined" },
            ]);
        let registry = Registry::new([till]).map_err(|error| error.to_string())?;
        Ok(Wired { registry, policies: Arc::new(Policies::default()), bound: Arc::new(|_, _| false) })
    }

    fn act(&self, action: &str, with: &Value) -> Result<Act, String> {
        assert_eq!(action, "bank.tell");
        let input = Value::record(
            ["charge", "order"]
                .map(|name| (name, with.get(name).cloned().unwrap_or_default()))
                .into_iter()
                .chain([("message", Value::from("m-1"))]),
        );
        Ok(Act {
            said: "told".to_owned(),
            messages: vec![Message { operation: "till.hear".to_owned(), input }],
        })
    }

    fn entries(&self) -> Vec<Entry> {
        let charges = self.0.charges.lock().unwrap();
        let entry = |(owner, amount): (&String, &i64)| Entry {
            tenant: "demo".to_owned(),
            owner: owner.clone(),
            account: "money".to_owned(),
            amount: *amount,
            currency: None,
            stands: Stands::ForGood,
        };
        charges.iter().map(entry).collect()
    }
}
