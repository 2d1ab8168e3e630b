import { describe, expect, test } from '@jest/globals';
import { skippedLines, verdictLines } from '../../lib/cli/screens/verdict.ts';
import { waitingLines } from '../../lib/cli/screens/waiting.ts';
import type { JudgedOutcome, WaitingOutcome } from '../../lib/gate/outcome.ts';
import type { Report } from '../../lib/report/types.ts';
import { golden } from '../rig/golden.ts';
import {
  commit,
  failedRun,
  fingerprint,
  numberOf,
  outOfMemory,
  raised,
  requirement,
  run,
  sampleReport,
} from '../rig/sample-report.ts';
import { coloured, dangerous, evil, now, screen, setting, tooWide } from '../rig/screen.ts';

const judged = (report: Report, more: Partial<JudgedOutcome> = {}): JudgedOutcome => ({
  outcome: 'judged',
  report,
  how: 'trained',
  recorded: { ok: true },
  ...more,
});
const changes = {
  changed: [{ what: 'movie-recs.ipynb cell 42', code: 'sim.columns = …' }],
  same: ['data', 'parameters', 'environment'],
};
const worse = { metrics: { rprec: numberOf(0.088) } };
const fix: JudgedOutcome['fix'] = {
  key: 'resources.mem',
  value: '24G',
  range: { file: '.mlops/config.yaml', line: 9, column: 14, length: 3, text: 'resources: { mem: 16G }' },
};
const accepted = sampleReport({
  run: worse,
  facts: { decided: 'accepted', decision: { reason: 'new data, main is stale', by: 'Ben <ben@example.org>' } },
});
const onCpu = { place: { ...run.place, gpus: 0 } };
const environment = {
  steps: [],
  finished: true,
  metrics: {},
  preparation: {
    side: 'infrastructure',
    reason: 'environment',
    detail: 'LibMambaUnsatisfiableError: nothing provides numpy 99',
  },
} as const;

const screens: Readonly<Record<string, JudgedOutcome>> = {
  pass: judged(sampleReport()),
  'pass-without-gpu': judged(sampleReport({ run: onCpu })),
  'pass-without-baseline': judged(sampleReport({ baseline: null })),
  'pass-known': judged(sampleReport({ facts: { judged: 'known', from: '20261123T101010Z-000001' } }), { how: 'known' }),
  'pass-unchanged': judged(sampleReport(), { how: 'unchanged' }),
  fail: judged(sampleReport({ run: worse }), { changes }),
  'fail-known': judged(sampleReport({ run: worse, facts: { judged: 'known', from: '20261124T101010Z-000001' } }), {
    how: 'known',
  }),
  'fail-not-a-number': judged(sampleReport({ run: { metrics: { rprec: { kind: 'nan', source: 'x.ipynb' } } } })),
  'fail-raised': judged(sampleReport({ run: failedRun })),
  'error-out-of-memory': judged(sampleReport({ run: outOfMemory }), { fix }),
  'error-environment': judged(
    sampleReport({ run: environment, facts: { log: 'conda: solving\nnumpy 99: nothing\n' } }),
  ),
  accepted: judged(accepted, { how: 'unchanged' }),
  'not-recorded': judged(sampleReport(), {
    recorded: {
      ok: false,
      error: { reason: 'branch-conflict', branch: 'mlops', existing: 'mlops/try', suggestion: '_mlops' },
    },
  }),
  many: judged(
    sampleReport({
      require: Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`metric-${index}`, requirement])),
      run: {
        metrics: Object.fromEntries(
          Array.from({ length: 14 }, (_, index) => [`metric-${index}`, numberOf(10 ** (index - 5))]),
        ),
      },
    }),
    { changes: { changed: Array.from({ length: 9 }, (_, index) => ({ what: `file-${index}.py` })), same: ['data'] } },
  ),
};

describe('the verdict on a terminal', () => {
  test.each(Object.entries(screens))('%s: is as in the golden file', (name, outcome) => {
    const lines = verdictLines(outcome, setting);
    const text = screen('git push', lines);
    expect(text).toBe(golden(`screens/${name}.txt`, text));
    expect(tooWide(lines)).toEqual([]);
  });

  test('fail: colour only repeats what the words say', () => {
    const lines = verdictLines(judged(sampleReport({ run: worse }), { changes }), { ...setting, style: coloured });
    const text = screen('git push', lines);
    expect(text).toBe(golden('screens/fail-colour.txt', text));
    expect(lines.map((line) => line.replace(/\u001b\[\d+m/g, ''))).toEqual(
      verdictLines(judged(sampleReport({ run: worse }), { changes }), setting),
    );
  });

  test('after mlops run nothing is said of a push', () => {
    const again = { ...setting, again: 'mlops run 3f2a91c', holdsPush: false };
    const text = screen('mlops run 3f2a91c', verdictLines(judged(sampleReport({ run: outOfMemory }), { fix }), again));
    expect(text).toBe(golden('screens/error-run.txt', text));
    expect(text).not.toContain('git push');
  });

  test('skipped: says who and why, and that it is no pass', () => {
    const {
      verdict: _verdict,
      run: _run,
      ...report
    } = sampleReport({
      facts: { decided: 'skipped', decision: { reason: 'the cluster is down', by: 'Ann <ann@example.org>' } },
    });
    const text = screen('MLOPS_SKIP="the cluster is down" git push', skippedLines(report, { ok: true }, setting));
    expect(text).toBe(golden('screens/skipped.txt', text));
  });

  test('hostile text is on its own line, cut, and without power over the terminal', () => {
    const report = sampleReport({
      require: { [evil]: { ...requirement, baseline: evil } },
      run: {
        ...failedRun,
        steps: [{ name: evil, outcome: 'failed', failure: { ...raised, exception: evil, traceback: evil } }],
      },
      facts: { subject: evil, branch: evil, log: evil, by: evil },
    });
    const changed = { changed: [{ what: evil, code: evil }], same: [evil] };
    const lines = verdictLines(judged(report, { changes: changed }), { ...setting, style: coloured });
    expect(dangerous(lines)).toEqual([]);
    expect(tooWide(lines)).toEqual([]);
  });
});

const waiting: WaitingOutcome = {
  outcome: 'waiting',
  why: 'hold-over',
  fingerprint,
  commit,
  place: 'login.hpc.example.edu',
  job: '481516',
  attempt: 1,
  last: { state: 'queued', reason: 'Resources', ahead: 3, partition: 'gpu', expectedStart: now + 120 },
};
const running = { state: 'running', node: 'c117', elapsedSeconds: 42 } as const;
const github = { remote: 'github.com', seconds: 240 };

describe('a run that goes on', () => {
  const command = 'git push';
  test.each<[string, WaitingOutcome, typeof github | undefined]>([
    ['queued', waiting, github],
    ['running', { ...waiting, last: running, attempt: 2 }, github],
    ['detached', { ...waiting, why: 'detached', last: running }, undefined],
    ['submitted', { ...waiting, why: 'submitted' }, undefined],
    ['submitted-here', { ...waiting, why: 'submitted', place: 'this machine', last: { ...running } }, undefined],
  ])('%s: the screen tells how to come back', (name, outcome, patience) => {
    const lines = waitingLines(outcome, setting, patience);
    const text = screen(command, lines);
    expect(text).toBe(golden(`screens/waiting-${name}.txt`, text));
    expect(tooWide(lines)).toEqual([]);
  });

  test('looked at by mlops sync, and no push is meant', () => {
    const lines = waitingLines({ ...waiting, last: running }, { ...setting, holdsPush: false, again: 'mlops sync' });
    expect(lines).toContain('       not judged yet: it goes on');
    expect(lines.join('\n')).toMatch(/mlops sync +looks again[\s\S]*mlops attach 3f2a91c/);
    expect(lines.join('\n')).not.toMatch(/push/);
  });

  test('nothing is known of it yet', () => {
    const { last: _last, ...outcome } = waiting;
    expect(waitingLines({ ...outcome, why: 'detached' }, { ...setting, holdsPush: false, again: 'mlops run' })).toEqual(
      [
        'mlops  SUBMITTED  run 5b7e90d · job 481516 · on login.hpc.example.edu',
        '       you stopped waiting, and the job goes on',
        '       next     mlops run              comes back to it',
        '                mlops attach 3f2a91c   waits for it without pushing',
        '                mlops cancel 3f2a91c   ends the job',
        '       the job goes on if you close this laptop',
      ],
    );
  });
});
