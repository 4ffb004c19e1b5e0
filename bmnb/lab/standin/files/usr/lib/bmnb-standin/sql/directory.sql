-- The directory of the client, in bj; domains and people come as temporary tables.
INSERT INTO t_component_version VALUES ('bm/core', :'version');
INSERT INTO t_systemconf SELECT hstore(ARRAY[
  'external_url', :'url', 'host', :'ip', 'hz-member-address', :'ip', 'default_domain', 'example.org',
  'mynetworks', :'networks', 'message_size_limit', '10240000',
  'archive_kind', 'cyrus', 'archive_days', '365', 'split_domains', 'later.example', 'sw_password', :'setup',
  'db_version', :'version', 'subscription_contacts', 'it@example.org']);
INSERT INTO t_server (uid, ip, name, tags) VALUES (:'server', :'ip', :'server',
  '{bm/core,bm/pgsql,bm/pgsql-data,bm/es,bm/nginx,mail/imap,mail/smtp,bm/webmail,filehosting/data}');
INSERT INTO t_domain VALUES (1, 'global.virt', 'global.virt', true, '{}', 'global.virt');
INSERT INTO t_domain SELECT 1 + row_number() OVER (), uid, label, false, aliases, name FROM domains;
INSERT INTO t_server_assignment
  SELECT :'server', name, tag FROM t_domain, unnest(ARRAY['mail/imap', 'mail/smtp', 'bm/pgsql-data']) tag WHERE NOT global;
INSERT INTO t_container (uid, container_type, name, owner, domain_uid)
  SELECT 'dir_' || name, 'dir', 'Annuaire ' || label, 'system', name FROM t_domain ORDER BY item_id;
INSERT INTO t_container_location SELECT uid, :'server' FROM t_container;

INSERT INTO t_container_item (container_id, uid, version, displayname, created, updated)
  SELECT id, 'admin0_global.virt', 1, 'admin0', '2026-01-01', '2026-01-01' FROM t_container WHERE domain_uid = 'global.virt';
INSERT INTO t_domain_user SELECT id, 'admin0', :'password', false, true, true, 'none', '' FROM t_container_item;
INSERT INTO t_container_item (container_id, uid, version, displayname, created, updated)
  SELECT c.id, upper(md5('user' || n)), n, display, timestamp '2026-01-01' + n * interval '1 hour', '2026-02-01'
  FROM people JOIN t_container c ON c.domain_uid = domain ORDER BY n;
CREATE TEMP TABLE entries AS SELECT i.id AS item_id, people.* FROM people JOIN t_container_item i ON i.uid = upper(md5('user' || n));
INSERT INTO t_domain_user
  SELECT item_id, login, md5(login), n % 50 = 49, false, false, 'internal', hstore('tel', '+33 1 ' || n) FROM entries;
INSERT INTO t_mailbox SELECT item_id, login, 'user', 'internal', 500000 FROM entries;
INSERT INTO t_mailbox_email SELECT item_id, login, mail, true, true FROM entries;
INSERT INTO t_mailbox_email SELECT item_id, 'contact-' || n, mail, false, false FROM entries WHERE n % 3 = 0;
INSERT INTO t_directory_entry SELECT item_id, ('dir.d' || n % 7 || '.u' || n)::ltree, 'USER', login || '@' || mail FROM entries;
INSERT INTO rc_users (username, mail_host, preferences) SELECT login || '@' || mail, :'ip', 'a:1:{s:4:"lang";s:2:"fr";}' FROM entries;

INSERT INTO t_container_item (container_id, uid, version, displayname, created, updated)
  SELECT id, 'group_' || domain_uid, 1, 'Équipe ' || name, '2026-01-01', '2026-01-01' FROM t_container WHERE domain_uid <> 'global.virt';
INSERT INTO t_group SELECT id, displayname FROM t_container_item WHERE uid LIKE 'group_%';
INSERT INTO t_group_member SELECT g.id, e.item_id FROM t_container_item g JOIN entries e ON g.uid = 'group_' || e.domain WHERE n % 10 = 1;
INSERT INTO t_mailbox SELECT item_id, name, 'group', 'none', 0 FROM t_group;
INSERT INTO t_mailbox_email
  SELECT g.item_id, 'team', d.default_alias, false, true FROM t_group g JOIN t_container_item i ON i.id = g.item_id
  JOIN t_domain d ON i.uid = 'group_' || d.name;

INSERT INTO t_upgrade_log (at, message) SELECT timestamptz '2026-01-01' + n * interval '1 day', 'mise à jour ' || n FROM generate_series(1, 20) n;
INSERT INTO t_document (name, content)
  SELECT 'photo ' || n, lo_from_bytea(0, decode(repeat(md5(n::text), 100), 'hex')) FROM (SELECT n FROM people ORDER BY n LIMIT 20) chosen;
