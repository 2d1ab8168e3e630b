import type { EnvLockError, LockedEnvironment } from '../../commands/env-lock.ts';
import { plural } from '../../report/numbers.ts';
import { envBuildTroubles, envTrouble } from './env-trouble.ts';
import { joined, lead, paragraph, said, word } from './layout.ts';
import { placeOf, type Setting } from './setting.ts';
import { nextLines, type Trouble, troubleOf, type Words } from './trouble.ts';

/** `mlops env lock`, at its end: what was written, and which line of the config uses it. */
export function envLockLines(locked: LockedEnvironment, { style }: Setting): readonly string[] {
  const { path, packages, about, changed, range, source } = locked;
  const used = placeOf(range);
  return [
    lead(changed ? `${said(path, 80)} is written` : `nothing has changed: ${said(path, 60)} stays as it is`),
    ...paragraph('holds', [joined([plural(packages, 'package'), said(about, 60)])]),
    ...paragraph('used by', [used]),
    ...nextLines(
      [
        ...(used === ''
          ? [{ command: configLine(source, path), what: 'in .mlops/config.yaml: then it is what is built' }]
          : []),
        ...(changed || used === '' ? [{ command: `git add ${word(path)} .mlops/config.yaml && git commit` }] : []),
      ],
      style,
    ),
  ];
}

function configLine(source: LockedEnvironment['source'], path: string): string {
  const lock = `lock: ${said(path, 200)} }`;
  if (source.kind === 'packages') return `environment: { packages: [${said(source.packages.join(', '), 60)}], ${lock}`;
  return `environment: { ${source.kind}: ${'file' in source ? said(source.file, 100) : '…'}, ${lock}`;
}

type OwnError = Extract<
  EnvLockError,
  { readonly reason: 'not-lockable' | 'lock-local' | 'no-lock-there' | 'no-worktree' | 'lock-not-written' }
>;
const words: Words<OwnError> = {
  'not-lockable': ({ kind }) => ({
    failed: `there is nothing to lock: ${notLockable[kind] ?? said(kind, 30)}`,
    next: [{ command: 'mlops doctor', what: 'looks whether it can be used' }],
  }),
  'lock-local': ({ lines }) => ({
    failed: 'the environment installs what is in the repository, which a list of packages cannot hold',
    list: lines.slice(0, 12).map((line) => said(line, 82)),
    means: 'Each commit has its own such package. Name what it needs from elsewhere with exact versions instead.',
    next: [{ command: 'mlops env show', what: 'what was installed' }],
  }),
  'no-lock-there': ({ key }) => ({
    failed: `environment ${key.slice(0, 12)} has no list of what was installed: an older version has built it`,
    next: [
      { command: `mlops env rm ${key.slice(0, 12)}`, what: 'removes it' },
      { command: 'mlops env lock', what: 'then builds it anew' },
    ],
  }),
  'no-worktree': () => ({
    failed: 'this repository has no worktree to write the lock into',
    next: [{ command: 'git worktree add FOLDER', what: 'makes one' }],
  }),
  'lock-not-written': ({ path, detail }, { again }) => ({
    failed: `${said(path, 80)} cannot be read or written`,
    raw: detail,
    next: [{ command: again, what: 'again' }],
  }),
};
const notLockable: Readonly<Record<string, string>> = {
  none: '`environment: none` is the Python that is there',
  prefix: 'a `prefix` is used as it is',
  container: 'an image is locked by its digest, docker://NAME@sha256:…',
  uv: 'uv.lock is a lock already; `uv lock` renews it',
};

export function envLockTroubles(error: EnvLockError, setting: Setting): readonly Trouble[] {
  switch (error.reason) {
    case 'not-lockable':
    case 'lock-local':
    case 'no-lock-there':
    case 'no-worktree':
    case 'lock-not-written':
      return [troubleOf(words, error, setting)];
    case 'host':
    case 'environments-failed':
    case 'no-environment':
    case 'several-environments':
      return [envTrouble(error, setting)];
    default:
      return envBuildTroubles(error, setting);
  }
}
