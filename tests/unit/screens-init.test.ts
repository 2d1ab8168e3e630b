import { describe, expect, test } from '@jest/globals';
import { initLines, uninstallLines } from '../../lib/cli/screens/init.ts';
import { failureTrouble, initTrouble } from '../../lib/cli/screens/init-trouble.ts';
import { troubleLines } from '../../lib/cli/screens/trouble.ts';
import type { InitReport } from '../../lib/commands/init.ts';
import type { UninstallReport } from '../../lib/commands/uninstall.ts';
import type { Diagnostic } from '../../lib/config/types.ts';
import type { HookAction, HookError } from '../../lib/git/hooks-file.ts';
import { displayRef, fetchNotes } from '../../lib/git/local-settings.ts';
import { golden } from '../rig/golden.ts';
import { dangerous, evil, screen, setting, tooWide } from '../rig/screen.ts';

const top = '/home/ann/recs';
const at = { ...setting, again: 'mlops init', holdsPush: false };
const hooks = (['post-commit', 'pre-push', 'post-rewrite'] as const).map(
  (hook): HookAction => ({ hook, file: `${top}/.git/hooks/${hook}`, action: 'created' }),
);
const settings = [
  { ...displayRef, outcome: 'set' as const },
  { key: 'remote.origin.fetch', value: fetchNotes, outcome: 'set' as const },
  { key: 'mlops.trusted', value: 'true', outcome: 'set' as const },
];
const fresh: InitReport = {
  files: [
    { path: '.mlops/config.yaml', outcome: 'written' },
    { path: '.mlops/schema.json', outcome: 'written' },
    { path: '.mlops/requirements.txt', outcome: 'written' },
  ],
  proposal: {
    facts: {
      notebooks: [
        { path: 'movie-recs.ipynb', metrics: ['rprec', 'mrr'] },
        { path: 'explore/look.ipynb', metrics: [] },
      ],
      data: ['data'],
      environment: { kind: 'imports', file: '.mlops/requirements.txt', packages: ['numpy', 'pandas'] },
      tests: true,
      defaultBranch: 'main',
    },
    steps: 'notebooks',
    unreadable: ['broken.ipynb'],
    otherLanguages: ['fit.ipynb'],
  },
  diagnostics: [],
  place: { kind: 'git', dir: `${top}/.git/hooks` },
  hooks,
  settings,
  remote: 'origin',
  failures: [],
  changed: true,
};
const typo: Diagnostic = {
  severity: 'error',
  reason: 'unknown-key',
  path: 'step',
  range: { file: '.mlops/config.yaml', line: 3, column: 1, length: 4, text: 'step:' },
  message: 'unknown key `step`',
  hint: 'did you mean `steps`?',
};
const { remote: _remote, proposal: _proposal, ...without } = fresh;
const reports: Readonly<Record<string, InitReport>> = {
  fresh,
  again: {
    ...without,
    remote: 'origin',
    files: [{ path: '.mlops/config.yaml', outcome: 'kept' }],
    hooks: hooks.map((hook) => ({ ...hook, action: 'unchanged' })),
    settings: settings.map((one) => ({ ...one, outcome: 'unchanged' })),
    changed: false,
  },
  husky: {
    ...fresh,
    place: { kind: 'husky', dir: `${top}/.husky` },
    hooks: [
      { hook: 'pre-push', file: `${top}/.husky/pre-push`, action: 'added' },
      {
        hook: 'post-commit',
        file: `${top}/.husky/post-commit`,
        action: 'moved-aside',
        original: `${top}/.husky/post-commit.mlops-original`,
      },
    ],
  },
  lefthook: {
    ...fresh,
    place: { kind: 'lefthook', file: `${top}/lefthook.yml` },
    hooks: [{ hook: undefined, file: `${top}/lefthook.yml`, action: 'added' }],
  },
  mistake: { ...without, files: [{ path: '.mlops/config.yaml', outcome: 'kept' }], diagnostics: [typo] },
  failed: {
    ...without,
    hooks: [],
    failures: [
      { part: 'hooks', error: { reason: 'hooks-path-foreign', path: '/etc/git/hooks', scope: 'system' } },
      {
        part: 'files',
        reason: 'not-writable',
        file: `${top}/.mlops/config.yaml`,
        detail: 'EROFS: read-only file system',
      },
    ],
  },
};
const gone: UninstallReport = {
  hooks: [
    ...hooks.slice(0, 2).map((hook): HookAction => ({ ...hook, action: 'deleted' })),
    {
      hook: 'post-rewrite',
      file: `${top}/.git/hooks/post-rewrite`,
      action: 'restored',
      original: `${top}/.git/hooks/post-rewrite.mlops-original`,
    },
  ],
  settings: settings.map((one) => ({ ...one, outcome: 'removed' })),
  state: `${top}/.git/mlops`,
  failures: [],
  changed: true,
};

describe('mlops init', () => {
  test.each(Object.entries(reports))('%s: says what was done and what to do now', (name, report) => {
    const lines = initLines(report, top, at);
    const text = screen('mlops init', lines);
    expect(text).toBe(golden(`screens/init-${name}.txt`, text));
    expect(tooWide(lines)).toEqual([]);
  });

  test('hostile names are harmless', () => {
    const lines = initLines(
      {
        ...fresh,
        files: [{ path: evil, outcome: 'written' }],
        hooks: [{ hook: undefined, file: evil, action: 'moved-aside', original: evil }],
        settings: [{ key: evil, value: evil, outcome: 'set' }],
        diagnostics: [{ ...typo, message: evil, hint: evil, range: { ...typo.range, text: evil } }],
        failures: [{ part: 'files', reason: 'not-writable', file: evil, detail: evil }],
      },
      top,
      at,
    );
    expect(dangerous(lines)).toEqual([]);
    expect(tooWide(lines)).toEqual([]);
  });

  test('why it could not be done', () => {
    const errors: readonly HookError[] = [
      { reason: 'hooks-path-foreign', path: '/etc/git/hooks', scope: 'system' },
      { reason: 'lefthook-format', file: 'lefthook.toml', hook: 'pre-push' },
      { reason: 'original-in-the-way', file: '.git/hooks/pre-push.mlops-original' },
      { reason: 'not-writable', file: '.git/hooks/pre-push', detail: 'EACCES: permission denied' },
    ];
    const screens = [
      initTrouble({ reason: 'bare-repository' }, at),
      ...errors.map((error) => failureTrouble({ part: 'hooks', error }, at)),
      failureTrouble({ part: 'state', reason: 'not-writable', file: '.git/mlops', detail: 'EBUSY: device busy' }, at),
    ].map((trouble) => screen('mlops init', troubleLines(trouble, at.style)));
    const text = screens.join('\n');
    expect(text).toBe(golden('screens/trouble-init.txt', text));
  });
});

describe('mlops uninstall', () => {
  test.each<[string, UninstallReport]>([
    ['gone', gone],
    ['nothing', { hooks: [], settings: [], failures: [], changed: false }],
  ])('%s: says what is gone and what stays', (name, report) => {
    const text = screen('mlops uninstall', uninstallLines(report, top, at));
    expect(text).toBe(golden(`screens/uninstall-${name}.txt`, text));
  });
});
