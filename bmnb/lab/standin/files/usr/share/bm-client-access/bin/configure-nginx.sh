#!/bin/bash
# A stand-in of BlueMind's script, for rehearsal: write the virtual host from bm.ini, enable it by copying.
set -e
[ ! -e /etc/bm/bm.ini ] || [ ! -e /etc/nginx/BM-DONOTCONF ] || exit 0
url=$(grep '^[^#]*external-url' /etc/bm/bm.ini | sed 's/.*= *//')
rm -rf /etc/nginx/bluemind
mkdir -p /etc/nginx/bm-local.d
# An edge hands everything on to the core, which asks for the password of /setup itself.
core=$(cat /etc/nginx/bm-upstream-core 2> /dev/null || true)

edge() {
  cat <<END
server {
  listen 443 ssl default_server;
  server_name $url;
  ssl_certificate /etc/ssl/certs/bm_cert.pem;
  ssl_certificate_key /etc/ssl/certs/bm_cert.pem;
  location / { proxy_pass https://$core; proxy_set_header Host $url; }
  include /etc/nginx/bm-local.d/*.conf;
}
END
}

vhost() {
  cat <<END
server {
  listen 443 ssl$3;
  server_name $1;
  ssl_certificate $2;
  ssl_certificate_key $2;
  location /setup/ {
    auth_basic "BlueMind Setup";
    auth_basic_user_file /etc/nginx/sw.htpasswd;
    proxy_pass http://127.0.0.1:8080;
  }
  location /api/ { proxy_pass http://127.0.0.1:8090; proxy_read_timeout 210s; }
  location / { proxy_pass http://127.0.0.1:8080; }
  include /etc/nginx/bm-local.d/*.conf;
}
END
}

# A virtual host of its own for each domain that has another external-url.
while IFS=: read -r domain domain_url _; do
  [ -n "$domain_url" ] && [ "$domain_url" != "$url" ] || continue
  mkdir -p "/etc/nginx/bluemind/$domain"
  vhost "$domain_url" /etc/ssl/certs/bm_cert.pem "" > "/etc/nginx/bluemind/$domain/bluemind-vhosts.conf"
done < /etc/bm/domains-settings

{ if [ -n "$core" ]; then
  edge
else
  vhost "$url" /etc/ssl/certs/bm_cert.pem " default_server"
  echo "include /etc/nginx/bluemind/*/bluemind-vhosts.conf;"
fi } > /etc/nginx/sites-available/bm-client-access
rm -f /etc/nginx/sites-enabled/bm-client-access*
cp /etc/nginx/sites-available/bm-client-access /etc/nginx/sites-enabled/
