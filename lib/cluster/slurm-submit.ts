import { shellQuote } from '../base/shell-quote.ts';
import { writeTasks } from './array-tasks.ts';
import type { JobArray, SubmitRequest } from './scheduler.ts';
import { clusters, neutral, type SlurmSite } from './slurm-script.ts';

/** The exit status of a submission of which nobody knows whether it was accepted (EX_TEMPFAIL). */
export const ambiguousExit = 75;

/**
 * sbatch gave up, but slurmctld may have the job: an answer that came late or not at all. Everything else it says with a
 * non-zero status is a refusal.
 */
const ambiguous =
  'timed out|(send|receive|shutdown) failure|Zero Bytes were transmitted|Insane message length|Unexpected message|Connection reset|Broken pipe|Transport endpoint';

/** Inside an allocation (salloc, a notebook's terminal) its own SLURM_* would become the new job's options. */
export const outside: readonly string[] = [
  "for v in $(env | sed -n 's/^\\(SLURM_[A-Za-z0-9_]*\\)=.*/\\1/p'); do",
  '  case $v in SLURM_CONF | SLURM_CONF_SERVER | SLURM_CLUSTERS | SLURM_TIME_FORMAT) ;; *) unset "$v" ;; esac',
  'done',
];

export const arrayOption = ({ tasks, throttle }: JobArray): string =>
  `${writeTasks(tasks)}${throttle === undefined ? '' : `%${throttle}`}`;

/** Both or none: a job that nothing waits for is taken back. */
export function sbatchScript(request: SubmitRequest, site: SlurmSite): string {
  if (request.first === undefined) return sbatchOne(request, site);
  return [
    'mlops_first=$(',
    sbatchOne(request.first, site),
    ') || exit $?',
    `(\n${sbatchOne(request, site, '--dependency="afterany:$mlops_first"')}\n)`,
    'mlops_c=$?',
    `if [ $mlops_c -ne 0 ] && [ $mlops_c -ne ${ambiguousExit} ]; then scancel${clusters(site)} "$mlops_first"; fi`,
    'exit $mlops_c',
  ].join('\n');
}

/** `more`: an option as the shell reads it. */
function sbatchOne(request: SubmitRequest, site: SlurmSite, more = ''): string {
  const { array } = request;
  // `%` begins a pattern in a file name (sbatch(1), FILENAME PATTERN): doubled it is itself.
  const log =
    array === undefined ? request.log.replaceAll('%', '%%') : `${request.cwd.replaceAll('%', '%%')}/tasks/%a/log`;
  const options = [
    '--parsable',
    ...(site.clusters === undefined ? [] : [`--clusters=${site.clusters}`]),
    `--job-name=${request.name}`,
    `--comment=${request.name}`,
    `--chdir=${request.cwd}`,
    `--output=${log}`,
    `--error=${log}`,
    // One log over all that the job writes, a requeued one included.
    '--open-mode=append',
    ...(array === undefined ? [] : [`--array=${arrayOption(array)}`]),
  ].map(shellQuote);
  return [
    'mlops_o=$(',
    ...neutral,
    ...outside,
    // Variables of the user's profile are defaults, but sbatch lets them win over the script's own lines. Of some nothing good can come.
    'unset MLOPS_JOB SBATCH_ARRAY_INX SBATCH_WAIT SBATCH_REQUEUE',
    `for v in $(sed -n 's/^#SBATCH --\\([a-z-]*\\).*/\\1/p' ${shellQuote(request.script)} | tr a-z- A-Z_); do`,
    '  case $v in TIME) v=TIMELIMIT ;; esac',
    '  unset "SBATCH_$v"',
    'done',
    `cd ${shellQuote(request.cwd)} || exit 1`,
    // Standard error is looked at without a temporary file: /tmp may be full or read-only.
    'exec 4>&1',
    `e=$(sbatch ${options.join(' ')} ${more} ${shellQuote(request.script)} 2>&1 >&4 4>&-); c=$?`,
    'if [ -n "$e" ]; then printf "%s\\n" "$e" >&2; fi',
    // From 129 on it was killed by a signal; 255 is a program that said -1.
    `if { [ $c -gt 128 ] && [ $c -le 192 ]; } || { [ $c -ne 0 ] && printf '%s\\n' "$e" | grep -Eq ${shellQuote(ambiguous)}; }; then exit ${ambiguousExit}; fi`,
    'exit $c',
    '); mlops_c=$?',
    // The id is a line of digits, or `id;cluster`, whatever else a site's wrapper around sbatch says.
    "mlops_i=$(printf '%s\\n' \"$mlops_o\" | sed -n 's/^[[:space:]]*\\([0-9][0-9]*\\)\\(;.*\\)\\{0,1\\}[[:space:]]*$/\\1/p' | tail -n 1)",
    'if [ $mlops_c -eq 0 ] && [ -n "$mlops_i" ]; then printf "%s\\n" "$mlops_i"',
    // A wrapper's refusal may well be on standard output.
    'elif [ $mlops_c -ne 0 ]; then',
    '  [ -z "$mlops_o" ] || printf "%s\\n" "$mlops_o" >&2',
    `  if [ -n "$mlops_i" ]; then exit ${ambiguousExit}; fi`,
    '  exit $mlops_c',
    `else printf "sbatch gave no job id: %s\\n" "$mlops_o" >&2; exit ${ambiguousExit}; fi`,
  ].join('\n');
}
