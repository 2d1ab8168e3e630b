import { expect, test } from '@jest/globals';
import { asJobId } from '../../lib/base/ids.ts';
import { doctorEnd, findingLines } from '../../lib/cli/screens/doctor.ts';
import type { Finding } from '../../lib/commands/doctor-types.ts';
import { golden } from '../rig/golden.ts';
import { dangerous, evil, screen, setting, tooWide } from '../rig/screen.ts';

const at = { ...setting, again: 'mlops doctor', holdsPush: false };
const partitions = [
  { name: 'main', up: true, isDefault: true },
  { name: 'short', up: true, isDefault: false, seconds: 600 },
  { name: 'gpu', up: false, isDefault: false },
];
const bad: readonly Finding[] = [
  {
    grade: 'problem',
    reason: 'hooks',
    place: { kind: 'git', dir: '/home/ann/recs/.git/hooks' },
    top: '/home/ann/recs',
    wrong: [
      { hook: 'post-commit', state: 'outdated' },
      { hook: 'pre-push', state: 'missing' },
    ],
  },
  { grade: 'problem', reason: 'trust', trusted: false },
  { grade: 'warning', reason: 'display', shown: false, fetched: false, remote: 'origin' },
  {
    grade: 'problem',
    reason: 'reports-failed',
    cause: { reason: 'branch-conflict', branch: 'mlops', existing: 'mlops/x', suggestion: '_mlops' },
  },
  { grade: 'warning', reason: 'config-uncommitted' },
  { grade: 'problem', reason: 'no-commit' },
  { grade: 'warning', reason: 'no-remote' },
  { grade: 'ok', reason: 'remote', remote: 'origin', to: 'github.com', seconds: 240, of: 'table' },
  { grade: 'warning', reason: 'hold-invalid', value: 'long' },
  {
    grade: 'ok',
    reason: 'connection',
    host: 'hpc',
    kind: 'openssh',
    user: 'ann',
    login: { shared: true },
    milliseconds: 48,
  },
  {
    grade: 'problem',
    reason: 'connection-failed',
    cause: { reason: 'unreachable', host: 'hpc', detail: 'connect ETIMEDOUT' },
  },
  {
    grade: 'problem',
    reason: 'unanswered',
    what: 'Slurm',
    cause: { reason: 'lost', host: 'hpc', detail: 'read ECONNRESET' },
  },
  { grade: 'warning', reason: 'clock', seconds: -312 },
  { grade: 'problem', reason: 'tools', missing: ['sha256sum or openssl', 'tar'] },
  {
    grade: 'problem',
    reason: 'workdir-failed',
    host: 'hpc',
    written: '$SCRATCH/mlops',
    cause: { reason: 'unset-variable', workdir: '$SCRATCH/mlops', variables: ['SCRATCH'] },
  },
  { grade: 'warning', reason: 'workdir', path: '/tmp/mlops', type: 'tmpfs', volatile: true },
  { grade: 'warning', reason: 'space', path: '/scratch/ann', free: 3 * 1024 ** 3, freeFiles: 1_000_000 },
  {
    grade: 'problem',
    reason: 'quota',
    quota: { of: '/home', bytes: 20 * 1024 ** 3, byteLimit: 20 * 1024 ** 3, files: 200_000 },
  },
  { grade: 'warning', reason: 'quota-failed', words: 'quota: error while getting quota' },
  { grade: 'warning', reason: 'hard-links', there: false },
  { grade: 'problem', reason: 'slurm-missing', programs: ['sbatch', 'squeue'] },
  { grade: 'problem', reason: 'slurm-silent', words: 'slurm_load_ctl_conf error: Unable to contact slurm controller' },
  {
    grade: 'problem',
    reason: 'submission',
    accepted: false,
    words: 'allocation failure: Invalid account',
    partitions,
    accounts: ['proj'],
  },
  { grade: 'warning', reason: 'partition-down', names: ['gpu'] },
  { grade: 'problem', reason: 'time-limit', seconds: 1200, limits: [{ name: 'short', seconds: 600 }] },
  { grade: 'warning', reason: 'memory', accounting: false, minJobAge: 2 },
  { grade: 'warning', reason: 'preemption', mode: 'REQUEUE', retries: 0 },
  { grade: 'problem', reason: 'setup', where: 'node', status: 127 },
  { grade: 'warning', reason: 'setup', where: 'login-node' },
  { grade: 'warning', reason: 'no-module-command', where: 'login-node' },
  {
    grade: 'problem',
    reason: 'module',
    where: 'node',
    name: 'CUDA/12.1',
    loaded: false,
    words: 'Lmod has detected: "CUDA/12.1" unknown',
  },
  { grade: 'warning', reason: 'environment', where: 'login-node', kind: 'conda', needs: ['papermill'] },
  {
    grade: 'problem',
    reason: 'environment',
    where: 'here',
    kind: 'venv',
    needs: [],
    python: { path: '/usr/bin/python3', version: '3.11.2', venv: false, imports: false, words: '' },
  },
  {
    grade: 'problem',
    reason: 'internet',
    url: 'https://pypi.org/simple/',
    reached: false,
    words: 'curl: (6) Could not resolve host',
    where: 'node',
  },
  { grade: 'warning', reason: 'job-waits', id: '12', status: { state: 'queued', reason: 'Priority' }, seconds: 600 },
  {
    grade: 'problem',
    reason: 'job-ended',
    id: '12',
    status: { state: 'ended', how: 'node-failed', word: 'NODE_FAIL' },
    words: '',
  },
  { grade: 'problem', reason: 'job-refused', words: 'sbatch: error: QOSMaxSubmitJobPerUserLimit' },
];

test('every kind of finding says what to do where something is not as it should be', () => {
  const lines = [
    ...bad.flatMap((finding) => findingLines(finding, at)),
    doctorEnd({ ok: 2, warning: 15, problem: 20 }, at),
  ];
  const seen = screen('mlops doctor', lines);
  expect(seen).toBe(golden('screens/doctor.txt', seen));
  expect(tooWide(lines)).toEqual([]);
});

test('what other programs and people wrote cannot move the cursor', () => {
  const said: readonly Finding[] = [
    { grade: 'ok', reason: 'shell', shell: evil, system: evil },
    {
      grade: 'ok',
      reason: 'connection',
      host: evil,
      kind: 'ssh2',
      user: evil,
      login: { shared: false, by: evil },
      milliseconds: 1,
    },
    {
      grade: 'problem',
      reason: 'submission',
      accepted: false,
      words: evil,
      partitions: [{ name: evil, up: true, isDefault: true }],
      accounts: [evil],
    },
    { grade: 'problem', reason: 'module', where: 'node', name: evil, loaded: false, words: evil },
    { grade: 'ok', reason: 'job', id: asJobId('1'), node: evil, seconds: 1 },
  ];
  const lines = said.flatMap((finding) => findingLines(finding, at));
  expect(dangerous(lines)).toEqual([]);
});

test('the last line tells a push that is judged from one that is not', () => {
  expect(doctorEnd({ ok: 9, warning: 0, problem: 0 }, at)).toBe('mlops  everything works');
  expect(doctorEnd({ ok: 9, warning: 1, problem: 0 }, at)).toMatch(/1 warning: a push is judged all the same/);
  expect(doctorEnd({ ok: 9, warning: 0, problem: 2 }, at)).toMatch(/2 problems: a push would not be judged/);
});
