"""A web server on the loopback for tests of what is fetched, and a proxy in front of it; both note what was asked."""
import http.server
import select
import socket
import ssl
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_GET(self):
        mirror = self.server.mirror
        mirror.asked.append((self.path, dict(self.headers)))
        path = self.path.split("://", 1)[-1]
        path = path[path.index("/") :] if "://" in self.path else path  # as a proxy is asked
        answer = mirror.answers.get(path)
        if callable(answer):
            answer(self)
        elif answer is None:
            self.reply(404, b"not here")
        elif self.headers.get("If-None-Match") == mirror.etag(path):
            self.reply(304, b"", mirror.etag(path))
        else:
            self.reply(200, answer, mirror.etag(path))

    def reply(self, status, body, etag=None, more=()):
        self.send_response(status)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", etag)
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self):
        self.server.mirror.asked.append((f"CONNECT {self.path}", dict(self.headers)))
        host, port = self.path.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as other:
            self.send_response(200)
            self.end_headers()
            pair = {self.connection: other, other: self.connection}
            while True:
                for end in select.select(list(pair), [], [], 10)[0]:
                    data = end.recv(65536)
                    if not data:
                        self.close_connection = True
                        return
                    pair[end].sendall(data)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # whoever asked went away, as many of these tests want it


class Mirror:
    """`answers`: path -> bytes, or a function that is given the handler."""

    def __init__(self, certificate=None):
        self.answers = {}
        self.asked = []
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.mirror = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def etag(self, path):
        return f'"{hash(self.answers[path]) & 0xFFFFFFFF:x}"'

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.server.shutdown()
        self.server.server_close()
