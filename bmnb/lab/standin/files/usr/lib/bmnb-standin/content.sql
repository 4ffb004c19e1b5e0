-- The users' mail and calendars, in bj-data.
SELECT setseed(:seed / 1000.0);
INSERT INTO t_component_version VALUES ('bm/core', :'version');
INSERT INTO t_container (uid, container_type, name, owner, domain_uid)
  SELECT 'mbox_' || n, 'mailbox_records', 'INBOX', 'user' || 1 + n % :users, 'example.org' FROM generate_series(1, :users * 3) n;
INSERT INTO t_container_item (container_id, uid, version, displayname, flags, created)
  SELECT 1 + n % (:users * 3), md5(n::text), n, CASE n % 7 WHEN 0 THEN NULL ELSE 'élément ' || n END, n % 3, now() - n * interval '1 minute'
  FROM generate_series(1, :rows / 4) n;
INSERT INTO t_message_body SELECT decode(md5(n::text), 'hex'),
  (ARRAY['Réunion à 9 h', 'Re: Angebot für Köln', 'FYI', '会议', 'Été 😀', E'tab\there \\ "quoted"'])[1 + n % 6] || ' ' || n,
  2000 + n % 18000, now() - n * interval '1 minute', now(), jsonb_build_object('From', 'user' || n % 400, 'To', jsonb_build_array('a', n))
  FROM generate_series(1, :rows / 4) n;
INSERT INTO t_mailbox_record SELECT n, 1 + n % (:users * 3), 1 + n % (:users * 3), n, n % 16,
  CASE n % 5 WHEN 0 THEN '{$Forwarded,étiquette}'::text[] END, decode(md5(n::text), 'hex'), now()
  FROM generate_series(1, :rows / 4) n;
INSERT INTO t_changeset (container_id, version, item_id, kind) SELECT 1 + n % (:users * 3), n, n, n % 3 FROM generate_series(1, :rows / 4 - 1000) n;
INSERT INTO t_calendar_vevent SELECT n, 'Rendez-vous n° ' || n, ARRAY[jsonb_build_object('cn', 'Zoë')], interval '1 week',
  tstzrange(now() + n * interval '1 hour', now() + (n + 1) * interval '1 hour') FROM generate_series(1, 1000) n;
SELECT setval('t_document_id_seq', 4711);
