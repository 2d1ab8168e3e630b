import { shellQuote } from '../base/shell-quote.ts';
import type { SubmitRequest } from './scheduler.ts';
import { type SlurmSite, slurmPrelude } from './slurm-script.ts';

/** The exit status of a submission of which nobody knows whether it was accepted (EX_TEMPFAIL). */
export const ambiguousExit = 75;

/**
 * sbatch gave up, but slurmctld may have the job: an answer that came late or not at all. Everything else it says with a
 * non-zero status is a refusal.
 */
const ambiguous =
  'Socket timed out|timed out on send/recv|Zero Bytes were transmitted|Connection reset|Transport endpoint';

export function sbatchScript(request: SubmitRequest, site: SlurmSite): string {
  const options = [
    '--parsable',
    ...(site.cluster === undefined ? [] : [`--clusters=${site.cluster}`]),
    `--job-name=${request.name}`,
    `--comment=${request.name}`,
    `--chdir=${request.cwd}`,
    // `%` begins a pattern in a file name (sbatch(1), FILENAME PATTERN): doubled it is itself.
    `--output=${request.log.replaceAll('%', '%%')}`,
    `--error=${request.log.replaceAll('%', '%%')}`,
    // One log over all that the job writes, a requeued one included.
    '--open-mode=append',
  ].map(shellQuote);
  return [
    '(',
    ...slurmPrelude(site),
    // Inside an allocation (salloc, a notebook's terminal) its own SLURM_* would become the new job's options.
    'for v in $(env | sed -n \'s/^\\(SLURM_[A-Za-z0-9_]*\\)=.*/\\1/p\'); do case $v in SLURM_CONF|SLURM_TIME_FORMAT|SLURM_CLUSTERS) ;; *) unset "$v" ;; esac; done',
    `cd ${shellQuote(request.cwd)} || exit 1`,
    // Standard error is kept apart without a temporary file: /tmp may be full or read-only.
    'exec 4>&1',
    `e=$( { o=$(sbatch ${options.join(' ')} ${shellQuote(request.script)}); c=$?; printf '%s\\n' "$o" >&4; exit $c; } 2>&1 ); c=$?`,
    'printf \'%s\\n\' "$e" >&2',
    `if [ $c -ne 0 ] && printf '%s\\n' "$e" | grep -Eq ${shellQuote(ambiguous)}; then exit ${ambiguousExit}; fi`,
    'exit $c',
    // The id is a line of digits, or `id;cluster`, whatever else a wrapper around sbatch says.
    ') | {',
    "  i=$(sed -n 's/^[[:space:]]*\\([0-9][0-9]*\\)\\(;[^;]*\\)\\{0,1\\}[[:space:]]*$/\\1/p' | tail -n 1)",
    '  printf \'%s\\n\' "$i"',
    '}',
  ].join('\n');
}
