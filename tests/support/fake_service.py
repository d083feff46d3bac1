"""Something at pes.sock that is not the service it should be: fake_service.py FOLDER HOW

Listens at FOLDER/pes.sock, says so on standard output, and treats each client as HOW says, until it is ended.
"""
import os
import signal
import socket
import sys

from raw_client import ANSWER, ASK, HELLO, REFUSAL, RESERVE, WELCOME, number, octets, parse

E_VERSION, E_PERMISSION, E_INTERNAL, E_NO_MEMORY = 5, 6, 14, 15


def refusal(error):
    detail = octets(4, b"ugly \x1b[31m\n\xe2\x80\xae text")
    return octets(REFUSAL, number(1, 1) + number(3, error) + detail + number(5, 1))


GREETINGS = {
    "refuses-version": refusal(E_VERSION),
    "refuses-client": refusal(E_PERMISSION),
    "speaks-later-version": octets(WELCOME, number(1, 9)),
    "speaks-nonsense": b"\xff" * 64,
    "speaks-other-protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "hangs-up": None,
}


CONVERSATIONS = {"has-no-memory", "fails-first", "dies-later"}
LIMITS = number(4, 65536) + number(5, 32768) + number(6, 100 << 20) + number(7, 64) + number(8, 3)
# verdict not_detected, coverage full, disposition, would and decided_by, action go, mode enforce
NOTHING_FOUND = b"".join(number(*field) for field in ((3, 2), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1), (9, 3)))


def converse(client, how, path):
    """A service that finds nothing, with one fault."""
    n_asked = 0
    while data := client.recv(65536):
        ((kind, (body,)),) = parse(data).items()
        fields = parse(body)
        if kind == HELLO:
            client.send(octets(WELCOME, number(1, 1) + LIMITS))
        elif kind == RESERVE and how == "has-no-memory":
            client.send(octets(REFUSAL, number(1, kind) + number(2, fields[1][0]) + number(3, E_NO_MEMORY)))
        elif kind == ASK:
            n_asked += 1
            answer = NOTHING_FOUND
            if how == "fails-first" and n_asked == 1:
                answer = number(2, E_INTERNAL)
            if how == "dies-later" and n_asked == 2:
                os.unlink(path)
                sys.exit()
            client.send(octets(ANSWER, number(1, fields[1][0]) + answer))


def main():
    folder, how = sys.argv[1:]
    path = os.path.join(folder, "pes.sock")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen(64)
    print("listening", flush=True)
    while True:
        client, _ = listener.accept()
        with client:
            try:
                if how in CONVERSATIONS:
                    converse(client, how, path)
                    continue
                client.recv(65536)
                if how == "hangs":
                    signal.pause()
                if GREETINGS[how] is not None:
                    client.send(GREETINGS[how])
                    client.recv(65536)  # until it has gone
            except OSError:
                pass


if __name__ == "__main__":
    main()
