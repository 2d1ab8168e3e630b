import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Host } from '../../lib/cluster/host.ts';

export interface HostUnderTest extends AsyncDisposable {
  readonly host: Host;
}

/** Until a script says so; the far side's processes end a moment after we ask. */
async function eventually(host: Host, script: string): Promise<boolean> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const asked = await host.exec(script);
    if (asked.ok && asked.value.code === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/** What every host promises, registered for each implementation. */
export function describeHost(name: string, open: () => Promise<HostUnderTest>): void {
  describe(`the host contract: ${name}`, () => {
    let under: HostUnderTest;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(async () => {
      await under[Symbol.asyncDispose]();
    });
    const run = async (script: string, options = {}) => {
      const done = await under.host.exec(script, options);
      if (!done.ok) throw new Error(JSON.stringify(done.error));
      return done.value;
    };

    test('a script gives its output, its errors and its exit status apart', async () => {
      expect(await run('echo out; echo err >&2; exit 3')).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' });
    });

    test.each([0, 1, 127, 254, 255])('exit status %i is a value', async (code) => {
      expect((await run(`exit ${code}`)).code).toBe(code);
    });

    test('a script without output is empty, and output without a last newline stays so', async () => {
      expect(await run(':')).toEqual({ code: 0, stdout: '', stderr: '' });
      expect((await run("printf 'no newline'")).stdout).toBe('no newline');
    });

    test('a process killed by a signal counts as the shell counts it', async () => {
      expect((await run("sh -c 'kill -KILL $$'")).code).toBe(137);
      expect((await run('kill -TERM $$')).code).toBe(143);
    });

    test('a script that is not sh is an exit status with the words of the shell', async () => {
      const done = await run('if then');
      expect(done.code).not.toBe(0);
      expect(done.stderr).toMatch(/syntax/i);
      expect(done.stderr).toMatch(/^sh: /);
      // And without the whole script in front of them.
      expect(done.stderr.length).toBeLessThan(200);
    });

    test('standard input arrives and is closed', async () => {
      expect((await run('cat; echo end', { stdin: 'a\0b\nπ' })).stdout).toBe('a\0b\nπend\n');
      expect((await run('cat')).stdout).toBe('');
    });

    test('a script that does not read its input ends none the worse', async () => {
      expect((await run('exit 4', { stdin: Buffer.alloc(3_000_000) })).code).toBe(4);
    });

    test('every character of a script arrives', async () => {
      const text = `'"\\\`$HOME !! ^a^ %s \\n \\0101 {a,b} ~ * # ; & | < > (x) [y] tab\there é 日本 😀 \u0001 end`;
      expect((await run(`cat <<'EOF'\n${text}\nEOF`)).stdout).toBe(`${text}\n`);
      expect((await run(`printf '%s' '${text.replaceAll("'", "'\\''")}'`)).stdout).toBe(text);
    });

    test('a script of 300 KB runs, with its input free', async () => {
      const lines = Array.from({ length: 6500 }, (_, index) => `x=$((x + 1)) # ${index} é ' " padding padding padding`);
      const script = `x=0\n${lines.join('\n')}\necho $x; cat`;
      expect(script.length).toBeGreaterThan(300_000);
      expect((await run(script, { stdin: 'input' })).stdout).toBe('6500\ninput');
    });

    test('10 MB of binary data go in and come out unchanged', async () => {
      const data = Buffer.alloc(10_000_000);
      for (let at = 0; at < data.length; at += 4) data.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at);
      const started = await under.host.spawn('cat');
      if (!started.ok) throw new Error(JSON.stringify(started.error));
      const hash = createHash('sha256');
      let bytes = 0;
      started.value.stdout.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        bytes += chunk.length;
      });
      started.value.stdin.end(data);
      expect(await started.value.exit).toEqual({ ok: true, value: { code: 0, stderr: '' } });
      expect(bytes).toBe(data.length);
      expect(hash.digest('hex')).toBe(createHash('sha256').update(data).digest('hex'));
    });

    test('output comes while the script still runs', async () => {
      const started = await under.host.spawn('echo first; read line; echo "then $line"; exit 5');
      if (!started.ok) throw new Error(JSON.stringify(started.error));
      const { stdin, stdout, exit } = started.value;
      const first = await new Promise((resolve) => stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())));
      expect(first).toBe('first\n');
      const second = new Promise((resolve) => stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())));
      stdin.end('go\n');
      expect(await second).toBe('then go\n');
      expect(await exit).toEqual({ ok: true, value: { code: 5, stderr: '' } });
    });

    test('of a flood of errors the tail is kept', async () => {
      const started = await under.host.spawn(
        'i=0; while [ $i -lt 4000 ]; do echo "line $i of a long story" >&2; i=$((i+1)); done; exit 1',
      );
      if (!started.ok) throw new Error(JSON.stringify(started.error));
      started.value.stdout.resume();
      started.value.stdin.end();
      const ended = await started.value.exit;
      if (!ended.ok) throw new Error(JSON.stringify(ended.error));
      expect(ended.value.stderr.length).toBeLessThanOrEqual(64 * 1024);
      expect(ended.value.stderr).toMatch(/line 3999 of a long story\n$/);
    });

    test('a background process does not hold the script', async () => {
      const before = performance.now();
      expect((await run('sleep 20 & echo $!')).stdout).toMatch(/^\d+\n$/);
      expect(performance.now() - before).toBeLessThan(10_000);
    });

    test('a script that takes too long is a timeout, and is ended', async () => {
      const name = `mlops-timeout-${process.pid}`;
      const late = await under.host.exec(`sh -c 'sleep 61; : ${name}'; echo never`, { timeoutSeconds: 1 });
      expect(late).toMatchObject({ ok: false, error: { reason: 'timeout', host: under.host.name } });
      expect(await eventually(under.host, `[ -z "$(ps -A -o args= | grep '[m]lops-timeout-${process.pid}')" ]`)).toBe(
        true,
      );
    });

    test('an abort ends the script and what it has started', async () => {
      const abort = new AbortController();
      const started = await under.host.spawn('sleep 62 & echo $!; wait', { signal: abort.signal });
      if (!started.ok) throw new Error(JSON.stringify(started.error));
      const pid = await new Promise((resolve) =>
        started.value.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())),
      );
      abort.abort();
      expect(await started.value.exit).toEqual({ ok: false, error: { reason: 'aborted', host: under.host.name } });
      expect(await eventually(under.host, `! kill -0 ${pid} 2>/dev/null`)).toBe(true);
    });

    test('what is aborted already does not begin', async () => {
      const signal = AbortSignal.abort();
      expect(await under.host.exec('echo no', { signal })).toMatchObject({ ok: false, error: { reason: 'aborted' } });
      expect(await under.host.spawn('echo no', { signal })).toMatchObject({ ok: false, error: { reason: 'aborted' } });
    });

    test('twenty scripts at once all come back with their own output', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, (_, index) => run(`echo ${index}`)));
      expect(all.map((done) => done.stdout)).toEqual(Array.from({ length: 20 }, (_, index) => `${index}\n`));
    });
  });
}
