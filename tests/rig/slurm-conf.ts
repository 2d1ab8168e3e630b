export interface SlurmFiles {
  readonly dir: string;
  readonly host: string;
  readonly ports: Readonly<Record<'ctld' | 'c1' | 'c2' | 'dbd' | 'sql', number | undefined>>;
  readonly accounting: boolean;
  readonly minJobAge: number;
  readonly extra: readonly string[];
}

/** The least that behaves like a site: fast scheduling, enforced memory, two nodes that are one machine. */
export const slurmConf = ({ dir, host, ports, accounting, minJobAge, extra }: SlurmFiles): string =>
  [
    'ClusterName=rig',
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${ports.ctld}`,
    'SlurmUser=root',
    'AuthType=auth/munge',
    `AuthInfo=socket=${dir}/munge/socket`,
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_Core_Memory',
    'DefMemPerCPU=500',
    'SlurmdParameters=config_overrides',
    'SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0',
    'ReturnToService=2',
    'MpiDefault=none',
    'SwitchType=switch/none',
    'KillWait=2',
    `MinJobAge=${minJobAge}`,
    `StateSaveLocation=${dir}/ctld`,
    `SlurmctldPidFile=${dir}/slurmctld.pid`,
    `SlurmctldLogFile=${dir}/log/slurmctld.log`,
    `SlurmdPidFile=${dir}/%n.pid`,
    `SlurmdSpoolDir=${dir}/%n`,
    `SlurmdLogFile=${dir}/log/%n.log`,
    'JobAcctGatherType=jobacct_gather/linux',
    'JobAcctGatherFrequency=1',
    // Without cgroups this is what notices that a job needs more memory than it asked for.
    'JobAcctGatherParams=OverMemoryKill',
    ...(accounting
      ? [
          'AccountingStorageType=accounting_storage/slurmdbd',
          'AccountingStorageHost=127.0.0.1',
          `AccountingStoragePort=${ports.dbd}`,
          `AccountingStoragePass=${dir}/munge/socket`,
        ]
      : ['AccountingStorageType=accounting_storage/none']),
    ...extra,
    ...(['c1', 'c2'] as const).map(
      (node) =>
        `NodeName=${node} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports[node]} CPUs=4 RealMemory=10000 State=UNKNOWN`,
    ),
    'PartitionName=main Nodes=c1,c2 Default=YES MaxTime=INFINITE State=UP',
    'PartitionName=short Nodes=c1,c2 MaxTime=10 State=UP',
    'PartitionName=down Nodes=c1,c2 State=DOWN',
    '',
  ].join('\n');

export const slurmdbdConf = ({ dir, host, ports }: SlurmFiles): string =>
  [
    'AuthType=auth/munge',
    `AuthInfo=socket=${dir}/munge/socket`,
    `DbdHost=${host}`,
    'DbdAddr=127.0.0.1',
    `DbdPort=${ports.dbd}`,
    'SlurmUser=root',
    `LogFile=${dir}/log/slurmdbd.log`,
    `PidFile=${dir}/slurmdbd.pid`,
    'StorageType=accounting_storage/mysql',
    'StorageHost=127.0.0.1',
    `StoragePort=${ports.sql}`,
    'StorageUser=slurm',
    'StoragePass=slurm',
    'StorageLoc=acct',
    '',
  ].join('\n');
