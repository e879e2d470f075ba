-- has_switch --
-- Whether the schema has a switch; that of the former version has none.
SELECT to_regclass('smsflow_switch') IS NOT NULL AS has_switch;

-- read_switch --
-- Whether everything is switched off, and who said so. One row, by its primary key.
SELECT is_off, reason, switched_by, switched_at FROM smsflow_switch WHERE no = 1;

-- hold_switch --
-- The same, and nobody turns the switch until the transaction ends. Take it before the row of a delivery.
SELECT is_off, reason, switched_by, switched_at FROM smsflow_switch WHERE no = 1 FOR SHARE;

-- take_switch --
-- The same, for whoever turns it: one at a time, when nobody is in the middle of a beginning.
SELECT is_off, reason, switched_by, switched_at FROM smsflow_switch WHERE no = 1 FOR UPDATE;

-- turn_switch --
-- Turn it. By its primary key.
UPDATE smsflow_switch SET is_off = %(is_off)s, reason = %(reason)s, switched_by = %(actor)s, switched_at = now()
 WHERE no = 1
RETURNING is_off, reason, switched_by, switched_at;

-- lock_sending --
-- Every delivery that is being sent, held in one order. Walks smsflow_deliveries_open_v1.
SELECT * FROM smsflow_deliveries WHERE state = 'sending' ORDER BY no FOR UPDATE;
