-- publish_document --
-- Put a document in the place of the one of its name, unless it is the same. Walks the primary key.
INSERT INTO smsflow_rules AS r (topic, name, document)
VALUES (%(topic)s::text, %(name)s::text, %(document)s::jsonb)
ON CONFLICT (topic, name) DO UPDATE SET document = excluded.document, published_at = now()
 WHERE r.document IS DISTINCT FROM excluded.document;

-- drop_other_documents --
-- Delete what a topic holds besides some names. Walks the primary key.
DELETE FROM smsflow_rules WHERE topic = %(topic)s::text AND name <> ALL(%(names)s::text[]);

-- published_documents --
-- All documents of a topic: a handful. Walks the primary key.
SELECT name, document FROM smsflow_rules WHERE topic = %(topic)s::text ORDER BY name;
