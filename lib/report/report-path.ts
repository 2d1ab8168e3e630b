import { asFingerprint, type Fingerprint } from '../base/ids.ts';

/** The one owner of where reports are on the branch: sharded, and one folder a judgement, so that every merge is a union of trees. */
export function reportPath({ fingerprint, id }: { readonly fingerprint: Fingerprint; readonly id: string }) {
  const folder = `${runFolder(fingerprint)}/${id}`;
  return { folder, json: `${folder}/report.json`, markdown: `${folder}/report.md` } as const;
}

/** All judgements of one fingerprint are below this. */
export const runFolder = (fingerprint: Fingerprint): string => `runs/${fingerprint.slice(0, 2)}/${fingerprint}`;

/** What a path on the branch is the report of; undefined for any other file. */
export function parseReportPath(path: string): { readonly fingerprint: Fingerprint; readonly id: string } | undefined {
  const [, shard, run, id] = /^runs\/([0-9a-f]{2})\/([0-9a-f]{64})\/([^/]+)\/report\.json$/.exec(path) ?? [];
  if (shard === undefined || run === undefined || id === undefined) return undefined;
  return run.startsWith(shard) && isReportId(id) ? { fingerprint: asFingerprint(run), id } : undefined;
}

/** `random` is 24 bits of chance: two judgements in one second keep apart. Ids sort by time. */
export function reportId(now: Date, random: number): string {
  const digits = (Math.trunc(random) & 0xffffff).toString(16).padStart(6, '0');
  return `${now.toISOString().replace(/[-:]|\.\d+/g, '')}-${digits}`;
}

export const isReportId = (text: string): boolean => /^\d{8}T\d{6}Z-[0-9a-f]{6}$/.test(text);

/** When it was judged, in seconds since the epoch. Undefined where the digits are no date. */
export function reportTime(id: string): number | undefined {
  const seconds = Date.parse(id.slice(0, 16).replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z')) / 1000;
  return Number.isNaN(seconds) ? undefined : seconds;
}
