-- Shaped like BlueMind's tables: extensions in pg_catalog (all that have no view), :partitions hash partitions (256 in BlueMind), jsonb, bytea keys, hstore,
-- enums, arrays, triggers, sequences, large objects. Both databases get all of it; the rows differ.
CREATE EXTENSION hstore SCHEMA pg_catalog;
CREATE EXTENSION btree_gin SCHEMA pg_catalog;
CREATE EXTENSION ltree SCHEMA pg_catalog;
CREATE EXTENSION unaccent SCHEMA pg_catalog;
CREATE EXTENSION pg_stat_statements;
CREATE TYPE t_routing AS ENUM ('internal', 'external', 'none');
CREATE TYPE t_mailbox_kind AS ENUM ('user', 'mailshare', 'resource', 'group');

CREATE TABLE t_component_version (component text PRIMARY KEY, version text NOT NULL);
CREATE TABLE t_systemconf (configuration hstore NOT NULL);
CREATE TABLE t_server (item_id serial PRIMARY KEY, uid text UNIQUE, ip text, fqdn text, name text, tags text[]);
CREATE TABLE t_server_assignment (server_uid text, domain_uid text, tag text);
CREATE TABLE t_domain (
  item_id integer PRIMARY KEY, name text UNIQUE, label text, global boolean, aliases text[], default_alias text,
  properties hstore NOT NULL DEFAULT ''
);
CREATE TABLE t_container (
  id serial PRIMARY KEY, uid text UNIQUE NOT NULL, container_type text, name text, owner text, domain_uid text
);
CREATE TABLE t_container_location (container_uid text PRIMARY KEY, location text);
CREATE TABLE t_container_item (
  id bigserial PRIMARY KEY, container_id integer REFERENCES t_container ON DELETE CASCADE, uid text NOT NULL,
  version bigint, displayname text, flags integer DEFAULT 0, created timestamp, updated timestamptz DEFAULT now()
);
CREATE INDEX ON t_container_item (container_id, uid);
CREATE INDEX ON t_container_item (lower(displayname)) WHERE flags = 0;
CREATE TABLE t_domain_user (
  item_id bigint PRIMARY KEY REFERENCES t_container_item, login text, password text, archived boolean,
  system boolean, hidden boolean, routing t_routing, mapping hstore
);
CREATE TABLE t_group (item_id bigint PRIMARY KEY REFERENCES t_container_item, name text);
CREATE TABLE t_group_member (group_id bigint, member_id bigint, PRIMARY KEY (group_id, member_id));
CREATE TABLE t_mailbox (
  item_id bigint PRIMARY KEY REFERENCES t_container_item, name text, kind t_mailbox_kind, routing t_routing, quota integer
);
CREATE TABLE t_mailbox_email (item_id bigint, left_address text, right_address text, all_aliases boolean, is_default boolean);
CREATE INDEX ON t_mailbox_email USING gin (left_address, item_id);
CREATE TABLE t_directory_entry (item_id bigint PRIMARY KEY, path ltree, kind text, email text);
CREATE INDEX ON t_directory_entry USING gist (path);
CREATE TABLE rc_users (user_id serial PRIMARY KEY, username text, mail_host text, preferences text);
CREATE TABLE t_mailbox_replica (
  item_id bigint PRIMARY KEY, short_name text, name text, unique_id uuid, last_uid bigint, highest_mod_seq bigint
);
CREATE TABLE t_message_body (
  guid bytea PRIMARY KEY, subject text, size integer, date_header timestamp, created timestamptz, headers jsonb
);
CREATE INDEX ON t_message_body USING gin (headers jsonb_path_ops);
CREATE INDEX ON t_message_body (subject);
CREATE TABLE t_mailbox_record (
  item_id bigint, subtree_id integer, container_id integer, imap_uid bigint, system_flags integer,
  other_flags text[], message_body_guid bytea, internal_date timestamptz,
  PRIMARY KEY (subtree_id, item_id)
) PARTITION BY HASH (subtree_id);
CREATE TABLE t_changeset (
  container_id integer, version bigint, item_id bigint, kind smallint, at timestamptz DEFAULT now(),
  PRIMARY KEY (container_id, version)
) PARTITION BY HASH (container_id);
SELECT format('CREATE TABLE %s_%s PARTITION OF %s FOR VALUES WITH (MODULUS %s, REMAINDER %s)', name, part, name, :partitions, part)
  FROM generate_series(0, :partitions - 1) part, unnest(ARRAY['t_mailbox_record', 't_changeset']) name \gexec
CREATE INDEX ON t_mailbox_record (container_id, imap_uid);
CREATE TABLE t_calendar_vevent (item_id bigint, summary text, attendees jsonb[], recurrence interval, at tstzrange);
CREATE INDEX ON t_calendar_vevent USING gist (at);
CREATE TABLE t_addressbook_vcard (item_id bigint PRIMARY KEY, family text, given text, phones hstore, photo bytea, kind char(3));
CREATE TABLE t_todolist_vtodo (item_id bigint PRIMARY KEY, summary text, due date, done numeric(5, 2), categories text[]);
CREATE TABLE t_notes_vnote (item_id bigint PRIMARY KEY, body text, height real, width double precision);
CREATE TABLE t_document (id serial PRIMARY KEY, name text, content oid);
CREATE TABLE t_mapi_folders (
  replica_guid varchar(36) NOT NULL, container_uid text NOT NULL, parent_container_uid text, display_name text,
  container_class text, PRIMARY KEY (replica_guid, container_uid)
);
CREATE TABLE t_upgrade_log (id serial PRIMARY KEY, at timestamptz DEFAULT now(), message text);

CREATE FUNCTION plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(pg_catalog.unaccent('pg_catalog.unaccent', $1)) $$;
CREATE INDEX ON t_addressbook_vcard (plain(family));
CREATE FUNCTION note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated := now();
  RETURN NEW;
END $$;
CREATE TRIGGER container_item_updated BEFORE UPDATE ON t_container_item FOR EACH ROW EXECUTE FUNCTION note_update();
CREATE VIEW v_user AS
  SELECT u.login, m.quota, e.left_address || '@' || e.right_address AS email
  FROM t_domain_user u JOIN t_mailbox m USING (item_id) JOIN t_mailbox_email e USING (item_id);
