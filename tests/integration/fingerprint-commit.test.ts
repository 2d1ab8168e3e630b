import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { asSha256 } from '../../lib/base/ids.ts';
import { formatLock } from '../../lib/fingerprint/data-lock.ts';
import { readRecord, recordCommit } from '../../lib/fingerprint/records.ts';
import type { Pin } from '../../lib/fingerprint/types.ts';
import { fingerprintOf, mustFingerprint, opened } from '../rig/fingerprint.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';

const config = (more = '') => `version: 1\nenvironment: none\n${more}steps:\n  - run: python train.py\n`;

describe('a recorded commit', () => {
  test('keeps its fingerprint when the data is gone, and no file is touched', async () => {
    await using repository = await temporaryRepository();
    await repository.write('.gitignore', 'data\n');
    await repository.write('data/a.csv', 'a');
    await repository.write('train.py', '1\n');
    await repository.write('.mlops/config.yaml', config('data: [data]\n'));
    const commit = await repository.commit();
    const recorded = await mustFingerprint(repository);
    recordCommit(await opened(repository), commit, recorded, new Date(0), 'Ada');
    await rm(join(repository.dir, 'data'), { recursive: true });
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject({ error: { reason: 'no-match', entry: 'data' } });

    const record = readRecord(await opened(repository), commit);
    if (!record.ok) throw new Error(record.error.reason);
    const again = await mustFingerprint(repository, 'HEAD', { data: { recorded: record.value.data } });
    expect(again.fingerprint).toBe(recorded.fingerprint);
    expect(again.work).toEqual({ filesRead: 0, bytesRead: 0, blobsRead: 0, damaged: [] });
    expect(again.data.data?.map(({ path, sha256 }) => [path, sha256])).toEqual(
      recorded.data.data?.map(({ path, sha256 }) => [path, sha256]),
    );
    const none = await fingerprintOf(repository, 'HEAD', { data: { recorded: {} } });
    expect(none).toMatchObject({ ok: false, error: { reason: 'not-recorded', entry: 'data' } });
  });
});

describe('a commit', () => {
  test('counts the commit of a submodule', async () => {
    await using library = await temporaryRepository();
    await library.write('lib.py', '1\n');
    await library.commit();
    await using repository = await temporaryRepository();
    await repository.write('train.py', '1\n');
    await repository.write('.mlops/config.yaml', config());
    await repository.git('submodule', '--quiet', 'add', library.dir, 'library');
    await repository.commit();
    const before = await mustFingerprint(repository);
    expect(before.inputs.code.library).toMatchObject({ kind: 'blob', mode: '160000' });
    await library.write('lib.py', '2\n');
    await library.commit();
    await repository.git('submodule', '--quiet', 'update', '--remote');
    await repository.commit();
    expect((await mustFingerprint(repository)).fingerprint).not.toBe(before.fingerprint);
  });

  test('has the same fingerprint in a clone, a bare one, a shallow one and with empty caches', async () => {
    await using repository = await temporaryRepository();
    await repository.write('train.py', '1\n');
    await repository.write('data/a.csv', 'a');
    await repository.write('.mlops/config.yaml', config('data: [data]\n'));
    await repository.commit();
    const { fingerprint } = await mustFingerprint(repository);
    const url = `file://${repository.dir}`;
    for (const args of [[], ['--bare'], ['--depth=1'], ['--no-checkout']]) {
      expect((await mustFingerprint(await repository.clone(url, args))).fingerprint).toBe(fingerprint);
    }
    await repository.remove('.git/mlops');
    expect((await mustFingerprint(repository)).fingerprint).toBe(fingerprint);
  });

  test('is read from its own tree while another one is checked out', async () => {
    await using repository = await temporaryRepository();
    await repository.write('train.py', '1\n');
    await repository.write('.mlops/config.yaml', config());
    await repository.commit();
    const first = await mustFingerprint(repository);
    await repository.write('train.py', '2\n');
    await repository.commit();
    expect((await mustFingerprint(repository)).fingerprint).not.toBe(first.fingerprint);
    expect((await mustFingerprint(repository, 'HEAD~1')).fingerprint).toBe(first.fingerprint);
  });

  test('counts a file named *.ipynb that is no notebook by its bytes', async () => {
    await using repository = await temporaryRepository();
    await repository.write('train.py', '1\n');
    await repository.write('broken.ipynb', '<<<<<<< HEAD\n');
    await repository.write('.mlops/config.yaml', config());
    await repository.commit();
    expect((await mustFingerprint(repository)).inputs.code['broken.ipynb']).toMatchObject({ kind: 'blob' });
  });

  test('leaves no temporary file behind', async () => {
    await using repository = await temporaryRepository();
    await repository.write('train.py', '1\n');
    await repository.write('.mlops/config.yaml', config());
    await repository.commit();
    await mustFingerprint(repository);
    const names = await readdir(join(repository.dir, '.git/mlops'), { recursive: true });
    expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('refuses data outside the repository and data of the cluster that is not pinned, by name', async () => {
    await using repository = await temporaryRepository();
    await repository.write('train.py', '1\n');
    await repository.write('.mlops/config.yaml', config());
    await repository.commit();
    const { inputs: _, ...rest } = await mustFingerprint(repository);
    expect(rest.fingerprint).toHaveLength(64);
    const base = {
      version: 1,
      code: ['**'],
      steps: [{ kind: 'run', run: 'true' }],
      environment: { kind: 'none' },
    } as const;
    const others = {
      resources: { seconds: 1 },
      require: {},
      artifacts: [],
      retry: { infrastructure: 0 },
      env: {},
      secrets: [],
      push: [],
      onCommit: 'record',
      publish: 'full',
      reports: 'mlops',
    } as const;
    const refused = (data: object) =>
      fingerprintOf(repository, 'HEAD', { config: { ...base, ...others, data: [data as never] } });
    expect(await refused({ kind: 'path', path: '../x', writable: false })).toMatchObject({
      error: { reason: 'outside', entry: '../x' },
    });
    expect(await refused({ kind: 'cluster', cluster: '/d', as: 'd', fingerprint: 'stat' })).toMatchObject({
      error: { reason: 'not-pinned', entry: 'd', cluster: '/d', why: 'no-lock' },
    });
  });
});

describe('data that is on the cluster', () => {
  const pin: Pin = {
    as: 'data/ml',
    cluster: '/datasets/ml',
    how: 'stat',
    hash: asSha256('a'.repeat(64)),
    listing: asSha256('a'.repeat(64)),
    files: 6,
    bytes: 1000,
    pinnedAt: '2026-11-24T09:00:00Z',
  };
  const pinned = async (repository: TestRepository, ...pins: readonly Pin[]) => {
    await repository.write('train.py', '1\n');
    await repository.write('.mlops/config.yaml', config('data: [{ cluster: /datasets/ml, as: data/ml }]\n'));
    await repository.write('.mlops/data.lock', formatLock(pins));
    return repository.commit();
  };

  test('counts by the lock of the commit alone: not by the worktree’s, and not by what people read in it', async () => {
    await using repository = await temporaryRepository();
    await pinned(repository, pin);
    const first = await mustFingerprint(repository);
    expect(first.inputs.data).toEqual({ 'data/ml': { hash: pin.hash, files: 6, bytes: 1000, writable: false } });
    expect(first.pins).toEqual({ 'data/ml': pin });
    await repository.write('.mlops/data.lock', formatLock([{ ...pin, hash: asSha256('b'.repeat(64)) }]));
    await repository.write('data/ml/a.csv', 'here');
    expect((await mustFingerprint(repository)).fingerprint).toBe(first.fingerprint);
    await repository.write('.mlops/data.lock', formatLock([{ ...pin, pinnedAt: '2027-01-01T00:00:00Z', files: 7 }]));
    await repository.git('add', '.mlops');
    await repository.git('commit', '--quiet', '-m', 'Pinned again');
    expect((await mustFingerprint(repository)).fingerprint).toBe(first.fingerprint);
    await repository.write('.mlops/data.lock', formatLock([{ ...pin, hash: asSha256('b'.repeat(64)) }]));
    await repository.git('commit', '--quiet', '--all', '-m', 'Other data');
    expect((await mustFingerprint(repository)).fingerprint).not.toBe(first.fingerprint);
  });

  test('needs no record: a record without it, or with another, changes nothing', async () => {
    await using repository = await temporaryRepository();
    await pinned(repository, pin);
    const first = await mustFingerprint(repository);
    const stale = { 'data/ml': { hash: asSha256('c'.repeat(64)), files: 1, bytes: 1, writable: false } };
    for (const recorded of [{}, stale])
      expect((await mustFingerprint(repository, 'HEAD', { data: { recorded } })).fingerprint).toBe(first.fingerprint);
  });

  test.each([
    ['no-entry', []],
    ['other', [{ ...pin, cluster: '/elsewhere' }]],
    ['other', [{ ...pin, how: 'content' as const }]],
  ])('without its pin there is no fingerprint: %s', async (why, pins) => {
    await using repository = await temporaryRepository();
    await pinned(repository, ...pins);
    expect(await fingerprintOf(repository, 'HEAD')).toEqual({
      ok: false,
      error: { reason: 'not-pinned', entry: 'data/ml', cluster: '/datasets/ml', why },
    });
  });
});
