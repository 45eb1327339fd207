"""As much of HTTP and WebSocket as an attacker needs, over blocking sockets."""

import json
import os
import socket
import struct

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def connect(port, timeout=20, source="127.0.0.1"):
    connection = socket.create_connection(("127.0.0.1", port), timeout=timeout, source_address=(source, 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def frame(payload, opcode=1, final=True):
    """One masked frame; the mask is zero, so that the bytes stand as they are."""
    head = bytes([(0x80 if final else 0) | opcode])
    if len(payload) < 126:
        head += bytes([0x80 | len(payload)])
    else:
        head += bytes([0xFE]) + struct.pack(">H", len(payload))
    return head + b"\0\0\0\0" + payload


def message(**fields):
    return frame(json.dumps(fields).encode())


class Socket:
    """A WebSocket."""

    def __init__(self, port, headers=(), source="127.0.0.1"):
        self.connection = connect(port, source=source)
        lines = ["GET /ws HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13", *headers, "", ""]
        self.connection.sendall("\r\n".join(lines).encode())
        self.received = b""
        while b"\r\n\r\n" not in self.received:
            self.receive()
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise OSError(head.split(b"\r\n")[0].decode())

    def receive(self):
        data = self.connection.recv(1 << 16)
        if not data:
            raise OSError("closed")
        self.received += data

    def send(self, **fields):
        self.connection.sendall(message(**fields))

    def next(self):
        """The next text message."""
        while True:
            while len(self.received) < 2:
                self.receive()
            first, length = self.received[0], self.received[1]
            start = 2
            if length == 126:
                start = 4
            elif length == 127:
                start = 10
            while len(self.received) < start:
                self.receive()
            if length >= 126:
                length = int.from_bytes(self.received[2:start], "big")
            while len(self.received) < start + length:
                self.receive()
            payload, self.received = self.received[start:start + length], self.received[start + length:]
            if first == 0x81:
                return json.loads(payload)
            if first == 0x89:
                self.connection.sendall(frame(payload, 10))
            elif first == 0x88:
                raise OSError("closed by the server")

    def close(self):
        self.connection.close()


def be_nice():
    os.nice(10)
