"""What still serves on a server that is given up: `bmctl stop` leaves nginx running."""

PORTS = (25, 80, 110, 143, 443, 465, 587, 993, 995, 4190)

_NGINX = "unit=nginx; if systemctl cat bm-nginx > /dev/null 2>&1; then unit=bm-nginx; fi"
STOP_NGINX = f"{_NGINX}; systemctl disable --no-reload $unit && systemctl stop $unit"
START_NGINX = f"{_NGINX}; systemctl enable $unit && systemctl start $unit"

# the option that leaves the head line out came with iproute2 4.10
LISTENS = (
    "ss -ltn | awk 'NR > 1 && $4 !~ /^(127\\.|\\[::1\\])/ && $4 ~ /:("
    + "|".join(map(str, PORTS))
    + ")$/ {print $4}'"
)
"""A line that prints on which of the ports users come by somebody listens, past the loopback."""

CONTACTED_AT = 'echo "$SSH_CONNECTION"'
"""A line that prints at which address ssh has come in: both ends with their ports."""
