import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { asSha256 } from '../../lib/base/ids.ts';
import { openStore } from '../../lib/cluster/content-store.ts';
import { openLocalHost } from '../../lib/cluster/local-host.ts';
import { bringKept } from '../../lib/commands/bring-kept.ts';
import { type KeptOptions, planKept } from '../../lib/commands/show-notebook.ts';
import { metricsOnly } from '../../lib/report/metrics-only.ts';
import type { Report } from '../../lib/report/types.ts';
import { failedRun, hostile, sampleReport } from '../rig/sample-report.ts';

const sha256 = (text: string) => asSha256(createHash('sha256').update(text).digest('hex'));
const kept = (path: string, text: string, role: 'notebook' | 'log' | 'artifact' = 'notebook') => ({
  path,
  sha256: sha256(text),
  size: text.length,
  role,
});

/** A content store on this machine, an empty folder of the user's, and a report of a run that left these files. */
async function scene(
  files: Readonly<Record<string, string>> = { 'notebooks/a folder/train it.ipynb': '{"cells":[]}' },
) {
  const root = await mkdtemp(join(tmpdir(), 'mlops-kept-'));
  const [cwd, workdir] = [join(root, 'here'), join(root, 'the store')];
  await Promise.all([mkdir(cwd), mkdir(workdir)]);
  const host = openLocalHost(process.env);
  const store = openStore(host, workdir);
  const put = await store.put(
    Object.values(files).map((text) => ({
      sha256: sha256(text),
      size: text.length,
      open: () => Readable.from([Buffer.from(text)]),
    })),
  );
  if (!put.ok) throw new Error(JSON.stringify(put.error));
  const artifacts = Object.entries(files).map(([path, text]) =>
    kept(path, text, /(?:^|\/)log$/.test(path) ? 'log' : path.endsWith('.ipynb') ? 'notebook' : 'artifact'),
  );
  const report = sampleReport({ run: { artifacts } });
  const plan = (options: Partial<KeptOptions> = {}, of: Report = report) =>
    planKept(of, { what: 'notebook', cwd, force: false, ...options });
  const bring = async (options: Partial<KeptOptions> = {}) => {
    const planned = await plan(options);
    if (!planned.ok) throw new Error(JSON.stringify(planned.error));
    return bringKept(store, planned.value);
  };
  return {
    cwd,
    workdir,
    store,
    plan,
    bring,
    files: async () => (await readdir(cwd)).sort(),
    async [Symbol.asyncDispose]() {
      await host.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

describe('mlops show --notebook', () => {
  test('brings the executed notebook under its name and that of the run', async () => {
    await using at = await scene();
    const path = join(at.cwd, 'train it.5b7e90d.ipynb');
    expect(await at.bring()).toEqual({ ok: true, value: [{ path, bytes: 12 }] });
    expect(await readFile(path, 'utf8')).toBe('{"cells":[]}');
    expect(await at.files()).toEqual(['train it.5b7e90d.ipynb']);
  });

  test('brings all of several, and keeps those of one name apart', async () => {
    await using at = await scene({
      'notebooks/a/train.ipynb': '1',
      'notebooks/b/train.ipynb': '22',
      'notebooks/plot.ipynb': '333',
    });
    const progress: [number, number][] = [];
    const planned = await at.plan();
    if (!planned.ok) throw new Error(planned.error.reason);
    await bringKept(at.store, planned.value, { onProgress: (bytes, of) => progress.push([bytes, of]) });
    expect(await at.files()).toEqual(['a-train.5b7e90d.ipynb', 'b-train.5b7e90d.ipynb', 'plot.5b7e90d.ipynb']);
    expect(progress.at(-1)).toEqual([6, 6]);
  });

  test('--artifact brings a picture or another file that the run left, by its path or its name', async () => {
    await using at = await scene({
      'plots/loss.png': '1',
      'plots/b/loss.png': '22',
      'model.tar.gz': '333',
      'notebooks/a.ipynb': '{}',
      log: '',
    });
    expect(await at.bring({ what: 'artifact', name: 'plots/loss.png' })).toMatchObject({ ok: true });
    expect(await at.bring({ what: 'artifact', name: 'model.tar.gz' })).toMatchObject({ ok: true });
    expect(await at.files()).toEqual(['loss.5b7e90d.png', 'model.tar.5b7e90d.gz']);
    expect(await at.bring({ what: 'artifact', name: 'loss.png' })).toMatchObject({ ok: true });
    expect((await at.files()).slice(2)).toEqual(['plots-b-loss.5b7e90d.png', 'plots-loss.5b7e90d.png']);
    expect(await at.plan({ what: 'artifact', name: 'a.ipynb' })).toEqual({
      ok: false,
      error: { reason: 'no-artifact', name: 'a.ipynb', known: ['plots/loss.png', 'plots/b/loss.png', 'model.tar.gz'] },
    });
    expect(await at.plan({ what: 'artifact', name: '../log', output: 'nowhere/' })).toMatchObject({
      error: { reason: 'no-artifact' },
    });
  });

  test('--log brings the whole log', async () => {
    await using at = await scene({ log: 'epoch 1\nepoch 2\n', 'notebooks/a.ipynb': '{}' });
    expect(await at.bring({ what: 'log' })).toMatchObject({ ok: true });
    expect(await readFile(join(at.cwd, 'mlops.5b7e90d.log'), 'utf8')).toBe('epoch 1\nepoch 2\n');
    expect(await at.files()).toEqual(['mlops.5b7e90d.log']);
  });

  test('--log brings the log of each task of an array', async () => {
    await using at = await scene({ 'tasks/1/log': 'one\n', 'tasks/12/log': 'twelve\n' });
    expect(await at.bring({ what: 'log' })).toMatchObject({ ok: true });
    expect(await at.files()).toEqual(['mlops.5b7e90d.task-1.log', 'mlops.5b7e90d.task-12.log']);
    expect(await readFile(join(at.cwd, 'mlops.5b7e90d.task-12.log'), 'utf8')).toBe('twelve\n');
  });

  test('-o names a file, or a folder that is there', async () => {
    await using at = await scene();
    await at.bring({ output: 'mine.ipynb' });
    await mkdir(join(at.cwd, 'out'));
    await at.bring({ output: 'out' });
    expect(await at.files()).toEqual(['mine.ipynb', 'out']);
    expect(await readdir(join(at.cwd, 'out'))).toEqual(['train it.5b7e90d.ipynb']);
    expect(await at.plan({ output: 'nowhere/a.ipynb' })).toEqual({
      ok: false,
      error: { reason: 'no-folder', path: join(at.cwd, 'nowhere') },
    });
    expect(await at.plan({ output: 'nowhere/' })).toMatchObject({ ok: false, error: { reason: 'no-folder' } });
  });

  test('several notebooks do not go into one file', async () => {
    await using at = await scene({ 'notebooks/a.ipynb': '1', 'notebooks/b.ipynb': '2' });
    expect(await at.plan({ output: 'one.ipynb' })).toMatchObject({
      ok: false,
      error: { reason: 'several', paths: ['notebooks/a.ipynb', 'notebooks/b.ipynb'] },
    });
  });

  test('never replaces a file without --force, not even one that comes in between', async () => {
    await using at = await scene();
    const planned = await at.plan();
    if (!planned.ok) throw new Error(planned.error.reason);
    const path = join(at.cwd, 'train it.5b7e90d.ipynb');
    await writeFile(path, 'precious');
    expect(await at.plan()).toEqual({ ok: false, error: { reason: 'exists', path } });
    expect(await bringKept(at.store, planned.value)).toEqual({
      ok: false,
      error: { reason: 'exists', path, brought: [] },
    });
    expect(await readFile(path, 'utf8')).toBe('precious');
    expect(await at.bring({ force: true })).toMatchObject({ ok: true });
    expect(await readFile(path, 'utf8')).toBe('{"cells":[]}');
    await rm(path);
    await symlink('/nowhere', path);
    expect(await at.plan()).toMatchObject({ ok: false, error: { reason: 'exists' } });
    expect(await at.files()).toEqual(['train it.5b7e90d.ipynb']);
  });

  test('says so where the content is gone, changed, or cannot be written here', async () => {
    await using at = await scene();
    const sha = sha256('{"cells":[]}');
    const object = join(at.workdir, 'objects', sha.slice(0, 2), sha.slice(2));
    await chmod(object, 0o644);
    await writeFile(object, '{"cells":[1]}');
    expect(await at.bring()).toMatchObject({ ok: false, error: { reason: 'store', cause: { reason: 'corrupt' } } });
    await rm(object);
    expect(await at.bring()).toMatchObject({
      ok: false,
      error: {
        reason: 'gone',
        file: { path: 'notebooks/a folder/train it.ipynb' },
        looked: at.workdir,
        store: 'login.hpc.example.edu:/scratch/ann/mlops',
      },
    });
    expect(await at.files()).toEqual([]);
    const planned = await at.plan();
    if (!planned.ok) throw new Error(planned.error.reason);
    await rm(at.cwd, { recursive: true });
    expect(await bringKept(at.store, planned.value)).toMatchObject({ ok: false });
  });

  test('names what the report does not have', async () => {
    await using at = await scene();
    expect(await at.plan({ what: 'log' })).toEqual({ ok: false, error: { reason: 'none-kept', what: 'log' } });
    const failed = sampleReport({ run: { ...failedRun, artifacts: [] } });
    expect(await at.plan({}, failed)).toEqual({ ok: false, error: { reason: 'none-kept', what: 'notebook' } });
    expect(await at.plan({}, metricsOnly(failed))).toEqual({ ok: false, error: { reason: 'metrics-only' } });
    const { run: _, verdict: __, ...rest } = failed;
    const skipped: Report = { ...rest, outcome: 'skipped', decision: { reason: 'r' } };
    expect(await at.plan({}, skipped)).toEqual({ ok: false, error: { reason: 'no-run' } });
  });

  test.each([
    ['notebooks/../../etc/passwd', 'passwd'],
    ['notebooks/..', 'notebook'],
    ['notebooks/-rf.ipynb', 'rf'],
    ['notebooks/.bashrc', 'bashrc'],
    [`notebooks/${'ä'.repeat(300)}.ipynb`, 'ä'.repeat(50)],
  ])('a name from a report cannot leave the folder, hide, or be an option: %j', async (path, name) => {
    await using at = await scene({});
    const report = sampleReport({ run: { artifacts: [kept(path, '1')] } });
    expect(await at.plan({}, report)).toMatchObject({
      ok: true,
      value: { files: [{ to: join(at.cwd, `${name}.5b7e90d.ipynb`) }] },
    });
  });

  test('nor reach the terminal as an escape sequence', async () => {
    await using at = await scene({});
    const planned = await at.plan({}, sampleReport({ run: { artifacts: [kept(`notebooks/${hostile}`, '1')] } }));
    expect(planned.ok && planned.value.files[0]?.to).not.toMatch(/[\u001b\n\u202e]/);
  });
});
