"""A client that speaks the wire by hand, for doing what libpes never would."""
import os
import socket
import struct

HELLO, WELCOME, ASK, RESERVE, RESERVED, RELEASE, CANCEL, ANSWER = range(1, 9)
GOAWAY, REFUSAL = 10, 11
KIND_GENERIC = 127


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def octets(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def parse(data):
    """Fields of a message: {number: [values]}, byte strings and varints alone."""
    fields, at = {}, 0

    def read_varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = read_varint()
        value = read_varint()
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        fields.setdefault(tag >> 3, []).append(value)
    return fields


class RawClient:
    """One connection. Messages are (type, fields)."""

    def __init__(self, path=None, can=3):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(10)
        self.socket.connect(str(path) if path else os.path.join(os.environ["PES_RUNTIME_DIR"], "pes.sock"))
        self.can = can
        self.last_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, kind, body, fds=()):
        message = octets(kind, body)
        if fds:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))]
            self.socket.sendmsg([message], rights)
        else:
            self.socket.send(message)

    def receive(self):
        """The next message, or None when the broker closed the connection."""
        data = self.socket.recv(65536)
        if not data:
            return None
        ((kind, (body,)),) = parse(data).items()
        return kind, parse(body)

    def hello(self):
        self.send(HELLO, number(1, 1) + number(2, 1) + octets(3, b"raw") + number(5, self.can))
        kind, _ = self.receive()
        assert kind == WELCOME, kind
        return self

    def ask_body(self, content, kind=KIND_GENERIC, time_left_us=5000000):
        self.last_id += 1
        return number(1, self.last_id) + number(2, kind) + number(4, time_left_us) + octets(9, content)

    def ask(self, content, **how):
        self.send(ASK, self.ask_body(content, **how))

    def answer(self):
        kind, fields = self.receive()
        assert kind == ANSWER, (kind, fields)
        return fields
