import { shellQuote } from '../base/shell-quote.ts';
import type { JobRef } from './scheduler.ts';
import { slurmStates } from './slurm-states.ts';

export interface SlurmSite {
  /** Where the config's `slurm:` names one of several clusters: sbatch's `--clusters`. */
  readonly clusters?: string;
}

/** What the site says of itself. */
export interface SlurmFacts {
  readonly accounting: boolean;
  /** Other users' jobs are hidden: nobody can say how many are ahead. */
  readonly privateJobs: boolean;
  readonly version?: string;
  readonly minJobAge?: number;
  readonly preemptMode?: string;
}

// SQUEUE_* and SACCT_* of a user's profile filter and sort; the plain words of our options must mean what the manual says.
export const neutral: readonly string[] = [
  // Lists of an array's tasks are cut after 64 bytes otherwise.
  'export LC_ALL=C SLURM_TIME_FORMAT=%s SLURM_BITSTR_LEN=0',
  'unset SQUEUE_ACCOUNT SQUEUE_ALL SQUEUE_ARRAY SQUEUE_ARRAY_UNIQUE SQUEUE_FEDERATION SQUEUE_FORMAT SQUEUE_FORMAT2 SQUEUE_LICENSES SQUEUE_LOCAL SQUEUE_NAMES SQUEUE_PARTITION SQUEUE_PRIORITY SQUEUE_QOS SQUEUE_SIBLING SQUEUE_SORT SQUEUE_STATES SQUEUE_USERS SACCT_FEDERATION SACCT_LOCAL SACCT_FORMAT',
];

/** Runs a command between marks on both streams, so that its words, its status and a banner can be told apart. */
export const section: readonly string[] = [
  's=$(printf "\\036")',
  'nl="\n"',
  'begin() { printf "%s%s%s\\n" "$s" "$1" "$s"; printf "%s%s%s\\n" "$s" "$1" "$s" >&2; }',
  'end() { printf "\\n%send %s%s\\n" "$s" "$1" "$s"; }',
];

export const clusters = (site: SlurmSite) => (site.clusters === undefined ? '' : ` -M ${shellQuote(site.clusters)}`);

/** An array has a line for each task that has begun and one for all that wait, under one id; `%K` says which they are. */
export const squeueFields = '%F|%T|%K|%r|%S|%M|%N|%P|%V|%Q|%j';
export const sacctFields =
  'JobID,State,ExitCode,Submit,End,ElapsedRaw,MaxRSS,ReqMem,AllocCPUS,AllocNodes,NodeList,JobName';

/** How many wait, where one of the jobs in `$q` does; `config`: with what the site hides from its users. */
export const countingLines = (site: SlurmSite, config: boolean): readonly string[] => [
  'case "$q" in *"|PENDING|"*)',
  ...(config ? [`begin config; scontrol${clusters(site)} show config; end $?`] : []),
  // One question for all partitions, and the counting is done there: a queue may have 50,000 jobs.
  `begin ahead; squeue${clusters(site)} -h -a -t PD -o '%P|%Q' | sort | uniq -c; end $?;; esac`,
];

export interface QueryExtent {
  /** False where it is known to be off: sacct is not asked then. */
  readonly accounting: boolean;
  /** Whether to count those that wait, too, if one of the jobs does. */
  readonly counts: boolean;
  /** Whether to ask with that what the site hides from its users. */
  readonly config: boolean;
}

/**
 * squeue → sacct → scontrol for all jobs in one round trip. Each is asked only about what the one before left open: of a job that runs
 * squeue alone.
 */
export function queryScript(
  jobs: readonly JobRef[],
  site: SlurmSite,
  { accounting, counts, config }: QueryExtent,
): string {
  const only = clusters(site);
  const since = Math.min(...jobs.map((job) => job.submittedAt));
  const still = slurmStates.filter(({ meaning }) => meaning.kind === 'queued' || meaning.kind === 'running');
  const over = slurmStates.filter(({ meaning }) => meaning.kind === 'ended');
  // The id and the state are neighbours in both formats, and the name comes last; sacct says `CANCELLED by 0`. Of an array sacct knows
  // its tasks alone (`7_1`), and scontrol is asked, too.
  const patterns = (states: typeof slurmStates) => states.map(({ word }) => `*"$nl$id|${word}"*"|$name$nl"*`).join('|');
  const each = (list: string) => [`for job in ${list}; do id=\${job%%/*} name=\${job#*/}`];
  return [
    ...neutral,
    ...section,
    'printf "%snow %s%s\\n" "$s" "$(date +%s)" "$s"',
    // Never `-j`: it exits 1 for an id that has been purged. By number, since an account may be unknown to the login node's passwd.
    `begin squeue; q=$(squeue${only} -h -a -t all -u "$(id -u)" -n ${shellQuote(names(jobs))} -o '${squeueFields}'); c=$?; printf %s "$q"; end $c`,
    'if [ $c -ne 0 ]; then exit 0; fi',
    'left=',
    ...each(jobs.map((job) => shellQuote(`${job.id}/${job.name}`)).join(' ')),
    `  case "$nl$q$nl" in ${patterns(still)}) ;; *) left="$left $job" ;; esac`,
    'done',
    ...(counts ? countingLines(site, config) : []),
    'if [ -z "$left" ]; then exit 0; fi',
    'a=',
    ...(accounting
      ? [
          // By the cluster's own clock, so that the client's does not matter; a day more, for a clock that has been set.
          `ids=$(for job in $left; do printf '%s,' "\${job%%/*}"; done); begin sacct`,
          `a=$(sacct${only} -n -P -j "\${ids%,}" -S "now-$(($(date +%s) - ${Math.floor(since)} + 86400))seconds" -o ${sacctFields}); c=$?`,
          'printf %s "$a"; end $c',
        ]
      : []),
    ...each('$left'),
    `  case "$nl$a$nl" in ${patterns(over)}) ;; *) begin "scontrol $id"; scontrol${only} -o show job "$id"; end $? ;; esac`,
    'done',
  ].join('\n');
}

export const findScript = (name: string, site: SlurmSite): string =>
  [
    ...neutral,
    ...section,
    // Everyone's: a shared folder of runs has jobs of colleagues.
    `begin squeue; squeue${clusters(site)} -h -a -t all -n ${shellQuote(name)} -o '${squeueFields}'; end $?`,
  ].join('\n');

export const cancelScript = (job: JobRef, site: SlurmSite): string =>
  [
    ...neutral,
    ...section,
    // The name beside the id: ids are recycled. A job that was given another name has ours as its comment.
    `begin scancel; case "$(scontrol${clusters(site)} -o show job ${shellQuote(job.id)} 2>/dev/null) " in`,
    `  *${shellQuote(` Comment=${job.name} `)}*) scancel${clusters(site)} ${shellQuote(job.id)} ;;`,
    `  *) scancel${clusters(site)} -n ${shellQuote(job.name)} ${shellQuote(job.id)} ;;`,
    // Nobody waits any more for the environment that a job of its own builds for it (slurm-submit.ts).
    `esac; c=$?; scancel${clusters(site)} -u "$(id -u)" -n ${shellQuote(`${job.name}.build`)}; end $c`,
  ].join('\n');

const names = (jobs: readonly JobRef[]) => [...new Set(jobs.map((job) => job.name))].join(',');

export interface Section {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The sections of both streams by name; what stands before the first mark (a banner, a module's greeting) is left out. */
export function readSections(stdout: string, stderr: string): ReadonlyMap<string, Section> {
  const errors = new Map(pieces(stderr));
  return new Map(
    pieces(stdout).map(([name, text]) => {
      const close = /\n\u001eend (\d+)\u001e\n?$/.exec(text);
      return [
        name,
        {
          code: Number(close?.[1] ?? 255),
          stdout: close === null ? text : text.slice(0, close.index),
          stderr: (errors.get(name) ?? '').trim(),
        },
      ];
    }),
  );
}

function pieces(text: string): [string, string][] {
  const begins = [...text.matchAll(/\u001e((?!end |now )[^\u001e\n]+)\u001e\n/g)];
  return begins.map((match, index) => [
    match[1] ?? '',
    text.slice(match.index + match[0].length, begins[index + 1]?.index ?? text.length),
  ]);
}

/** The cluster's clock as the script printed it. */
export const readNow = (stdout: string): number | undefined => {
  const match = /\u001enow (\d+)\u001e/.exec(stdout);
  return match === null ? undefined : Number(match[1]);
};
