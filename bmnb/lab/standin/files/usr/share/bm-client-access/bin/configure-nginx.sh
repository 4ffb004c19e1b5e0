#!/bin/bash
# A stand-in of BlueMind's script: write BlueMind's virtual host from bm.ini and enable it by copying.
set -e
[ ! -e /etc/nginx/BM-DONOTCONF ] || exit 0
url=$(grep '^[^#]*external-url' /etc/bm/bm.ini | sed 's/.*= *//')
cat > /etc/nginx/sites-available/bm-client-access <<END
server {
  listen 443 ssl default_server;
  server_name $url;
  ssl_certificate /etc/ssl/certs/bm_cert.pem;
  ssl_certificate_key /etc/ssl/certs/bm_cert.pem;
  location /setup/ {
    auth_basic "BlueMind Setup";
    auth_basic_user_file /etc/nginx/sw.htpasswd;
    proxy_pass http://127.0.0.1:8080;
  }
  location / { proxy_pass http://127.0.0.1:8080; }
  include /etc/nginx/bm-local.d/*.conf;
}
END
mkdir -p /etc/nginx/bm-local.d
rm -f /etc/nginx/sites-enabled/bm-client-access*
cp /etc/nginx/sites-available/bm-client-access /etc/nginx/sites-enabled/
