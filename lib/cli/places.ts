import { join } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import { openStore } from '../cluster/content-store.ts';
import type { Host, HostError } from '../cluster/host.ts';
import { openLocalHost } from '../cluster/local-host.ts';
import { processScheduler } from '../cluster/process-scheduler.ts';
import { openRunStore } from '../cluster/run-store.ts';
import type { Scheduler } from '../cluster/scheduler.ts';
import { slurmScheduler } from '../cluster/slurm-scheduler.ts';
import { expandWorkdir } from '../cluster/workdir.ts';
import type { Cluster, Config } from '../config/types.ts';
import type { Connection, Place, PlaceError } from '../gate/place.ts';
import type { App } from './app.ts';
import { workdirWords } from './screens/host-trouble.ts';

type PlaceApp = Pick<App, 'env' | 'home' | 'node' | 'ask' | 'hasTerminal' | 'now'>;

/** The one place where it is decided what is real: a login node over SSH, this machine as one, or processes of this machine. */
export const placeFor =
  (app: PlaceApp) =>
  ({ cluster }: Config): Place => {
    const name = cluster?.host ?? 'this machine';
    return {
      name,
      async connect(signal) {
        const host = await openHost(app, cluster, signal);
        if (!host.ok) return err({ reason: 'host', cause: host.error });
        const connected = await connect(app, cluster, host.value, signal);
        if (!connected.ok) await host.value.close();
        return connected;
      },
    };
  };

/** The machine alone, before anything is made on it. */
export async function openHost(
  app: PlaceApp,
  cluster: Cluster | undefined,
  signal: AbortSignal,
): Promise<Result<Host, HostError>> {
  if (cluster?.host === undefined) return ok(openLocalHost(app.env));
  const { openRemoteHost } = await import('../cluster/open-remote.ts');
  return openRemoteHost(cluster.host, {
    env: app.env,
    signal,
    transport: cluster.transport,
    requireMaster: cluster.requireMaster,
    sshConfigFile: app.env.MLOPS_SSH_CONFIG,
    prompt: app.hasTerminal() ? app.ask : undefined,
  });
}

async function connect(
  app: PlaceApp,
  cluster: Cluster | undefined,
  host: Host,
  signal: AbortSignal,
): Promise<Result<Connection, PlaceError>> {
  const written = cluster?.workdir ?? cacheFolder(app.env);
  const group = cluster?.group === undefined ? {} : { group: cluster.group };
  const expanded = await expandWorkdir(host, written, { ...group, signal });
  if (!expanded.ok) {
    const { error } = expanded;
    if (error.reason === 'host') return err(error);
    if (error.reason === 'not-in-group') return err({ ...error, host: host.name });
    return err({ reason: 'workdir', workdir: written, host: host.name, detail: workdirWords(error) });
  }
  const workdir = expanded.value;
  const scheduler = openScheduler(app, cluster, host, workdir);
  const shared = { group: cluster?.group !== undefined };
  return ok({
    host,
    scheduler,
    workdir,
    runs: openRunStore({ host, scheduler, workdir, ...shared }),
    store: openStore(host, workdir, shared),
    close: () => host.close(),
  });
}

export function openScheduler(app: PlaceApp, cluster: Cluster | undefined, host: Host, workdir: string): Scheduler {
  if (cluster !== undefined) {
    const { clusters } = cluster.slurm;
    return slurmScheduler(host, typeof clusters === 'string' ? { clusters } : {});
  }
  const supervisor = [app.node, join(app.home, 'dist', 'supervisor.js')];
  return processScheduler({ workdir, supervisor, now: () => Math.floor(app.now().getTime() / 1000) });
}

/** XDG Base Directory: a relative XDG_CACHE_HOME counts as unset. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const { XDG_CACHE_HOME: cache } = env;
  return cache?.startsWith('/') ? join(cache, 'mlops') : '~/.cache/mlops';
}
