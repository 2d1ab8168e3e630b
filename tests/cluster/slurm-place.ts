import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../../lib/cluster/host.ts';
import { openLocalHost } from '../../lib/cluster/local-host.ts';
import { type SlurmScheduler, slurmScheduler } from '../../lib/cluster/slurm-scheduler.ts';
import type { SlurmSite } from '../../lib/cluster/slurm-script.ts';
import { openSsh2Host } from '../../lib/cluster/ssh2-host.ts';
import { type SlurmCluster, type SlurmClusterOptions, slurmCluster } from '../rig/slurm.ts';
import { type Sshd, type SshdOptions, startSshd } from '../rig/sshd.ts';
import type { SchedulerPlace } from './scheduler-contract.ts';

export interface SlurmPlace extends SchedulerPlace {
  readonly scheduler: SlurmScheduler;
  readonly slurm: SlurmCluster;
  /** Only where it is reached over SSH. */
  readonly sshd: Sshd | undefined;
}

export interface SlurmPlaceOptions {
  readonly slurm?: SlurmClusterOptions;
  /** Over SSH to this server; else this machine is the login node. */
  readonly sshd?: SshdOptions;
  readonly site?: SlurmSite;
  /** More variables of the login node's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A part of the work folder's name. */
  readonly workdir?: string;
}

/** A Slurm of its own, with the way to it and a folder for its jobs. */
export async function slurmPlace(options: SlurmPlaceOptions = {}): Promise<SlurmPlace> {
  const closers: (() => Promise<unknown>)[] = [];
  const dispose = async () => {
    for (const close of closers.reverse()) await close();
  };
  try {
    const slurm = await slurmCluster(options.slurm);
    closers.push(async () => slurm[Symbol.asyncDispose]());
    const workdir = await mkdtemp(join(tmpdir(), `mlops-${options.workdir ?? 'work'}-`));
    closers.push(() => rm(workdir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
    const sshd = options.sshd === undefined ? undefined : await loginNode(options.sshd, slurm);
    if (sshd !== undefined) closers.push(async () => sshd[Symbol.asyncDispose]());
    if (options.sshd?.account !== undefined) await slurm.run('chown', sshd?.user ?? '', workdir);
    const host =
      sshd === undefined ? openLocalHost({ ...process.env, ...slurm.env, ...options.env }) : await connect(sshd);
    closers.push(() => host.close());
    const scheduler = slurmScheduler(host, options.site);
    return { host, scheduler, workdir, slurm, sshd, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** SLURM_CONF is what a site's login shell would set. */
const loginNode = (options: SshdOptions, { env }: SlurmCluster): Promise<Sshd> =>
  startSshd({ ...options, config: [`SetEnv SLURM_CONF=${env.SLURM_CONF}`, ...(options.config ?? [])] });

export async function connect(sshd: Sshd): Promise<Host> {
  const opened = await openSsh2Host(sshd.destination, { env: sshd.env });
  if (!opened.ok) throw new Error(`${JSON.stringify(opened.error)}\n${await sshd.log()}`);
  return opened.value;
}
