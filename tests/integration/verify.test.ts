import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Oid } from '../../lib/base/ids.ts';
import { verify } from '../../lib/commands/verify.ts';
import { type Identified, identify } from '../../lib/gate/identify.ts';
import { openRepository, type Repository } from '../../lib/git/repository.ts';
import { reportJson } from '../../lib/report/build-report.ts';
import { metricsOnly } from '../../lib/report/metrics-only.ts';
import { opened } from '../rig/fingerprint.ts';
import { type RecordOptions, recordReport } from '../rig/recorded-report.ts';
import { run, type TestRepository, temporaryRepository } from '../rig/repository.ts';
import { numberOf, outOfMemory } from '../rig/sample-report.ts';

const config = (require = '{ min: 0.25 }') => `version: 1
data: [data]
environment: none
steps:
  - run: python train.py
    metrics: { file: metrics.json }
require:
  rprec: ${require}
`;

async function project(repository: TestRepository, require?: string): Promise<Oid> {
  await repository.write('.gitignore', 'data/\n');
  await repository.write('.mlops/config.yaml', config(require));
  await repository.write('train.py', 'print(1)\n');
  await repository.write('data/1.csv', '1\n');
  return repository.commit('First');
}

async function identified(repo: Repository, commit: Oid): Promise<Identified> {
  const signal = new AbortController().signal;
  const done = await identify({ repo, now: () => new Date(), signal, emit: () => {} }, commit);
  if (!done.ok) throw new Error(JSON.stringify(done.error));
  return done.value;
}

/** As a push leaves it: the report with what the commit was found to be, and its note. */
async function judged(repo: Repository, commit: Oid, rprec: number, more: Partial<RecordOptions> = {}) {
  const { fingerprint, inputs } = await identified(repo, commit);
  return recordReport(repo, {
    commit,
    fingerprint,
    require: { rprec: { min: 0.25, withoutBaseline: 'warn' } },
    run: { metrics: { rprec: numberOf(rprec) } },
    ...more,
    facts: { inputs: { code: 1, data: inputs.data, environment: 'none', steps: [] }, ...more.facts },
  });
}

const ask = (repo: Repository, ...ranges: string[]) =>
  verify({ repo, branch: 'mlops', ranges, now: () => new Date(), emit: () => {} });
async function answer(repo: Repository, ...ranges: string[]) {
  const done = await ask(repo, ...ranges);
  if (!done.ok) throw new Error(JSON.stringify(done.error));
  return done.value;
}

/** What a server or a CI has: the commits and the reports, and none of the data. */
async function elsewhere(repository: TestRepository): Promise<Repository> {
  const bare = await repository.remote('server');
  await repository.git('push', '--quiet', 'server', '--all');
  await repository.git('push', '--quiet', 'server', 'refs/notes/mlops');
  const open = await openRepository(bare, repository.env);
  if (!open.ok) throw new Error(JSON.stringify(open.error));
  return open.value;
}

describe('mlops verify', () => {
  test('lets a tip with a pass through, on a server that has none of the data', async () => {
    await using repository = await temporaryRepository();
    const first = await project(repository);
    await repository.write('train.py', 'print(2)\n');
    const tip = await repository.commit('Second');
    const report = await judged(await opened(repository), tip, 0.4);
    const server = await elsewhere(repository);
    expect(await answer(server, `${first}..main`)).toMatchObject({
      tips: [{ range: `${first}..main`, tip, result: { verdict: 'pass', report: { id: report.id } } }],
      nothingNew: [],
      passed: true,
    });
    expect(await answer(server, `${'0'.repeat(40)}..${tip}`)).toMatchObject({ passed: true });
  });

  test('stops a tip with a fail, an error, or none, each by its name', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const bad = await project(repository);
    await judged(repo, bad, 0.1);
    await repository.write('train.py', 'print(2)\n');
    const broken = await repository.commit('Broken');
    await judged(repo, broken, 0.4, { run: outOfMemory });
    await repository.write('train.py', 'print(3)\n');
    const never = await repository.commit('Never pushed through the gate');
    const { tips, passed } = await answer(await elsewhere(repository), bad, broken, never);
    expect(tips.map(({ result }) => result.verdict)).toEqual(['fail', 'error', 'none']);
    expect(passed).toBe(false);
  });

  test('believes no report of another content, and none that contradicts itself', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const first = await project(repository);
    const other = await identified(repo, first);
    await repository.write('train.py', 'print("worse")\n');
    const tip = await repository.commit('Worse');
    await judged(repo, tip, 0.4, { fingerprint: other.fingerprint });
    expect(await answer(repo, tip)).toMatchObject({ tips: [{ result: { verdict: 'none' } }], passed: false });
    await judged(repo, tip, 0.1, {
      id: '20261124T050000Z-000000',
      json: (report) =>
        reportJson({ ...report, outcome: 'pass', verdict: { kind: 'pass', checks: [], reasons: [], warnings: [] } }),
    });
    expect(await answer(repo, tip)).toMatchObject({ tips: [{ result: { verdict: 'fail' } }], passed: false });
  });

  test('judges by the requirements of the commit, not by those of the report', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const loose = await project(repository);
    await judged(repo, loose, 0.4);
    await repository.write('.mlops/config.yaml', config('{ min: 0.5 }'));
    const strict = await repository.commit('Ask for more');
    const { tips } = await answer(await elsewhere(repository), loose, strict);
    expect(tips.map(({ result }) => result.verdict)).toEqual(['pass', 'fail']);
  });

  test('compares with the baseline that it finds itself', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const main = await project(repository, '{ baseline: main, max_drop: 0.01, without_baseline: fail }');
    await judged(repo, main, 0.4);
    await repository.git('switch', '--quiet', '-c', 'worse');
    await repository.write('train.py', 'print("worse")\n');
    const worse = await repository.commit('Worse');
    await judged(repo, worse, 0.3);
    await repository.write('train.py', 'print("as good")\n');
    const good = await repository.commit('As good');
    await judged(repo, good, 0.395);
    const server = await elsewhere(repository);
    expect(await answer(server, `main..${good}`)).toMatchObject({
      tips: [{ result: { verdict: 'pass', baselines: [{ commit: main, metrics: { rprec: 0.4 } }] } }],
    });
    expect(await answer(server, worse)).toMatchObject({ tips: [{ result: { verdict: 'fail' } }] });
  });

  test('knows a merge commit of a forge by its content', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const base = await project(repository);
    await repository.git('switch', '--quiet', '-c', 'topic');
    await repository.write('train.py', 'print("better")\n');
    await judged(repo, await repository.commit('Better'), 0.4);
    await repository.git('switch', '--quiet', 'main');
    await repository.git('merge', '--quiet', '--no-ff', '--no-edit', 'topic');
    expect(await answer(await elsewhere(repository), `${base}..main`)).toMatchObject({ passed: true });
  });

  test('knows it too where the reports were published without names', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const tip = await project(repository);
    await judged(repo, tip, 0.4, { json: (report) => reportJson(metricsOnly(report)) });
    expect(await answer(await elsewhere(repository), tip)).toMatchObject({ passed: true });
  });

  test('calls a person’s decision what it is', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const tip = await project(repository);
    const facts = { decided: 'accepted' as const, decision: { reason: 'the demo is tomorrow' } };
    await judged(repo, tip, 0.1, { facts });
    expect(await answer(await elsewhere(repository), tip)).toMatchObject({
      tips: [{ result: { verdict: 'accepted', report: { decision: { reason: 'the demo is tomorrow' } } } }],
      passed: false,
    });
  });

  test('has nothing to say of a deletion, and of what was there before', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const first = await project(repository);
    await repository.commit('Second');
    const ranges = [`${first}..${'0'.repeat(40)}`, `main..${first}`, 'main..main'];
    expect(await answer(repo, ...ranges)).toEqual({ tips: [], nothingNew: ranges, passed: true });
  });

  test('names what it cannot read', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const first = await project(repository);
    expect(await ask(repo, 'a...b')).toEqual({ ok: false, error: { reason: 'bad-range', range: 'a...b' } });
    expect(await ask(repo, 'main..nowhere')).toEqual({
      ok: false,
      error: { reason: 'unknown-revision', range: 'main..nowhere', revision: 'nowhere' },
    });
    const gone = `${'1'.repeat(40)}..${first}`;
    expect(await answer(repo, gone)).toMatchObject({ tips: [{ range: gone, tip: first }] });
    await repository.remove('.mlops/config.yaml');
    const tip = await repository.commit('Without a config');
    expect(await answer(repo, tip)).toMatchObject({
      tips: [{ result: { verdict: 'unknown', error: { reason: 'pipeline', cause: { reason: 'no-config' } } } }],
      passed: false,
    });
  });
});

/** Halts a push in the server's pre-receive hook, whose new objects are in quarantine, and gives what the hook was given. */
async function haltedPush(repository: TestRepository, bare: string, refs: readonly string[]) {
  const [reached, goOnPipe] = [join(repository.root, 'reached'), join(repository.root, 'go-on')];
  await run('mkfifo', [reached, goOnPipe]);
  const hook = `#!/bin/sh\ncat >'${repository.root}/updates'\nenv -0 >'${repository.root}/env'\necho >'${reached}'\nread _ <'${goOnPipe}'\n`;
  await writeFile(join(bare, 'hooks/pre-receive'), hook, { mode: 0o755 });
  const pushed = repository.tryGit(['push', '--quiet', 'server', ...refs]);
  await readFile(reached);
  let ended: Promise<unknown> | undefined;
  const goOn = async () => {
    ended ??= writeFile(goOnPipe, '\n');
    await ended;
    return pushed;
  };
  const env = (await readFile(join(repository.root, 'env'), 'utf8')).split('\0').filter(Boolean);
  const updates = (await readFile(join(repository.root, 'updates'), 'utf8')).trim().split('\n');
  return {
    env: Object.fromEntries(env.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])),
    ranges: updates.map((line) => line.split(' ').slice(0, 2).join('..')),
    goOn,
    /** Also where an assertion has failed: no hook is left waiting. */
    [Symbol.asyncDispose]: async () => void (await goOn()),
  };
}

test('in a pre-receive hook, mlops verify sees the commits that are about to come in', async () => {
  await using repository = await temporaryRepository();
  const repo = await opened(repository);
  await project(repository);
  const bare = await repository.remote('server');
  await repository.git('push', '--quiet', 'server', 'main');
  await repository.write('train.py', 'print(2)\n');
  const good = await repository.commit('Good');
  await judged(repo, good, 0.4);
  await repository.git('branch', 'good');
  await repository.write('train.py', 'print(3)\n');
  await judged(repo, await repository.commit('Bad'), 0.1);
  await repository.git('push', '--quiet', 'server', 'mlops', 'refs/notes/mlops');

  await using hook = await haltedPush(repository, bare, ['good', 'main']);
  expect(hook.env.GIT_QUARANTINE_PATH).toBeTruthy();
  const open = await openRepository(bare, { ...hook.env, GIT_QUARANTINE_PATH: undefined });
  if (!open.ok) throw new Error(JSON.stringify(open.error));
  const { tips } = await answer(open.value, ...hook.ranges);
  expect(tips.map(({ tip, result }) => `${tip === good ? 'good' : 'main'}: ${result.verdict}`).sort()).toEqual([
    'good: pass',
    'main: fail',
  ]);
  expect((await hook.goOn()).code).toBe(0);
});
