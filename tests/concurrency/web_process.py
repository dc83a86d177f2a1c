"""A web process that dies by SIGKILL between the commit of a press and the publishing of its message.

`python -m tests.concurrency.web_process` serves the real application and prints its port.
"""

import os
import signal

import django


def main() -> None:
    django.setup()
    from config.demo import serving
    from config.kernel import outbox

    def die(lane: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    outbox._publish = die
    server = serving.bind(18200)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
