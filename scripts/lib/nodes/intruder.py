"""A connection to a node's sidecar by somebody who is no node, with or without a member's certificate."""

import socket
import ssl
import threading
import time

from . import codec

WAIT_SECONDS = 10


def context(folder=None, most=ssl.TLSVersion.TLSv1_3, certificate="node.pem", key="node.key"):
    """Believes whatever the other side shows; shows what is in a folder."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.maximum_version = most
    if folder:
        made.load_cert_chain(folder / certificate, folder / key)
    return made


def plain(port):
    return socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)


class Link:
    """Reads all that comes until the end; sends what it is told to."""

    def __init__(self, port, tls, cluster):
        self.cluster = codec.cluster_head(cluster)
        self.number = 0
        self.frames = []
        self.held = b""
        self.ended = threading.Event()
        self.opened = threading.Event()
        # One thread at a time may use a connection's TLS.
        self.lock = threading.Lock()
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls.wrap_bio(self.incoming, self.outgoing, server_hostname="node")
        self.socket = plain(port)
        self.shake_hands()
        self.socket.settimeout(None)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def shake_hands(self):
        while True:
            try:
                self.tls.do_handshake()
                return self.flush()
            except ssl.SSLWantReadError:
                self.flush()
                data = self.socket.recv(65536)
                if not data:
                    raise ConnectionResetError("it left during the handshake") from None
                self.incoming.write(data)

    def flush(self):
        if self.outgoing.pending:
            self.socket.sendall(self.outgoing.read())

    def read(self):
        try:
            while data := self.socket.recv(65536):
                with self.lock:
                    self.incoming.write(data)
                    self.decrypt()
                    self.flush()
        except OSError:
            pass
        self.ended.set()
        self.opened.set()

    def decrypt(self):
        try:
            while data := self.tls.read(65536):
                self.held += data
                self.cut()
            # TLS's own end; the socket's may come later.
            self.ended.set()
        except ssl.SSLWantReadError:
            pass

    def cut(self):
        head = codec.HEAD.size
        while len(self.held) >= head:
            *_, kind, _, _, length = codec.HEAD.unpack(self.held[:head])
            if len(self.held) < head + length:
                return
            self.frames.append((kind, self.held[head:head + length]))
            self.held = self.held[head + length:]
            if kind == codec.OPEN:
                self.opened.set()

    def bytes(self, data):
        try:
            with self.lock:
                self.tls.write(data)
                self.flush()
        except OSError:
            self.ended.set()

    def frame(self, kind, payload=b"", **wrong):
        self.number += 1
        self.bytes(codec.frame(self.cluster, wrong.pop("number", self.number), kind, payload, **wrong))

    def say(self, message):
        self.frame(codec.MESSAGE, message)

    def open(self):
        """As a node would; the other side has opened it when this returns."""
        self.opened.wait(WAIT_SECONDS)
        self.frame(codec.OPEN, (8 << 20).to_bytes(8))
        return self

    def received(self, kind):
        """Messages of one kind that came so far."""
        return [payload for frame, payload in list(self.frames) if frame == codec.MESSAGE and payload[1] == kind]

    def wait_for(self, kind, seconds=WAIT_SECONDS):
        end = time.monotonic() + seconds
        while not self.received(kind) and time.monotonic() < end and not self.ended.is_set():
            time.sleep(0.01)
        return self.received(kind)

    def bye(self):
        """What the other side said when it ended the connection."""
        return next((payload.decode(errors="replace") for frame, payload in list(self.frames) if frame == codec.BYE), None)

    def wait_end(self, seconds=WAIT_SECONDS):
        return self.ended.wait(seconds)

    def close(self, politely=False):
        """Politely: with TLS's own end, as after a last word."""
        try:
            if politely:
                with self.lock:
                    try:
                        self.tls.unwrap()
                    except ssl.SSLWantReadError:
                        self.flush()
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        self.reader.join(2)
