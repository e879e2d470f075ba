-- add_references --
-- Which messages the gateway's own ids mean; sorted, so that two senders cannot deadlock. Walks the primary key.
INSERT INTO smsflow_references (gateway, gateway_ref, preparation, position)
SELECT %(gateway)s, t.ref, t.preparation, t.position
  FROM unnest(%(refs)s::text[], %(preparations)s::bigint[], %(positions)s::integer[]) AS t (ref, preparation, position)
 ORDER BY t.ref
ON CONFLICT (gateway, gateway_ref) DO UPDATE
   SET preparation = excluded.preparation, position = excluded.position;

-- forget_old_references --
-- References that no receipt can need any more. Walks smsflow_references_preparation_v1 for each preparation
-- of a delivery that ended eight days ago.
DELETE FROM smsflow_references WHERE preparation IN (
    SELECT d.preparation FROM smsflow_deliveries d WHERE d.ended_at < now() - interval '8 days');
