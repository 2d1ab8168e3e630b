import { err, ok, type Result } from '../base/result.ts';
import { shellQuote } from '../base/shell-quote.ts';
import type { QueryError } from '../cluster/scheduler.ts';
import type { Config, Step } from '../config/types.ts';
import type { GateContext } from '../gate/context.ts';
import type { Identified } from '../gate/identify.ts';
import type { GateError } from '../gate/outcome.ts';
import type { Connection } from '../gate/place.ts';
import { planCommit } from '../gate/prepare.ts';
import { renderShell } from '../job/render.ts';
import { srunOptions } from '../job/srun-options.ts';

export interface ShellPlan {
  readonly attempt: number;
  /** The attempt's folder, on the host. */
  readonly folder: string;
  /** Started on the host, with a terminal. */
  readonly command: string;
  readonly slurm: boolean;
  readonly steps: readonly Step[];
  /** Names of `secrets:`: the shell has none. */
  readonly secrets: readonly string[];
}
export type EnvShellError =
  | GateError
  /** Somebody in its folder would disturb it. */
  | { readonly reason: 'run-goes-on'; readonly job: string }
  /** `tasks`: how many the run has; the one that was asked for is none of them. */
  | { readonly reason: 'no-such-task'; readonly tasks: number }
  | { readonly reason: 'tree-gone'; readonly folder: string };

/**
 * `mlops env shell`: where the newest attempt of a commit's run ran, in its environment, on a node of its kind: the way to debug a red
 * run. Lays everything ready and gives what is to be started.
 */
export async function envShell(
  context: GateContext,
  connection: Connection,
  place: string,
  identified: Identified,
  task: number | undefined,
): Promise<Result<ShellPlan, EnvShellError>> {
  const { runs, scheduler } = connection;
  const { commit, config, fingerprint } = identified;
  const planned = await planCommit(context, identified, { secrets: 'none', build: 'if-before' });
  if (!planned.ok) return planned;
  const { plan, templates } = planned.value;
  const tasks = plan.repeated?.tasks.length ?? 0;
  if (task !== undefined && (task < 1 || task > tasks)) return err({ reason: 'no-such-task', tasks });
  const script = await renderShell(plan.view, templates);
  if (!script.ok) return err({ reason: 'render', cause: script.error });
  const looked = await runs.look(fingerprint);
  if (!looked.ok) return err({ reason: 'runs', cause: looked.error, place });
  const last = looked.value.findLast(({ abandoned }) => !abandoned);
  if (last === undefined) return err({ reason: 'no-run', commit, fingerprint });
  if (!last.finished) {
    const live = last.job === undefined ? ok(true) : await isLive(scheduler, last.job);
    if (!live.ok) return err({ reason: 'query', cause: live.error, place });
    if (live.value) return err({ reason: 'run-goes-on', job: last.job?.id ?? '' });
  }
  const folder = runs.folder(fingerprint, last.attempt);
  const slurm = scheduler.kind === 'slurm';
  const files = new Map([
    ['shell.sh', { content: script.value }],
    ['shell-start.sh', { content: startScript(folder, slurm ? srun(config, plan.name) : '') }],
  ]);
  const tree = `${folder}${task === undefined ? '' : `/tasks/${task}`}/tree`;
  // What a login shell sets, a command over ssh may lack: the site's PATH to Slurm.
  const kept = await connection.host.exec(
    `[ -d ${shellQuote(tree)} ] || exit 66; umask 077; export -p >${shellQuote(`${folder}/shell.env`)}`,
  );
  if (!kept.ok) return err({ reason: 'place', cause: { reason: 'host', cause: kept.error } });
  // An array has no tree but those of its tasks.
  if (kept.value.code === 66 && task === undefined && last.job?.tasks !== undefined)
    return err({ reason: 'no-such-task', tasks });
  if (kept.value.code === 66) return err({ reason: 'tree-gone', folder: tree });
  const written = await runs.writeFiles(folder, files);
  if (!written.ok) return err({ reason: 'runs', cause: written.error, place });
  return ok({
    attempt: last.attempt,
    folder,
    command: `sh ${shellQuote(`${folder}/shell-start.sh`)}${task === undefined ? '' : ` ${task}`}`,
    slurm,
    steps: config.steps,
    secrets: config.secrets,
  });
}

const srun = (config: Config, name: string): string =>
  ['srun', '--pty', ...srunOptions(config, `${name}.shell`), ''].join(' ');

/** The terminal is the caller's, all else is as the scripts of a run find it. */
const startScript = (folder: string, prefix: string): string => `term=\${TERM-}
cd ${shellQuote(folder)} || exit 1
[ ! -r ./shell.env ] || . ./shell.env
cd ${shellQuote(folder)} || exit 1
TERM=\${term:-dumb}
export TERM
exec ${prefix}sh ./shell.sh "$@"
`;

async function isLive(
  scheduler: Connection['scheduler'],
  job: Parameters<Connection['scheduler']['query']>[0][number],
): Promise<Result<boolean, QueryError>> {
  const asked = await scheduler.query([job]);
  if (!asked.ok) return asked;
  const state = asked.value.get(job.id)?.state ?? 'absent';
  return ok(state === 'queued' || state === 'running' || state === 'unknown');
}
