import { randomBytes } from 'node:crypto';
import { asJobId, type Fingerprint } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { ExecOutput, Host, HostError } from './host.ts';
import { jobName } from './job-name.ts';
import { parseCollected, parseLook, tasksOf } from './run-frames.ts';
import { newestNotebook, readLog } from './run-read.ts';
import {
  abandonScript,
  adoptScript,
  collectScript,
  lookScript,
  prepareScript,
  submitScript,
  writeScript,
} from './run-scripts.ts';
import type {
  AttemptFolder,
  Collected,
  RunStore,
  RunStoreError,
  Settled,
  SettleError,
  SubmitAttempt,
  SubmitError,
  Submitted,
} from './run-types.ts';
import { watchRun } from './run-watch.ts';
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
/** Several signs of life missed, on a network file system that may be slow to show them. */
const patienceSeconds = 30;

export function openRunStore({ host, scheduler, workdir, group }: RunStoreOptions): RunStore {
  const umask = group === true ? '007' : '077';
  const runFolder = (fingerprint: Fingerprint) => `${workdir}/runs/${fingerprint}`;
  const folder = (fingerprint: Fingerprint, attempt: number) => `${runFolder(fingerprint)}/${attempt}`;
  const taskFolder = (fingerprint: Fingerprint, attempt: number, task: number | undefined) =>
    `${folder(fingerprint, attempt)}${task === undefined ? '' : `/tasks/${task}`}`;

  const look = async (fingerprint: Fingerprint): Promise<Result<readonly AttemptFolder[], RunStoreError>> => {
    const mark = token();
    const done = await run(runFolder(fingerprint), lookScript(runFolder(fingerprint), mark));
    return done.ok ? ok(parseLook(done.value.stdout, mark, (attempt) => jobName(fingerprint, attempt))) : done;
  };
  const abandon = async (fingerprint: Fingerprint, attempt: number) => {
    const path = folder(fingerprint, attempt);
    const mark = token();
    const done = await host.exec(abandonScript(path, umask, mark), { timeoutSeconds: 120 });
    if (!done.ok) return err({ reason: 'host', cause: done.error } as const);
    const { code, stdout, stderr } = done.value;
    // Its submission was refused in between, and the folder is gone.
    if (code === 71) return ok('abandoned' as const);
    if (code !== 0) return err({ reason: 'folder', path, detail: stderr.trim() } as const);
    return ok(stdout.includes(`${mark} abandoned`) ? ('abandoned' as const) : ('begun' as const));
  };
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

    look,

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
      const parts = [...files].flatMap(([path, { content, mode = 0o644 }]) => {
        const bytes = Buffer.from(content);
        const header = tarHeader({ kind: 'file', name: Buffer.from(path), size: bytes.length, mode });
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

    abandon,

    async settle(fingerprint, attempt): Promise<Result<Settled, SettleError>> {
      for (let again = false; ; again = true) {
        const looked = await look(fingerprint);
        if (!looked.ok) return looked;
        const seen = looked.value.find((it) => it.attempt === attempt);
        if (seen === undefined || seen.abandoned) return ok({ kind: 'gone' });
        if (seen.job !== undefined) return ok({ kind: 'job', job: seen.job });
        const path = folder(fingerprint, attempt);
        if (again)
          return err({ reason: 'folder', path, detail: `state/begun names no job: ${seen.state.get('begun')}` });
        const found = await scheduler.find(jobName(fingerprint, attempt));
        if (!found.ok) return found;
        const [job] = [...found.value].sort((a, b) => a.submittedAt - b.submittedAt || Number(a.id) - Number(b.id));
        if (job !== undefined) {
          const adopted = await quiet(path, adoptScript(path, job.id, job.submittedAt, job.name));
          return adopted.ok ? ok({ kind: 'job', job: { ...job, ...tasksOf(seen.state) } }) : adopted;
        }
        const { silentSeconds } = seen;
        if (silentSeconds < patienceSeconds) return ok({ kind: 'pending', silentSeconds });
        const given = await abandon(fingerprint, attempt);
        if (!given.ok) return given;
        if (given.value === 'abandoned') return ok({ kind: 'gone' });
        // A job began between the look and now, and the next look shows it.
      }
    },

    watch: (fingerprint, attempt, signal, options = {}) =>
      watchRun(host, taskFolder(fingerprint, attempt, options.task), signal, options),

    readLog: (fingerprint, attempt, task, give, signal) =>
      readLog(host, taskFolder(fingerprint, attempt, task), give, signal),
    newestNotebook: (fingerprint, attempt, signal) => newestNotebook(host, folder(fingerprint, attempt), signal),

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

const buildJob = (name: string, at: string, seconds: number) => ({
  name: `${name}.build`,
  script: `${at}/build.sh`,
  cwd: at,
  log: `${at}/build.log`,
  seconds,
});

async function submit(place: SubmitPlace, request: SubmitAttempt): Promise<Result<Submitted, SubmitError>> {
  const { host, scheduler, umask, run, name, at } = place;
  const { array } = request;
  const mark = token();
  const script = submitScript({
    run,
    incoming: request.incoming,
    attempt: request.attempt,
    name,
    umask,
    token: mark,
    ...(array === undefined ? {} : { array }),
    submit: scheduler.submitScript({
      name,
      script: `${at}/job.sh`,
      cwd: at,
      log: `${at}/log`,
      seconds: request.seconds,
      ...(request.mem === undefined ? {} : { mem: request.mem }),
      ...(request.signalSeconds === undefined ? {} : { signalSeconds: request.signalSeconds }),
      ...(request.buildFirst === true ? { first: buildJob(name, at, request.seconds) } : {}),
      ...(array === undefined ? {} : { array }),
    }),
  });
  const done = await host.exec(script, { timeoutSeconds: submitSeconds });
  if (!done.ok) return notSubmitted(done.error, name);
  const { stdout, stderr, code } = done.value;
  const [, verb, rest = ''] = new RegExp(`^${mark} (claimed|submitted|refused)(?: (.*))?$`, 'm').exec(stdout) ?? [];
  if (verb === 'claimed') return ok({ kind: 'claimed' });
  if (verb === 'submitted') {
    const [time = '', id = ''] = rest.split(' ');
    return ok({
      kind: 'submitted',
      attempt: request.attempt,
      job: {
        id: asJobId(id),
        name,
        submittedAt: Number(time),
        ...(array === undefined ? {} : { tasks: array.tasks }),
      },
    });
  }
  if (verb === undefined && code === 70) return err({ reason: 'folder', path: at, detail: stderr.trim() });
  // The script was killed.
  if (verb === undefined) return err({ reason: 'ambiguous', name, detail: `${stderr} (exit status ${code})`.trim() });
  const words = stdout.slice(stdout.indexOf(mark) + `${mark} refused ${rest}\n`.length).trim();
  // EX_TEMPFAIL is the scheduler's gate saying that the job may exist (slurm-submit.ts).
  if (Number(rest) === 75) return err({ reason: 'ambiguous', name, detail: words });
  return err({ reason: 'refused', scheduler: scheduler.kind, code: Number(rest), stderr: words });
}

/** The script may have run where the connection broke off; where none could be opened it has not. */
function notSubmitted(cause: HostError, name: string): Result<Submitted, SubmitError> {
  if (cause.reason !== 'lost' && cause.reason !== 'timeout' && cause.reason !== 'aborted') {
    return err({ reason: 'host', cause });
  }
  return err({ reason: 'ambiguous', name, detail: 'detail' in cause ? cause.detail : cause.reason });
}
