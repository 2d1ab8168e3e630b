import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { classify, type GitError } from './errors.ts';
import { resolveCommit } from './history.ts';
import type { PushUpdate } from './pre-push.ts';
import type { Repository } from './repository.ts';
import { git } from './spawn.ts';

export interface PushPreview {
  /** The remote's URL as git prints it; what would be pushed goes there. */
  readonly url: string;
  /** Its name, where one of the configured remotes has that URL. */
  readonly remote: string;
  readonly updates: readonly PushUpdate[];
}

/**
 * What `git push ARGS` would do, by asking git (git-push(1), --dry-run --porcelain): one connection, ended at once. Where the push
 * would be rejected, git's own words.
 */
export async function previewPush(repo: Repository, args: readonly string[]): Promise<Result<PushPreview, GitError>> {
  const command = ['push', '--dry-run', '--porcelain', '--no-verify', ...args];
  const shown = await git(repo, command, { okCodes: [1] });
  if (!shown.ok) return shown;
  const { code, stderr } = shown.value;
  // Which refs would be refused is on standard output.
  if (code !== 0) {
    const words = `${stderr}${shown.value.stdout.toString()}`;
    return err({ reason: classify(words), args: command, code, stderr: words });
  }
  const text = shown.value.stdout.toString();
  const url = /^To (.*)$/m.exec(text)?.[1] ?? '';
  const remote = await nameOf(repo, url);
  const updates: PushUpdate[] = [];
  for (const line of text.split('\n')) {
    // `<flag> \t <from>:<to> \t <summary>`; a deletion has no from; `=` is up to date.
    const [, flag, from, to] = /^([ +\-*!=])\t([^:\t]*):([^\t]+)\t/.exec(line) ?? [];
    if (flag === undefined || from === undefined || to === undefined || flag === '=' || flag === '-') continue;
    const commit = await resolveCommit(repo, from);
    if (!commit.ok) return commit;
    updates.push(update(from, commit.value, to, remote, url));
  }
  return ok({ url, remote, updates });
}

const update = (localRef: string, localOid: Oid, remoteRef: string, remote: string, url: string): PushUpdate => ({
  localRef,
  localOid,
  remoteRef,
  remoteOid: undefined,
  remote,
  url,
  bareUrl: remote === url,
});

async function nameOf(repo: Repository, url: string): Promise<string> {
  const all = await git(repo, ['remote', '-v']);
  const lines = all.ok ? all.value.stdout.toString().split('\n') : [];
  const found = lines.map((line) => /^(\S+)\t(.*) \(push\)$/.exec(line)).find((match) => match?.[2] === url);
  return found?.[1] ?? url;
}
