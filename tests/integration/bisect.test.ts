import { describe, expect, test } from '@jest/globals';
import type { Oid } from '../../lib/base/ids.ts';
import { bisect } from '../../lib/commands/bisect.ts';
import type { BisectError, Bisected, BisectStep } from '../../lib/commands/bisect-types.ts';
import type { Identified } from '../../lib/gate/identify.ts';
import { identifySide } from '../../lib/gate/identify-side.ts';
import type { GateOutcome } from '../../lib/gate/outcome.ts';
import type { Repository } from '../../lib/git/repository.ts';
import { mustFingerprint, opened } from '../rig/fingerprint.ts';
import { recordReport } from '../rig/recorded-report.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';
import { numberOf, outOfMemory } from '../rig/sample-report.ts';

const config = (require: string) => `version: 1
environment: none
steps:
  - run: sh train.sh
    metrics: { file: metrics.json }
require:
  rprec: ${require}
`;

interface Line {
  readonly repository: TestRepository;
  readonly repo: Repository;
  /** Oldest first. */
  readonly commits: readonly Oid[];
  /** What was trained, by the score of its commit. */
  readonly trained: string[];
  readonly steps: BisectStep[];
}

/** A commit for each score; `!` is one that ends out of memory. */
async function lineOf(repository: TestRepository, scores: readonly string[], require = '{ min: 0.25 }'): Promise<Line> {
  await repository.write('.mlops/config.yaml', config(require));
  const commits: Oid[] = [];
  for (const score of scores) {
    await repository.write('train.sh', `echo ${score}\n`);
    commits.push(await repository.commit(`Score ${score}`));
  }
  return { repository, repo: await opened(repository), commits, trained: [], steps: [] };
}

async function judged({ repository, repo }: Line, commit: Oid): Promise<GateOutcome> {
  const { fingerprint } = await mustFingerprint(repository, commit);
  const score = (await repository.git('show', `${commit}:train.sh`)).replace('echo ', '');
  const run = score === '!' ? outOfMemory : { metrics: { rprec: numberOf(Number(score)) } };
  const require = { rprec: { min: 0.25, withoutBaseline: 'ignore' as const } };
  const report = await recordReport(repo, { commit, fingerprint, require, run });
  return { outcome: 'judged', report, how: 'trained', recorded: { ok: true } };
}

function ask(line: Line, good?: string, bad?: string, mode: 'train' | 'known' = 'train') {
  const { repo, repository, trained, steps } = line;
  const context = { repo, now: () => new Date(), signal: new AbortController().signal, emit: () => {} };
  return bisect({
    reports: { repo, branch: 'mlops', emit: context.emit },
    ...(good === undefined ? {} : { good }),
    ...(bad === undefined ? {} : { bad }),
    identify: (commit) => identifySide(context, commit),
    ...(mode === 'known'
      ? {}
      : {
          judge: async ({ commit }: Identified) => {
            trained.push((await repository.git('show', `${commit}:train.sh`)).replace('echo ', ''));
            return judged(line, commit);
          },
        }),
    tell: (step) => steps.push(step),
  });
}
async function found(...args: Parameters<typeof ask>): Promise<Bisected> {
  const done = await ask(...args);
  if (!done.ok) throw new Error(JSON.stringify(done.error));
  return done.value;
}
async function refused(...args: Parameters<typeof ask>): Promise<BisectError> {
  const done = await ask(...args);
  if (done.ok) throw new Error(JSON.stringify(done.value));
  return done.error;
}
/** What anyone may have left in the worktree is there afterwards. */
const worktree = ({ repository }: Line) => repository.git('status', '--porcelain=v2', '--branch');

describe('mlops bisect', () => {
  test('finds the first bad commit, trains no more than it must, and leaves the worktree alone', async () => {
    await using repository = await temporaryRepository();
    const line = await lineOf(repository, ['0.40', '0.41', '0.42', '0.43', '0.10', '0.11', '0.12', '0.13']);
    await repository.write('train.sh', 'in the middle of something\n');
    const before = await worktree(line);
    const result = await found(line, line.commits[0], 'HEAD');
    expect(result).toMatchObject({ good: { commit: line.commits[3] }, bad: { commit: line.commits[4] }, untold: [] });
    expect(result.bad.verdict).toMatchObject({ kind: 'fail' });
    expect(line.trained.length).toBeLessThanOrEqual(4);
    expect(await worktree(line)).toBe(before);
    // The second time everything is known.
    const trained = line.trained.length;
    expect(await found(line, line.commits[0], 'HEAD')).toMatchObject({ bad: { commit: line.commits[4] }, judged: 0 });
    expect(line.trained).toHaveLength(trained);
  });

  test('uses what is known first: with all known, nothing is trained', async () => {
    await using repository = await temporaryRepository();
    const line = await lineOf(repository, ['0.40', '0.41', '0.42', '0.10', '0.11']);
    for (const commit of line.commits) await judged(line, commit);
    const result = await found(line);
    expect(result).toMatchObject({ good: { commit: line.commits[2] }, bad: { commit: line.commits[3] }, judged: 0 });
    expect(line.trained).toEqual([]);
    expect(line.steps).toEqual([{ step: 'line', commits: 2, known: 1, looks: 0 }]);
  });

  test('without arguments searches from the nearest pass up to HEAD', async () => {
    await using repository = await temporaryRepository();
    const line = await lineOf(repository, ['0.40', '0.41', '0.12', '0.13']);
    await judged(line, line.commits[0] as Oid);
    expect(await found(line)).toMatchObject({ good: { commit: line.commits[1] }, bad: { commit: line.commits[2] } });
  });

  test('a commit that is equal to one that is known is not trained', async () => {
    await using repository = await temporaryRepository();
    const line = await lineOf(repository, ['0.40', '0.41', '0.40', '0.10']);
    await judged(line, line.commits[0] as Oid);
    await judged(line, line.commits[3] as Oid);
    expect(await found(line)).toMatchObject({ good: { commit: line.commits[2] }, bad: { commit: line.commits[3] } });
    expect(line.trained).toEqual(['0.41']);
  });

  test('passes by what ends in an error, and says so where that leaves it open', async () => {
    await using repository = await temporaryRepository();
    const line = await lineOf(repository, ['0.40', '!', '0.10']);
    const [good, broken, bad] = line.commits;
    const result = await found(line, good, bad);
    expect(result).toMatchObject({
      good: { commit: good },
      bad: { commit: bad },
      untold: [{ commit: broken, standing: 'skip' }],
    });

    const longer = await lineOf(repository, ['0.40', '0.41', '!', '0.43', '0.10', '0.11']);
    const around = await found(longer, longer.commits[0], 'HEAD');
    expect(around).toMatchObject({
      good: { commit: longer.commits[3] },
      bad: { commit: longer.commits[4] },
      untold: [],
    });
  });

  test('a commit without a config cannot be told, and is passed by', async () => {
    await using repository = await temporaryRepository();
    const line = await lineOf(repository, ['0.40']);
    await repository.remove('.mlops/config.yaml');
    const without = await repository.commit('Lost the config');
    await repository.write('.mlops/config.yaml', config('{ min: 0.25 }'));
    await repository.write('train.sh', 'echo 0.1\n');
    const bad = await repository.commit('Found it');
    expect(await found(line, line.commits[0], bad)).toMatchObject({
      bad: { commit: bad },
      untold: [{ commit: without, error: { reason: 'pipeline' } }],
    });
  });

  test('--known trains nothing: what is not known is named as such', async () => {
    await using repository = await temporaryRepository();
    const line = await lineOf(repository, ['0.40', '0.41', '0.10', '0.11']);
    await judged(line, line.commits[0] as Oid);
    await judged(line, line.commits[3] as Oid);
    const result = await found(line, undefined, undefined, 'known');
    expect(result.untold.map(({ commit }) => commit)).toEqual(line.commits.slice(1, 3));
    expect(line.trained).toEqual([]);
  });

  test('all are compared with the good one, so that a slow decline is found where it goes too far', async () => {
    await using repository = await temporaryRepository();
    // Each is within 10 % of the one before.
    const scores = ['0.400', '0.380', '0.361', '0.343', '0.326'];
    const line = await lineOf(repository, scores, '{ baseline: main, max_drop: 10% }');
    const result = await found(line, line.commits[0], 'HEAD');
    expect(result).toMatchObject({ good: { commit: line.commits[2] }, bad: { commit: line.commits[3] } });
    expect(result.bad.against).toMatchObject({ name: 'GOOD', metrics: { rprec: 0.4 } });
  });

  test('follows first parents: a merged branch is one step', async () => {
    await using repository = await temporaryRepository();
    const line = await lineOf(repository, ['0.40']);
    await repository.git('switch', '--quiet', '-c', 'topic');
    for (const score of ['0.1', '0.2', '0.11']) {
      await repository.write('train.sh', `echo ${score}\n`);
      await repository.commit(`Topic ${score}`);
    }
    await repository.git('switch', '--quiet', 'main');
    await repository.git('merge', '--quiet', '--no-ff', '-m', 'Merge topic', 'topic');
    const merge = await repository.git('rev-parse', 'HEAD');
    expect(await found(line, line.commits[0], 'HEAD')).toMatchObject({ bad: { commit: merge }, commits: 1 });
    expect(line.trained).toEqual(['0.11']);
  });

  test('says what it cannot search', async () => {
    await using repository = await temporaryRepository();
    const line = await lineOf(repository, ['0.40', '0.41', '0.10']);
    const [good = '', fine = '', bad = ''] = line.commits;
    expect(await refused(line)).toEqual({ reason: 'no-good', commit: bad, searched: 2 });
    expect(await refused(line, 'nowhere')).toEqual({ reason: 'unknown-revision', revision: 'nowhere' });
    expect(await refused(line, good, good)).toEqual({ reason: 'same', commit: good });
    expect(await refused(line, bad, good)).toEqual({ reason: 'not-ancestor', good: bad, bad: good });
    expect(await refused(line, good, fine)).toEqual({ reason: 'bad-passes', commit: fine });
    expect(await refused(line, good, undefined, 'known')).toEqual({ reason: 'bad-unknown', commit: bad });
    await judged(line, bad as Oid);
    await repository.write('train.sh', 'echo 0.2\n');
    await repository.commit('Another');
    expect(await refused(line, bad)).toMatchObject({ reason: 'good-fails', commit: bad });
    await repository.remove('.mlops/config.yaml');
    const without = await repository.commit('Without a config');
    expect(await refused(line, good)).toMatchObject({ reason: 'identify', commit: without });
  });

  test('stops where nobody can be asked, and goes on later from what is known', async () => {
    await using repository = await temporaryRepository();
    const line = await lineOf(repository, ['0.40', '0.41', '0.42', '0.10']);
    const { repo } = line;
    const context = { repo, now: () => new Date(), signal: new AbortController().signal, emit: () => {} };
    const stopped = await bisect({
      reports: { repo, branch: 'mlops', emit: context.emit },
      good: line.commits[0] as Oid,
      identify: (commit) => identifySide(context, commit),
      judge: async () => ({ outcome: 'stopped', error: { reason: 'aborted' } }),
      tell: () => {},
    });
    expect(stopped).toMatchObject({ error: { reason: 'stopped', cause: { reason: 'aborted' } } });
    expect(await found(line, line.commits[0])).toMatchObject({ bad: { commit: line.commits[3] } });
  });
});
