//! A capability made for the engine's tests: a counter of goods, and a peer that answers, hangs or declines as it is told.
//! Real tables, real statements; only the peer is not on a network.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mortise_capability::{
    Call, Capability, Intended, ReadOperation, RejectionPage, RemoteOperation, Reply, SendContext, Settling,
    Staleness, StoreError, Unanswered, WriteOperation,
};
use mortise_contract::{Declaration, Event, NoDetail, Operation};
use mortise_store::{Migration, Migrations, Reader, Role, Statement, Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

macro_rules! records {
    ($($name:ident { $($field:ident: $type:ty),* })*) => {$(
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $(pub $field: $type),* }
    )*};
}

records! {
    Goods { goods: String }
    Count { count: i64 }
    Take { goods: String, count: i64, seen: i64 }
    Taken { taking: String }
    PutBack { goods: String, count: i64, taking: String }
    Nothing {}
    Pay { order: String }
    Paid { payment: String }
    PaidEvent { payment: String }
    Explode { order: String }
}

/// What the peer does with a request, by the order's prefix, and what it has been asked.
#[derive(Debug, Default)]
pub struct Peer {
    pub asked: Mutex<Vec<(String, u32)>>,
    pub effects: Mutex<HashMap<String, String>>,
    pub refunds: Mutex<Vec<String>>,
}

impl Peer {
    fn ask(&self, key: &str, attempt: u32, order: &str) -> Result<String, Unanswered> {
        self.asked.lock().unwrap().push((key.to_owned(), attempt));
        if order.starts_with("mute") {
            return Err(Unanswered::new("the peer is mute"));
        }
        assert!(!(order.starts_with("panic") && attempt == 1), "the adapter panics");
        if order.starts_with("slow") && attempt == 1 {
            self.effects.lock().unwrap().insert(key.to_owned(), order.to_owned());
            return Err(Unanswered::new("the answer was lost"));
        }
        if order.starts_with("poor") {
            return Ok("declined".to_owned());
        }
        self.effects.lock().unwrap().insert(key.to_owned(), order.to_owned());
        Ok("accepted".to_owned())
    }
}

const COUNT: Statement = Statement::pair(
    "shop.count",
    "SELECT count FROM shop_goods WHERE tenant = ?1 AND goods = ?2",
    "SELECT item.n, g.count FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, goods, n)
     JOIN shop_goods g ON g.tenant = item.tenant AND g.goods = item.goods",
);
const ADD: Statement = Statement::pair(
    "shop.add",
    "INSERT INTO shop_goods (tenant, goods, count) VALUES (?1, ?2, ?3)
     ON CONFLICT (tenant, goods) DO UPDATE SET count = count + excluded.count",
    "INSERT INTO shop_goods (tenant, goods, count)
     SELECT tenant, goods, sum(count) FROM unnest($1, $2, $3) AS item (tenant, goods, count) GROUP BY 1, 2 ORDER BY 1, 2
     ON CONFLICT (tenant, goods) DO UPDATE SET count = shop_goods.count + excluded.count",
);

struct Look;
impl ReadOperation for Look {
    type Input = Goods;
    type Output = Count;
    async fn run(&self, reader: &Reader<'_>, calls: &[Call<Goods>]) -> Result<Vec<Reply<Count>>, StoreError> {
        let keys = calls.iter().map(|c| (c.context.scope.tenant.as_str(), c.input.goods.as_str()));
        let counts = reader.fetch_optional::<(i64,), _>(&COUNT, keys).await?;
        Ok(counts.into_iter().map(|c| Reply::done(Count { count: c.map_or(0, |(c,)| c) })).collect())
    }
}

struct Stock;
impl WriteOperation for Stock {
    type Input = PutBackless;
    type Output = Nothing;
    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<PutBackless>],
    ) -> Result<Vec<Reply<Nothing>>, StoreError> {
        let rows =
            calls.iter().map(|c| (c.context.scope.tenant.as_str(), c.input.goods.as_str(), c.input.count));
        tx.execute(&ADD, rows).await?;
        Ok(calls.iter().map(|_| Reply::done(Nothing {})).collect())
    }
}

records! {
    PutBackless { goods: String, count: i64 }
    Held { hold: String }
}

const FENCE: Statement = Statement::pair(
    "shop.fence",
    "INSERT INTO shop_hold (tenant, hold, goods, count, state) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS item (tenant, hold, goods, count, state, n)),
     added AS (
       INSERT INTO shop_hold (tenant, hold, goods, count, state)
       SELECT tenant, hold, goods, count, state FROM item ORDER BY tenant, hold, n
       ON CONFLICT DO NOTHING RETURNING tenant, hold)
     SELECT min(n) FROM item WHERE ((tenant, hold) IN (TABLE added)) IS TRUE GROUP BY tenant, hold",
);
const SETTLE_HOLD: Statement = Statement::pair(
    "shop.settle_hold",
    "UPDATE shop_hold SET state = ?3 WHERE tenant = ?1 AND hold = ?2 AND state = 'tried' RETURNING goods, count",
    "UPDATE shop_hold t SET state = item.state
     FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, hold, state, n)
     WHERE t.tenant = item.tenant AND t.hold = item.hold AND t.state = 'tried' RETURNING item.n, t.goods, t.count",
);

/// The try of a triple.
struct Hold;
impl WriteOperation for Hold {
    type Input = PutBackless;
    type Output = Held;
    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<PutBackless>],
    ) -> Result<Vec<Reply<Held>>, StoreError> {
        let mut replies = Vec::new();
        for call in calls {
            let (tenant, goods) = (call.context.scope.tenant.as_str(), call.input.goods.as_str());
            let count = tx.fetch_optional::<(i64,), _>(&COUNT, [(tenant, goods)]).await?.remove(0);
            if count.map_or(0, |(count,)| count) < call.input.count {
                replies.push(Reply::rejected("sold_out", &NoDetail {})?);
                continue;
            }
            let hold = call.context.call.to_string();
            let row = [(tenant, hold.as_str(), goods, call.input.count, "tried")];
            if tx.execute(&FENCE, row).await? == [1] {
                tx.execute(&ADD, [(tenant, goods, -call.input.count)]).await?;
            }
            replies.push(Reply::done(Held { hold }));
        }
        Ok(replies)
    }
}

/// Its confirm.
struct Keep;
impl WriteOperation for Keep {
    type Input = Held;
    type Output = Nothing;
    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<Held>]) -> Result<Vec<Reply<Nothing>>, StoreError> {
        let rows = calls.iter().map(|c| (c.context.scope.tenant.as_str(), c.input.hold.as_str(), "kept"));
        tx.fetch::<(String, i64), _>(&SETTLE_HOLD, rows).await?;
        Ok(calls.iter().map(|_| Reply::done(Nothing {})).collect())
    }
}

/// Its cancel: without a try it does nothing, and no try comes behind it.
struct LetGo;
impl WriteOperation for LetGo {
    type Input = Held;
    type Output = Nothing;
    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<Held>]) -> Result<Vec<Reply<Nothing>>, StoreError> {
        for call in calls {
            let (tenant, hold) = (call.context.scope.tenant.as_str(), call.input.hold.as_str());
            let held = tx.fetch::<(String, i64), _>(&SETTLE_HOLD, [(tenant, hold, "gone")]).await?;
            for (_, (goods, count)) in held {
                tx.execute(&ADD, [(tenant, goods.as_str(), count)]).await?;
            }
            tx.execute(&FENCE, [(tenant, hold, "", 0_i64, "gone")]).await?;
        }
        Ok(calls.iter().map(|_| Reply::done(Nothing {})).collect())
    }
}

struct TakeGoods;
impl WriteOperation for TakeGoods {
    type Input = Take;
    type Output = Taken;
    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<Take>]) -> Result<Vec<Reply<Taken>>, StoreError> {
        let mut replies = Vec::new();
        for call in calls {
            let key = [(call.context.scope.tenant.as_str(), call.input.goods.as_str())];
            let count = tx.fetch_optional::<(i64,), _>(&COUNT, key).await?.remove(0).map_or(0, |(c,)| c);
            let stale = count != call.input.seen && call.context.staleness == Staleness::MayReply;
            if stale || call.input.goods == "slippery" {
                replies.push(Reply::stale());
            } else if count < call.input.count {
                replies.push(Reply::rejected("sold_out", &NoDetail {})?);
            } else {
                tx.execute(&ADD, [(key[0].0, key[0].1, -call.input.count)]).await?;
                let taking = call.context.call.to_string();
                replies.push(
                    Reply::done(Taken { taking })
                        .emit("shop.taken", &Goods { goods: call.input.goods.clone() })?,
                );
            }
        }
        Ok(replies)
    }
}

struct PutGoodsBack;
impl WriteOperation for PutGoodsBack {
    type Input = PutBack;
    type Output = Nothing;
    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<PutBack>]) -> Result<Vec<Reply<Nothing>>, StoreError> {
        let rows =
            calls.iter().map(|c| (c.context.scope.tenant.as_str(), c.input.goods.as_str(), c.input.count));
        tx.execute(&ADD, rows).await?;
        Ok(calls.iter().map(|_| Reply::done(Nothing {})).collect())
    }
}

struct ExplodeAlways;
impl WriteOperation for ExplodeAlways {
    type Input = Explode;
    type Output = Nothing;
    async fn run(&self, _: &mut Tx<'_>, calls: &[Call<Explode>]) -> Result<Vec<Reply<Nothing>>, StoreError> {
        assert!(!calls.iter().any(|c| c.input.order.starts_with("bomb")), "a bomb went off");
        Ok(calls.iter().map(|_| Reply::done(Nothing {})).collect())
    }
}

struct Announce;
impl WriteOperation for Announce {
    type Input = PaidEvent;
    type Output = Nothing;
    async fn run(
        &self,
        _: &mut Tx<'_>,
        calls: &[Call<PaidEvent>],
    ) -> Result<Vec<Reply<Nothing>>, StoreError> {
        calls.iter().map(|c| Reply::done(Nothing {}).emit("shop.paid", &c.input)).collect()
    }
}

/// Puts money that came into the books: it is no longer to be given back.
struct Book;
impl WriteOperation for Book {
    type Input = Paid;
    type Output = Nothing;
    async fn run(&self, _: &mut Tx<'_>, calls: &[Call<Paid>]) -> Result<Vec<Reply<Nothing>>, StoreError> {
        Ok(calls.iter().map(|_| Reply::done(Nothing {})).collect())
    }
}

struct GiveUp;
impl WriteOperation for GiveUp {
    type Input = Pay;
    type Output = Nothing;
    async fn run(&self, _: &mut Tx<'_>, calls: &[Call<Pay>]) -> Result<Vec<Reply<Nothing>>, StoreError> {
        calls.iter().map(|c| Reply::done(Nothing {}).emit("shop.given_up", &c.input)).collect()
    }
}

#[derive(Debug)]
pub struct PayRemote(Arc<Peer>);
impl RemoteOperation for PayRemote {
    type Input = Pay;
    type Output = Paid;
    type Intent = Pay;
    type Answer = String;
    async fn intent(
        &self,
        _: &mut Tx<'_>,
        calls: &[Call<Pay>],
    ) -> Result<Vec<Intended<Pay, Paid>>, StoreError> {
        calls
            .iter()
            .map(|c| Intended::send(c.input.clone(), &Paid { payment: format!("pay-{}", c.input.order) }))
            .collect()
    }
    async fn send(&self, context: SendContext, intent: Pay) -> Result<String, Unanswered> {
        self.0.ask(&context.idempotency_key, context.attempt, &intent.order)
    }
    async fn settle(
        &self,
        _: &mut Tx<'_>,
        items: &[Settling<Pay, Pay, String>],
    ) -> Result<Vec<Reply<Paid>>, StoreError> {
        items
            .iter()
            .map(|item| match item.answer.as_str() {
                "declined" => Reply::rejected("declined", &NoDetail {}),
                _ if item.intent.order.starts_with("loud") => {
                    Reply::done(Paid { payment: format!("pay-{}", item.intent.order) })
                        .emit("shop.taken", &Goods { goods: item.intent.order.clone() })
                }
                _ => Ok(Reply::done(Paid { payment: format!("pay-{}", item.intent.order) })),
            })
            .collect()
    }
}

#[derive(Debug)]
struct Refund(Arc<Peer>);
impl RemoteOperation for Refund {
    type Input = Paid;
    type Output = Nothing;
    type Intent = Paid;
    type Answer = String;
    async fn intent(
        &self,
        _: &mut Tx<'_>,
        calls: &[Call<Paid>],
    ) -> Result<Vec<Intended<Paid, Nothing>>, StoreError> {
        calls.iter().map(|c| Intended::send(c.input.clone(), &Nothing {})).collect()
    }
    async fn send(&self, _: SendContext, intent: Paid) -> Result<String, Unanswered> {
        self.0.refunds.lock().unwrap().push(intent.payment);
        Ok("refunded".to_owned())
    }
    async fn settle(
        &self,
        _: &mut Tx<'_>,
        items: &[Settling<Paid, Paid, String>],
    ) -> Result<Vec<Reply<Nothing>>, StoreError> {
        Ok(items.iter().map(|_| Reply::done(Nothing {})).collect())
    }
}

fn declaration() -> Declaration {
    Declaration::new("shop")
        .operation(Operation::read::<Goods, Count>("look", "How many there are."))
        .operation(Operation::write::<PutBackless, Nothing>("stock", "Adds goods.").nothing_to_undo())
        .operation(
            Operation::write::<Take, Taken>("take", "Takes goods.")
                .rejects::<NoDetail>("sold_out")
                .emits("shop.taken")
                .may_be_stale()
                .undo(
                    "shop.put_back",
                    json!({"goods": "${ input.goods }", "count": "${ input.count }", "taking": "${ output.taking }"}),
                ),
        )
        .operation(Operation::write::<PutBack, Nothing>("put_back", "Puts goods back.").nothing_to_undo())
        .operation(
            Operation::write::<PutBackless, Held>("hold", "Holds goods until it is known whether they are wanted.")
                .rejects::<NoDetail>("sold_out")
                .tcc(("shop.keep", json!({"hold": "${ output.hold }"})), ("shop.let_go", json!({"hold": "${ output.hold }"})))
                .undo("shop.stock", json!({"goods": "${ input.goods }", "count": "${ input.count }"})),
        )
        .operation(
            Operation::write::<Paid, Nothing>("book", "Books money that came.")
                .consumes("money", "payment")
                .nothing_to_undo(),
        )
        .operation(Operation::write::<Held, Nothing>("keep", "Takes what is held.").nothing_to_undo())
        .operation(Operation::write::<Held, Nothing>("let_go", "Lets go what is held.").nothing_to_undo())
        .operation(Operation::write::<Explode, Nothing>("explode", "Panics when told to.").nothing_to_undo())
        .operation(Operation::write::<PaidEvent, Nothing>("announce", "A payment came.").emits("shop.paid").nothing_to_undo())
        .operation(Operation::write::<Pay, Nothing>("give_up", "The customer gives up.").emits("shop.given_up").nothing_to_undo())
        .operation(
            Operation::remote::<Pay, Paid>("pay", "Asks for money.")
                .rejects::<NoDetail>("declined")
                .emits("shop.taken")
                .deadline(1_000, 3)
                .undo("shop.refund", json!({"payment": "${ output.payment }"})),
        )
        .operation(Operation::remote::<Paid, Nothing>("refund", "Gives money back.").nothing_to_undo())
        .event(Event::new::<Goods, String>("taken", "goods", "Goods were taken."))
        .event(Event::new::<Pay, String>("given_up", "order", "The customer gave up."))
        .event(Event::new::<PaidEvent, String>("paid", "payment", "Money came.").acquires(
            "money",
            "payment",
            "shop.refund",
            json!({"payment": "${ event.payment }"}),
        ))
}

/// The capability, with the peer that it asks.
pub fn shop(peer: &Arc<Peer>) -> Capability {
    Capability::new("shop", "Goods for tests.", declaration)
        .expect("a sound declaration")
        .read("look", Look)
        .write("stock", Stock)
        .write("take", TakeGoods)
        .write("put_back", PutGoodsBack)
        .write("book", Book)
        .write("hold", Hold)
        .write("keep", Keep)
        .write("let_go", LetGo)
        .write("explode", ExplodeAlways)
        .write("announce", Announce)
        .write("give_up", GiveUp)
        .remote("pay", PayRemote(Arc::clone(peer)))
        .remote("refund", Refund(Arc::clone(peer)))
        .migrations(Migrations {
            owner: "shop",
            role: Role::Capability,
            steps: &[Migration {
                version: 1,
                description: "goods",
                sqlite: "CREATE TABLE shop_goods (tenant TEXT NOT NULL, goods TEXT NOT NULL, count INTEGER NOT NULL,
                         PRIMARY KEY (tenant, goods)) STRICT, WITHOUT ROWID;
                         CREATE TABLE shop_hold (tenant TEXT NOT NULL, hold TEXT NOT NULL, goods TEXT NOT NULL,
                         count INTEGER NOT NULL, state TEXT NOT NULL, PRIMARY KEY (tenant, hold)) STRICT, WITHOUT ROWID;",
                postgres: "CREATE TABLE shop_goods (tenant TEXT COLLATE \"C\" NOT NULL, goods TEXT COLLATE \"C\" NOT NULL,
                           count BIGINT NOT NULL, PRIMARY KEY (tenant, goods));
                           CREATE TABLE shop_hold (tenant TEXT COLLATE \"C\" NOT NULL, hold TEXT COLLATE \"C\" NOT NULL,
                           goods TEXT COLLATE \"C\" NOT NULL, count BIGINT NOT NULL, state TEXT COLLATE \"C\" NOT NULL,
                           PRIMARY KEY (tenant, hold));",
            }],
        })
        .pages(&[
            RejectionPage { code: "sold_out", page: "# sold_out" },
            RejectionPage { code: "declined", page: "# declined" },
        ])
}
