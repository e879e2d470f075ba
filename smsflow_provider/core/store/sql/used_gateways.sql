-- recent_gateways --
-- Gateways that may have taken messages lately, those that deliveries fail over to among them. Reads
-- smsflow_deliveries: for maintenance.
SELECT DISTINCT each.gateway
  FROM smsflow_deliveries d,
       LATERAL (VALUES (d.gateway), (d.template #>> '{settings,sending,failover,gateway}')) AS each (gateway)
 WHERE d.sending_at > now() - %(days)s * interval '1 day' AND NOT d.dry_run AND each.gateway <> ''
 ORDER BY each.gateway;
