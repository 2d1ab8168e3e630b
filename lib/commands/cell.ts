import { setTimeout as sleep } from 'node:timers/promises';
import { err, ok, type Result } from '../base/result.ts';
import type { GateContext } from '../gate/context.ts';
import type { Identified } from '../gate/identify.ts';
import type { GateError } from '../gate/outcome.ts';
import { git } from '../git/spawn.ts';
import { type CellError, type CellOutputs, cellOutputs } from '../job/cell-outputs.ts';

export interface ShownCell {
  readonly cell: CellOutputs;
  readonly number: number;
  /** The executed notebook, relative to the attempt's folder. */
  readonly path: string;
  /** How many other executed notebooks there are: this is the one that was written last. */
  readonly others: number;
}
export type CellProblem =
  | GateError
  /** No notebook has been executed, or its first cell is still running. */
  | { readonly reason: 'no-notebook'; readonly attempt: number }
  | { readonly reason: 'notebook'; readonly path: string; readonly cause: CellError };

/** papermill does not write its notebook in one step: what cannot be read is read again. */
const tries = 5;

/** `mlops logs --cell N`: what one cell of the newest attempt's notebook has put out, also while it is being executed. */
export async function showCell(
  context: GateContext,
  identified: Identified,
  number: number,
): Promise<Result<ShownCell, CellProblem>> {
  const place = context.placeFor(identified.config);
  const connected = await place.connect(context.signal);
  if (!connected.ok) return err({ reason: 'place', cause: connected.error });
  const { runs, close } = connected.value;
  try {
    const { commit, fingerprint } = identified;
    const looked = await runs.look(fingerprint);
    if (!looked.ok) return err({ reason: 'runs', cause: looked.error, place: place.name });
    const attempt = looked.value.at(-1)?.attempt;
    if (attempt === undefined) return err({ reason: 'no-run', commit, fingerprint });
    for (let left = tries; ; left -= 1) {
      const read = await runs.newestNotebook(fingerprint, attempt, context.signal);
      if (!read.ok) return err({ reason: 'runs', cause: read.error, place: place.name });
      if (read.value === undefined) return err({ reason: 'no-notebook', attempt });
      const { path, others, content } = read.value;
      const cell = cellOutputs(content, number, await authorsNotebook(context, identified, path));
      if (cell.ok) return ok({ cell: cell.value, number, path, others });
      if (cell.error.problem !== 'not-json' || left === 1) return err({ reason: 'notebook', path, cause: cell.error });
      await sleep(200);
    }
  } finally {
    await close();
  }
}

/** The file in the commit that a finished notebook comes from; undefined where its cells carry their numbers, or none is found. */
async function authorsNotebook(
  { repo }: GateContext,
  { commit, config }: Identified,
  path: string,
): Promise<string | undefined> {
  const step = config.steps.find((one) => one.kind === 'notebook' && path.endsWith(`/notebooks/${one.notebook}`));
  if (step?.kind !== 'notebook') return undefined;
  const blob = await git(repo, ['cat-file', 'blob', `${commit}:${step.notebook}`]);
  return blob.ok ? blob.value.stdout.toString('utf8') : undefined;
}
