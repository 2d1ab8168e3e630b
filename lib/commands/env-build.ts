import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { err, ok, type Result } from '../base/result.ts';
import { shellQuote } from '../base/shell-quote.ts';
import type { GateContext } from '../gate/context.ts';
import type { Identified } from '../gate/identify.ts';
import { layOut, lookFor, wholeIn } from '../gate/lay-out.ts';
import type { GateError } from '../gate/outcome.ts';
import type { Connection } from '../gate/place.ts';
import { type Prepared, prepare } from '../gate/prepare.ts';
import { buildOnLogin, environmentReady } from '../gate/submit.ts';
import { buildRequest } from '../job/build-job.ts';
import { isInTree } from '../job/environment-view.ts';
import { runSmallJob, type SmallJobError } from './small-job.ts';

export interface BuiltEnvironment {
  readonly key: string;
  /** It was there before, and was only looked at. */
  readonly wasThere: boolean;
  /** The job that built it. */
  readonly job?: string;
}
export type EnvBuildError =
  | GateError
  | SmallJobError
  /** `none` and `prefix` are used as they are. */
  | { readonly reason: 'nothing-to-build'; readonly kind: string }
  | { readonly reason: 'not-built'; readonly key: string; readonly place: string; readonly detail: string };

/**
 * `mlops env build`: the environment of a commit, made now by what would make it for a job: the same script, under the same lock, and
 * where `build_on` says. On Slurm that is a job, without the GPUs of the training.
 */
export async function envBuild(
  context: GateContext,
  connection: Connection,
  place: string,
  identified: Identified,
): Promise<Result<BuiltEnvironment, EnvBuildError>> {
  const { environment } = identified.config;
  const prepared = await prepare(context, identified, { secrets: 'none', build: 'always' });
  if (!prepared.ok) return prepared;
  const { plan, buildScript } = prepared.value;
  const key = plan.environmentKey;
  if (key === undefined || buildScript === undefined)
    return err({ reason: 'nothing-to-build', kind: environment.kind });
  const ready = await environmentReady(connection, key);
  if (!ready.ok) return ready;
  const { runs, scheduler } = connection;
  const incoming = await runs.prepare(identified.fingerprint);
  if (!incoming.ok) return err({ reason: 'runs', cause: incoming.error, place });
  try {
    const filled = await fill(context, connection, place, identified, prepared.value, buildScript, incoming.value);
    if (!filled.ok) return filled;
    const byJob = scheduler.kind === 'slurm' && 'buildOn' in environment && environment.buildOn !== 'login';
    const built = byJob
      ? await buildByJob(context, connection, identified, incoming.value)
      : await buildHere(context, connection, place, buildScript, incoming.value);
    if (!built.ok) return built;
    const { detail, job } = built.value;
    if (detail !== undefined) return err({ reason: 'not-built', key, place, detail });
    return ok({ key, wasThere: ready.value, ...(job === undefined ? {} : { job }) });
  } finally {
    await runs.discard(incoming.value);
  }
}

/** As a run's folder, without the data; an image that is data comes along. */
async function fill(
  context: GateContext,
  connection: Connection,
  place: string,
  { config: { environment } }: Identified,
  prepared: Prepared,
  buildScript: string,
  incoming: string,
): Promise<Result<void, GateError>> {
  const { plan } = prepared;
  const image = environment.kind === 'container' && isInTree(environment.image) ? environment.image : undefined;
  const data = new Set(plan.data.map(({ path }) => path));
  const isNeeded = (path: string) =>
    !data.has(path) || (image !== undefined && (path === image || path.startsWith(`${image}/`)));
  const tree = prepared.tree.filter(({ path }) => isNeeded(Buffer.from(path).toString()));
  const wanted = new Set(tree.flatMap((entry) => (entry.kind === 'file' ? [entry.sha256] : [])));
  const contents = prepared.contents.filter(({ sha256 }) => wanted.has(sha256));
  const part = { tree, contents, sources: prepared.sources };
  const looked = await lookFor(context, connection, part);
  if (!looked.ok) return err({ reason: 'store', cause: looked.error, place });
  const laid = await layOut(context, connection, part, looked.value, wholeIn(incoming));
  if (!laid.ok) return err({ reason: 'store', cause: laid.error, place });
  const inputs = ['setup.sh', 'environment.json'].flatMap((name) => {
    const file = plan.inputs.get(name);
    return file === undefined ? [] : [[`in/${name}`, file] as const];
  });
  const files = new Map<string, { readonly content: string }>([['job.sh', { content: buildScript }], ...inputs]);
  const written = await connection.runs.writeFiles(incoming, files);
  return written.ok ? written : err({ reason: 'runs', cause: written.error, place });
}

interface Attempted {
  /** Why it could not be made, in the installer's words. */
  readonly detail?: string;
  readonly job?: string;
}

async function buildHere(
  context: GateContext,
  connection: Connection,
  place: string,
  buildScript: string,
  folder: string,
): Promise<Result<Attempted, GateError>> {
  const built = await buildOnLogin(context, connection, place, { buildScript }, folder);
  if (built.ok) return ok({});
  if (context.signal.aborted) return err({ reason: 'aborted' });
  return built.error.reason === 'build' ? ok({ detail: built.error.detail }) : built;
}

async function buildByJob(
  context: GateContext,
  { host, scheduler }: Connection,
  { config }: Identified,
  folder: string,
): Promise<Result<Attempted, SmallJobError>> {
  const stop = new AbortController();
  const showing = showBuilding(context, host, folder, stop.signal);
  const ran = await runSmallJob({
    host,
    scheduler,
    ...buildRequest(config),
    name: `mlops-build-${randomBytes(6).toString('hex')}`,
    folder: `${folder}/ask`,
    script: `cd ${shellQuote(folder)} && sh job.sh >&2; echo "status $?"`,
    now: context.now,
    signal: context.signal,
    onStatus: (job, status) => context.emit({ event: 'status', status, job }),
  });
  stop.abort();
  await showing;
  if (!ran.ok) return ran;
  const { id: job, stdout, stderr } = ran.value;
  if (stdout.trim() === 'status 0') return ok({ job });
  return ok({ job, detail: `${stderr}\n${stdout}`.trim() });
}

const lookSeconds = 3;

/** Where the build is, as its own file says it. What cannot be read is only not shown. */
async function showBuilding(
  { emit }: GateContext,
  host: Connection['host'],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  let last = '';
  while (!signal.aborted) {
    const asked = await host.exec(`cat ${shellQuote(`${folder}/build/state/now`)} 2>/dev/null`);
    const line = asked.ok ? asked.value.stdout.trim() : '';
    if (line !== '' && line !== last) emit({ event: 'building', line });
    last = line;
    await sleep(lookSeconds * 1000, undefined, { signal }).catch(() => undefined);
  }
}
