import { describe, expect, test } from '@jest/globals';
import { asFingerprint, asOid, asSha256 } from '../../lib/base/ids.ts';
import { stoppedLines, stoppedScreen } from '../../lib/cli/screens/gate-trouble.ts';
import { openTrouble } from '../../lib/cli/screens/git-trouble.ts';
import { workdirWords } from '../../lib/cli/screens/host-trouble.ts';
import { recordTrouble } from '../../lib/cli/screens/record-trouble.ts';
import { complainedAbout } from '../../lib/cli/screens/submit-trouble.ts';
import { troubleLines } from '../../lib/cli/screens/trouble.ts';
import type { HostError } from '../../lib/cluster/host.ts';
import type { SubmitError } from '../../lib/cluster/run-types.ts';
import type { QueryError } from '../../lib/cluster/scheduler.ts';
import type { StoreError } from '../../lib/cluster/store-types.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import type { Diagnostic, SourceRange } from '../../lib/config/types.ts';
import type { FingerprintError } from '../../lib/fingerprint/errors.ts';
import type { GateError } from '../../lib/gate/outcome.ts';
import type { PlaceError } from '../../lib/gate/place.ts';
import type { RecordError } from '../../lib/git/advance.ts';
import type { GitError, GitErrorReason } from '../../lib/git/errors.ts';
import type { OpenError } from '../../lib/git/repository.ts';
import type { PlanError } from '../../lib/job/types.ts';
import { golden } from '../rig/golden.ts';
import { dangerous, evil, screen, setting, tooWide } from '../rig/screen.ts';

/** One error for each reason: a new reason does not compile until it is shown here. */
type Each<E extends { readonly reason: string }> = {
  readonly [R in E['reason']]: E extends unknown ? (R extends E['reason'] ? E : never) : never;
};
const all = <E extends { readonly reason: string }>(each: Each<E>): readonly E[] => Object.values(each) as E[];

const commit = asOid('3f2a91c'.padEnd(40, '0'));
const fingerprint = asFingerprint('5b7e90d'.padEnd(64, '0'));
const sha256 = asSha256('ab12cd3'.padEnd(64, '4'));
const other = asSha256('99ffee1'.padEnd(64, '5'));
const place = 'login.hpc.example.edu';
const host = place;
const key = {
  host,
  port: 2222,
  keyType: 'ssh-ed25519',
  keyFingerprint: 'SHA256:3rr6SGwJ2rZ3vJYyQ1sG6v0m1Q5C0V8kz0X4sB7yV2M',
  knownHosts: '/home/ann/.ssh/known_hosts',
};
const config = `version: 1
cluster:
  host: login.hpc.example.edu
  workdir: /scratch/$USER/mlops
  slurm: { partition: gpuu, account: proj }
resources: { time: "99:00:00" }
steps:
  - notebook: movie-recs.ipynb
    cwd: notebook
    seeds: { parameter: seed, values: [1, 2] }
`;
const loaded = loadConfig(Buffer.from(config), '.mlops/config.yaml');
if (!loaded.ok) throw new Error('the sample config is wrong');
const locate = (path: string): SourceRange | undefined => loaded.value.locate(path);

const hosts = all<HostError>({
  'unknown-host': { reason: 'unknown-host', host: 'hcp', detail: 'getaddrinfo ENOTFOUND hcp' },
  unreachable: { reason: 'unreachable', host, detail: 'connect ETIMEDOUT 192.0.2.7:22' },
  'auth-refused': {
    reason: 'auth-refused',
    host,
    user: 'ann',
    tried: ['agent: ED25519 SHA256:abc', '~/.ssh/id_rsa'],
    detail: 'ann@login.hpc.example.edu: Permission denied (publickey).',
  },
  'host-key-unknown': { reason: 'host-key-unknown', ...key },
  'host-key-changed': { reason: 'host-key-changed', ...key },
  'host-key-revoked': { reason: 'host-key-revoked', ...key },
  'no-common-algorithm': { reason: 'no-common-algorithm', host, detail: 'no matching key exchange algorithm' },
  'no-master': { reason: 'no-master', host, command: `ssh -fN ${host}`, controlPath: '/home/ann/.ssh/master-1' },
  lost: { reason: 'lost', host, detail: 'read ECONNRESET' },
  timeout: { reason: 'timeout', host, detail: 'no answer in 60 s' },
  aborted: { reason: 'aborted', host },
  'no-shell': { reason: 'no-shell', host, detail: 'This account is currently not available.' },
});
const gitError = (reason: GitErrorReason): GitError => ({
  reason,
  args: ['push', 'origin', 'mlops'],
  code: 128,
  stderr: `fatal: what git said of ${reason}`,
});
const gitReasons: Readonly<Record<GitErrorReason, true>> = {
  'no-git': true,
  'not-a-repository': true,
  'dubious-ownership': true,
  'unknown-revision': true,
  'missing-object': true,
  'invalid-ref': true,
  lock: true,
  'no-remote-ref': true,
  auth: true,
  unreachable: true,
  'no-remote-repository': true,
  rejected: true,
  refused: true,
  'no-atomic': true,
  'disk-full': true,
  'not-writable': true,
  aborted: true,
  other: true,
};
const git = (Object.keys(gitReasons) as GitErrorReason[]).map(gitError);

const stores = all<StoreError>({
  host: { reason: 'host', cause: { reason: 'lost', host, detail: 'read ECONNRESET' } },
  'disk-full': {
    reason: 'disk-full',
    path: '/scratch/ann/mlops',
    needed: 2_700_000_000,
    available: 120_000_000,
    detail: 'tar: objects/ab/cd: Cannot write: No space left on device',
  },
  'source-changed': { reason: 'source-changed', sha256s: [sha256, other] },
  'source-unreadable': { reason: 'source-unreadable', sha256, detail: "EACCES: permission denied, open 'data/x.csv'" },
  missing: { reason: 'missing', sha256s: [sha256] },
  corrupt: { reason: 'corrupt', sha256 },
  'unsafe-path': { reason: 'unsafe-path', path: '../x', why: 'outside' },
  exists: { reason: 'exists', path: '/scratch/ann/mlops/runs/5b/incoming-1/tree' },
  'no-program': { reason: 'no-program', programs: ['sha256sum', 'shasum'] },
  failed: { reason: 'failed', what: 'upload', code: 2, stderr: 'tar: This does not look like a tar archive' },
  local: { reason: 'local', path: 'out.ipynb', detail: "EROFS: read-only file system, open 'out.ipynb'" },
}).map((cause): GateError => ({ reason: 'store', cause, place }));

const submits = all<SubmitError>({
  host: { reason: 'host', cause: { reason: 'lost', host, detail: 'read ECONNRESET' } },
  refused: {
    reason: 'refused',
    scheduler: 'slurm',
    code: 1,
    stderr:
      'sbatch: error: invalid partition specified: gpuu\nsbatch: error: Batch job submission failed: Invalid partition name specified',
  },
  ambiguous: { reason: 'ambiguous', name: 'mlops-5b7e90d000000000.1', detail: 'Socket timed out on send/recv' },
  folder: { reason: 'folder', path: '/scratch/ann/mlops/runs/5b', detail: 'mkdir: Permission denied (exit status 1)' },
}).map((cause): GateError => ({ reason: 'submit', cause, place }));

const dataFile = (reason: string) => ({ reason, entry: 'data', path: 'data/a b.csv', detail: 'what the system said' });
const fingerprints = all<FingerprintError>({
  'no-steps': { reason: 'no-steps' },
  'not-recorded': { reason: 'not-recorded', entry: 'data/ratings.csv' },
  'not-pinned': { reason: 'not-pinned', entry: 'data/ml-25m', cluster: '/datasets/ml-25m', why: 'no-lock' },
  'lock-damaged': { reason: 'lock-damaged', detail: "Unexpected token '<' at position 0" },
  aborted: { reason: 'aborted', progress: { files: 3, ofFiles: 1000, bytes: 1, ofBytes: 2 } },
  git: { reason: 'git', error: gitError('missing-object') },
  'no-match': { reason: 'no-match', entry: 'data/*.csv', glob: true },
  outside: { reason: 'outside', entry: '../data' },
  'broken-link': dataFile('broken-link') as FingerprintError & { reason: 'broken-link' },
  'link-loop': dataFile('link-loop') as FingerprintError & { reason: 'link-loop' },
  'special-file': dataFile('special-file') as FingerprintError & { reason: 'special-file' },
  unreadable: dataFile('unreadable') as FingerprintError & { reason: 'unreadable' },
  changing: dataFile('changing') as FingerprintError & { reason: 'changing' },
  'bad-name': dataFile('bad-name') as FingerprintError & { reason: 'bad-name' },
  'dvc-missing': dataFile('dvc-missing') as FingerprintError & { reason: 'dvc-missing' },
  'dvc-damaged': dataFile('dvc-damaged') as FingerprintError & { reason: 'dvc-damaged' },
  'dvc-unreadable': dataFile('dvc-unreadable') as FingerprintError & { reason: 'dvc-unreadable' },
  'submodule-missing': dataFile('submodule-missing') as FingerprintError & { reason: 'submodule-missing' },
  'environment-missing': { reason: 'environment-missing', path: 'base.txt', includedBy: 'requirements.txt' },
  'environment-unreadable': { reason: 'environment-unreadable', path: 'environment.yml', detail: 'bad indentation' },
  'include-loop': { reason: 'include-loop', path: 'a.txt', includedBy: 'b.txt' },
  'lock-missing': { reason: 'lock-missing', path: '.mlops/environment.lock' },
  'lock-drift': {
    reason: 'lock-drift',
    path: '.mlops/environment.lock',
    changes: [
      { kind: 'changed', where: 'requirements', before: 'numpy<2', after: 'numpy>=2' },
      { kind: 'added', where: 'requirements', after: 'pandas' },
      { kind: 'removed', where: 'requirements', before: 'scipy' },
      { kind: 'order', where: 'channels' },
    ],
  },
}).map((cause): GateError => ({ reason: 'fingerprint', cause }));

const notebook = { step: 1, notebook: 'movie-recs.ipynb' };
const plans: GateError = {
  reason: 'plan',
  errors: all<PlanError>({
    'notebook-missing': { reason: 'notebook-missing', ...notebook },
    'notebook-not-json': { reason: 'notebook-not-json', ...notebook, detail: "Unexpected token '<' at position 0" },
    'notebook-format': { reason: 'notebook-format', ...notebook, detail: 'nbformat 5' },
    'no-parameters-cell': { reason: 'no-parameters-cell', ...notebook, parameters: ['challenge_length', 'seed'] },
    'parameters-cells': { reason: 'parameters-cells', ...notebook, cells: [3, 7] },
    'expressions-need-python': {
      reason: 'expressions-need-python',
      ...notebook,
      language: 'R',
      metrics: ['rprec'],
    },
    'no-kernel-name': { reason: 'no-kernel-name', ...notebook, language: 'julia' },
    'cwd-missing': { reason: 'cwd-missing', step: 1, cwd: 'notebook', near: 'notebooks' },
    'run-empty': { reason: 'run-empty', step: 2 },
    'data-in-the-way': { reason: 'data-in-the-way', entry: 'data/ml-25m', path: 'data/ml-25m/README' },
    'environment-file-missing': { reason: 'environment-file-missing', file: 'environment.yml' },
    'secret-missing': { reason: 'secret-missing', name: 'WANDB_API_KEY' },
    'unsafe-value': { reason: 'unsafe-value', key: 'steps[0].run', detail: 'holds NUL' },
    unsupported: {
      reason: 'unsupported',
      key: 'steps[0].seeds',
      ...(locate('steps[0].seeds') === undefined ? {} : { range: locate('steps[0].seeds') as SourceRange }),
    },
  }),
};

const typo: Diagnostic = {
  severity: 'error',
  reason: 'unknown-key',
  path: 'steps[0].metric',
  range: {
    file: '.mlops/config.yaml',
    line: 14,
    column: 5,
    length: 6,
    text: '    metric: { rprec: rprecs["rprec"].mean() }',
  },
  message: 'unknown key `metric` in a notebook step',
  hint: 'did you mean `metrics`?',
};
const recorded = { commit, recordedAt: '2026-11-23T10:12:00.000Z', recordedBy: 'Ben <ben@example.org>' };
const places: readonly PlaceError[] = [
  {
    reason: 'workdir',
    workdir: '/scratch/$PROJECT/mlops',
    host,
    detail: workdirWords({ reason: 'unset-variable', workdir: '/scratch/$PROJECT/mlops', variables: ['PROJECT'] }),
  },
  { reason: 'not-in-group', group: 'proj', groups: 'ada users', host },
];
const queries: readonly QueryError[] = [
  {
    reason: 'scheduler',
    command: 'squeue',
    code: 1,
    stderr: 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)',
  },
];
const gate: readonly GateError[] = [
  { reason: 'pipeline', cause: { reason: 'no-config', commit, inWorktree: false } },
  { reason: 'pipeline', cause: { reason: 'no-config', commit, inWorktree: true } },
  { reason: 'pipeline', cause: { reason: 'config-invalid', commit, diagnostics: [typo] } },
  { reason: 'pipeline', cause: { reason: 'git', cause: gitError('not-a-repository') } },
  { reason: 'tree', cause: { reason: 'submodule-missing', path: 'lib/a b', commit, looked: ['.git/modules/lib'] } },
  { reason: 'tree', cause: { reason: 'path-not-utf8', path: 'data/caf\\xe9.csv' } },
  { reason: 'contents', cause: { reason: 'git', cause: { reason: 'missing-blob', oid: commit } } },
  { reason: 'contents', cause: { reason: 'lfs-missing', path: 'model.bin', looked: '.git/lfs/objects/ab/12/ab12' } },
  { reason: 'render', cause: { reason: 'template', detail: 'Parse error on line 3: {{#if' } },
  { reason: 'render', cause: { reason: 'unsafe-value', detail: 'not on one line: "a\\nb"' } },
  ...places.map((cause): GateError => ({ reason: 'place', cause })),
  { reason: 'runs', cause: { reason: 'folder', path: '/scratch/ann/mlops/runs', detail: 'Stale file handle' }, place },
  ...queries.map((cause): GateError => ({ reason: 'query', cause, place })),
  {
    reason: 'data-changed',
    ...recorded,
    difference: {
      changed: [{ path: 'data/ratings.csv', recorded: sha256, current: other }],
      missing: [{ path: 'data/old.csv', recorded: sha256 }],
      added: [{ path: 'data/new.csv', current: other }],
    },
  },
  {
    reason: 'data-absent',
    ...recorded,
    files: Array.from({ length: 12 }, (_, index) => ({ path: `data/${index}.png`, sha256, size: 4096 * index })),
  },
  {
    reason: 'out-of-reach',
    cause: { reason: 'host', cause: { reason: 'unreachable', host, detail: 'connect EHOSTUNREACH' } },
    fingerprint,
    job: '481516',
  },
  { reason: 'no-run', commit, fingerprint },
  { reason: 'aborted' },
];

const located = { ...setting, locate };
const screensOf = (errors: readonly GateError[]) =>
  errors.map((error) => stoppedScreen({ outcome: 'stopped', error, locate }, setting));
const records = all<Exclude<RecordError, GitError>>({
  'branch-checked-out': { reason: 'branch-checked-out', branch: 'mlops', worktree: '/home/ann/reports' },
  'branch-conflict': { reason: 'branch-conflict', branch: 'mlops', existing: 'mlops/try', suggestion: '_mlops' },
  raced: { reason: 'raced', tries: 60, last: gitError('lock') },
  'lock-left': { reason: 'lock-left', lock: '/home/ann/recs/.git/refs/heads/mlops.lock', last: gitError('lock') },
});
const opens = all<Exclude<OpenError, GitError>>({
  quarantine: { reason: 'quarantine', path: '/srv/git/x.git/objects/incoming-1' },
  'git-too-old': { reason: 'git-too-old', needs: '2.31' },
  'path-not-utf8': { reason: 'path-not-utf8', path: '/home/ann/caf\\xe9' },
});

const books: Readonly<Record<string, readonly (readonly string[])[]>> = {
  gate: screensOf(gate),
  host: screensOf(hosts.map((cause) => ({ reason: 'place', cause: { reason: 'host', cause } }))),
  store: screensOf(stores),
  submit: screensOf(submits),
  fingerprint: screensOf(fingerprints),
  plan: screensOf([plans]),
  git: screensOf(git.map((cause) => ({ reason: 'pipeline', cause: { reason: 'git', cause } }))),
  record: [
    ...records.map((error) => troubleLines(recordTrouble(error, located), setting.style)),
    ...opens.map((error) => troubleLines(openTrouble(error, located), setting.style)),
  ],
};

describe('trouble', () => {
  test.each(Object.entries(books))('%s: every reason says what failed and what to type next', (name, screens) => {
    const text = screens.map((lines) => screen('git push', lines)).join('\n');
    expect(text).toBe(golden(`screens/trouble-${name}.txt`, text));
    expect(screens.filter((lines) => !lines.some((line) => line.startsWith('       next ')))).toEqual([]);
    expect(screens.flatMap((lines) => tooWide(lines.filter((line) => !line.includes('ssh-keygen'))))).toEqual([]);
  });

  test('a Slurm that does not answer is no refusal: nothing has to be corrected', () => {
    const stderr = 'sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)';
    const error: GateError = {
      reason: 'submit',
      cause: { reason: 'refused', scheduler: 'slurm', code: 1, stderr },
      place,
    };
    const text = stoppedLines(error, located).join('\n');
    expect(text).toMatch(/Slurm on \S+ does not answer[\s\S]*Unable to contact[\s\S]*git push +again, once it answers/);
    expect(text).not.toMatch(/refuses|corrected/);
  });

  test('what another program said is shown, however long, with the count of what is left out', () => {
    const stderr = Array.from({ length: 500 }, (_, index) => `line ${index}`).join('\n');
    const error: GateError = {
      reason: 'submit',
      cause: { reason: 'refused', scheduler: 'slurm', code: 1, stderr },
      place,
    };
    const lines = stoppedLines(error, setting);
    expect(lines).toContain('       said     line 0');
    expect(lines).toContain('                line 499');
    expect(lines).toContain('                … 440 lines …');
  });

  test('a file that changed while it was sent is named by its path, where that is known', () => {
    const cause: StoreError = { reason: 'source-changed', sha256s: [sha256] };
    const lines = stoppedLines({ reason: 'store', cause, place, files: ['data/x.csv'] }, setting);
    expect(lines.slice(0, 2)).toEqual(['mlops  1 file changed while they were sent', '       data/x.csv']);
  });

  test('hostile text has no power over the terminal, and commands are quoted', () => {
    const errors: readonly GateError[] = [
      { reason: 'place', cause: { reason: 'host', cause: { reason: 'unreachable', host: evil, detail: evil } } },
      { reason: 'place', cause: { reason: 'workdir', workdir: evil, host: evil, detail: evil } },
      { reason: 'submit', cause: { reason: 'refused', scheduler: 'slurm', code: 1, stderr: evil }, place: evil },
      {
        reason: 'data-changed',
        ...recorded,
        recordedBy: evil,
        difference: { changed: [], missing: [], added: [{ path: evil, current: other }] },
      },
      { reason: 'fingerprint', cause: { reason: 'environment-missing', path: '$(rm -rf ~)' } },
    ];
    const lines = errors.flatMap((error) => stoppedLines(error, setting));
    expect(dangerous(lines)).toEqual([]);
    expect(tooWide(lines.filter((line) => !line.includes('ssh ')))).toEqual([]);
    expect(lines.join('\n')).toContain("git add '$(rm -rf ~)'");
  });
});

describe('what sbatch complains about', () => {
  test.each([
    ['Invalid partition name specified', ['cluster.slurm.partition']],
    [
      'Invalid account or account/partition combination specified',
      ['cluster.slurm.account', 'cluster.slurm.partition'],
    ],
    ['Requested time limit is invalid (missing or exceeds some limit)', ['resources.time']],
    ['Invalid qos specification', []],
    ['something that nobody has heard of', []],
  ])('%s', (stderr, keys) => {
    expect(complainedAbout(`sbatch: error: ${stderr}`, locate).map(({ key: found }) => found)).toEqual(keys);
  });
});
