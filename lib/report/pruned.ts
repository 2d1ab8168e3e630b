import { asOid, type Oid } from '../base/ids.ts';
import { isReportId } from './report-path.ts';
import { list, matching, members, oneOf } from './shape.ts';

/**
 * What `mlops gc --reports` leaves in the place of the reports that it removes: which they were, so that a note without a report explains
 * itself. A file for each pruning, so that those of two clones are joined as files are.
 */
export interface PrunedList {
  readonly version: 1;
  /** A commit of the reports branch in which all of them still are. */
  readonly tip: Oid;
  /** Their folders on the branch. */
  readonly reports: readonly string[];
}

export const prunedFolder = 'pruned/';
/** `id` says when, as a report's does. */
export const prunedPath = (id: string): string => `${prunedFolder}${id}.json`;
export const prunedJson = (pruned: PrunedList): string => `${JSON.stringify(pruned)}\n`;

const shape = members({
  version: oneOf(1),
  tip: matching(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/),
  reports: list(matching(/^runs\/[0-9a-f]{2}\/[0-9a-f]{64}\/\d{8}T\d{6}Z-[0-9a-f]{6}$/)),
});

/** With the `id` of its path. Undefined for what a newer version, or somebody's hand, has written. */
export function parsePruned(path: string, json: string): (PrunedList & { readonly id: string }) | undefined {
  const id = path.slice(prunedFolder.length).replace(/\.json$/, '');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isReportId(id) || shape(value, '') !== undefined) return undefined;
  const { tip, reports } = value as PrunedList;
  return { version: 1, id, tip: asOid(tip), reports };
}
