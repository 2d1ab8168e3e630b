import type { Config } from '../config/types.ts';
import { configPath, readPipelineText } from '../gate/pipeline.ts';
import { readGitConfig, readGitConfigAll } from '../git/config-values.ts';
import { currentBranch, resolveCommit } from '../git/history.ts';
import type { HookOptions } from '../git/hooks-install.ts';
import { hookStates } from '../git/hooks-state.ts';
import { displayRef, fetchNotes, mainRemote } from '../git/local-settings.ts';
import { pushRemote } from '../git/remotes.ts';
import { readReportRefs } from '../git/report-refs.ts';
import type { Repository } from '../git/repository.ts';
import { git, gitText } from '../git/spawn.ts';
import { holdSeconds, transportOf } from '../git/transport.ts';
import type { Tell } from './doctor-types.ts';
import { isTrusted } from './trust.ts';

/** The clone: git, hooks, settings, config. Gives the config where it can be used and this clone may act on it. */
export async function examineClone(repo: Repository, hooks: HookOptions, tell: Tell): Promise<Config | undefined> {
  const version = await gitText(repo, ['--version']);
  if (!version.ok) {
    tell({ grade: 'problem', reason: 'git-failed', cause: version.error });
    return undefined;
  }
  tell({ grade: 'ok', reason: 'git-version', version: version.value.replace(/^git version /, '') });
  await examineHooks(repo, hooks, tell);
  const trusted = await isTrusted(repo);
  if (!trusted.ok) tell({ grade: 'problem', reason: 'git-failed', cause: trusted.error });
  else tell({ grade: trusted.value ? 'ok' : 'problem', reason: 'trust', trusted: trusted.value });
  await examineDisplay(repo, tell);
  const config = await examineConfig(repo, tell);
  await examineReports(repo, config?.reports ?? 'mlops', tell);
  await examineRemote(repo, tell);
  return trusted.ok && trusted.value ? config : undefined;
}

async function examineHooks(repo: Repository, hooks: HookOptions, tell: Tell): Promise<void> {
  const found = await hookStates(repo, hooks);
  if (!found.ok) return tell({ grade: 'problem', reason: 'hooks-failed', cause: found.error });
  const { place, states } = found.value;
  const wrong = (['post-commit', 'pre-push', 'post-rewrite'] as const).flatMap((hook) => {
    const state = states[hook];
    return state === 'installed' ? [] : [{ hook, state }];
  });
  // Without pre-push a push goes unjudged, and nobody is told.
  const unjudged = wrong.some(({ hook, state }) => hook === 'pre-push' && state !== 'outdated');
  tell({
    grade: unjudged ? 'problem' : wrong.length > 0 ? 'warning' : 'ok',
    reason: 'hooks',
    place,
    top: repo.top ?? repo.gitDir,
    wrong,
  });
}

async function examineDisplay(repo: Repository, tell: Tell): Promise<void> {
  const remote = await mainRemote(repo);
  const refs = await readGitConfigAll(repo, displayRef.key.toLowerCase());
  const name = remote.ok ? remote.value : undefined;
  const fetches = await readGitConfigAll(repo, `remote.${name ?? ''}.fetch`);
  for (const asked of [remote, refs, fetches]) {
    if (!asked.ok) return tell({ grade: 'problem', reason: 'git-failed', cause: asked.error });
  }
  const valuesOf = (asked: typeof refs, key: string) => (asked.ok ? (asked.value.get(key) ?? []) : []);
  const shown = valuesOf(refs, displayRef.key.toLowerCase()).includes(displayRef.value);
  const fetched = name === undefined || valuesOf(fetches, `remote.${name}.fetch`).includes(fetchNotes);
  tell({
    grade: shown && fetched ? 'ok' : 'warning',
    reason: 'display',
    shown,
    fetched,
    ...(name === undefined ? {} : { remote: name }),
  });
}

/** The config of HEAD, as a push would take it. */
async function examineConfig(repo: Repository, tell: Tell): Promise<Config | undefined> {
  const head = await resolveCommit(repo, 'HEAD');
  if (!head.ok) {
    if (head.error.reason === 'unknown-revision') tell({ grade: 'problem', reason: 'no-commit' });
    else tell({ grade: 'problem', reason: 'git-failed', cause: head.error });
    return undefined;
  }
  const pipeline = await readPipelineText(repo, head.value);
  if (pipeline.ok) {
    const loaded = pipeline.value;
    tell({ grade: loaded.warnings.length > 0 ? 'warning' : 'ok', reason: 'config', loaded });
  } else tell({ grade: 'problem', reason: 'config-failed', cause: pipeline.error });
  if (repo.top !== undefined) {
    const differs = await git(repo, ['diff', '--quiet', 'HEAD', '--', configPath], { okCodes: [1] });
    if (differs.ok && differs.value.code === 1) tell({ grade: 'warning', reason: 'config-uncommitted' });
  }
  return pipeline.ok ? pipeline.value.config : undefined;
}

async function examineReports(repo: Repository, branch: string, tell: Tell): Promise<void> {
  const refs = await readReportRefs(repo, branch);
  if (refs.ok) return tell({ grade: 'ok', reason: 'reports', branch });
  const { error } = refs;
  tell(
    error.reason === 'branch-checked-out' || error.reason === 'branch-conflict'
      ? { grade: 'problem', reason: 'reports-failed', cause: error }
      : { grade: 'problem', reason: 'git-failed', cause: error },
  );
}

/** Where a push goes, and how long git's connection to it may wait for a verdict. */
async function examineRemote(repo: Repository, tell: Tell): Promise<void> {
  const branch = await currentBranch(repo);
  const remote = await pushRemote(repo, branch.ok ? branch.value : undefined);
  if (!remote.ok) return tell({ grade: 'problem', reason: 'git-failed', cause: remote.error });
  if (remote.value === undefined) return tell({ grade: 'warning', reason: 'no-remote' });
  // Of a URL in place of a name git knows no other.
  const url = await gitText(repo, ['remote', 'get-url', '--push', remote.value], { okCodes: [2, 128] });
  if (!url.ok) return tell({ grade: 'problem', reason: 'git-failed', cause: url.error });
  const to = url.value === '' ? remote.value : url.value;
  const set = await readGitConfig(repo, 'mlops.hold');
  if (!set.ok) return tell({ grade: 'problem', reason: 'git-failed', cause: set.error });
  const own = set.value.get('mlops.hold');
  const isOwn = own !== undefined && /^\d{1,6}$/.test(own);
  if (own !== undefined && !isOwn) tell({ grade: 'warning', reason: 'hold-invalid', value: own });
  const seconds = isOwn ? Number(own) : holdSeconds(to);
  const transport = transportOf(to);
  tell({
    grade: 'ok',
    reason: 'remote',
    remote: remote.value,
    to: 'host' in transport ? transport.host : to,
    ...(seconds === undefined ? {} : { seconds }),
    of: isOwn ? 'setting' : 'table',
  });
}
