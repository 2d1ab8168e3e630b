import { err, ok, type Result } from '../base/result.ts';
import type { JobStatus } from '../cluster/scheduler.ts';
import type { GateContext } from '../gate/context.ts';
import type { Identified } from '../gate/identify.ts';
import type { GateError } from '../gate/outcome.ts';

export interface Cancelled {
  readonly job: string;
  readonly attempt: number;
  readonly place: string;
  /** What the scheduler said in the end: nothing is taken for granted. */
  readonly status: JobStatus;
}

/** Ends the newest attempt of a commit's run, and sees that it has ended. Letting go of a run never does this. */
export async function cancel(context: GateContext, identified: Identified): Promise<Result<Cancelled, GateError>> {
  const place = context.placeFor(identified.config);
  const connected = await place.connect(context.signal);
  if (!connected.ok) return err({ reason: 'place', cause: connected.error });
  const connection = connected.value;
  try {
    const { commit, fingerprint } = identified;
    const looked = await connection.runs.look(fingerprint);
    if (!looked.ok) return err({ reason: 'runs', cause: looked.error, place: place.name });
    const last = looked.value.at(-1);
    if (last?.job === undefined) return err({ reason: 'no-run', commit, fingerprint });
    const ended = await connection.scheduler.cancel(last.job);
    if (!ended.ok) return err({ reason: 'query', cause: ended.error, place: place.name });
    return ok({ job: last.job.id, attempt: last.attempt, place: place.name, status: ended.value });
  } finally {
    await connection.close();
  }
}
