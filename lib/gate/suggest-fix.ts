import type { Report } from '../report/types.ts';
import type { GateContext } from './context.ts';
import type { Identified } from './identify.ts';
import type { Fix } from './outcome.ts';
import { readPipelineText } from './pipeline.ts';

const gigabyte = 1024 ** 3;

/** What to ask for where a run met a limit: half as much memory again, twice the time, as the config would have it. */
export async function suggestFix(
  context: Pick<GateContext, 'repo'>,
  { commit, config }: Identified,
  { verdict, run }: Report,
): Promise<Fix | undefined> {
  const reason = verdict?.reasons[0];
  const met = reason?.reason === 'failure' ? reason.failure.reason : undefined;
  if (met !== 'out-of-memory' && met !== 'timeout') return undefined;
  const loaded = await readPipelineText(context.repo, commit);
  const at = (key: Fix['key']): Pick<Fix, 'key' | 'range'> => {
    const range = loaded.ok ? loaded.value.locate(key) : undefined;
    return range === undefined ? { key } : { key, range };
  };
  if (met === 'timeout') return { ...at('resources.time'), value: clock(2 * config.resources.seconds) };
  const had = config.resources.mem ?? run?.peakMemory;
  if (had === undefined) return undefined;
  return { ...at('resources.mem'), value: `${Math.max(1, Math.ceil((1.5 * had) / gigabyte))}G` };
}

const two = (value: number): string => String(value).padStart(2, '0');
const clock = (seconds: number): string => {
  const minutes = Math.ceil(seconds / 60);
  const days = Math.floor(minutes / 1440);
  return `${days === 0 ? '' : `${days}-`}${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}:00`;
};
