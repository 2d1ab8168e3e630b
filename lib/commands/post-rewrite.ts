import { isOid, type Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { GateContext } from '../gate/context.ts';
import { identify, identifyPast } from '../gate/identify.ts';
import type { RecordError } from '../git/advance.ts';
import { readNotes } from '../git/notes.ts';
import { record } from '../git/reports.ts';

type Context = Pick<GateContext, 'repo' | 'now' | 'signal' | 'emit'>;

/** `OLD NEW` a line, as githooks(5) gives them to post-rewrite. */
export function parseRewritten(text: string): readonly { readonly before: Oid; readonly after: Oid }[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' ');
    return isOid(before) && isOid(after) ? [{ before, after }] : [];
  });
}

/**
 * An amended or rebased commit keeps the note of the old one only where it is the same run (git's notes.rewriteRef would copy a pass to
 * changed content). How many were copied.
 */
export async function copyNotes(context: Context, stdin: string): Promise<Result<number, RecordError>> {
  const pairs = parseRewritten(stdin);
  const { repo } = context;
  const noted = await readNotes(
    repo,
    pairs.map(({ before }) => before),
  );
  if (!noted.ok) return noted;
  const copies = new Map<Oid, readonly string[]>();
  let branch = 'mlops';
  for (const { before, after } of pairs) {
    const lines = noted.value.get(before);
    if (lines === undefined) continue;
    const old = await identifyPast(context, before);
    const fresh = await identify(context, after);
    if (!old.ok || !fresh.ok || old.value.fingerprint !== fresh.value.fingerprint) continue;
    branch = fresh.value.config.reports;
    copies.set(after, lines);
  }
  if (copies.size === 0) return ok(0);
  const done = await record(repo, {
    branch,
    files: new Map(),
    notes: copies,
    message: 'Copy notes to rewritten commits\n',
  });
  return done.ok ? ok(copies.size) : done;
}
