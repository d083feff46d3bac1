"""Something at pes.sock that is not the service it should be: fake_service.py FOLDER HOW

Listens at FOLDER/pes.sock, says so on standard output, and greets each client as HOW says, until it is ended.
"""
import os
import socket
import sys

from raw_client import REFUSAL, WELCOME, number, octets

E_VERSION, E_PERMISSION = 5, 6


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


def main():
    folder, how = sys.argv[1:]
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(os.path.join(folder, "pes.sock"))
    listener.listen(64)
    print("listening", flush=True)
    while True:
        client, _ = listener.accept()
        with client:
            try:
                client.recv(65536)
                if GREETINGS[how] is not None:
                    client.send(GREETINGS[how])
                    client.recv(65536)  # until it has gone
            except OSError:
                pass


if __name__ == "__main__":
    main()
