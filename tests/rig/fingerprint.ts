import type { Oid } from '../../lib/base/ids.ts';
import type { Result } from '../../lib/base/result.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import type { Config } from '../../lib/config/types.ts';
import type { FingerprintError } from '../../lib/fingerprint/errors.ts';
import {
  type FingerprintContext,
  type FingerprintedNow,
  fingerprintCommit,
} from '../../lib/fingerprint/fingerprint-commit.ts';
import { openRepository, type Repository } from '../../lib/git/repository.ts';
import type { TestRepository } from './repository.ts';

export const systemNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

export function configOf(text: string): Config {
  const loaded = loadConfig(text, '.mlops/config.yaml');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  return loaded.value.config;
}

export async function opened(repository: TestRepository): Promise<Repository> {
  const open = await openRepository(repository.dir, repository.env);
  if (!open.ok) throw new Error(JSON.stringify(open.error));
  return open.value;
}

/** Fingerprints a commit by the config that it holds, as the hooks do. */
export async function fingerprintOf(
  repository: TestRepository,
  commit: string,
  options: Partial<FingerprintContext> = {},
): Promise<Result<FingerprintedNow, FingerprintError>> {
  return fingerprintCommit({
    repository: await opened(repository),
    commit: (await repository.git('rev-parse', commit)) as Oid,
    config: configOf(await repository.git('show', `${commit}:.mlops/config.yaml`)),
    data: 'worktree',
    nowNs: systemNs,
    ...options,
  });
}

export async function mustFingerprint(
  repository: TestRepository,
  commit = 'HEAD',
  options: Partial<FingerprintContext> = {},
): Promise<FingerprintedNow> {
  const done = await fingerprintOf(repository, commit, options);
  if (!done.ok) throw new Error(JSON.stringify(done.error));
  return done.value;
}

/** A notebook file as Jupyter writes one. */
export function notebook(cells: readonly NotebookCell[], metadata: object = python): string {
  return `${JSON.stringify({ cells: cells.map(written), metadata, nbformat: 4, nbformat_minor: 5 }, null, 1)}\n`;
}
export interface NotebookCell {
  readonly code?: string;
  readonly prose?: string;
  readonly tags?: readonly string[];
  readonly outputs?: readonly unknown[];
  readonly count?: number | null;
  readonly id?: string;
}
export const python = {
  kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' },
  language_info: { name: 'python', version: '3.11.2' },
};

function written({ code, prose, tags, outputs, count, id }: NotebookCell, index: number) {
  const common = { id: id ?? `cell-${index}`, metadata: tags === undefined ? {} : { tags } };
  const lines = (text: string) => text.split(/(?<=\n)/);
  if (code === undefined) return { ...common, cell_type: 'markdown', source: lines(prose ?? '') };
  return {
    ...common,
    cell_type: 'code',
    execution_count: count ?? null,
    outputs: outputs ?? [],
    source: lines(code),
  };
}
