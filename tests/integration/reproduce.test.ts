import { describe, expect, test } from '@jest/globals';
import type { Oid } from '../../lib/base/ids.ts';
import { type Reproduced, type ReproduceError, reproduce } from '../../lib/commands/reproduce.ts';
import { identifyRun } from '../../lib/gate/identify-side.ts';
import type { GateOutcome } from '../../lib/gate/outcome.ts';
import type { Repository } from '../../lib/git/repository.ts';
import { mustFingerprint, opened } from '../rig/fingerprint.ts';
import { type RecordOptions, recordReport } from '../rig/recorded-report.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';
import { numberOf, outOfMemory, run } from '../rig/sample-report.ts';

const config = `version: 1
data: [data]
environment: none
steps:
  - run: sh train.sh
    metrics: { file: metrics.json }
`;

interface Project {
  readonly repository: TestRepository;
  readonly repo: Repository;
  readonly commit: Oid;
  readonly fingerprint: RecordOptions['fingerprint'];
}

async function projectIn(repository: TestRepository): Promise<Project> {
  await repository.write('.mlops/config.yaml', config);
  await repository.write('train.sh', 'echo 1\n');
  await repository.write('data/a.csv', '1\n');
  const commit = await repository.commit('The first');
  const { fingerprint } = await mustFingerprint(repository);
  return { repository, repo: await opened(repository), commit, fingerprint };
}

let second = 0;
async function ran({ repo, commit, fingerprint }: Project, value: number, more: Partial<RecordOptions> = {}) {
  second += 1;
  const id = `20261124T0400${String(second).padStart(2, '0')}Z-000001`;
  return recordReport(repo, { commit, fingerprint, id, run: { metrics: { rprec: numberOf(value) } }, ...more });
}

function ask(project: Project, target?: string, judge?: () => Promise<GateOutcome>) {
  const { repo } = project;
  const context = { repo, now: () => new Date(), signal: new AbortController().signal, emit: () => {} };
  return reproduce({
    reports: { repo, branch: 'mlops', emit: context.emit },
    ...(target === undefined ? {} : { target }),
    identify: (commit, of) => identifyRun(context, 'mlops', commit, of),
    ...(judge === undefined ? {} : { judge }),
  });
}
/** What a new run would come to. */
const coming =
  (project: Project, value: number, more: Partial<RecordOptions> = {}) =>
  async (): Promise<GateOutcome> => {
    const report = await ran(project, value, more);
    return { outcome: 'judged', report, how: 'trained', recorded: { ok: true } };
  };
async function done(...args: Parameters<typeof ask>): Promise<Reproduced> {
  const asked = await ask(...args);
  if (!asked.ok) throw new Error(JSON.stringify(asked.error));
  return asked.value;
}
async function refused(...args: Parameters<typeof ask>): Promise<ReproduceError> {
  const asked = await ask(...args);
  if (asked.ok) throw new Error(JSON.stringify(asked.value));
  return asked.error;
}

describe('mlops reproduce', () => {
  test('compares the new run with the newest one before, and with all of them by their wobble', async () => {
    await using repository = await temporaryRepository();
    const project = await projectIn(repository);
    const first = await ran(project, 0.4);
    expect(await done(project, 'HEAD', coming(project, 0.4))).toMatchObject({
      before: first,
      metrics: [{ metric: 'rprec', repeat: 'same' }],
    });
    expect(await done(project, 'HEAD', coming(project, 0.41))).toMatchObject({ metrics: [{ repeat: 'unknown' }] });
    expect(await done(project, 'HEAD', coming(project, 0.405))).toMatchObject({
      before: { run: { metrics: { rprec: { value: 0.41 } } } },
      metrics: [{ repeat: 'within', expected: { runs: 3 } }],
    });
    expect(await done(project, project.fingerprint.slice(0, 8), coming(project, 0.2))).toMatchObject({
      metrics: [{ repeat: 'different', expected: { runs: 4 } }],
    });
  });

  test('names the machine that was another one', async () => {
    await using repository = await temporaryRepository();
    const project = await projectIn(repository);
    await ran(project, 0.4);
    const place = { ...run.place, cpu: 'Intel Xeon 6230' };
    const elsewhere = coming(project, 0.3, { run: { metrics: { rprec: numberOf(0.3) }, place } });
    expect(await done(project, undefined, elsewhere)).toMatchObject({
      places: { before: { cpu: run.place.cpu }, after: { cpu: 'Intel Xeon 6230' } },
    });
  });

  test('runs the commit with the data of its report, although another is recorded for it by now', async () => {
    await using repository = await temporaryRepository();
    const project = await projectIn(repository);
    const { inputs } = await mustFingerprint(repository);
    await ran(project, 0.4, { facts: { inputs: { code: 1, data: inputs.data, environment: '', steps: [] } } });
    await repository.write('train.sh', 'echo 2\n');
    await repository.write('data/a.csv', '2\n');
    await repository.commit('Another');
    let identified: unknown;
    await reproduce({
      reports: { repo: project.repo, branch: 'mlops', emit: () => {} },
      target: 'HEAD^',
      identify: (commit, of) =>
        identifyRun(
          { repo: project.repo, now: () => new Date(), signal: new AbortController().signal, emit: () => {} },
          'mlops',
          commit,
          of,
        ),
      judge: async (what) => {
        identified = what.fingerprint;
        return coming(project, 0.4)();
      },
    });
    expect(identified).toBe(project.fingerprint);
  });

  test('--known compares the two newest runs; a verdict that was judged again is no run', async () => {
    await using repository = await temporaryRepository();
    const project = await projectIn(repository);
    expect(await refused(project)).toEqual({ reason: 'never-run', commit: project.commit });
    const first = await ran(project, 0.4);
    await ran(project, 0.4, { facts: { judged: 'known', from: first.id } });
    await ran(project, 0, { run: outOfMemory });
    expect(await refused(project)).toEqual({ reason: 'run-once', commit: project.commit });
    const again = await ran(project, 0.4);
    expect(await done(project)).toMatchObject({ before: { id: first.id }, after: { id: again.id } });
  });

  test('says what it cannot repeat, and repeats nothing then', async () => {
    await using repository = await temporaryRepository();
    const project = await projectIn(repository);
    const never = async (): Promise<GateOutcome> => {
      throw new Error('nothing was to be run');
    };
    expect(await refused(project, 'nowhere', never)).toEqual({ reason: 'unknown-target', target: 'nowhere' });
    expect(await refused(project, 'HEAD', never)).toEqual({ reason: 'never-run', commit: project.commit });
    const other = 'd'.repeat(64) as typeof project.fingerprint;
    await ran(project, 0.4, { fingerprint: other });
    expect(await refused(project, 'HEAD', never)).toEqual({
      reason: 'another-run',
      commit: project.commit,
      was: other,
      is: project.fingerprint,
    });
    const away = 'e'.repeat(40) as Oid;
    await ran(project, 0.4, { fingerprint: 'f'.repeat(64) as typeof other, commit: away });
    expect(await refused(project, 'ffffffff', never)).toEqual({ reason: 'commit-absent', commit: away });
  });

  test('an error of the infrastructure reproduces nothing, and a damaged report is none', async () => {
    await using repository = await temporaryRepository();
    const project = await projectIn(repository);
    await ran(project, 0.4, { json: () => '{"version":9}' });
    expect(await refused(project, 'HEAD', coming(project, 0.4))).toMatchObject({ reason: 'never-run' });
    await ran(project, 0.4);
    expect(await refused(project, 'HEAD', coming(project, 0, { run: outOfMemory }))).toMatchObject({ reason: 'error' });
  });
});
