"""Raises each exception in this very Python and prints, as JSON, what it is called and what it says.

Where the library or the machine is not at hand (CUDA, NCCL, a licence server), its class and its words are taken from reports.
"""
import ctypes
import errno
import http.server
import json
import os
import socket
import sqlite3
import struct
import threading
import urllib.request

import numpy as np


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(int(self.path[1:]))

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = "http://127.0.0.1:%d/" % server.server_port
silent = socket.create_server(("127.0.0.1", 0))
closed = socket.create_server(("127.0.0.1", 0))
free = closed.getsockname()[1]
closed.close()
get = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def full():
    with open("/dev/full", "w") as file:
        file.write("x")


def reset():
    listening = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listening.getsockname())
    there, _ = listening.accept()
    # Without lingering, closing is a reset.
    there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    there.close()
    client.recv(1)


def system(number):
    raise OSError(number, os.strerror(number), "data/ratings.csv")


def told(name, message, of=RuntimeError):
    raise type(name, (of,), {})(message)


def full_database():
    connection = sqlite3.connect(":memory:")
    connection.execute("pragma max_page_count = 2")
    connection.execute("create table a (b)")
    connection.execute("insert into a values (zeroblob(100000))")


ERROR = {
    "the disk is full (ENOSPC)": full,
    "the quota is used up (EDQUOT)": lambda: system(errno.EDQUOT),
    "a database on a full disk": full_database,
    "stale file handle (ESTALE)": lambda: system(errno.ESTALE),
    "input/output error (EIO)": lambda: system(errno.EIO),
    "the file server is gone (ENOTCONN)": lambda: system(errno.ENOTCONN),
    "no locks (ENOLCK)": lambda: system(errno.ENOLCK),
    "memory": lambda: bytearray(1 << 60),
    "memory for an array": lambda: np.zeros(1 << 55),
    "GPU memory (torch)": lambda: told("OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 15.77 GiB"),
    "GPU memory (older torch)": lambda: told("RuntimeError", "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
    "GPU lost": lambda: told("RuntimeError", "CUDA error: GPU has fallen off the bus"),
    "GPU with ECC errors": lambda: told("AcceleratorError", "CUDA error: uncorrectable ECC error encountered"),
    "no GPU on the node": lambda: told("RuntimeError", "No CUDA GPUs are available"),
    "NCCL timed out": lambda: told("DistBackendError", "[Rank 1] Watchdog caught collective operation timeout: WorkNCCL(OpType=ALLREDUCE) ran for 1800001 milliseconds before timing out."),
    "NCCL system error": lambda: told("DistBackendError", "NCCL error in: ProcessGroupNCCL.cpp:1970, unhandled system error"),
    "HTTP 503": lambda: get(base + "503"),
    "HTTP 429": lambda: get(base + "429"),
    "HTTP 502": lambda: get(base + "502"),
    "no such host (DNS)": lambda: socket.getaddrinfo("no-such-host.invalid", 80),
    "no such host, from urllib": lambda: get("http://no-such-host.invalid/"),
    "connection refused": lambda: socket.create_connection(("127.0.0.1", free)),
    "connection refused, from urllib": lambda: get("http://127.0.0.1:%d/" % free),
    "connection reset": reset,
    "a server that does not answer": lambda: get("http://127.0.0.1:%d/" % silent.getsockname()[1], timeout=0.2),
    "a licence server": lambda: told("GurobiError", "Failed to connect to token server 'licences' (port 41954)", Exception),
    "no free licence": lambda: told("MatlabExecutionError", "License checkout failed.\nLicense Manager Error -4\nMaximum number of users for MATLAB reached.", Exception),
    "shared memory": lambda: told("RuntimeError", "DataLoader worker (pid 4) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory."),
    "a library that this node lacks": lambda: ctypes.CDLL("libno-such-library.so.1"),
}
FAIL = {
    "missing file": lambda: open("no/such/file"),
    "folder instead of a file": lambda: open("/"),
    "no permission": lambda: system(errno.EACCES),
    "too many open files": lambda: system(errno.EMFILE),
    "division by zero": lambda: 1 / 0,
    "missing key": lambda: {}["No space left on device"],
    "index out of range": lambda: [][1],
    "attribute of None": lambda: None.x,
    "wrong type": lambda: 1 + "a",
    "wrong value": lambda: int("[Errno 28]"),
    "missing module": lambda: __import__("no_such_module_at_all"),
    "shapes that do not fit": lambda: np.ones(2) @ np.ones(3),
    "singular matrix": lambda: np.linalg.inv(np.zeros((2, 2))),
    "not UTF-8": lambda: b"\xff".decode(),
    "not JSON": lambda: json.loads("{"),
    "recursion": lambda: (lambda f: f(f))(lambda f: f(f)),
    "overflow": lambda: 2.0**10000,
    "empty iterator": lambda: next(iter(())),
    "failed assertion": lambda: exec("assert 0.3 > 0.5, 'Connection reset by peer'"),
    "HTTP 404": lambda: get(base + "404"),
    "HTTP 401": lambda: get(base + "401"),
    "missing table": lambda: sqlite3.connect(":memory:").execute("select * from ratings"),
    "device-side assert": lambda: told("RuntimeError", "CUDA error: device-side assert triggered"),
    "words of one's own: disk": lambda: told("OSError", "No space left on device", OSError),
    "words of one's own: rate": lambda: told("DataError", "Input/output error rate 0.31 is above 0.1", Exception),
}
found = {}
for verdict, cases in (("error", ERROR), ("fail", FAIL)):
    for name, case in cases.items():
        try:
            case()
        except BaseException as error:
            found[name] = {"expected": verdict, "exception": type(error).__name__, "message": str(error)}
        else:
            raise SystemExit("nothing raised: " + name)
print(json.dumps(found))
