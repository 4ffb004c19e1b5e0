"""Ask a mail server whether it would take a message for one of its own mailboxes; none is sent.

Runs on the server, with its Python from 3.5 on, so it imports nothing of this project: dialogue.py ADDRESS, at which
the server is asked, as others do.
"""

import smtplib
import sys

MAILBOXES = "/etc/postfix/virtual_mailbox-flat"
SECONDS = 60


def mailbox() -> str:
    """The first that Postfix knows."""
    with open(MAILBOXES) as file:
        for line in file:
            words = line.split()
            if words and not line.startswith(("#", " ", "\t")):
                return words[0]
    sys.exit("no mailbox in " + MAILBOXES)


def main() -> None:
    recipient = mailbox()
    with smtplib.SMTP(sys.argv[1], timeout=SECONDS) as server:
        server.ehlo_or_helo_if_needed()
        answers = [server.mail(""), server.rcpt(recipient)]
        server.rset()
    for code, said in answers:
        if code != 250:
            sys.exit("{}: {} {}".format(recipient, code, said.decode(errors="replace")))
    print("a message to", recipient, "would be taken")


if __name__ == "__main__":
    main()
