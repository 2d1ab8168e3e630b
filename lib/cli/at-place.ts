import type { Oid } from '../base/ids.ts';
import type { GateContext } from '../gate/context.ts';
import { readPipeline } from '../gate/pipeline.ts';
import type { Connection, Place } from '../gate/place.ts';
import type { Progress } from './progress.ts';
import { stoppedLines } from './screens/gate-trouble.ts';
import type { Setting } from './screens/setting.ts';

/** Something where a commit's config runs its jobs, over one connection; what keeps it from being reached is told. */
export async function atPlaceOf(
  context: GateContext,
  commit: Oid,
  progress: Progress,
  setting: Setting,
  action: (connection: Connection, place: Place) => Promise<number>,
): Promise<number> {
  const pipeline = await readPipeline(context.repo, commit);
  if (!pipeline.ok) {
    progress.say(...stoppedLines({ reason: 'pipeline', cause: pipeline.error }, setting));
    return 1;
  }
  const place = context.placeFor(pipeline.value);
  context.emit({ event: 'connecting', place: place.name });
  const connected = await place.connect(context.signal);
  if (!connected.ok) {
    progress.say(...stoppedLines({ reason: 'place', cause: connected.error }, setting));
    return 1;
  }
  try {
    return await action(connected.value, place);
  } finally {
    await connected.value.close();
  }
}
