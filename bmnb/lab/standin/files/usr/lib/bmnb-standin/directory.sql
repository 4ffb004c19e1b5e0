-- The directory of the client, in bj.
SELECT setseed(:seed / 1000.0);
INSERT INTO t_component_version VALUES ('bm/core', :'version');
INSERT INTO t_systemconf SELECT hstore(ARRAY[
  'external_url', :'url', 'host', :'ip', 'hz-member-address', :'ip', 'default_domain', 'example.org',
  'mynetworks', '127.0.0.0/8, 192.0.2.0/24, ' || :'ip' || '/32', 'message_size_limit', '10240000',
  'archive_kind', 'cyrus', 'split_domains', 'later.example', 'sw_password', :'secret', 'db_version', :'version']);
INSERT INTO t_server (uid, ip, name, tags)
  VALUES ('bm-master', :'ip', 'bm-master', '{bm/core,bm/pgsql,bm/pgsql-data,bm/es,bm/nginx,mail/imap,mail/smtp}');
INSERT INTO t_domain VALUES (1, 'global.virt', 'global.virt', true, '{}'),
  (2, 'example.org', 'Exemple', false, '{example.com}'), (3, 'société.example', 'Société à l''œuvre', false, '{}');
INSERT INTO t_server_assignment SELECT 'bm-master', name, 'mail/imap' FROM t_domain WHERE NOT global;
INSERT INTO t_container (uid, container_type, name, owner, domain_uid)
  SELECT 'addressbook_' || name, 'dir', 'Annuaire ' || label, 'system', name FROM t_domain;
INSERT INTO t_container_item (container_id, uid, version, displayname, created)
  SELECT 1 + n % 3, 'user' || n, n, (ARRAY['Éloïse Brûlé', 'Jürgen Weiß', '李雷', 'Zoë 😀 Ångström', 'Marc Durand'])[1 + n % 5] || ' ' || n, now()
  FROM generate_series(1, :users) n;
INSERT INTO t_domain_user SELECT id, uid, md5(random()::text), false, 'internal', hstore('tel', '+33 1 ' || id) FROM t_container_item;
INSERT INTO t_mailbox SELECT id, uid, 'user', 'internal', 500000 FROM t_container_item;
INSERT INTO t_mailbox_email SELECT id, uid, 'example.org', true, true FROM t_container_item;
INSERT INTO t_directory_entry SELECT id, ('dir.d' || container_id || '.u' || id)::ltree, 'USER', uid || '@example.org' FROM t_container_item;
INSERT INTO t_upgrade_log (message) SELECT 'mise à jour ' || n FROM generate_series(1, 20) n;
INSERT INTO t_document (name, content) SELECT 'photo ' || n, lo_from_bytea(0, decode(repeat(md5(n::text), 100), 'hex'))
  FROM generate_series(1, LEAST(:users, 20)) n;
