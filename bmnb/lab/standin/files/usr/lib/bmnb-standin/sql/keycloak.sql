-- Of Keycloak's tables those that hold what must move: realms, their clients' secrets, the core's token.
CREATE TABLE databasechangelog (id varchar(255) NOT NULL, author varchar(255) NOT NULL, dateexecuted timestamp NOT NULL);
INSERT INTO databasechangelog VALUES ('24.0.0-9758-2', 'keycloak', '2026-01-01');
CREATE TABLE realm (id varchar(36) PRIMARY KEY, name varchar(255) UNIQUE, enabled boolean NOT NULL DEFAULT true);
CREATE TABLE client (
  id varchar(36) PRIMARY KEY, enabled boolean NOT NULL DEFAULT true, client_id varchar(255), secret varchar(255),
  realm_id varchar(36) REFERENCES realm, UNIQUE (realm_id, client_id)
);
CREATE TABLE component (id varchar(36) PRIMARY KEY, name varchar(255), realm_id varchar(36) REFERENCES realm);
CREATE TABLE component_config (
  id varchar(36) PRIMARY KEY, component_id varchar(36) REFERENCES component, name varchar(255) NOT NULL, value text
);
CREATE TABLE event_entity (id varchar(36) PRIMARY KEY, realm_id varchar(255), type varchar(255), event_time bigint);
CREATE TEMP TABLE given (realm text, secret text);
COPY given FROM STDIN;
@ROWS@\.
INSERT INTO realm SELECT md5('realm' || realm), realm FROM given;
INSERT INTO client SELECT md5('client' || realm), true, realm || '-cli', secret, md5('realm' || realm) FROM given;
INSERT INTO component SELECT md5('component' || realm), 'bluemind', md5('realm' || realm) FROM given;
INSERT INTO component_config SELECT md5('config' || realm), md5('component' || realm), 'bmCoreToken', :'token' FROM given;
