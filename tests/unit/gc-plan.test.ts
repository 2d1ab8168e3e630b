import { expect, test } from '@jest/globals';
import { asFingerprint } from '../../lib/base/ids.ts';
import { planGc } from '../../lib/cluster/gc-plan.ts';

test('what a run that goes on has in its folders for temporary files stays: its own, those of its tasks, and of the job that builds for it', () => {
  const fingerprint = asFingerprint('abc'.padEnd(64, '0'));
  const path = `runs/${fingerprint}/1`;
  const attempt = { path, fingerprint, attempt: 1, ended: false, old: false, own: true, data: [], trees: [] };
  const survey = {
    temporaries: ['tmp/abc.1', 'tmp/abc.1.2', 'tmp/abc.1.build', 'tmp/abc.2.build', 'tmp/dead.1.build'],
    attempts: [attempt],
    files: [],
    keeps: [],
    steps: [],
    trees: [],
    used: new Set<never>(),
    objects: [],
  };
  const gone = planGc(survey, new Set([path]), { olderThanDays: 30 }).map((item) => item.path);
  expect(gone).toEqual(['tmp/abc.2.build', 'tmp/dead.1.build']);
});
