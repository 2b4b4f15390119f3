-- What of an order can still be stopped. A list leaves it when it is packed.
CREATE INDEX fulfilment_pick_list_order ON fulfilment_pick_list (tenant, order_id, pick_list_id)
WHERE state = 'requested';
