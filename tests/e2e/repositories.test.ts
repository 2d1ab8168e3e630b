import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { asOid } from '../../lib/base/ids.ts';
import { announceRecorder, asRecorder } from '../../lib/fingerprint/recorder.ts';
import { shellProject } from '../rig/shell-project.ts';
import { until } from '../rig/until.ts';

const passes = { code: 0, stderr: expect.stringMatching(/PASS/) };

describe('data that is hashed in the background', () => {
  test('a push waits for the recorder that a commit has left, and goes on from its record', async () => {
    await using project = await shellProject();
    const { repository } = project;
    const stateDir = join(repository.dir, '.git/mlops');
    const commit = asOid(await repository.git('rev-parse', 'HEAD'));
    let hashed = () => {};
    const recorder = asRecorder(stateDir, commit, () => new Promise<void>((resolve) => (hashed = resolve)));
    const push = project.start('git', ['push', 'origin', 'main']);
    await until(async () => push.output().includes('waiting  for the hash of the data'));
    expect(await project.trainings()).toBe(0);
    hashed();
    await recorder;
    expect(await push.done).toMatchObject(passes);
    expect(existsSync(join(stateDir, 'recording', commit))).toBe(false);
  });

  test('a recorder that has died is not waited for: the push hashes for itself', async () => {
    await using project = await shellProject();
    const { repository } = project;
    const stateDir = join(repository.dir, '.git/mlops');
    const commit = asOid(await repository.git('rev-parse', 'HEAD'));
    await rm(join(stateDir, 'records'), { recursive: true });
    const recorder = spawn('sleep', ['600']);
    announceRecorder(stateDir, commit, recorder.pid ?? 0);
    const push = project.start('git', ['push', 'origin', 'main']);
    await until(async () => push.output().includes('waiting  for the hash of the data'));
    recorder.kill('SIGKILL');
    expect(await push.done).toMatchObject(passes);
  });

  test('the recorder records the commit that it was started for, whatever HEAD is by then', async () => {
    await using project = await shellProject();
    const { repository } = project;
    const records = join(repository.dir, '.git/mlops/records');
    const commit = await repository.git('rev-parse', 'HEAD');
    await project.score(0.8);
    await project.commit('Another');
    await rm(records, { recursive: true });
    expect(await project.mlops(['record', commit])).toMatchObject({ code: 0 });
    expect(existsSync(join(records, commit.slice(0, 2), `${commit}.json`))).toBe(true);
    expect(existsSync(join(repository.dir, '.git/mlops/recording', commit))).toBe(false);
  });
});
