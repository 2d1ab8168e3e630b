import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { infrastructureRule } from '../../lib/job/infrastructure.ts';
import { pythonEnvironment } from '../rig/python.ts';

const program = `
import http.server, json, os, resource, socket, threading, urllib.request
import numpy as np

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(int(self.path[1:]))
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = "http://127.0.0.1:%d/" % server.server_port
silent = socket.socket(); silent.bind(("127.0.0.1", 0)); silent.listen(1)
closed = socket.socket(); closed.bind(("127.0.0.1", 0)); free = closed.getsockname()[1]; closed.close()
get = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

def full():
    with open("/dev/full", "w") as file:
        file.write("x")
        file.flush()

cases = {
  "disk full": full,
  "memory": lambda: bytearray(1 << 60),
  "numpy memory": lambda: np.zeros(1 << 55),
  "http 503": lambda: get(base + "503"),
  "http 429": lambda: get(base + "429"),
  "refused": lambda: socket.create_connection(("127.0.0.1", free)),
  "refused url": lambda: get("http://127.0.0.1:%d/" % free),
  "no such host": lambda: socket.getaddrinfo("no-such-host.invalid", 80),
  "no such host url": lambda: get("http://no-such-host.invalid/"),
  "timed out": lambda: get("http://127.0.0.1:%d/" % silent.getsockname()[1], timeout=0.2),
  "code: http 404": lambda: get(base + "404"),
  "code: http 401": lambda: get(base + "401"),
  "code: missing file": lambda: open("no/such/file"),
  "code: directory": lambda: open("/"),
  "code: division": lambda: 1 / 0,
  "code: key": lambda: {}["a"],
  "code: index": lambda: [][1],
  "code: attribute": lambda: None.x,
  "code: type": lambda: 1 + "a",
  "code: value": lambda: int("x"),
  "code: import": lambda: __import__("no_such_module_at_all"),
  "code: shapes": lambda: np.ones(2) @ np.ones(3),
  "code: linalg": lambda: np.linalg.inv(np.zeros((2, 2))),
  "code: decode": lambda: b"\\xff".decode(),
  "code: json": lambda: json.loads("{"),
  "code: recursion": lambda: (lambda f: f(f))(lambda f: f(f)),
  "code: overflow": lambda: 2.0 ** 10000,
  "code: stop": lambda: next(iter(())),
}
found = {}
for name, case in cases.items():
    try:
        case()
    except BaseException as error:
        found[name] = {"exception": type(error).__name__, "message": str(error)}
print(json.dumps(found))
`;

test('exceptions that Python and numpy really raise are taken for what they are', async () => {
  const python = `${await pythonEnvironment()}/bin/python`;
  const { stdout } = await promisify(execFile)(python, ['-c', program]);
  const found = Object.entries(JSON.parse(stdout) as Record<string, { exception: string; message: string }>);
  expect(found.length).toBe(28);
  const sides = found.map(([name, raised]) => [name, raised, infrastructureRule(raised)?.name]);
  expect(sides.filter(([name, , rule]) => String(name).startsWith('code:') !== (rule === undefined))).toEqual([]);
}, 300_000);
