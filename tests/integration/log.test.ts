import { expect, test } from '@jest/globals';
import { asFingerprint } from '../../lib/base/ids.ts';
import { log } from '../../lib/commands/log.ts';
import type { Repository } from '../../lib/git/repository.ts';
import { opened } from '../rig/fingerprint.ts';
import { recordReport } from '../rig/recorded-report.ts';
import { temporaryRepository } from '../rig/repository.ts';
import { numberOf } from '../rig/sample-report.ts';

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
