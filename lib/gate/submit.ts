import { asSha256, type Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { shellQuote } from '../base/shell-quote.ts';
import type { StoreError } from '../cluster/content-store.ts';
import type { ArrayAttempt, Submitted } from '../cluster/run-store.ts';
import { buildJobOf } from '../job/build-job.ts';
import type { Repeated } from '../job/types.ts';
import type { GateContext } from './context.ts';
import type { Identified } from './identify.ts';
import { bytesOf, type Looked, layOut, lookFor, partsOf, wholeIn } from './lay-out.ts';
import type { GateError } from './outcome.ts';
import type { Connection } from './place.ts';
import type { Prepared } from './prepare.ts';
import { environmentLabel } from './summarise-inputs.ts';

interface SubmitTo {
  readonly attempt: number;
  /** Where the tasks are an array: those whose results stand, in an attempt before this one. */
  readonly taken?: ArrayAttempt['taken'];
  /** Called right before: from here on there may be a job. */
  readonly onSubmit: () => void;
}

/** Sends what the place lacks, lays the attempt's folder out and submits it, if nobody else has claimed that attempt. */
export async function submitAttempt(
  context: GateContext,
  connection: Connection,
  place: string,
  identified: Identified,
  prepared: Prepared,
  { attempt, taken, onSubmit }: SubmitTo,
): Promise<Result<Submitted, GateError>> {
  const { runs } = connection;
  const { fingerprint } = identified;
  const { plan } = prepared;
  const looked = await lookFor(context, connection, prepared);
  if (!looked.ok) return err({ reason: 'store', cause: looked.error, place });
  const { wanted } = looked.value;
  const unavailable = dataNotHere(identified, prepared, wanted);
  if (unavailable !== undefined) return err(unavailable);
  const ready = await environmentReady(connection, plan.environmentKey);
  if (!ready.ok) return ready;
  context.emit({
    event: 'planned',
    fingerprint,
    commit: identified.commit,
    place,
    environment: { label: environmentLabel(identified.config.environment), ready: ready.value },
    files: wanted.size,
    bytes: bytesOf(prepared, wanted),
    steps: plan.steps.length,
  });
  const incoming = await runs.prepare(fingerprint);
  if (!incoming.ok) return err({ reason: 'runs', cause: incoming.error, place });
  const submitted = await fillAndSubmit(context, connection, place, identified, prepared, {
    attempt,
    ...(taken === undefined ? {} : { taken }),
    onSubmit,
    looked: looked.value,
    ready: ready.value,
    incoming: incoming.value,
  });
  if (!submitted.ok || submitted.value.kind === 'claimed') await runs.discard(incoming.value);
  return submitted;
}

async function fillAndSubmit(
  context: GateContext,
  connection: Connection,
  place: string,
  { fingerprint, config }: Identified,
  prepared: Prepared,
  to: SubmitTo & { readonly looked: Looked; readonly incoming: string; readonly ready: boolean },
): Promise<Result<Submitted, GateError>> {
  const { runs } = connection;
  const { plan, script, buildScript } = prepared;
  const parts = (plan.repeated?.array === undefined ? wholeIn : partsOf)(to.incoming);
  const laid = await layOut(context, connection, prepared, to.looked, parts);
  if (!laid.ok) return err({ reason: 'store', cause: laid.error, place, ...filesOf(prepared, laid.error) });
  const files = new Map<string, { readonly content: string; readonly mode?: number }>([
    ['job.sh', { content: script }],
  ]);
  for (const [path, file] of plan.inputs) files.set(`in/${path}`, file);
  // What is built already needs no job; its folder says so, and the run's job looks once more.
  const byJob = buildJobOf(config) !== undefined;
  const buildFirst = byJob && !to.ready && buildScript !== undefined;
  if (buildFirst) files.set('build.sh', { content: buildScript });
  if (laid.value !== '') files.set('in/trees', { content: laid.value });
  const written = await runs.writeFiles(to.incoming, files);
  if (!written.ok) return err({ reason: 'runs', cause: written.error, place });
  if (!byJob) {
    const built = await buildOnLogin(context, connection, place, prepared, to.incoming);
    if (!built.ok) return built;
  }
  // The last moment at which letting go leaves no job behind.
  if (context.signal.aborted) return err({ reason: 'aborted' });
  to.onSubmit();
  const submitted = await runs.submit({
    fingerprint,
    incoming: to.incoming,
    attempt: to.attempt,
    seconds: plan.seconds,
    ...(plan.mem === undefined ? {} : { mem: plan.mem }),
    ...(plan.signalSeconds === undefined ? {} : { signalSeconds: plan.signalSeconds }),
    buildFirst,
    ...(plan.repeated?.array === undefined ? {} : { array: arrayOf(plan.repeated, plan.repeated.array, to.taken) }),
  });
  return submitted.ok ? submitted : err({ reason: 'submit', cause: submitted.error, place });
}

function arrayOf(
  { tasks }: Repeated,
  array: NonNullable<Repeated['array']>,
  taken: ArrayAttempt['taken'],
): ArrayAttempt {
  const all = tasks.map(({ index }) => index);
  if (taken === undefined) return { ...array, tasks: all };
  return { ...array, tasks: all.filter((task) => !taken.tasks.includes(task)), taken };
}

/** The store knows contents only; people know files. */
function filesOf({ tree }: Prepared, error: StoreError): { readonly files?: readonly string[] } {
  const contents =
    error.reason === 'source-changed' ? error.sha256s : error.reason === 'source-unreadable' ? [error.sha256] : [];
  const wanted = new Set(contents);
  const files = tree.flatMap((entry) =>
    entry.kind === 'file' && wanted.has(entry.sha256) ? [Buffer.from(entry.path).toString()] : [],
  );
  return files.length === 0 ? {} : { files };
}

/** Recorded data that is neither here nor there: changed meanwhile, or never in this clone. */
function dataNotHere(
  { commit, record }: Identified,
  { absent, difference }: Prepared,
  wanted: ReadonlySet<Sha256>,
): GateError | undefined {
  const files = absent.filter(({ sha256 }) => wanted.has(asSha256(sha256)));
  if (files.length === 0) return undefined;
  const who = { recordedAt: record?.recordedAt ?? '', recordedBy: record?.recordedBy ?? '' };
  if (difference === undefined || difference.changed.length + difference.missing.length + difference.added.length === 0)
    return { reason: 'data-absent', commit, ...who, files };
  return { reason: 'data-changed', commit, ...who, difference };
}

/** `build_on: login`: compute nodes may have no internet. The script waits for another builder, and believes what is there. */
export async function buildOnLogin(
  context: GateContext,
  { host }: Connection,
  place: string,
  { buildScript }: Pick<Prepared, 'buildScript'>,
  folder: string,
): Promise<Result<void, GateError>> {
  if (buildScript === undefined) return ok(undefined);
  const started = await host.spawn(`cd ${shellQuote(folder)} || exit 1\n${buildScript}`, { signal: context.signal });
  if (!started.ok) return err({ reason: 'place', cause: { reason: 'host', cause: started.error } });
  const { stdin, stdout, exit } = started.value;
  stdin.end();
  let said = '';
  stdout.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-keptWords);
    const line = text.split('\n').findLast((one) => one.startsWith('mlops: '));
    if (line !== undefined) context.emit({ event: 'building', line: line.slice('mlops: '.length) });
  });
  const ended = await exit;
  if (!ended.ok) return err({ reason: 'place', cause: { reason: 'host', cause: ended.error } });
  if (ended.value.code === 0) return ok(undefined);
  return err({ reason: 'build', place, detail: `${said}${ended.value.stderr}`.trim() });
}

/** Enough of the installers' words to see what they could not do. */
const keptWords = 16 * 1024;

export async function environmentReady(
  { host, workdir }: Connection,
  key: string | undefined,
): Promise<Result<boolean, GateError>> {
  if (key === undefined) return ok(true);
  const asked = await host.exec(`[ -f ${shellQuote(`${workdir}/envs/${key}/complete`)} ]`);
  if (!asked.ok) return err({ reason: 'place', cause: { reason: 'host', cause: asked.error } });
  return ok(asked.value.code === 0);
}
