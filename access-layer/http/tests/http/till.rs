//! A capability made for these tests: it quotes, books and shows orders, and asks a peer who answers when a test lets it.
//! Real tables, real statements.

use std::sync::Arc;

use mortise_capability::{
    Call, Capability, Intended, ReadOperation, RejectionPage, RemoteOperation, Reply, SendContext, Settling,
    StoreError, Unanswered, WriteOperation,
};
use mortise_contract::{Declaration, Event, NoDetail, Operation};
use mortise_store::{Migration, Migrations, Reader, Role, Statement, Tx};
use mortise_types::{Amount, Currency, CustomerId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;

macro_rules! records {
    ($($name:ident { $($(#[$meta:meta])* $field:ident: $type:ty),* })*) => {$(
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$meta])* pub $field: $type),* }
    )*};
}

records! {
    QuoteInput { sku: String, offer: Amount }
    Quote { total: Amount }
    SoldOut { sku: String, last_price: Amount }
    PlaceInput { order_id: String, customer_id: CustomerId, currency: Currency, total: Amount }
    Placed { order_id: String }
    NoteInput {
        order_id: String,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fee: Option<Amount>
    }
    Noted { position: i64 }
    OrderInput {
        order_id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "CustomerId")]
        customer_id: Option<CustomerId>
    }
    Order { order_id: String, customer_id: CustomerId, currency: Currency, total: Amount }
    FindInput {
        #[schemars(length(max = 5))]
        skus: Vec<String>,
        cheapest: bool,
        #[serde(default)]
        limit: i64
    }
    Found {
        #[schemars(length(max = 5))]
        skus: Vec<String>,
        cheapest: bool,
        limit: i64
    }
    Budget { most: Amount }
    TimelineInput {
        order_id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "CustomerId")]
        customer_id: Option<CustomerId>,
        #[serde(default)]
        after: i64
    }
    Entry {
        position: i64,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fee: Option<Amount>
    }
    Timeline {
        currency: Currency,
        #[schemars(length(max = 2))]
        entries: Vec<Entry>
    }
    AskInput { order_id: String }
    Nothing {}
    Seat { seat: String }
    NotedEvent { order_id: String }
}

const PLACE: Statement = Statement::pair(
    "till.place",
    "INSERT INTO till_order (tenant, order_id, customer_id, currency, total) VALUES (?1, ?2, ?3, ?4, ?5)",
    "INSERT INTO till_order (tenant, order_id, customer_id, currency, total)
     SELECT * FROM unnest($1, $2, $3, $4, $5) ORDER BY 1, 2",
);
const ORDER: Statement = Statement::pair(
    "till.order",
    "SELECT customer_id, currency, total FROM till_order WHERE tenant = ?1 AND order_id = ?2",
    "SELECT item.n, o.customer_id, o.currency, o.total
     FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, order_id, n)
     JOIN till_order o ON o.tenant = item.tenant AND o.order_id = item.order_id",
);
const NOTE: Statement = Statement::pair(
    "till.note",
    "INSERT INTO till_entry (tenant, order_id, position, text, fee)
     SELECT ?1, ?2, coalesce(max(position), 0) + 1, ?3, ?4 FROM till_entry WHERE tenant = ?1 AND order_id = ?2
     RETURNING position",
    "WITH item AS (
       SELECT item.*, row_number() OVER (PARTITION BY tenant, order_id ORDER BY n) + (SELECT coalesce(max(e.position), 0)
         FROM till_entry e WHERE e.tenant = item.tenant AND e.order_id = item.order_id) AS position
       FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, order_id, text, fee, n)),
     added AS (
       INSERT INTO till_entry (tenant, order_id, position, text, fee)
       SELECT tenant, order_id, position, text, fee FROM item ORDER BY 1, 2, 3)
     SELECT n, position FROM item",
);
const ENTRIES: Statement = Statement::pair(
    "till.entries",
    "SELECT position, text, fee FROM till_entry WHERE tenant = ?1 AND order_id = ?2 AND position > ?3
     ORDER BY position LIMIT 2",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, order_id, position, n)
     CROSS JOIN LATERAL (
       SELECT position, text, fee FROM till_entry
       WHERE tenant = item.tenant AND order_id = item.order_id AND position > item.position
       ORDER BY position LIMIT 2) AS found",
);

fn currency(text: &str) -> Result<Currency, StoreError> {
    Currency::new(text).map_err(|error| StoreError::Value(error.to_string()))
}

struct QuoteOne;
impl ReadOperation for QuoteOne {
    type Input = QuoteInput;
    type Output = Quote;
    async fn run(&self, _: &Reader<'_>, calls: &[Call<QuoteInput>]) -> Result<Vec<Reply<Quote>>, StoreError> {
        let quote = |call: &Call<QuoteInput>| match call.input.sku.as_str() {
            "gone" => Reply::rejected("sold_out", &SoldOut { sku: "gone".into(), last_price: Amount(250) }),
            _ => Ok(Reply::done(Quote { total: call.input.offer })),
        };
        calls.iter().map(quote).collect()
    }
}

struct Place;
impl WriteOperation for Place {
    type Input = PlaceInput;
    type Output = Placed;
    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<PlaceInput>],
    ) -> Result<Vec<Reply<Placed>>, StoreError> {
        let rows = calls.iter().map(|call| {
            let input = &call.input;
            let (tenant, currency) = (call.context.scope.tenant.as_str(), input.currency.code());
            (tenant, input.order_id.as_str(), input.customer_id.as_str(), currency, input.total)
        });
        tx.execute(&PLACE, rows).await?;
        Ok(calls.iter().map(|call| Reply::done(Placed { order_id: call.input.order_id.clone() })).collect())
    }
}

struct Note;
impl WriteOperation for Note {
    type Input = NoteInput;
    type Output = Noted;
    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<NoteInput>]) -> Result<Vec<Reply<Noted>>, StoreError> {
        let mut replies = Vec::new();
        for call in calls {
            let (tenant, input) = (call.context.scope.tenant.as_str(), &call.input);
            let order = (tenant, input.order_id.as_str());
            let known = tx.fetch_all::<(String, String, i64), _>(&ORDER, order).await?;
            if known.is_empty() {
                replies.push(Reply::rejected("unknown_order", &NoDetail {})?);
                continue;
            }
            let fee = input.fee.map(|fee| fee.minor());
            let row = (tenant, input.order_id.as_str(), input.text.as_str(), fee);
            let position = tx.fetch_all::<(i64,), _>(&NOTE, row).await?[0].0;
            let event = NotedEvent { order_id: input.order_id.clone() };
            replies.push(Reply::done(Noted { position }).emit("till.noted", &event)?);
        }
        Ok(replies)
    }
}

struct ShowOrder;
impl ReadOperation for ShowOrder {
    type Input = OrderInput;
    type Output = Order;
    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<OrderInput>],
    ) -> Result<Vec<Reply<Order>>, StoreError> {
        let mut replies = Vec::new();
        for call in calls {
            let key = (call.context.scope.tenant.as_str(), call.input.order_id.as_str());
            let rows = reader.fetch_all::<(CustomerId, String, Amount), _>(&ORDER, key).await?;
            let asked = call.input.customer_id.as_ref();
            let row = rows.into_iter().find(|(owner, ..)| asked.is_none_or(|asked| asked == owner));
            replies.push(match row {
                None => Reply::rejected("unknown_order", &NoDetail {})?,
                Some((customer_id, code, total)) => {
                    let (order_id, currency) = (call.input.order_id.clone(), currency(&code)?);
                    Reply::done(Order { order_id, customer_id, currency, total })
                }
            });
        }
        Ok(replies)
    }
}

struct Find;
impl ReadOperation for Find {
    type Input = FindInput;
    type Output = Found;
    async fn run(&self, _: &Reader<'_>, calls: &[Call<FindInput>]) -> Result<Vec<Reply<Found>>, StoreError> {
        let found = |FindInput { skus, cheapest, limit }| Reply::done(Found { skus, cheapest, limit });
        Ok(calls.iter().map(|call| found(call.input.clone())).collect())
    }
}

struct ShowBudget;
impl ReadOperation for ShowBudget {
    type Input = Budget;
    type Output = Budget;
    async fn run(&self, _: &Reader<'_>, calls: &[Call<Budget>]) -> Result<Vec<Reply<Budget>>, StoreError> {
        Ok(calls.iter().map(|call| Reply::done(call.input.clone())).collect())
    }
}

struct ShowTimeline;
impl ReadOperation for ShowTimeline {
    type Input = TimelineInput;
    type Output = Timeline;
    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<TimelineInput>],
    ) -> Result<Vec<Reply<Timeline>>, StoreError> {
        let mut replies = Vec::new();
        for call in calls {
            let (tenant, input) = (call.context.scope.tenant.as_str(), &call.input);
            let order = (tenant, input.order_id.as_str());
            let rows = reader.fetch_all::<(CustomerId, String, i64), _>(&ORDER, order).await?;
            let asked = input.customer_id.as_ref();
            let row = rows.into_iter().find(|(owner, ..)| asked.is_none_or(|asked| asked == owner));
            let Some((_, code, _)) = row else {
                replies.push(Reply::rejected("unknown_order", &NoDetail {})?);
                continue;
            };
            let key = (tenant, input.order_id.as_str(), input.after);
            let rows = reader.fetch_all::<(i64, String, Option<i64>), _>(&ENTRIES, key).await?;
            let entry = |(position, text, fee): (i64, String, Option<i64>)| Entry {
                position,
                text,
                fee: fee.map(Amount),
            };
            let entries = rows.into_iter().map(entry).collect();
            replies.push(Reply::done(Timeline { currency: currency(&code)?, entries }));
        }
        Ok(replies)
    }
}

/// A peer who answers as often as the test has let it.
pub struct Ask(Arc<Semaphore>);
impl RemoteOperation for Ask {
    type Input = AskInput;
    type Output = Nothing;
    type Intent = AskInput;
    type Answer = Nothing;
    async fn intent(
        &self,
        _: &mut Tx<'_>,
        calls: &[Call<AskInput>],
    ) -> Result<Vec<Intended<AskInput, Nothing>>, StoreError> {
        calls.iter().map(|call| Intended::send(call.input.clone(), &Nothing {})).collect()
    }
    async fn send(&self, _: SendContext, _: AskInput) -> Result<Nothing, Unanswered> {
        let turn = self.0.acquire().await.map_err(|_| Unanswered::new("the peer is gone"))?;
        turn.forget();
        Ok(Nothing {})
    }
    async fn settle(
        &self,
        _: &mut Tx<'_>,
        items: &[Settling<AskInput, AskInput, Nothing>],
    ) -> Result<Vec<Reply<Nothing>>, StoreError> {
        Ok(items.iter().map(|_| Reply::done(Nothing {})).collect())
    }
}

struct Sit;
impl WriteOperation for Sit {
    type Input = Nothing;
    type Output = Seat;
    async fn run(&self, _: &mut Tx<'_>, calls: &[Call<Nothing>]) -> Result<Vec<Reply<Seat>>, StoreError> {
        Ok(calls.iter().map(|call| Reply::done(Seat { seat: call.context.call.to_string() })).collect())
    }
}

struct Rise;
impl WriteOperation for Rise {
    type Input = Seat;
    type Output = Nothing;
    async fn run(&self, _: &mut Tx<'_>, calls: &[Call<Seat>]) -> Result<Vec<Reply<Nothing>>, StoreError> {
        Ok(calls.iter().map(|_| Reply::done(Nothing {})).collect())
    }
}

struct Break;
impl WriteOperation for Break {
    type Input = Nothing;
    type Output = Nothing;
    async fn run(&self, _: &mut Tx<'_>, calls: &[Call<Nothing>]) -> Result<Vec<Reply<Nothing>>, StoreError> {
        Err(StoreError::Value(format!("password of the till, {} times", calls.len())))
    }
}

fn declaration() -> Declaration {
    Declaration::new("till")
        .operation(
            Operation::read::<QuoteInput, Quote>("quote", "What something costs.")
                .rejects::<SoldOut>("sold_out"),
        )
        .operation(Operation::write::<PlaceInput, Placed>("place", "Books an order.").nothing_to_undo())
        .operation(
            Operation::write::<NoteInput, Noted>("note", "Writes into an order's timeline.")
                .rejects::<NoDetail>("unknown_order")
                .emits("till.noted")
                .nothing_to_undo(),
        )
        .operation(
            Operation::read::<OrderInput, Order>("order", "One order.").rejects::<NoDetail>("unknown_order"),
        )
        .operation(Operation::read::<FindInput, Found>("find", "Says what it was asked."))
        .operation(Operation::read::<Budget, Budget>("budget", "Says what it was asked."))
        .operation(
            Operation::read::<TimelineInput, Timeline>("timeline", "What happened to an order.")
                .rejects::<NoDetail>("unknown_order"),
        )
        .operation(
            Operation::remote::<AskInput, Nothing>("ask", "Asks a peer.")
                .nothing_to_undo()
                .deadline(60_000, 2),
        )
        .operation(
            Operation::write::<Nothing, Seat>("sit", "Takes a seat.")
                .acquires("seat", "seat")
                .undo("till.rise", json!({"seat": "${ output.seat }"})),
        )
        .operation(
            Operation::write::<Seat, Nothing>("rise", "Gives it back.")
                .releases("seat", "seat")
                .nothing_to_undo(),
        )
        .operation(
            Operation::write::<Nothing, Seat>("queue", "Asks for a seat, which is given later.")
                .leads_to("till.seated")
                .nothing_to_undo(),
        )
        .event(Event::new::<Seat, String>("seated", "seat", "A seat is given.").acquires(
            "seat",
            "seat",
            "till.rise",
            json!({"seat": "${ event.seat }"}),
        ))
        .operation(Operation::write::<Nothing, Nothing>("break", "Fails.").nothing_to_undo())
        .event(Event::new::<NotedEvent, String>("noted", "order_id", "Something was written."))
}

/// The capability; its peer answers when `gate` has a permit.
pub fn till(gate: &Arc<Semaphore>) -> Capability {
    Capability::new("till", "Orders for tests.", declaration)
        .expect("a sound declaration")
        .read("quote", QuoteOne)
        .write("place", Place)
        .write("note", Note)
        .read("order", ShowOrder)
        .read("find", Find)
        .read("budget", ShowBudget)
        .read("timeline", ShowTimeline)
        .remote("ask", Ask(Arc::clone(gate)))
        .write("sit", Sit)
        .write("rise", Rise)
        .write("queue", Sit)
        .write("break", Break)
        .migrations(Migrations {
            owner: "till",
            role: Role::Capability,
            steps: &[Migration {
                version: 1,
                description: "orders",
                sqlite: "CREATE TABLE till_order (tenant TEXT NOT NULL, order_id TEXT NOT NULL, customer_id TEXT NOT NULL,
                             currency TEXT NOT NULL, total INTEGER NOT NULL, PRIMARY KEY (tenant, order_id)) STRICT;
                         CREATE TABLE till_entry (tenant TEXT NOT NULL, order_id TEXT NOT NULL, position INTEGER NOT NULL,
                             text TEXT NOT NULL, fee INTEGER, PRIMARY KEY (tenant, order_id, position)) STRICT;",
                postgres: r#"CREATE TABLE till_order (tenant TEXT COLLATE "C" NOT NULL, order_id TEXT COLLATE "C" NOT NULL,
                               customer_id TEXT COLLATE "C" NOT NULL, currency TEXT COLLATE "C" NOT NULL,
                               total BIGINT NOT NULL, PRIMARY KEY (tenant, order_id));
                             CREATE TABLE till_entry (tenant TEXT COLLATE "C" NOT NULL, order_id TEXT COLLATE "C" NOT NULL,
                               position BIGINT NOT NULL, text TEXT COLLATE "C" NOT NULL, fee BIGINT,
                               PRIMARY KEY (tenant, order_id, position));"#,
            }],
        })
        .pages(&[
            RejectionPage { code: "sold_out", page: "# sold_out\n\nThere is none left.\n" },
            RejectionPage { code: "unknown_order", page: "# unknown_order\n\nThere is no such order.\n" },
        ])
}
