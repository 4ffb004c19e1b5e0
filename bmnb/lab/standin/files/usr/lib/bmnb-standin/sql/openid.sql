-- Properties of the domains, by the names in BlueMind's published sources (AuthDomainProperties).
UPDATE t_server SET tags = tags || '{bm/keycloak}';
UPDATE t_domain SET properties = hstore(ARRAY[
  'AUTH_TYPE', 'INTERNAL', 'OPENID_REALM', realm, 'OPENID_CLIENT_ID', realm || '-cli', 'OPENID_CLIENT_SECRET', secret,
  'OPENID_HOST', 'http://' || :'ip' || ':8099/realms/' || realm || '/.well-known/openid-configuration',
  'OPENID_TOKEN_ENDPOINT', 'http://' || :'ip' || ':8099/realms/' || realm || '/protocol/openid-connect/token'])
FROM secrets WHERE name = realm;
