-- What of an order can be paid now: few payments wait for their customer, and those are found by their order.
CREATE INDEX payment_payment_open ON payment_payment (tenant, order_id) WHERE status = 'pending';
