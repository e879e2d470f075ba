-- template_uses --
-- Which DAGs delivered by which templates of late, with the newest delivery of each. Walks
-- smsflow_deliveries_created_v1 for the newest rows.
SELECT DISTINCT ON (template, dag_id) template, dag_id, id, created_at
  FROM (SELECT d.template ->> 'name' AS template, d.dag_id, d.id, d.created_at FROM smsflow_deliveries d
         ORDER BY d.created_at DESC, d.no DESC LIMIT %(limit)s) AS newest
 WHERE template IS NOT NULL AND dag_id <> ''
 ORDER BY template, dag_id, created_at DESC;
