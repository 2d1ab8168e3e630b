import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from './host.ts';
import { stateFrames } from './run-frames.ts';
import { watchScript } from './run-scripts.ts';
import type { WatchEvent, WatchOptions } from './run-types.ts';

const restartSeconds = 5;

/** The far side's loop ends by itself every ten minutes, so that none is left behind for ever; then it is started again. */
export async function* watchRun(
  host: Host,
  folder: string,
  signal: AbortSignal,
  { logFrom = 0, once = false }: WatchOptions,
): AsyncGenerator<WatchEvent, void> {
  const known = new Map<string, string>();
  let from = logFrom;
  while (!known.has('end') && !signal.aborted) {
    const mark = `mlops-${randomBytes(12).toString('hex')}`;
    const started = await host.spawn(watchScript(folder, mark, from, once ? 'once' : 'loop'), { signal });
    if (!started.ok) {
      if (started.error.reason !== 'aborted') yield { kind: 'lost', error: started.error };
      return;
    }
    const { stdin, stdout, exit, kill } = started.value;
    stdin.end();
    const frames = stateFrames(mark);
    try {
      for await (const chunk of stdout) {
        for (const event of frames(chunk as Buffer)) {
          if (event.kind === 'state' && known.get(event.name) === event.text) continue;
          if (event.kind === 'state') known.set(event.name, event.text);
          if (event.kind === 'log') from = event.until;
          yield event;
        }
      }
    } catch (error) {
      // A torn stream: the exit says what happened to the connection.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    } finally {
      kill();
    }
    const ended = await exit;
    if (!ended.ok) {
      if (ended.error.reason !== 'aborted') yield { kind: 'lost', error: ended.error };
      return;
    }
    if (once) return;
    // Somebody has killed the loop: it is started again, but not as fast as they can kill.
    if (ended.value.code !== 0) await sleep(restartSeconds * 1000, undefined, { signal }).catch(() => undefined);
  }
}
