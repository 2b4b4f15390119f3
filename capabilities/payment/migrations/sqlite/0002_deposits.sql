-- A payment may be a deposit: `held` until it is decided, then `credited` to an order or `forfeited`. Without a value it
-- pays its order.
ALTER TABLE payment_payment ADD COLUMN deposit TEXT;
ALTER TABLE payment_payment ADD COLUMN credited_to TEXT;
