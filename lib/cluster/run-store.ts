import { randomBytes } from 'node:crypto';
import { asJobId, type Fingerprint } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { ExecOutput, Host } from './host.ts';
import { parseCollected, parseLook, stateFrames } from './run-frames.ts';
import {
  adoptScript,
  collectScript,
  lookScript,
  prepareScript,
  submitScript,
  watchScript,
  writeScript,
} from './run-scripts.ts';
import type {
  Collected,
  RunStore,
  RunStoreError,
  SubmitAttempt,
  SubmitError,
  Submitted,
  WatchEvent,
} from './run-types.ts';
import type { Scheduler } from './scheduler.ts';
import { tarEnd, tarHeader, tarPadding } from './tar-writer.ts';

export type * from './run-types.ts';

export interface RunStoreOptions {
  readonly host: Host;
  readonly scheduler: Scheduler;
  /** Absolute, on the host; it exists. */
  readonly workdir: string;
  readonly group?: boolean;
}

const token = (): string => `mlops-${randomBytes(12).toString('hex')}`;
const largestResult = 8 * 1024 * 1024;
/** sbatch itself waits for a busy slurmctld, in the end for minutes. */
const submitSeconds = 300;

export function openRunStore({ host, scheduler, workdir, group }: RunStoreOptions): RunStore {
  const umask = group === true ? '007' : '077';
  const runFolder = (fingerprint: Fingerprint) => `${workdir}/runs/${fingerprint}`;
  const folder = (fingerprint: Fingerprint, attempt: number) => `${runFolder(fingerprint)}/${attempt}`;
  const jobName = (fingerprint: Fingerprint, attempt: number) => `mlops-${fingerprint.slice(0, 16)}.${attempt}`;

  const run = async (path: string, script: string, stdin?: Uint8Array): Promise<Result<ExecOutput, RunStoreError>> => {
    const done = await host.exec(script, { timeoutSeconds: 120, ...(stdin === undefined ? {} : { stdin }) });
    if (!done.ok) return err({ reason: 'host', cause: done.error });
    return done.value.code === 0 ? done : err({ reason: 'folder', path, detail: done.value.stderr.trim() });
  };
  const quiet = async (path: string, script: string, stdin?: Uint8Array): Promise<Result<void, RunStoreError>> => {
    const done = await run(path, script, stdin);
    return done.ok ? ok(undefined) : done;
  };

  return {
    folder,
    jobName,

    async look(fingerprint) {
      const mark = token();
      const done = await run(runFolder(fingerprint), lookScript(runFolder(fingerprint), mark));
      return done.ok ? ok(parseLook(done.value.stdout, mark)) : done;
    },

    async prepare(fingerprint) {
      const incoming = `${runFolder(fingerprint)}/.incoming-${randomBytes(8).toString('hex')}`;
      const done = await quiet(incoming, prepareScript(runFolder(fingerprint), incoming, umask));
      return done.ok ? ok(incoming) : done;
    },

    async discard(incoming) {
      // What cannot be removed now is an `.incoming-` folder that nothing refers to.
      await host.exec(`rm -rf '${incoming.replaceAll("'", `'\\''`)}'`);
    },

    writeFiles(target, files) {
      const parts = [...files].flatMap(([path, { content }]) => {
        const bytes = Buffer.from(content);
        const header = tarHeader({ kind: 'file', name: Buffer.from(path), size: bytes.length });
        return [header, bytes, tarPadding(bytes.length)];
      });
      return quiet(target, writeScript(target, umask), Buffer.concat([...parts, tarEnd()]));
    },

    submit: (request) =>
      submit(
        {
          host,
          scheduler,
          umask,
          run: runFolder(request.fingerprint),
          name: jobName(request.fingerprint, request.attempt),
          at: folder(request.fingerprint, request.attempt),
        },
        request,
      ),

    adopt(fingerprint, attempt, job) {
      const path = folder(fingerprint, attempt);
      return quiet(path, adoptScript(path, job.id, job.submittedAt, job.name));
    },

    watch: (fingerprint, attempt, signal) => watch(host, folder(fingerprint, attempt), signal),

    async collect(fingerprint, attempt): Promise<Result<Collected, RunStoreError>> {
      const path = folder(fingerprint, attempt);
      const mark = token();
      const started = await host.spawn(collectScript(path, mark, largestResult));
      if (!started.ok) return err({ reason: 'host', cause: started.error });
      started.value.stdin.end();
      const chunks: Buffer[] = [];
      started.value.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      const read = new Promise<void>((resolve) => started.value.stdout.once('close', () => resolve()));
      const ended = await started.value.exit;
      if (!ended.ok) return err({ reason: 'host', cause: ended.error });
      await read;
      const collected = ended.value.code === 0 ? parseCollected(Buffer.concat(chunks), mark) : undefined;
      return collected === undefined
        ? err({ reason: 'folder', path, detail: ended.value.stderr.trim() || 'its files could not be read whole' })
        : ok(collected);
    },
  };
}

interface SubmitPlace {
  readonly host: Host;
  readonly scheduler: Scheduler;
  readonly umask: string;
  readonly run: string;
  readonly name: string;
  /** The attempt's folder. */
  readonly at: string;
}

async function submit(place: SubmitPlace, request: SubmitAttempt): Promise<Result<Submitted, SubmitError>> {
  const { host, scheduler, umask, run, name, at } = place;
  const mark = token();
  const script = submitScript({
    run,
    incoming: request.incoming,
    attempt: request.attempt,
    name,
    umask,
    token: mark,
    submit: scheduler.submitScript({
      name,
      script: `${at}/job.sh`,
      cwd: at,
      log: `${at}/log`,
      seconds: request.seconds,
      ...(request.mem === undefined ? {} : { mem: request.mem }),
    }),
  });
  const done = await host.exec(script, { timeoutSeconds: submitSeconds });
  if (!done.ok) return err({ reason: 'ambiguous', name, detail: done.error.reason });
  const { stdout, stderr, code } = done.value;
  const [, verb, rest = ''] = new RegExp(`^${mark} (claimed|submitted|refused)(?: (.*))?$`, 'm').exec(stdout) ?? [];
  if (verb === 'claimed') return ok({ kind: 'claimed' });
  if (verb === 'submitted') {
    const [time = '', id = ''] = rest.split(' ');
    return ok({
      kind: 'submitted',
      attempt: request.attempt,
      job: { id: asJobId(id), name, submittedAt: Number(time) },
    });
  }
  if (verb !== 'refused') return err({ reason: 'folder', path: at, detail: `${stderr.trim()} (exit status ${code})` });
  const words = stdout.slice(stdout.indexOf(mark) + `${mark} refused ${rest}\n`.length).trim();
  // EX_TEMPFAIL is the scheduler's gate saying that the job may exist (slurm-submit.ts).
  if (Number(rest) === 75) return err({ reason: 'ambiguous', name, detail: words });
  return err({ reason: 'refused', scheduler: scheduler.kind, code: Number(rest), stderr: words });
}

async function* watch(host: Host, folder: string, signal: AbortSignal): AsyncGenerator<WatchEvent, void> {
  const mark = token();
  const started = await host.spawn(watchScript(folder, mark, 0), { signal });
  if (!started.ok) {
    if (started.error.reason !== 'aborted') yield { kind: 'lost', error: started.error };
    return;
  }
  started.value.stdin.end();
  const known = new Map<string, string>();
  const frames = stateFrames(mark);
  try {
    for await (const chunk of started.value.stdout) {
      for (const event of frames(chunk as Buffer)) {
        if (event.kind === 'state' && known.get(event.name) === event.text) continue;
        if (event.kind === 'state') known.set(event.name, event.text);
        yield event;
      }
    }
  } catch (error) {
    // A torn stream: the exit says what happened to the connection.
    if (!(error instanceof Error)) throw error;
  } finally {
    started.value.kill();
  }
  const ended = await started.value.exit;
  if (!ended.ok && ended.error.reason !== 'aborted') yield { kind: 'lost', error: ended.error };
}
