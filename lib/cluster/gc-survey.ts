import { asFingerprint, asJobId, isFingerprint, isSha256, type Sha256 } from '../base/ids.ts';
import type { GcAttempt, GcObject, GcSurvey } from './gc-types.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TEMPORARY =
  /^(?:tmp\/(?:(?:UPLOAD|TREE|PART|GONE|ASK)-[\w.-]+|\.probe-\d+|[0-9a-f]+\.(?:\d+(?:\.\d+(?:\.shell)?|\.build)?|\.incoming-\w+\.build))|runs\/[0-9a-f]{64}\/\.incoming-\w+|steps\/[\w.-]+|trees\/[0-9a-f]{64}\.[0-9a-f]+)$/;
/** Of an attempt, and of each of its tasks: what nobody reads any more. Its results stay. */
const FILES = /^runs\/[0-9a-f]{64}\/\d+\/(?:tree|pristine|data|out|tasks\/\d+\/(?:tree|out))$/;

/** What the survey script printed. A line that is not of our making is not ours to remove. Undefined: the script did not come to its end. */
export function parseSurvey(text: string, options: { readonly all: boolean }): GcSurvey | undefined {
  const lines = text.split('\n').map((line) => line.split(' '));
  const of = (kind: string) => lines.filter(([first]) => first === kind).map(([, ...rest]) => rest);
  if (of('done').length === 0) return undefined;
  const old = new Set(of('old').map(([path]) => path));
  const [year, month] = (of('now')[0] ?? []).map(Number);
  const strays: string[] = [];
  const objects: GcObject[] = [];
  for (const [path = '', bytes, monthName, day, clock = ''] of of('object')) {
    const sha256 = path.replace(/^objects\/(..)\//, '$1');
    if (isSha256(sha256)) {
      const last = dayNumber(MONTHS.indexOf(monthName ?? '') + 1, Number(day), clock, year ?? 0, month ?? 0);
      objects.push({ sha256, bytes: Number(bytes), day: last, old: !options.all || old.has(path) });
    } else if (/^objects\/[0-9a-f]{2}\/\.[\w.]+$/.test(path)) strays.push(path);
  }
  return {
    temporaries: [...of('temporary').flatMap(([path = '']) => (TEMPORARY.test(path) ? [path] : [])), ...strays],
    attempts: [
      ...of('ended').flatMap(([path]) => attempt(path, { ended: true, own: true, data: [], trees: [] }, old)),
      ...openAttempts(lines, old),
    ],
    files: of('files').flatMap(([path = '']) => (FILES.test(path) ? [path] : [])),
    keeps: of('keep').flatMap(([path = '']) => (/^runs\/[0-9a-f]{64}\/keep$/.test(path) ? [path] : [])),
    steps: of('step').flatMap(([path = '', archive = '']) =>
      /^steps\/[0-9a-f]{64}$/.test(path) && isSha256(archive) ? [{ path, archive, old: old.has(path) }] : [],
    ),
    trees: of('tree').flatMap(([path = '']) =>
      /^trees\/[0-9a-f]{64}\.[0-9a-f]+$/.test(path) ? [{ path, old: old.has(`${path}/files`) }] : [],
    ),
    used: new Set(of('used').flatMap(([hash = '']): Sha256[] => (isSha256(hash) ? [hash] : []))),
    objects,
    ...(options.all ? { total: Number(of('total')[0]?.[0] ?? 0) } : {}),
  };
}

function openAttempts(
  lines: readonly (readonly string[])[],
  old: ReadonlySet<string | undefined>,
): readonly GcAttempt[] {
  const found: { readonly words: readonly string[]; readonly data: Sha256[]; readonly trees: string[] }[] = [];
  for (const [kind, ...words] of lines) {
    if (kind === 'open') found.push({ words, data: [], trees: [] });
    // A run's data follows its own line.
    const [hash = ''] = words;
    if (kind === 'data' && isSha256(hash)) found.at(-1)?.data.push(hash);
    if (kind === 'uses') found.at(-1)?.trees.push(`trees/${hash}`);
  }
  return found.flatMap(({ words: [path, owner, id = '', at = '', ...name], data, trees }) => {
    const job = id === '' ? {} : { job: { id: asJobId(id), submittedAt: Number(at), name: name.join(' ') } };
    return attempt(path, { ended: false, own: owner === 'own', data, trees, ...job }, old);
  });
}

function attempt(
  path: string | undefined,
  what: Pick<GcAttempt, 'ended' | 'own' | 'job' | 'data' | 'trees'>,
  old: ReadonlySet<string | undefined>,
): readonly GcAttempt[] {
  const [, fingerprint = '', number] = /^runs\/([^/]+)\/(\d+)$/.exec(path ?? '') ?? [];
  if (path === undefined || !isFingerprint(fingerprint)) return [];
  const attempt = Number(number);
  return [{ path, fingerprint: asFingerprint(fingerprint), attempt, old: old.has(`${path}/state`), ...what }];
}

/** ls shows the clock for the last six months and the year before that. Months count as 31 days: it is for the order alone. */
function dayNumber(month: number, day: number, clock: string, year: number, now: number): number {
  const shown = clock.includes(':') ? (month > now ? year - 1 : year) : Number(clock);
  return (shown * 12 + month) * 31 + day;
}
