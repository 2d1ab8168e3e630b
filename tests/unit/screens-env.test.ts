import { expect, test } from '@jest/globals';
import { asJobId } from '../../lib/base/ids.ts';
import { envBuiltLines, envListLines, envRemovedLines, envShowLines } from '../../lib/cli/screens/env.ts';
import { envLockLines, envLockTroubles } from '../../lib/cli/screens/env-lock.ts';
import { envShellLines, envShellTroubles, envShellTypedLines } from '../../lib/cli/screens/env-shell.ts';
import { envBuildTroubles, envTrouble } from '../../lib/cli/screens/env-trouble.ts';
import { troublesLines } from '../../lib/cli/screens/trouble.ts';
import type { EnvBuildError } from '../../lib/commands/env-build.ts';
import type { EnvironmentList, ListedEnvironment } from '../../lib/commands/env-list.ts';
import type { EnvLockError, LockedEnvironment } from '../../lib/commands/env-lock.ts';
import type { EnvRmError } from '../../lib/commands/env-rm.ts';
import type { EnvShellError, ShellPlan } from '../../lib/commands/env-shell.ts';
import type { ShownEnvironment } from '../../lib/commands/env-show.ts';
import { golden } from '../rig/golden.ts';
import { dangerous, evil, now, screen, setting, tooWide } from '../rig/screen.ts';

const at = { ...setting, again: 'mlops env build', holdsPush: false };
const place = 'login.hpc.example.edu';
const key = (digit: string) => digit.repeat(24);
const ready: ListedEnvironment = {
  key: key('a'),
  state: 'ready',
  kind: 'packages',
  platform: 'x86_64',
  manager: '/apps/Anaconda3/2021.11/bin/conda',
  managerVersion: 'conda 4.10.3',
  buildSeconds: 62,
  builtAt: now - 86_400 - 7200,
  usedAt: now - 600,
  bytes: 1.2 * 1024 ** 3,
  files: 30_112,
  specification: JSON.stringify({
    environment: {
      kind: 'packages',
      packages: ['numpy', 'scipy', 'scikit-learn', 'pandas'],
      channels: ['conda-forge'],
      modules: ['Anaconda3/2021.11'],
    },
    needs: ['papermill', 'ipykernel'],
    version: 1,
  }),
  runs: 1,
};
const failed: ListedEnvironment = {
  key: key('b'),
  state: 'failed',
  changedAt: now - 3600,
  progress: 'conda installs numpy traitlets==4.3.3',
  specification: JSON.stringify({
    environment: { kind: 'conda', conda: { dependencies: ['python', { pip: ['six'] }], channels: ['conda-forge'] } },
  }),
  runs: 0,
};
const building: ListedEnvironment = {
  key: key('c'),
  state: 'building',
  builder: { owner: '1000 c117 4711 481516 1795526000 pid:[1]', beatAt: now - 3 },
  progress: 'requirements.txt',
  specification: JSON.stringify({
    environment: { kind: 'venv', requirements: ['torch', { constraints: ['numpy<2'] }] },
  }),
  runs: 2,
};
const other: ListedEnvironment = { ...ready, key: `${key('a')}.aarch64`, platform: 'aarch64', runs: 0 };
const interrupted: ListedEnvironment = { key: key('d'), state: 'interrupted', changedAt: now - 5 * 86_400, runs: 0 };
const all: EnvironmentList = {
  now,
  workdir: '/scratch/ann/mlops',
  environments: [ready, other, building, failed, interrupted],
  dead: [],
};
const shown = (entry: ListedEnvironment, files: Readonly<Record<string, string>> = {}): ShownEnvironment => ({
  now,
  folder: `/scratch/ann/mlops/envs/${entry.key}`,
  entry,
  files: new Map(Object.entries(files)),
});
const seen = (command: string, name: string, lines: readonly string[]) => {
  const text = screen(command, lines);
  expect(text).toBe(golden(`screens/${name}.txt`, text));
  expect(tooWide(lines)).toEqual([]);
};

test('the list names what is there, what is used, and what HEAD asks for', () => {
  seen('mlops env list', 'env-list', [
    ...envListLines(all, place, key('a'), at),
    ...envListLines({ ...all, environments: [] }, place, key('e'), at),
    ...envListLines(
      { ...all, environments: [failed], unsure: { reason: 'scheduler', command: 'squeue', code: 1, stderr: '' } },
      place,
      undefined,
      at,
    ),
  ]);
});

test('one of them: what it was asked to be, what is in it, and why it failed', () => {
  const packages =
    'ipykernel==6.30.1\nnumpy==2.3.5\npandas==2.3.3\npapermill==2.6.0\nscikit-learn==1.7.2\nscipy==1.16.3\n';
  seen('mlops env show', 'env-show', [
    ...envShowLines(shown(ready, { 'packages.txt': packages, added: 'papermill\nipykernel\n' }), place, at),
    ...envShowLines(
      shown(failed, { 'failed.log': '+ conda create -y\nLibMambaUnsatisfiableError: nothing provides x\n' }),
      place,
      at,
    ),
    ...envShowLines(shown(building), place, at),
    ...envShowLines(shown(interrupted), place, at),
  ]);
});

test('what came of a build and of a removal', () => {
  seen('mlops env build', 'env-build', [
    ...envBuiltLines({ key: key('a'), wasThere: false, job: '481516' }, place, 62, at),
    ...envBuiltLines({ key: key('a'), wasThere: true }, place, 1, at),
    ...envRemovedLines(ready, place),
    ...envRemovedLines(failed, place),
  ]);
});

const locked: LockedEnvironment = {
  key: key('a'),
  path: '.mlops/environment.lock',
  packages: 57,
  changed: true,
  about: 'Python 3.11.9, linux x86_64',
  source: { kind: 'conda', file: 'environment.yml', buildOn: 'job' },
};
const range = { file: '.mlops/config.yaml', line: 9, column: 30, length: 4, text: '' };
test('what was locked, and which line of the config uses it', () => {
  const packages = { kind: 'packages', packages: ['numpy', 'scipy'], channels: [], buildOn: 'job' } as const;
  seen('mlops env lock', 'env-lock', [
    ...envLockLines(locked, at),
    ...envLockLines({ ...locked, source: packages }, at),
    ...envLockLines({ ...locked, range }, at),
    ...envLockLines({ ...locked, range, changed: false }, at),
    ...troublesLines(
      lockings.flatMap((error) => envLockTroubles(error, at)),
      at.style,
    ),
  ]);
});
const lockings: readonly EnvLockError[] = [
  ...['none', 'prefix', 'container', 'uv'].map((kind) => ({ reason: 'not-lockable' as const, kind })),
  { reason: 'lock-local', lines: ['pkg @ file:///scratch/ann/mlops/runs/5/1/tree/pkg'] },
  { reason: 'no-lock-there', key: key('a') },
  { reason: 'no-worktree' },
  { reason: 'lock-not-written', path: '/home/ann/recs/.mlops/environment.lock', detail: 'EROFS' },
];

test('a shell: where it opens, what the run did there, and why it does not', () => {
  const plan: ShellPlan = {
    attempt: 2,
    folder: `/scratch/ann/mlops/runs/${'5'.repeat(64)}/2`,
    command: `sh /scratch/ann/mlops/runs/${'5'.repeat(64)}/2/shell-start.sh`,
    slurm: true,
    steps: [
      { kind: 'notebook', notebook: 'movie recs.ipynb', parameters: { lr: 0.1, name: 'it is', layers: [1, 2] } },
      { kind: 'run', run: 'pytest -q' },
    ],
    secrets: ['WANDB_API_KEY'],
  };
  const errors: readonly EnvShellError[] = [
    { reason: 'run-goes-on', job: '481516' },
    { reason: 'no-such-task', tasks: 5 },
    { reason: 'no-such-task', tasks: 0 },
    { reason: 'tree-gone', folder: `${plan.folder}/tree` },
  ];
  const shell = { ...at, again: 'mlops env shell --task 9' };
  const lines = troublesLines(
    errors.flatMap((error) => envShellTroubles(error, shell)),
    at.style,
  );
  seen('mlops env shell --task 9', 'env-shell', [
    ...envShellLines(plan, place),
    ...envShellLines({ ...plan, slurm: false, secrets: [] }, 'this machine'),
    ...envShellTypedLines('there is no terminal here'),
    ...lines,
  ]);
});

const removals: readonly EnvRmError[] = [
  { reason: 'no-environment', key: 'ab', known: [key('a'), key('b')] },
  { reason: 'several-environments', key: 'a', known: [key('a'), `${key('a')}.aarch64`] },
  {
    reason: 'environment-used',
    key: key('a'),
    users: [
      {
        path: `runs/${'5'.repeat(64)}/1`,
        key: key('a'),
        own: true,
        quiet: false,
        job: { id: asJobId('481516'), name: 'mlops-5.1', submittedAt: now },
      },
    ],
  },
  { reason: 'environment-locked', key: key('c'), owner: '1000 c117 4711 481516 1795526000 pid:[1]' },
  { reason: 'environments-failed', what: 'list', code: 70, stderr: 'sh: cd: /scratch/ann/mlops: Stale file handle' },
];
const builds: readonly EnvBuildError[] = [
  { reason: 'nothing-to-build', kind: 'none' },
  { reason: 'nothing-to-build', kind: 'prefix' },
  {
    reason: 'not-built',
    key: key('b'),
    place,
    detail: 'mlops: not prepared (environment):\nNo matching distribution found for torhc',
  },
  { reason: 'job-refused', words: 'sbatch: error: invalid partition specified: gpu' },
  { reason: 'job-waits', id: '12', status: { state: 'queued', reason: 'Priority' }, seconds: 10 },
  { reason: 'job-ended', id: '12', status: { state: 'ended', how: 'timeout', word: 'TIMEOUT' }, words: '' },
];
const troubles = (of: typeof removals, and: typeof builds) =>
  troublesLines(
    [...of.map((error) => envTrouble(error, at)), ...and.flatMap((error) => envBuildTroubles(error, at))],
    at.style,
  );

test('what went wrong, and what to type', () => {
  seen('mlops env …', 'trouble-env', troubles(removals, builds));
});

test('words of the cluster cannot move the cursor', () => {
  const bad: ListedEnvironment = { ...failed, kind: evil, progress: evil, specification: evil };
  const lines = [
    ...envListLines({ ...all, workdir: evil, environments: [bad] }, evil, undefined, at),
    ...envShowLines(
      shown({ ...bad, state: 'ready', manager: evil, managerVersion: evil }, { 'packages.txt': evil }),
      evil,
      at,
    ),
    ...envShowLines(shown(bad, { 'failed.log': evil, added: evil }), evil, at),
    ...troubles(
      [
        { reason: 'environment-locked', key: evil, owner: evil },
        { reason: 'no-environment', key: evil, known: [evil] },
      ],
      [{ reason: 'not-built', key: evil, place: evil, detail: evil }],
    ),
  ];
  expect(dangerous(lines)).toEqual([]);
});
