import { asJobId } from '../base/ids.ts';
import { readJobName } from './job-name.ts';
import type { LiveJob } from './scheduler.ts';
import { type countAhead, parseQueue } from './slurm-parse.ts';
import { clusters, countingLines, neutral, type SlurmSite, section, squeueFields } from './slurm-script.ts';

/** Every job that has not ended, of this user or of everyone: one question, however many there are, and no look into any folder. */
export function liveScript(site: SlurmSite, whose: 'own' | 'everyone', config: boolean): string {
  const user = whose === 'own' ? ' -u "$(id -u)"' : '';
  return [
    ...neutral,
    ...section,
    // The folder comes first, as a field of its own: it may have anything in it but a tab.
    `begin squeue; q=$(squeue${clusters(site)} -h -a${user} -o '%u\t%Z\t${squeueFields}'); c=$?`,
    // Of 50,000 jobs of everyone ours are few.
    `printf '%s\n' "$q" | grep '|mlops-[0-9a-f]*.[0-9]*$'; end $c`,
    ...countingLines(site, config),
  ].join('\n');
}

export function parseLive(text: string, folder: string, ahead: ReturnType<typeof countAhead>): readonly LiveJob[] {
  const jobs = new Map<string, LiveJob>();
  for (const line of text.split('\n')) {
    const [user = '', at = '', fields = ''] = line.split('\t');
    const [entry] = parseQueue(fields, ahead);
    if (entry?.status === undefined || !at.startsWith(`${folder}/`) || readJobName(entry.name) === undefined) continue;
    // An array has a line for each task that has begun and one for those that wait: it runs if one of them does.
    if (jobs.get(entry.id)?.status.state === 'running') continue;
    const job = { id: asJobId(entry.id), name: entry.name, submittedAt: entry.submittedAt ?? 0 };
    jobs.set(entry.id, { job, user, status: entry.status });
  }
  return [...jobs.values()];
}
