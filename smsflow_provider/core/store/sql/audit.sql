-- write_audit --
-- Note who did what.
INSERT INTO smsflow_audit (actor, action, delivery_no, facts)
VALUES (%(actor)s, %(action)s, %(delivery_no)s, %(facts)s);
