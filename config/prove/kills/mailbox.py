"""A mail server that takes everything: what it has said yes to is what buyers really received."""

import socketserver
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

# How long a server looks at a mail before it says yes, so that kills fall into that time too.
PAUSE = 0.02


class Mailbox(socketserver.ThreadingTCPServer):
    """Counts mails by recipient."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.received: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Conversation(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        try:
            self._talk()
        except OSError:
            return  # the other side was killed

    def _talk(self) -> None:
        recipients: list[str] = []
        self._say("220 mailbox")
        while line := self.rfile.readline():
            word = line[:4].upper().strip()
            if word == b"RCPT":
                recipients.append(line.decode().partition("<")[2].partition(">")[0].lower())
                self._say("250 ok")
            elif word == b"DATA":
                self._say("354 go on")
                if not self._read_mail():
                    return
                self.server.received.update(recipients)
                recipients = []
                self._say("250 taken")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _read_mail(self) -> bool:
        """Read to the lone dot; False when the sender died before it."""
        while line := self.rfile.readline():
            if line == b".\r\n":
                time.sleep(PAUSE)
                return True
        return False

    def _say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode())


@contextmanager
def open_mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        threading.Thread(target=mailbox.serve_forever, daemon=True).start()
        yield mailbox
        mailbox.shutdown()
