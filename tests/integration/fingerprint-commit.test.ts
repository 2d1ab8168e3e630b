import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readRecord, recordCommit } from '../../lib/fingerprint/records.ts';
import { fingerprintOf, mustFingerprint, opened } from '../rig/fingerprint.ts';
import { temporaryRepository } from '../rig/repository.ts';

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

  test('refuses data outside the repository and data on the cluster by name', async () => {
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
      error: { reason: 'unsupported', entry: 'd', feature: 'cluster-data' },
    });
  });
});
