import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { shellQuote } from '../../lib/base/shell-quote.ts';
import { openStore } from '../../lib/cluster/content-store.ts';
import type { SharedFolder, Source, TreeEntry } from '../../lib/cluster/store-types.ts';
import { file, sha256, source } from '../rig/store.ts';
import { until } from '../rig/until.ts';
import type { HostUnderTest } from './host-contract.ts';

/** What the store promises, on every host. */
export function describeStore(name: string, open: () => Promise<HostUnderTest>): void {
  describe(`the content store: ${name}`, () => {
    let under: HostUnderTest;
    let here: string;
    let made = 0;
    beforeAll(async () => {
      under = await open();
      here = await mkdtemp(join(tmpdir(), 'mlops-store-'));
    });
    afterAll(async () => {
      await under[Symbol.asyncDispose]();
      await rm(here, { recursive: true });
    });
    const run = async (script: string) => {
      const done = await under.host.exec(`LC_ALL=C\n${script}`);
      if (!done.ok) throw new Error(JSON.stringify(done.error));
      return done.value;
    };
    /** A store in a new folder, with a space and a quote in its path. */
    const fresh = async () => {
      made += 1;
      const made1 = await run(`d=$(mktemp -d) && mkdir "$d/it's $\{d##*/}" && printf %s "$d/it's $\{d##*/}"`);
      expect(made1.stderr).toBe('');
      const workdir = made1.stdout;
      const remove = async () => void (await run(`rm -rf ${shellQuote(workdir.slice(0, workdir.lastIndexOf('/')))}`));
      return { store: openStore(under.host, workdir), workdir, [Symbol.asyncDispose]: remove };
    };

    test('1,000 small files and one of 30 MB arrive by content, read-only, and come back', async () => {
      await using at = await fresh();
      const folder = join(here, `files-${made}`);
      await mkdir(folder);
      const sources: Source[] = [];
      for (let index = 0; index < 1000; index += 1) {
        const content = `file ${index}\n`.repeat(index % 200);
        const path = join(folder, String(index));
        await writeFile(path, content);
        sources.push({ sha256: sha256(content), size: content.length, file: path });
      }
      const big = Buffer.alloc(30_000_001);
      for (let at = 0; at < 30_000_000; at += 4) big.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at);
      await writeFile(join(folder, 'big'), big);
      sources.push({ sha256: sha256(big), size: big.length, file: join(folder, 'big') });
      const unique = new Set(sources.map((one) => one.sha256)).size;
      const before = await at.store.missing(sources);
      expect(before.ok && before.value.length).toBe(unique);
      let progress = 0;
      const put = await at.store.put(sources, { onProgress: (bytes) => (progress = bytes) });
      const bytes = sources.reduce((sum, one) => sum + one.size, 0);
      expect(put).toEqual({ ok: true, value: { files: 1001, bytes, resumed: 0 } });
      expect(progress).toBe(bytes);
      expect(await at.store.missing(sources)).toEqual({ ok: true, value: [] });
      const tree = await run(
        `cd ${shellQuote(at.workdir)} && find objects -type f | wc -l && find objects -type f ! -perm 444 && ls tmp`,
      );
      expect(tree.stdout.trim()).toBe(String(unique));
      const back = join(folder, 'back');
      expect(await at.store.download(sha256(big), back)).toMatchObject({ ok: true });
      expect(sha256(await readFile(back))).toBe(sha256(big));
    });

    test('nothing to send, and empty content, are nothing special', async () => {
      await using at = await fresh();
      expect(await at.store.put([])).toEqual({ ok: true, value: { files: 0, bytes: 0, resumed: 0 } });
      expect(await at.store.missing([])).toEqual({ ok: true, value: [] });
      expect(await at.store.put([source('')])).toEqual({ ok: true, value: { files: 1, bytes: 0, resumed: 0 } });
      expect(await at.store.missing([source('')])).toEqual({ ok: true, value: [] });
    });

    test('an object that was cut short counts as missing, and sending it again heals it', async () => {
      await using at = await fresh();
      const one = source('whole content\n');
      await at.store.put([one]);
      await run(`cd ${shellQuote(at.workdir)}/objects/* && chmod u+w * && printf cut >"$(ls)"`);
      expect(await at.store.missing([one])).toEqual({ ok: true, value: [one.sha256] });
      expect(await at.store.put([one])).toMatchObject({ ok: true });
      expect(await at.store.missing([one])).toEqual({ ok: true, value: [] });
    });

    test('two writers at once of the same content both succeed', async () => {
      await using at = await fresh();
      const sources = Array.from({ length: 300 }, (_, index) => source(`shared ${index}`));
      const both = await Promise.all([at.store.put(sources), at.store.put(sources), at.store.missing(sources)]);
      expect(both.map((one) => one.ok)).toEqual([true, true, true]);
      expect(await at.store.missing(sources)).toEqual({ ok: true, value: [] });
    });

    test.each([
      ['grew', 'longer than it was', 9],
      ['shrank', 'short', 900],
      ['changed', 'same size', 9],
    ])('a source that %s since it was hashed is named, and is not stored; the others are', async (_how, now, size) => {
      await using at = await fresh();
      const stale = { sha256: sha256('as it was'), size, open: () => Readable.from([Buffer.from(now)]) };
      const others = [source('before'), source('after')] as const;
      expect(await at.store.put([others[0], stale, others[1]])).toEqual({
        ok: false,
        error: { reason: 'source-changed', sha256s: [stale.sha256] },
      });
      expect(await at.store.missing([others[0], stale, others[1]])).toEqual({ ok: true, value: [stale.sha256] });
    });

    test('a source that cannot be read is named, and the others are stored', async () => {
      await using at = await fresh();
      const gone: Source = { sha256: sha256('gone'), size: 4, file: join(here, 'not-there') };
      expect(await at.store.put([source('a'), gone, source('b')])).toMatchObject({
        ok: false,
        error: { reason: 'source-unreadable', sha256: gone.sha256 },
      });
      expect(await at.store.missing([source('a'), source('b')])).toEqual({ ok: true, value: [] });
    });

    test('what the store does not have cannot be downloaded, and leaves no file', async () => {
      await using at = await fresh();
      const to = join(here, 'nothing');
      const none = sha256('none');
      expect(await at.store.download(none, to)).toEqual({ ok: false, error: { reason: 'missing', sha256s: [none] } });
      await expect(stat(to)).rejects.toThrow('ENOENT');
    });

    test('what is not what its name says is called corrupt', async () => {
      await using at = await fresh();
      const one = source('right');
      await at.store.put([one]);
      await run(`cd ${shellQuote(at.workdir)}/objects/* && chmod u+w * && printf wrong >"$(ls)"`);
      const to = join(here, 'corrupt');
      expect(await at.store.download(one.sha256, to)).toEqual({
        ok: false,
        error: { reason: 'corrupt', sha256: one.sha256 },
      });
      await expect(stat(to)).rejects.toThrow('ENOENT');
    });

    const long = `${'long folder name/'.repeat(20)}file`;
    const odd = [
      '-rf',
      'a b',
      "it's",
      'new\nline',
      'é/日本 😀',
      '*',
      '$HOME',
      '\\back\\slash',
      long,
      'dir/-x',
      '"q"',
      ' ',
    ];
    test.each(['copy', 'link'] as const)(
      'odd paths, modes and symbolic links are right in a tree by %s',
      async (as) => {
        await using at = await fresh();
        await at.store.put([source('content'), source('#!/bin/sh\necho ran\n')]);
        const raw = Buffer.from([0x66, 0xff, 0xfe]);
        const tree: TreeEntry[] = [
          ...odd.map((path) => file(path, 'content')),
          file(raw, 'content'),
          file('bin/run me', '#!/bin/sh\necho ran\n', true),
          { kind: 'symlink', path: 'link', target: 'bin/run me' },
          { kind: 'symlink', path: 'dir/dangling', target: '../no/such\nfile' },
          { kind: 'symlink', path: 'absolute', target: '/etc' },
        ];
        const into = `${at.workdir}/runs/a b/code`;
        expect(await at.store.materialise({ tree, into, as })).toEqual({ ok: true, value: undefined });
        for (const path of odd) {
          expect((await run(`cat ${shellQuote(`${into}/${path}`)}`)).stdout).toBe('content');
        }
        const looks =
          await run(`cd ${shellQuote(into)} && ./link && readlink dir/dangling && readlink absolute && [ ! -x -rf ] &&
        cat "$(printf 'f\\377\\376')" && echo && find . -type f | tr '\\n' '?' | wc -c && find . -type f -mtime +0 | wc -l`);
        expect(looks.stdout).toMatch(/^ran\n\.\.\/no\/such\nfile\n\/etc\ncontent\n/);
        expect(looks.stderr).toBe('');
        const writable = await run(`cd ${shellQuote(into)} && find . -type f -perm -200 | tr -d '\\n' | wc -c`);
        if (as === 'copy') {
          await run(`cd ${shellQuote(into)} && echo more >>"a b" && echo more >>"bin/run me"`);
          expect(await at.store.missing([source('content')])).toEqual({ ok: true, value: [] });
        } else {
          expect(Number(writable.stdout)).toBe(0);
          const links = await run(`find ${shellQuote(into)} -type f -links +1 | wc -l`);
          expect(Number(links.stdout)).toBeGreaterThan(odd.length - 1);
        }
        const left = await run(`ls ${shellQuote(at.workdir)}/tmp; ls ${shellQuote(`${at.workdir}/runs/a b`)}`);
        expect(left.stdout).toBe('code\n');
      },
    );

    test.each(['copy', 'link'] as const)('a missing object is named, and no half tree is left by %s', async (as) => {
      await using at = await fresh();
      await at.store.put([source('here')]);
      const tree = [file('a', 'here'), file('b', 'not here'), file('c', 'nor this', true)];
      const into = `${at.workdir}/run`;
      const built = await at.store.materialise({ tree, into, as });
      expect(built).toMatchObject({ ok: false, error: { reason: 'missing' } });
      if (!built.ok && built.error.reason === 'missing') {
        expect([...built.error.sha256s].sort()).toEqual([sha256('not here'), sha256('nor this')].sort());
      }
      expect((await run(`cd ${shellQuote(at.workdir)} && ls . tmp`)).stdout).toBe('.:\nobjects\ntmp\n\ntmp:\n');
    });

    test('a folder of data is made once, read-only, and believed as long as all of it is there', async () => {
      await using at = await fresh();
      await at.store.put([source('one'), source('two')]);
      const files = [file('a b/1', 'one'), file('a b/2', 'two'), file('3', 'one')] as SharedFolder['files'];
      const folder = { path: 'data', key: sha256('these'), files };
      const found = async () => {
        const asked = await at.store.findShared([folder, { ...folder, key: sha256('others') }]);
        if (!asked.ok) throw new Error(JSON.stringify(asked.error));
        return Object.fromEntries(asked.value);
      };
      const share = async () => {
        const shared = await at.store.share(folder);
        if (!shared.ok) throw new Error(JSON.stringify(shared.error));
        return shared.value;
      };
      expect(await found()).toEqual({});
      const first = await share();
      expect((await run(`cd ${shellQuote(first)} && cat 'a b/1' 'a b/2' 3 && find . -perm -200`)).stdout).toBe(
        'onetwoone',
      );
      expect(await found()).toEqual({ [folder.key]: first });
      // Two at once make two at the most, and both are whole.
      const both = await Promise.all([share(), share()]);
      for (const tree of both) expect((await run(`cat ${shellQuote(`${tree}/a b/2`)}`)).stdout).toBe('two');
      // A scratch file system deletes single old files: not believed any more, and not touched, since a run may use the rest.
      for (const tree of [first, ...both])
        await run(`chmod u+w ${shellQuote(`${tree}/a b`)} && rm -f ${shellQuote(`${tree}/a b/2`)}`);
      expect(await found()).toEqual({});
      const again = await share();
      expect((await run(`cat ${shellQuote(`${again}/a b/2`)} ${shellQuote(`${first}/3`)}`)).stdout).toBe('twoone');
      expect(await found()).toEqual({ [folder.key]: again });
    });

    test('a folder of data is looked through and made young once a day, and not believed if a file was cut short', async () => {
      await using at = await fresh();
      await at.store.put([source('one')]);
      const folder = { path: 'data', key: sha256('it'), files: [file('1', 'one')] as SharedFolder['files'] };
      const shared = await at.store.share(folder);
      const tree = shared.ok ? shared.value : '';
      const age = () => run(`touch -t 202001010000 ${shellQuote(tree)}/../files ${shellQuote(tree)}/1`);
      const old = () => run(`find ${shellQuote(tree)}/../files ${shellQuote(tree)}/1 -mtime +0`);
      await age();
      expect((await old()).stdout).not.toBe('');
      expect(await at.store.findShared([folder])).toEqual({ ok: true, value: new Map([[folder.key, tree]]) });
      expect((await old()).stdout).toBe('');
      await run(`chmod u+w ${shellQuote(tree)}/1 && echo >${shellQuote(tree)}/1`);
      await age();
      expect(await at.store.findShared([folder])).toEqual({ ok: true, value: new Map() });
    });

    test('a folder of data whose content is missing is named by it, and nothing is left', async () => {
      await using at = await fresh();
      await at.store.put([source('one')]);
      const files = [file('1', 'one'), file('2', 'not here')] as SharedFolder['files'];
      expect(await at.store.share({ path: 'data', key: sha256('these'), files })).toEqual({
        ok: false,
        error: { reason: 'missing', sha256s: [sha256('not here')] },
      });
      expect((await run(`cd ${shellQuote(at.workdir)} && ls -A trees && ls -A tmp`)).stdout).toBe('');
    });

    test('a folder that is there already is left alone', async () => {
      await using at = await fresh();
      await at.store.put([source('here')]);
      const into = `${at.workdir}/run`;
      const request = { tree: [file('a', 'here')], into, as: 'copy' as const };
      const both = await Promise.all([at.store.materialise(request), at.store.materialise(request)]);
      expect(both.filter((one) => one.ok)).toHaveLength(1);
      expect(both.find((one) => !one.ok)).toEqual({ ok: false, error: { reason: 'exists', path: into } });
      expect((await run(`cd ${shellQuote(at.workdir)} && ls . run`)).stdout).toBe('.:\nobjects\nrun\ntmp\n\nrun:\na\n');
    });

    test.each([
      ['/etc/passwd', 'absolute'],
      ['../up', 'outside'],
      ['a/../../b', 'outside'],
      ['a//b', 'empty'],
      ['./a', 'empty'],
      ['a/', 'empty'],
      ['', 'empty'],
      ['nul\0', 'nul'],
    ])('the path %j is refused: %s', async (path, why) => {
      const store = openStore(under.host, '/nonexistent');
      expect(await store.materialise({ tree: [file(path, 'x')], into: '/nonexistent/x', as: 'copy' })).toEqual({
        ok: false,
        error: { reason: 'unsafe-path', path, why },
      });
    });

    test('no path may go through a symbolic link or a file of the same tree', async () => {
      const store = openStore(under.host, '/nonexistent');
      const link: TreeEntry = { kind: 'symlink', path: 'out', target: '/etc' };
      const built = await store.materialise({
        tree: [link, file('out/passwd', 'x')],
        into: '/nonexistent/x',
        as: 'link',
      });
      expect(built).toMatchObject({ ok: false, error: { reason: 'unsafe-path', path: 'out/passwd', why: 'conflict' } });
    });

    test('an abort stops the upload and leaves nothing', async () => {
      await using at = await fresh();
      const abort = new AbortController();
      const endless = {
        sha256: sha256('endless'),
        size: 1e12,
        open: () =>
          Readable.from(
            (function* () {
              for (;;) yield Buffer.alloc(65536);
            })(),
          ),
      };
      const one = async function* () {
        yield endless;
      };
      const put = at.store.put(one(), { signal: abort.signal, onProgress: (bytes) => bytes > 1e6 && abort.abort() });
      expect(await put).toMatchObject({ ok: false, error: { reason: 'host', cause: { reason: 'aborted' } } });
      await until(async () => (await run(`ls ${shellQuote(at.workdir)}/tmp`)).stdout === '');
    });
  });
}
