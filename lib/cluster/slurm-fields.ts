/** `[days-]hours:minutes:seconds`, `minutes:seconds` as squeue's `%M` prints it. */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)(?:\.\d+)?$/.exec(text.trim());
  if (match === null) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
}

/** A time under SLURM_TIME_FORMAT=%s. `N/A`, `Unknown`, `None` and 0 say that there is none. */
export function parseEpoch(text: string): number | undefined {
  return /^[1-9]\d*$/.test(text.trim()) ? Number(text) : undefined;
}

/** `450384K`, `1.50G`, plain bytes; sacct's MaxRSS. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([KMGTP]?)$/.exec(text.trim());
  if (match === null) return undefined;
  const power = ['', 'K', 'M', 'G', 'T', 'P'].indexOf(match[2] ?? '');
  return Math.round(Number(match[1]) * 1024 ** power);
}

/** sacct's ReqMem for the whole job: `16G`; before Slurm 21.08 `4Gc` (for each CPU) or `16Gn` (for each node). */
export function parseReqMem(text: string, cpus: number, nodes: number): number | undefined {
  const match = /^([\d.]+[KMGTP]?)([cn]?)$/.exec(text.trim());
  const bytes = parseBytes(match?.[1] ?? '');
  if (match === null || bytes === undefined) return undefined;
  return bytes * (match[2] === 'c' ? cpus : match[2] === 'n' ? nodes : 1);
}

/** `code:signal`. */
export function parseExitCode(text: string): { readonly exitCode?: number; readonly signal?: number } {
  const match = /^(\d+):(\d+)$/.exec(text.trim());
  if (match === null) return {};
  const signal = Number(match[2]);
  return { exitCode: Number(match[1]), ...(signal === 0 ? {} : { signal }) };
}

/** A node list, unless it says that there is none. */
export const parseNode = (text: string): string | undefined =>
  /^(?:|None assigned|\(null\)|N\/A|n\/a)$/.test(text.trim()) ? undefined : text.trim();

/** `KEY=value` of `scontrol -o show job`; a value ends before the next ` KEY=`, and two blanks stand behind a comment. */
export function scontrolField(line: string, key: string): string | undefined {
  const match = new RegExp(`(?:^| )${key}=(.*?)(?= [A-Z][A-Za-z:/]*=|\\s*$)`).exec(line);
  return match?.[1]?.trimEnd();
}
