import { randomBytes } from 'node:crypto';
import { link, rename, rm } from 'node:fs/promises';
import { err, ok, type Result } from '../base/result.ts';
import type { ContentStore, StoreError } from '../cluster/content-store.ts';
import type { KeptFile } from '../verdict/types.ts';
import { isThere, type KeptPlan } from './show-notebook.ts';

export interface Brought {
  readonly path: string;
  readonly bytes: number;
}
export type BringError =
  /** It is not where the job ran any more: purged, or that was another place than the config names now. */
  | {
      readonly reason: 'gone';
      readonly file: KeptFile;
      readonly looked: string;
      readonly store?: string;
      readonly brought: readonly Brought[];
    }
  | {
      readonly reason: 'store';
      readonly cause: StoreError;
      readonly file: KeptFile;
      readonly brought: readonly Brought[];
    }
  /** Somebody made that file in the meantime. It is as it was. */
  | { readonly reason: 'exists'; readonly path: string; readonly brought: readonly Brought[] }
  | {
      readonly reason: 'not-writable';
      readonly path: string;
      readonly detail: string;
      readonly brought: readonly Brought[];
    };

export interface BringOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (bytes: number, of: number) => void;
}

/** Brings them by content; a file appears whole or not at all, and never in the place of another without `force`. */
export async function bringKept(
  store: Pick<ContentStore, 'download' | 'workdir'>,
  plan: KeptPlan,
  { signal, onProgress }: BringOptions = {},
): Promise<Result<readonly Brought[], BringError>> {
  const of = plan.files.reduce((sum, { from }) => sum + from.size, 0);
  const brought: Brought[] = [];
  let before = 0;
  for (const { from, sha256, to } of plan.files) {
    const beside = `${to}.${randomBytes(6).toString('hex')}`;
    const done = await store.download(sha256, beside, {
      ...(signal === undefined ? {} : { signal }),
      onProgress: (bytes) => onProgress?.(before + bytes, of),
    });
    if (!done.ok) {
      return done.error.reason === 'missing'
        ? err({ reason: 'gone', file: from, looked: store.workdir, ...storeOf(plan), brought })
        : err({ reason: 'store', cause: done.error, file: from, brought });
    }
    const put = await putInPlace(beside, to, plan.force);
    if (!put.ok) return err({ ...put.error, brought });
    before += from.size;
    brought.push({ path: to, bytes: done.value.bytes });
  }
  return ok(brought);
}

const storeOf = ({ store }: KeptPlan) => (store === undefined ? {} : { store });

/** A hard link fails where a rename would replace. Where there are no links, the file is looked for first, which is nearly as good. */
async function putInPlace(
  beside: string,
  to: string,
  force: boolean,
): Promise<
  Result<void, { reason: 'exists'; path: string } | { reason: 'not-writable'; path: string; detail: string }>
> {
  const linked = force ? undefined : await attempt(link(beside, to));
  if (linked !== undefined && linked !== 'done' && (await isThere(to))) {
    await rm(beside, { force: true });
    return err({ reason: 'exists', path: to });
  }
  const put = linked === 'done' ? linked : await attempt(rename(beside, to));
  await rm(beside, { force: true });
  return put === 'done' ? ok(undefined) : err({ reason: 'not-writable', path: to, detail: put.message });
}

/** The file system's own words where it refuses. */
const attempt = (doing: Promise<void>): Promise<'done' | NodeJS.ErrnoException> =>
  doing.then(
    () => 'done' as const,
    (error: NodeJS.ErrnoException) => error,
  );
