import { StringDecoder } from 'node:string_decoder';
import { asJobId } from '../base/ids.ts';
import { readTasks } from './array-tasks.ts';
import type { AttemptFolder, Collected, WatchEvent } from './run-types.ts';
import type { JobRef } from './scheduler.ts';

/** What run-scripts.ts prints, read back. */
export function parseLook(text: string, token: string, jobName: (attempt: number) => string): readonly AttemptFolder[] {
  const states = new Map<number, Map<string, string>>();
  const fresh = new Set<number>();
  let now = 0;
  for (const { verb, rest, body } of frames(text, token)) {
    if (verb === 'now') now = Number(rest);
    if (verb === 'attempt' && /^[1-9]\d*$/.test(rest)) states.set(Number(rest), new Map());
    if (verb === 'fresh') fresh.add(Number(rest));
    const [, attempt, name] = verb === 'file' ? (/^(\d+)\/state\/(.+)$/.exec(rest) ?? []) : [];
    if (attempt !== undefined && name !== undefined) states.get(Number(attempt))?.set(name, body);
  }
  return [...states]
    .sort(([a], [b]) => a - b)
    .map(([attempt, state]) => {
      const job = jobOf(state, jobName(attempt));
      const claimed = claimedAt(state);
      return {
        attempt,
        state,
        finished: state.has('end'),
        abandoned: isAbandoned(state),
        // Between making the folder and its first sign of life there is a moment.
        silentSeconds: claimed !== undefined ? Math.max(0, now - claimed) : fresh.has(attempt) ? 0 : now,
        ...(job === undefined ? {} : { job }),
      };
    });
}

type State = ReadonlyMap<string, string>;

export const isAbandoned = (state: State): boolean => /^abandoned\b/.test(state.get('begun') ?? '');

const claimedAt = (state: State): number | undefined => {
  const text = state.get('claimed')?.trim() ?? '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
};

/** The tasks of an array, which are written down before it is submitted. */
export function tasksOf(state: State): Pick<JobRef, 'tasks'> {
  const tasks = readTasks(state.get('array') ?? '');
  return tasks.length === 0 ? {} : { tasks };
}

/** The job that has begun is the job, whatever sbatch or a wrapper around it has said. */
function jobOf(state: State, name: string): AttemptFolder['job'] {
  if (isAbandoned(state)) return undefined;
  const submitted = submittedJob(state.get('submitted'));
  const [, id, at] = /^job=(\S+) restart=\S* at=(\d+)/.exec(state.get('begun') ?? '') ?? [];
  const job =
    id === undefined || id === submitted?.id
      ? submitted
      : { id: asJobId(id), submittedAt: claimedAt(state) ?? Number(at), name };
  return job === undefined ? undefined : { ...job, ...tasksOf(state) };
}

function submittedJob(text: string | undefined): AttemptFolder['job'] {
  const fact = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text ?? '')?.[1];
  const [id, at, name] = [fact('id'), fact('at'), fact('name')];
  if (id === undefined || id === '' || at === undefined || name === undefined || fact('version') !== '1')
    return undefined;
  return { id: asJobId(id), submittedAt: Number(at), name };
}

interface Frame {
  readonly verb: string;
  readonly rest: string;
  readonly body: string;
}

function frames(text: string, token: string): Frame[] {
  const marks = [...text.matchAll(new RegExp(`^${token} (\\S+)(?: (.*))?\\n`, 'gm'))];
  return marks.map((mark, index) => {
    const body = text.slice(mark.index + mark[0].length, marks[index + 1]?.index ?? text.length);
    // Each mark is on a line of its own, so one line feed before it is ours.
    return { verb: mark[1] ?? '', rest: mark[2] ?? '', body: body.replace(/\n$/, '') };
  });
}

/** Reads the watching loop's output as it comes; a frame counts once the next mark is there. */
export function stateFrames(token: string): (chunk: Buffer) => readonly WatchEvent[] {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  return (chunk) => {
    pending += decoder.write(chunk);
    const last = pending.lastIndexOf(`\n${token} `);
    if (last < 0 || pending.indexOf('\n', last + 1) < 0) return [];
    // The last mark ends what is before it; it stays, as the beginning of what follows.
    const complete = pending.slice(0, last + 1);
    pending = pending.slice(last + 1);
    return frames(complete, token).flatMap(({ verb, rest, body }): WatchEvent[] => {
      if (verb === 'log') {
        const [until = 0, left = 0] = rest.split(' ').map(Number);
        return [{ kind: 'log', text: body, until, left }];
      }
      const name = verb === 'file' ? /^state\/(.+)$/.exec(rest)?.[1] : undefined;
      return name === undefined ? [] : [{ kind: 'state', name, text: body }];
    });
  };
}

/** Undefined where the output broke off. */
export function parseCollected(bytes: Buffer, token: string): Collected | undefined {
  const files = new Map<string, Uint8Array>();
  const left: { path: string; size: number }[] = [];
  let log = '';
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(10, at);
    if (newline < 0) return undefined;
    const [, verb, digits, path = ''] =
      new RegExp(`^${token} (file|left|log|end) (\\d+) (.+)$`).exec(bytes.toString('utf8', at, newline)) ?? [];
    if (verb === undefined) return undefined;
    if (verb === 'end') return { files, log, left };
    at = newline + 1;
    const size = Number(digits);
    if (verb === 'left') {
      left.push({ path, size });
      continue;
    }
    const content = bytes.subarray(at, at + size);
    if (content.length < size) return undefined;
    if (verb === 'log') log = content.toString('utf8');
    else files.set(path, new Uint8Array(content));
    at += size + 1;
  }
  return undefined;
}
