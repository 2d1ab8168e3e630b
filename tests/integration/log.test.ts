import { expect, test } from '@jest/globals';
import { asFingerprint } from '../../lib/base/ids.ts';
import { log } from '../../lib/commands/log.ts';
import { metricHistory } from '../../lib/commands/metric-history.ts';
import { readDate } from '../../lib/git/dates.ts';
import type { Repository } from '../../lib/git/repository.ts';
import { opened } from '../rig/fingerprint.ts';
import { recordReport } from '../rig/recorded-report.ts';
import { temporaryRepository } from '../rig/repository.ts';
import { numberOf, outOfMemory } from '../rig/sample-report.ts';

const fingerprint = (digit: string) => asFingerprint(digit.repeat(64));
async function logged(repo: Repository, maxCount = 20) {
  const done = await log(repo, { maxCount });
  if (!done.ok) throw new Error(JSON.stringify(done.error));
  return done.value;
}

test('mlops log lists verdicts, newest first, with what they say', async () => {
  await using repository = await temporaryRepository();
  const repo = await opened(repository);
  expect(await logged(repo)).toEqual([]);
  const first = await repository.commit('Good');
  const second = await repository.commit('Bad');
  await recordReport(repo, {
    commit: second,
    fingerprint: fingerprint('a'),
    run: { metrics: { rprec: numberOf(0.1) } },
  });
  await recordReport(repo, { commit: first, fingerprint: fingerprint('b') });
  const entries = await logged(repo);
  expect(entries.map(({ commit, info }) => [commit, info?.subject])).toEqual([
    [first, 'Good'],
    [second, 'Bad'],
  ]);
  expect(entries.map(({ notes }) => notes[0]?.note)).toMatchObject([
    { outcome: 'pass', run: 'bbbbbbb', metrics: [{ name: 'rprec', value: '0.395' }] },
    { outcome: 'fail', run: 'aaaaaaa', metrics: [{ name: 'rprec', value: '0.1' }] },
  ]);
  expect(await logged(repo, 1)).toHaveLength(1);
});

test('a commit that is not in this clone, and a line that somebody wrote by hand, are listed too', async () => {
  await using repository = await temporaryRepository();
  const repo = await opened(repository);
  const base = await repository.commit('Shared');
  await repository.git('switch', '--quiet', '-c', 'private');
  const far = await repository.commit('Not pushed');
  await recordReport(repo, { commit: base, fingerprint: fingerprint('a') });
  await recordReport(repo, { commit: far, fingerprint: fingerprint('b') });
  await repository.git('notes', '--ref=mlops', 'append', '-m', 'looks fine to me', base);
  const clone = await repository.clone(undefined, ['--no-local', '--single-branch', '--branch', 'main']);
  await clone.git('fetch', '--quiet', 'origin', '+refs/notes/mlops:refs/notes/mlops');
  const entries = await logged(await opened(clone));
  const away = entries.find(({ commit }) => commit === far);
  expect(away?.notes[0]?.note).toMatchObject({ outcome: 'pass', run: 'bbbbbbb' });
  expect(away).not.toHaveProperty('info');
  const here = entries.find(({ commit }) => commit === base);
  expect(here?.info?.subject).toBe('Shared');
  expect(here?.notes.find(({ line }) => line === 'looks fine to me')).not.toHaveProperty('note');
});

const history = (repo: Repository, metric: string, maxCount = 20, since?: number) =>
  metricHistory({ repo, branch: 'mlops', emit: () => {} }, metric, {
    maxCount,
    ...(since === undefined ? {} : { since }),
  });

test('mlops log --metric has every digit of one metric, newest first, and only of commits that have it', async () => {
  await using repository = await temporaryRepository();
  const repo = await opened(repository);
  expect(await history(repo, 'rprec')).toEqual({ ok: true, value: [] });
  const values = [0.1234567891, undefined, 0.3, 0.4];
  for (const [index, value] of values.entries()) {
    const metrics = value === undefined ? { loss: numberOf(1) } : { rprec: numberOf(value), loss: numberOf(2) };
    const commit = await repository.commit(`Number ${index}`);
    await recordReport(repo, { commit, fingerprint: fingerprint(String(index)), require: {}, run: { metrics } });
  }
  // One that says nothing about the model, and a newer one that judges the same run again.
  const commit = await repository.commit('Out of memory');
  await recordReport(repo, { commit, fingerprint: fingerprint('e'), run: outOfMemory });
  const found = await history(repo, 'rprec');
  expect(found).toMatchObject({
    value: [{ reading: { value: 0.4 } }, { reading: { value: 0.3 } }, { reading: { value: 0.1234567891 } }],
  });
  expect(await history(repo, 'rprec', 2)).toMatchObject({ value: [{ subject: expect.anything() }, {}] });
  // More notes have to be read than are listed, until it is found.
  expect(await history(repo, 'rprec', 1)).toMatchObject({ value: [{ reading: { value: 0.4 } }] });
  expect(await history(repo, 'rpec')).toEqual({
    ok: false,
    error: { reason: 'unknown-metric', metric: 'rpec', known: ['loss', 'rprec'] },
  });
  expect(await history(repo, 'constructor')).toMatchObject({ error: { reason: 'unknown-metric' } });
});

test('mlops log --since lists what was noted since, by the dates that git understands', async () => {
  await using repository = await temporaryRepository();
  const repo = await opened(repository);
  const now = Math.floor(Date.now() / 1000);
  const old = await repository.commit('Last year');
  const past = { ...repo, env: { ...repo.env, GIT_COMMITTER_DATE: `${now - 400 * 86_400} +0000` } };
  // fast-import takes its own clock: the commit of the note is dated by a commit-tree of the same content.
  await recordReport(past, { commit: old, fingerprint: fingerprint('a') });
  const tree = await repository.git('rev-parse', 'refs/mlops/notes^{tree}');
  const dated = await repository.tryGit(['commit-tree', '-m', 'old', tree], { env: past.env });
  await repository.git('update-ref', 'refs/mlops/notes', dated.stdout.trim());
  await repository.git('update-ref', 'refs/notes/mlops', dated.stdout.trim());
  const fresh = await repository.commit('Today');
  await recordReport(repo, { commit: fresh, fingerprint: fingerprint('b') });
  const since = async (text: string) => {
    const date = await readDate(repo, text, now);
    if (!date.ok) throw new Error(JSON.stringify(date.error));
    return date.value;
  };
  const listed = async (text: string) => {
    const date = await since(text);
    if (date === undefined) throw new Error(text);
    const done = await log(repo, { maxCount: Number.POSITIVE_INFINITY, since: date });
    return done.ok ? done.value.map(({ commit }) => commit) : [];
  };
  expect(await listed('2 weeks ago')).toEqual([fresh]);
  expect(await listed('2 years ago')).toEqual([fresh, old]);
  expect(await history(repo, 'rprec', Number.POSITIVE_INFINITY, await since('yesterday'))).toMatchObject({
    value: [{ commit: fresh }],
  });
  for (const text of ['no date', '--all', '', 'tomorrow', 'a\0b'])
    expect([text, await since(text)]).toEqual([text, undefined]);
});
