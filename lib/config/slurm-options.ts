/** Options that we set ourselves, and the key of the config that does it. */
export const ownOptions: Readonly<Record<string, string>> = {
  time: '`resources.time`',
  mem: '`resources.mem`',
  signal: '`resources.signal`',
  'cpus-per-task': '`resources.cpus`',
  gpus: '`resources.gpus`',
  array: '`seeds` or `matrix` of a step',
  requeue: '`retry`',
  'no-requeue': '`retry`',
  'job-name': 'the run itself: the job is found again by its name',
  output: 'the run itself: the log belongs to the attempt',
  error: 'the run itself: the log belongs to the attempt',
  'open-mode': 'the run itself: the log belongs to the attempt',
  input: 'the run itself',
  chdir: 'the run itself: every attempt has its own folder',
  wrap: '`steps`',
  export: '`env` and `secrets`',
  'export-file': '`env` and `secrets`',
  'get-user-env': '`setup`',
  parsable: 'the run itself',
  quiet: 'the run itself',
  verbose: 'the run itself',
  wait: 'the run itself',
  'test-only': 'the run itself',
  hold: 'the run itself',
  help: 'nothing: it submits no job',
  usage: 'nothing: it submits no job',
  version: 'nothing: it submits no job',
};

/** Short options as people type them, and their long names. */
export const shortOptions: Readonly<Record<string, string>> = {
  A: 'account',
  B: 'extra-node-info',
  C: 'constraint',
  D: 'chdir',
  G: 'gpus',
  J: 'job-name',
  L: 'licenses',
  M: 'clusters',
  N: 'nodes',
  S: 'core-spec',
  a: 'array',
  b: 'begin',
  c: 'cpus-per-task',
  d: 'dependency',
  e: 'error',
  i: 'input',
  m: 'distribution',
  n: 'ntasks',
  o: 'output',
  p: 'partition',
  q: 'qos',
  t: 'time',
  w: 'nodelist',
  x: 'exclude',
};

/** Long options of sbatch as of 23.11, for "did you mean": one that is not listed is passed on all the same. */
export const knownOptions: readonly string[] = [
  ...Object.keys(ownOptions),
  ...`
    account acctg-freq batch bb bbf begin cluster-constraint clusters comment constraint container container-id
    contiguous core-spec cores-per-socket cpu-freq cpus-per-gpu deadline delay-boot dependency distribution exclude
    exclusive extra extra-node-info gid gpu-bind gpu-freq gpus-per-node gpus-per-socket gpus-per-task gres
    gres-flags hint ignore-pbs kill-on-invalid-dep licenses mail-type mail-user mcs-label mem-bind mem-per-cpu
    mem-per-gpu mincpus network nice no-kill nodefile nodelist nodes ntasks ntasks-per-core ntasks-per-gpu
    ntasks-per-node ntasks-per-socket overcommit oversubscribe partition power prefer priority profile propagate
    qos reboot reservation sockets-per-node spread-job switches thread-spec threads-per-core time-min tmp
    tres-bind tres-per-task uid use-min-nodes wckey
  `
    .trim()
    .split(/\s+/),
];
