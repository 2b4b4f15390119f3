-- What a customer has ordered lately, for rules of velocity: only payments that name their customer are in it.
CREATE INDEX payment_payment_recent ON payment_payment (tenant, customer_id, created_at) WHERE customer_id IS NOT NULL;
