# SPDX-License-Identifier: ISC
"""A server of a test's own: what it says is the test's."""

import socket
import threading


class Listening:
    """On a free port, with a thread for each connection. talk(sock) is the subclass's, and closes sock; what it needs is
    set before __init__() here is called."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                sock, _ = self.server.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.talk, args=(sock,), daemon=True).start()

    def talk(self, sock):
        raise NotImplementedError

    def close(self):
        # First the thread goes: else it might wait at whatever is given this one's descriptor next, and take a
        # connection of that for its own.
        self.server.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.server.close()
