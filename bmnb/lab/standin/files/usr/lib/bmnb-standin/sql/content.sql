-- The users' mail, appointments, contacts and notes, in bj-data; about :rows rows.
INSERT INTO t_component_version VALUES ('bm/core', :'version');
INSERT INTO t_container (uid, container_type, name, owner, domain_uid)
  SELECT 'mbox_records_' || md5('folder' || n), 'mailbox_records', (ARRAY['INBOX', 'Sent', 'Trash', 'Éléments'])[1 + n % 4],
    upper(md5('user' || 1 + n % :users)), 'f8de2c4a.internal'
  FROM generate_series(1, :users * 4) n;
INSERT INTO t_mailbox_replica
  SELECT id, name, 'user/' || owner || '/' || name, md5(uid)::uuid, id * 10, id * 100 FROM t_container;
INSERT INTO t_container_item (container_id, uid, version, displayname, flags, created, updated)
  SELECT 1 + n % (:users * 4), md5(n::text), n, CASE n % 7 WHEN 0 THEN NULL ELSE 'élément ' || n END, n % 3,
    timestamp '2026-03-01' - n * interval '1 minute', timestamptz '2026-03-01' - n * interval '1 second'
  FROM generate_series(1, :rows / 4) n;
INSERT INTO t_message_body SELECT decode(md5(:seed || ' ' || n), 'hex'),
  (ARRAY['Réunion à 9 h', 'Re: Angebot für Köln', 'FYI', '会议', 'Été 😀', E'tab\there \\ "quoted"', '', NULL])[1 + n % 8] || ' ' || n,
  2000 + n % 18000, timestamp '2026-03-01' - n * interval '1 minute', timestamptz '2026-03-01' - n * interval '1 minute',
  jsonb_build_object('From', 'user' || n % :users, 'To', jsonb_build_array('a', n), 'X-Ö', 'é' || n % 10)
  FROM generate_series(1, :rows / 4) n;
INSERT INTO t_mailbox_record SELECT n, 1 + n % :users, 1 + n % (:users * 4), n, n % 16,
  CASE n % 5 WHEN 0 THEN '{$Forwarded,étiquette}'::text[] END, decode(md5(:seed || ' ' || n), 'hex'),
  timestamptz '2026-03-01' - n * interval '1 minute'
  FROM generate_series(1, :rows / 4) n;
INSERT INTO t_changeset SELECT 1 + n % (:users * 4), n, n, n % 3, timestamptz '2026-03-01' - n * interval '1 minute'
  FROM generate_series(1, :rows / 4 - 4000) n;
INSERT INTO t_calendar_vevent SELECT n, 'Rendez-vous n° ' || n, ARRAY[jsonb_build_object('cn', 'Zoë')], interval '1 week',
  tstzrange(timestamptz '2026-03-01' + n * interval '1 hour', timestamptz '2026-03-01' + (n + 1) * interval '1 hour')
  FROM generate_series(1, 1000) n;
INSERT INTO t_addressbook_vcard SELECT n, (ARRAY['Brûlé', 'Weiß', 'Ångström', 'O''Neill', 'Łęcka'])[1 + n % 5], 'Zoé ' || n,
  hstore(ARRAY['home', 'work'], ARRAY['+33 ' || n, NULL]), decode(md5(n::text), 'hex'), 'ind'
  FROM generate_series(1, 1000) n;
INSERT INTO t_todolist_vtodo SELECT n, 'Tâche ' || n, date '2026-03-01' + n, n % 100 + 0.25, ARRAY['à faire', '"', NULL]
  FROM generate_series(1, 1000) n;
INSERT INTO t_notes_vnote SELECT n, E'première ligne\nseconde\r\n\\.\n' || n, n / 3.0, 'Infinity' FROM generate_series(1, 1000) n;
INSERT INTO t_document (name, content) SELECT 'pièce ' || n, lo_from_bytea(0, decode(repeat(md5(:seed || n::text), 2000), 'hex'))
  FROM generate_series(1, 5) n;
SELECT setval('t_document_id_seq', 4711);
SELECT setval('t_upgrade_log_id_seq', 99);
