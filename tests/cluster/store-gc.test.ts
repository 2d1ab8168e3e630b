import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import { asFingerprint } from '../../lib/base/ids.ts';
import { openStore } from '../../lib/cluster/content-store.ts';
import { openLocalHost } from '../../lib/cluster/local-host.ts';
import { processScheduler } from '../../lib/cluster/process-scheduler.ts';
import { openRunStore } from '../../lib/cluster/run-store.ts';
import { type GcRequest, gc } from '../../lib/commands/gc.ts';
import { file, ls, sha256, source } from '../rig/store.ts';
import { until } from '../rig/until.ts';

let here: string;
let supervisor: string;
let made = 0;
const host = openLocalHost(process.env);
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "mlops gc's "));
  supervisor = join(here, 'supervisor.mjs');
  const entry = join(import.meta.dirname, '../../lib/cluster/supervisor.ts');
  buildSync({ entryPoints: [entry], outfile: supervisor, bundle: true, platform: 'node', format: 'esm' });
});
afterAll(async () => {
  await host.close();
  await rm(here, { recursive: true });
});

const value = <T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

/** A working folder with everything of this machine that a gate is given. */
async function place() {
  made += 1;
  const workdir = join(here, `work ${made}`);
  await mkdir(workdir);
  const now = () => Math.floor(Date.now() / 1000);
  const scheduler = processScheduler({ workdir, supervisor: [process.execPath, supervisor], now });
  const store = openStore(host, workdir);
  const runs = openRunStore({ host, scheduler, workdir });
  const connection = { host, scheduler, runs, store, workdir, close: async () => undefined };
  const request: GcRequest = { olderThanDays: 30, dryRun: false, verify: false };
  return {
    ...connection,
    gc: async (options: Partial<GcRequest> = {}) => value(await gc(connection, { ...request, ...options })),
    object: (text: string) => join(workdir, 'objects', sha256(text).slice(0, 2), sha256(text).slice(2)),
    async write(path: string, content: string) {
      await mkdir(dirname(join(workdir, path)), { recursive: true });
      await writeFile(join(workdir, path), content);
    },
    /** As if nobody had been there since. */
    age: (days: number, ...paths: readonly string[]) =>
      execFileSync('find', [
        ...paths.map((path) => join(workdir, path)),
        '-exec',
        'touch',
        '-h',
        '-d',
        `${days} days ago`,
        '{}',
        '+',
      ]),
    has: async (text: string) => value(await store.missing([source(text)])).length === 0,
  };
}
const fingerprint = (digit: string) => asFingerprint(digit.repeat(64));
const run = (digit: string) => `runs/${fingerprint(digit)}`;

describe('gc', () => {
  test('frees what nobody has used for that long, and a dry run only lists it', async () => {
    const at = await place();
    await at.store.put([source('old'), source('young')]);
    at.age(40, `objects/${sha256('old').slice(0, 2)}`);
    const listed = await at.gc({ dryRun: true });
    expect(listed).toMatchObject({ dryRun: true, bytes: 3, left: [] });
    expect(listed.items).toMatchObject([{ kind: 'object', sha256: sha256('old'), bytes: 3 }]);
    expect(await readFile(at.object('old'), 'utf8')).toBe('old');
    const freed = await at.gc();
    expect(freed).toEqual({ ...listed, now: expect.any(Number), dryRun: false });
    await expect(readFile(at.object('old'))).rejects.toThrow('ENOENT');
    expect(await at.has('young')).toBe(true);
    expect((await at.gc()).items).toEqual([]);
  });

  test('keeps what a push has just asked for, however old it is', async () => {
    const at = await place();
    await at.store.put([source('data set')]);
    at.age(400, 'objects');
    expect(await at.has('data set')).toBe(true);
    expect((await at.gc()).items).toEqual([]);
  });

  test('to a size frees what is longest unused, and nothing of the last day', async () => {
    const at = await place();
    const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(1000));
    await at.store.put(texts.map(source));
    for (const [index, days] of [20, 5, 300, 0].entries()) {
      if (days > 0) execFileSync('touch', ['-d', `${days} days ago`, at.object(texts[index] ?? '')]);
    }
    const freed = await at.gc({ olderThanDays: 400, maxBytes: 2000 });
    expect(freed.items.map((item) => item.kind === 'object' && item.sha256)).toEqual(
      [texts[2], texts[0]].map((text) => sha256(text ?? '')),
    );
    expect((await at.gc({ olderThanDays: 400, maxBytes: 0 })).items).toMatchObject([
      { sha256: sha256(texts[1] ?? '') },
    ]);
    expect(ls(join(at.workdir, 'objects')).split('\n')).toContain(sha256(texts[3] ?? '').slice(0, 2));
  });

  test('keeps the artifacts of a run that ended long ago, and frees its working copy and what it kept for its attempts', async () => {
    const at = await place();
    await at.store.put([source('model'), source('data')]);
    await at.write(`${run('a')}/1/state/end`, 'run=a attempt=1 exit=0 at=1\n');
    await at.write(`${run('a')}/1/result/kept`, `${sha256('model')} 5 artifact model.pkl\n`);
    await at.write(`${run('a')}/1/in/data`, `${sha256('data')} data.csv\n`);
    await at.write(`${run('a')}/1/out/model.pkl`, 'model');
    await at.write(`${run('a')}/keep/checkpoint`, 'half a model');
    const tree = [file('data.csv', 'data')];
    value(await at.store.materialise({ tree, into: `${at.workdir}/${run('a')}/1/tree`, as: 'link' }));
    at.age(40, 'objects', 'runs');
    const freed = await at.gc();
    expect(freed.items.map(({ path }) => path)).toEqual([
      `${run('a')}/1/tree`,
      `${run('a')}/1/out`,
      `${run('a')}/keep`,
      expect.stringContaining('objects/'),
    ]);
    expect(freed.live).toEqual([]);
    expect(ls(join(at.workdir, run('a'), '1'))).toBe('in\nresult\nstate\n');
    expect(await at.has('model')).toBe(true);
    expect(await at.has('data')).toBe(false);
    expect(ls(join(at.workdir, 'tmp'))).toBe('');
  });

  test('frees a shared folder of data that no run uses, and never one that a run uses', async () => {
    const at = await place();
    await at.store.put([source('data'), source('other')]);
    const shared = async (name: string, content: string) => {
      const files = [{ kind: 'file', path: name, sha256: sha256(content), executable: false }] as const;
      const tree = value(await at.store.share({ path: 'data', key: sha256(name), files }));
      return tree.slice(at.workdir.length + 1, -'/tree'.length);
    };
    const [used, unused, half] = [await shared('a', 'data'), await shared('b', 'other'), await shared('c', 'other')];
    await at.write(`${run('a')}/1/in/trees`, `${used.slice('trees/'.length)} data\n`);
    await at.write(`${run('a')}/1/in/data`, `${sha256('data')} data/a\n`);
    await at.write(`${run('a')}/1/state/claimed`, '1\n');
    execFileSync('rm', [join(at.workdir, half, 'files')]);
    at.age(40, 'objects', 'trees');
    // The mode of what is freed is the content's own.
    const mode = () => execFileSync('stat', ['-c', '%a', at.object('data'), join(at.workdir, used, 'tree')]).toString();
    expect((await at.gc()).items.map(({ path }) => path)).toEqual([
      half,
      unused,
      expect.stringContaining(sha256('other').slice(2)),
    ]);
    expect(ls(join(at.workdir, 'trees'))).toBe(`${used.slice('trees/'.length)}\n`);
    expect(mode()).toBe('444\n500\n');
    expect(await at.has('data')).toBe(true);

    await at.write(`${run('a')}/1/state/end`, 'run=a attempt=1 exit=0 at=1\n');
    at.age(40, 'objects', 'trees', 'runs');
    expect((await at.gc()).items.map(({ kind }) => kind)).toEqual(['tree', 'object']);
    expect(ls(join(at.workdir, 'trees')) + ls(join(at.workdir, 'tmp'))).toBe('');
  });

  test('does not let a run begin to use a shared folder with a damaged content', async () => {
    const at = await place();
    await at.store.put([source('data')]);
    const files = [{ kind: 'file', path: 'a', sha256: sha256('data'), executable: false }] as const;
    const folder = { path: 'data', key: sha256('a'), files };
    const tree = value(await at.store.share(folder));
    expect(value(await at.store.findShared([folder])).get(folder.key)).toBe(tree);
    execFileSync('sh', ['-c', 'chmod u+w "$1" && echo damage >"$1"', 'sh', at.object('data')]);
    await at.gc({ verify: true });
    await at.store.put([source('data')]);
    expect(value(await at.store.findShared([folder])).size).toBe(0);
  });

  test('leaves a run alone whose job is alive, whatever its files look like, and takes it when the job has died', async () => {
    const at = await place();
    await at.store.put([source('data')]);
    const submitted = fingerprint('b');
    const incoming = value(await at.runs.prepare(submitted));
    const [used, unused] = ['a'.repeat(24), 'b'.repeat(24)];
    const script = `environment=$workdir/envs/${used}\ntouch state/begun; exec sleep 300\n`;
    value(
      await at.runs.writeFiles(
        incoming,
        new Map([
          ['job.sh', { content: script }],
          ['in/data', { content: `${sha256('data')} d\n` }],
        ]),
      ),
    );
    value(await at.store.materialise({ tree: [file('d', 'data')], into: `${incoming}/tree`, as: 'link' }));
    const job = value(await at.runs.submit({ fingerprint: submitted, incoming, attempt: 1, seconds: 600 }));
    if (job.kind !== 'submitted') throw new Error(job.kind);
    await until(() => ls(join(at.workdir, run('b'), '1/state')).includes('begun'));
    const privateFolder = `tmp/${submitted.slice(0, 7)}.1`;
    await at.write(`${privateFolder}/tmp/socket`, '');
    for (const key of [used, unused]) await at.write(`envs/${key}/complete`, 'version=1\n');
    await at.write(`${run('b')}/keep/checkpoint`, 'half a model');
    // Only what lies there is old: the job itself does not look at it.
    const ageAll = () => at.age(40, 'objects', `${run('b')}/1`, `${run('b')}/keep`, privateFolder, 'envs');
    ageAll();
    const kept = await at.gc();
    expect(kept.live).toMatchObject([{ path: `${run('b')}/1`, ended: false, old: true, own: true }]);
    expect(kept.items).toEqual([]);
    // An environment that it does not use is none of its business.
    expect(kept.environments.map(({ key }) => key)).toEqual([unused]);
    value(await at.scheduler.cancel(job.job));
    ageAll();
    const freed = await at.gc();
    expect(freed.live).toEqual([]);
    const data = `objects/${sha256('data').slice(0, 2)}/${sha256('data').slice(2)}`;
    const paths = [`${run('b')}/1/tree`, `${run('b')}/keep`, privateFolder, data];
    expect(freed.items.map(({ path }) => path).sort()).toEqual(paths.sort());
    expect(freed.environments.map(({ key }) => key)).toEqual([used]);
    expect(ls(join(at.workdir, 'envs'))).toBe('');
  });

  test('frees environments that nobody has used for that long, then the longest unused down to a size', async () => {
    const at = await place();
    const key = (digit: string) => digit.repeat(24);
    for (const [digit, days] of [
      ['a', 40],
      ['b', 9],
      ['c', 3],
      ['d', 0],
    ] as const) {
      await at.write(`envs/${key(digit)}/complete`, 'version=1\nkind=venv\n');
      await at.write(`envs/${key(digit)}/size`, '1000 7\n');
      if (days > 0) at.age(days, `envs/${key(digit)}`);
    }
    // Of a build that was interrupted half is there, and nobody has counted it.
    await at.write(`envs/${key('e')}/env/half`, 'x');
    at.age(50, `envs/${key('e')}`);
    const keys = async (options: Partial<GcRequest>) =>
      (await at.gc(options)).environments.map(({ key: [one] }) => one);
    expect((await keys({ dryRun: true })).sort()).toEqual(['a', 'e']);
    expect(await keys({ dryRun: true, olderThanDays: 400, maxEnvironmentBytes: 2500 })).toEqual(['e', 'a', 'b']);
    expect((await keys({ maxEnvironmentBytes: 2000 })).sort()).toEqual(['a', 'b', 'e']);
    // What was used within a day stays, whatever the size.
    expect(await keys({ maxEnvironmentBytes: 0 })).toEqual(['c']);
    expect(ls(join(at.workdir, 'envs'))).toBe(`${key('d')}\n`);
  });

  test('treats every run without a last word as alive where the scheduler does not answer', async () => {
    const at = await place();
    await at.write(`${run('c')}/1/state/submitted`, 'version=1\nid=7\nat=1\nname=mlops-c.1\n');
    await at.write(`${run('c')}/1/tree/code.py`, 'pass');
    at.age(40, 'runs');
    const cause = { reason: 'scheduler', command: 'squeue', code: 1, stderr: 'slurm_load_jobs error' } as const;
    const deaf = { ...at.scheduler, query: async () => ({ ok: false, error: cause }) as const };
    const request = { olderThanDays: 30, dryRun: false, verify: false };
    const key = 'c'.repeat(24);
    await at.write(`${run('c')}/1/job.sh`, `environment=$workdir/envs/${key}\n`);
    await at.write(`envs/${key}/complete`, 'version=1\n');
    at.age(40, 'runs', 'envs');
    const report = value(await gc({ ...at, scheduler: deaf }, request));
    expect(report).toMatchObject({ items: [], environments: [], unsure: cause, live: [{ path: `${run('c')}/1` }] });
  });

  test('keeps what known steps left as long as their entries are in use', async () => {
    const at = await place();
    await at.store.put([source('archive'), source('old archive')]);
    await at.write(`steps/${'1'.repeat(64)}`, `version=1\narchive=${sha256('archive')}\n`);
    await at.write(`steps/${'2'.repeat(64)}`, `version=1\narchive=${sha256('old archive')}\n`);
    at.age(40, 'objects', `steps/${'2'.repeat(64)}`);
    const freed = await at.gc();
    expect(freed.items.map(({ kind }) => kind)).toEqual(['step', 'object']);
    expect(await at.has('archive')).toBe(true);
    expect(ls(join(at.workdir, 'steps'))).toBe(`${'1'.repeat(64)}\n`);
  });

  test('sweeps what dead clients and jobs left, when nobody has written there for a day', async () => {
    const at = await place();
    const left = [
      'tmp/UPLOAD-1/ab/cd',
      'tmp/TREE-1/F/x',
      'tmp/ASK-pin-1/listing',
      'tmp/PART-1/data',
      'tmp/GONE-1-1/x',
      'tmp/0123456.1/tmp/x',
      'tmp/0123456.1.4711.shell/tmp/x',
      'tmp/0123456..incoming-ab12.build/tmp/x',
      'steps/a.1.tmp',
      'objects/ab/.cdef.run.1',
      `${run('d')}/.incoming-1/job.sh`,
    ];
    for (const path of left) await at.write(path, 'left');
    expect((await at.gc()).items).toEqual([]);
    at.age(2, 'tmp', 'steps', 'objects', 'runs');
    // One upload is still being written to, deep inside.
    await at.write('tmp/UPLOAD-2/ab/cd', 'alive');
    at.age(2, 'tmp/UPLOAD-2');
    await at.write('tmp/UPLOAD-2/ab/ef', 'alive');
    const swept = await at.gc();
    expect(swept.items).toHaveLength(left.length);
    expect(swept).toMatchObject({ left: [], stderr: '' });
    expect(ls(join(at.workdir, 'tmp'))).toBe('UPLOAD-2\n');
    expect(ls(join(at.workdir, run('d')))).toBe('');
    expect(ls(join(at.workdir, 'steps'))).toBe('');
  });

  test('never follows a link, and removes nothing that is not of our making', async () => {
    const at = await place();
    await at.write('precious/file', 'precious');
    await at.write('tmp/notes.txt', 'mine');
    await at.write('runs/mine/1/tree/file', 'mine');
    await mkdir(join(at.workdir, 'tmp/UPLOAD-1'));
    execFileSync('ln', ['-s', join(at.workdir, 'precious'), join(at.workdir, 'tmp/UPLOAD-1/link')]);
    execFileSync('ln', ['-s', join(at.workdir, 'precious'), join(at.workdir, 'tmp/TREE-1')]);
    at.age(40, 'tmp', 'runs', 'precious');
    await at.gc();
    expect(execFileSync('find', ['.', '-type', 'f'], { cwd: at.workdir, encoding: 'utf8' }).split('\n').sort()).toEqual(
      ['', './precious/file', './runs/mine/1/tree/file', './tmp/notes.txt'].sort(),
    );
  });

  test('--verify finds what is not what its name says, and removes it', async () => {
    const at = await place();
    await at.store.put(['right', 'flipped', 'cut'].map(source));
    for (const [text, damage] of [
      ['flipped', 'fl1pped'],
      ['cut', ''],
    ] as const) {
      await chmod(at.object(text), 0o644);
      await writeFile(at.object(text), damage);
    }
    const both = [sha256('flipped'), sha256('cut')].sort();
    const found = await at.gc({ verify: true, dryRun: true });
    expect([...(found.damaged ?? [])].sort()).toEqual(both);
    expect(await readFile(at.object('flipped'), 'utf8')).toBe('fl1pped');
    const removed = await at.gc({ verify: true });
    expect([...(removed.damaged ?? [])].sort()).toEqual(both);
    expect(await at.gc({ verify: true })).toMatchObject({ damaged: [], stderr: '' });
    expect(value(await at.store.missing(['right', 'flipped', 'cut'].map(source))).toSorted()).toEqual(both);
  });

  test('of an empty working folder finds nothing', async () => {
    const at = await place();
    expect(await at.gc({ verify: true, maxBytes: 0 })).toEqual({
      dryRun: false,
      now: expect.any(Number),
      items: [],
      environments: [],
      bytes: 0,
      live: [],
      left: [],
      stderr: '',
      damaged: [],
    });
  });
});
