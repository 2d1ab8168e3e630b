import { describe, expect, test } from '@jest/globals';
import { asFingerprint } from '../../lib/base/ids.ts';
import { curvesOf } from '../../lib/commands/curves.ts';
import { reportFile, type ShowError, show } from '../../lib/commands/show.ts';
import type { Repository } from '../../lib/git/repository.ts';
import { reportJson } from '../../lib/report/build-report.ts';
import { opened } from '../rig/fingerprint.ts';
import { recordReport } from '../rig/recorded-report.ts';
import { temporaryRepository } from '../rig/repository.ts';
import { numberOf } from '../rig/sample-report.ts';

const fingerprint = (start: string) => asFingerprint(start.padEnd(64, '0'));
const ask = (repo: Repository, target?: string, branch = 'mlops') =>
  show({ repo, branch, emit: () => {}, ...(target === undefined ? {} : { target }) });
async function shown(repo: Repository, target?: string, branch?: string) {
  const done = await ask(repo, target, branch);
  if (!done.ok) throw new Error(JSON.stringify(done.error));
  return done.value;
}
async function refused(repo: Repository, target?: string): Promise<ShowError> {
  const done = await ask(repo, target);
  if (done.ok) throw new Error(JSON.stringify(done.value));
  return done.error;
}

describe('mlops show', () => {
  test('shows the newest report of a commit, and names the others', async () => {
    await using repository = await temporaryRepository({ name: 'with spaces & "quotes"' });
    const repo = await opened(repository);
    const commit = await repository.commit();
    const of = { commit, fingerprint: fingerprint('5b7e90d') };
    const newer = await recordReport(repo, { ...of, id: '20261124T050000Z-000001' });
    const older = await recordReport(repo, {
      ...of,
      id: '20261124T040000Z-ffffff',
      run: { metrics: { rprec: numberOf(0.1) } },
    });
    for (const target of [undefined, 'HEAD', 'main', commit.slice(0, 8)]) {
      expect(await shown(repo, target)).toEqual({ report: newer, others: [older], found: { by: 'commit', commit } });
    }
  });

  test('without one for HEAD shows that of the nearest ancestor, and says so', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const commit = await repository.commit('Judged');
    const report = await recordReport(repo, { commit, fingerprint: fingerprint('5b7e90d') });
    await repository.commit('Docs');
    const head = await repository.commit('More docs');
    expect(await shown(repo)).toEqual({ report, others: [], found: { by: 'ancestor', commit, head, distance: 2 } });
    expect(await refused(repo, 'HEAD')).toEqual({
      reason: 'no-report',
      commit: head,
      notes: [],
      ignored: [],
      branch: 'mlops',
    });
  });

  test('draws the curves of a run over those of the baseline that it was compared with', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const first = await repository.commit('First');
    const second = await repository.commit('Second');
    const curve = (...values: readonly number[]) => ({ rule: 'min' as const, n: values.length, at: 0, values });
    const [old, run] = [fingerprint('aaaa'), fingerprint('5b7e90d')];
    const before = { loss: curve(0.2, 0.3), gone: curve(1) };
    await recordReport(repo, { commit: first, fingerprint: old, run: { curves: before } });
    const baseline = { name: 'main', commit: first, distance: 1, run: old, metrics: { loss: 0.2 } };
    const report = await recordReport(repo, {
      commit: second,
      fingerprint: run,
      run: { curves: { loss: curve(0.1), acc: curve(0.9) }, metrics: { loss: numberOf(0.1) } },
      require: { loss: { max: 1, baseline: 'main', withoutBaseline: 'warn' } },
      baseline,
    });
    expect(await curvesOf({ repo, branch: 'mlops', emit: () => {} }, report)).toEqual([
      {
        metric: 'loss',
        curve: curve(0.1),
        value: 0.1,
        baseline: { name: `main ${first.slice(0, 7)}`, curve: before.loss },
      },
      { metric: 'acc', curve: curve(0.9) },
    ]);
    const pruned = { ...report, baselines: [{ ...baseline, run: fingerprint('bbbb') }] };
    expect((await curvesOf({ repo, branch: 'mlops', emit: () => {} }, pruned))[0]?.baseline).toBeUndefined();
  });

  test('shows a run by the first digits of its fingerprint, whatever commits it was for', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const first = await repository.commit('First');
    const second = await repository.commit('The same content');
    const run = fingerprint('5b7e90d');
    const one = await recordReport(repo, { commit: first, fingerprint: run, id: '20261124T040000Z-000000' });
    const two = await recordReport(repo, { commit: second, fingerprint: run, id: '20261124T050000Z-000000' });
    for (const target of ['5b7e', '5B7E90D', run]) {
      expect(await shown(repo, target)).toEqual({
        report: two,
        others: [one],
        found: { by: 'run', fingerprint: run },
      });
    }
    const other = fingerprint('5b7e91');
    await recordReport(repo, { commit: second, fingerprint: other, id: '20261124T060000Z-000000' });
    expect(await refused(repo, '5b7e9')).toEqual({
      reason: 'ambiguous-run',
      target: '5b7e9',
      candidates: [run, other],
    });
    expect(await shown(repo, '5b7e91')).toMatchObject({ found: { by: 'run', fingerprint: other } });
  });

  test('shows what a colleague published', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const report = await recordReport(await opened(repository), {
      commit,
      fingerprint: fingerprint('5b7e90d'),
      branch: 'ci/reports',
    });
    const clone = await repository.clone();
    await clone.git('fetch', '--quiet', 'origin', '+refs/notes/mlops:refs/notes/mlops');
    expect(await shown(await opened(clone), undefined, 'ci/reports')).toMatchObject({ report });
  });

  test('names what it looked for and did not find', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    expect(await refused(repo)).toEqual({ reason: 'unknown-target', target: 'HEAD' });
    const head = await repository.commit();
    expect(await refused(repo)).toEqual({ reason: 'no-report-yet', head, searched: 1, ignored: [] });
    for (const target of ['no-such-branch', 'abcdef0', 'abc', '--all', '../x', 'a\nb']) {
      expect(await refused(repo, target)).toEqual({ reason: 'unknown-target', target });
    }
  });

  test('says that a report is not here, or not to be believed, where a note speaks of one', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const commit = await repository.commit();
    const run = fingerprint('5b7e90d');
    const claim = await recordReport(repo, {
      commit,
      fingerprint: run,
      json: (report) => reportJson({ ...report, fingerprint: fingerprint('bad') }),
    });
    const path = `runs/5b/${run}/${claim.id}/report.json`;
    const ignored = [{ path, why: 'wrong-path' }];
    const notes = [expect.stringMatching(/^pass .* run 5b7e90d$/)];
    expect(await refused(repo, 'HEAD')).toMatchObject({ reason: 'no-report', commit, notes });
    expect(await refused(repo)).toEqual({ reason: 'no-report-yet', head: commit, searched: 1, ignored });
    expect(await refused(repo, '5b7e90d')).toEqual({ reason: 'run-not-readable', fingerprint: run, ignored });
    await repository.git('branch', '-D', 'mlops');
    expect(await refused(repo, 'HEAD')).toMatchObject({ reason: 'no-report', notes, ignored: [] });
  });

  test('gives report.json and report.md as they are on the branch', async () => {
    await using repository = await temporaryRepository();
    const repo = await opened(repository);
    const commit = await repository.commit();
    const report = await recordReport(repo, { commit, fingerprint: fingerprint('5b7e90d') });
    const from = { repo, branch: 'mlops' };
    expect(await reportFile(from, report, 'json')).toEqual({ ok: true, value: reportJson(report) });
    expect(await reportFile(from, report, 'markdown')).toEqual({ ok: true, value: `# pass ${report.id}\n` });
    const path = `runs/5b/${report.fingerprint}/${report.id}/report.json`;
    expect(await repository.git('show', `mlops:${path}`)).toBe(reportJson(report).trimEnd());
    await repository.git('branch', '-D', 'mlops');
    expect(await reportFile(from, report, 'json')).toEqual({ ok: true, value: undefined });
  });
});
