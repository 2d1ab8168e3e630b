import type { Host } from '../cluster/host.ts';
import {
  type FolderFacts,
  folderScript,
  parseFolder,
  parseSite,
  type Quota,
  siteScript,
  siteTools,
} from '../cluster/site-probe.ts';
import { expandWorkdir } from '../cluster/workdir.ts';
import type { Tell } from './doctor-types.ts';

/** Half a second of it is the clock's own: `date` gives whole seconds. */
const mostSkew = 60;
const gibibyte = 1024 ** 3;
const roundTrips = 3;

/** The machine that is connected to. False: it does not answer, and nothing more can be asked. */
export async function examineMachine(host: Host, now: () => Date, tell: Tell): Promise<boolean> {
  let fastest = Number.POSITIVE_INFINITY;
  for (let trip = 0; trip < roundTrips; trip++) {
    const begun = now().getTime();
    const answered = await host.exec(':');
    if (!answered.ok) {
      tell({ grade: 'problem', reason: 'unanswered', what: 'a shell', cause: answered.error });
      return false;
    }
    fastest = Math.min(fastest, now().getTime() - begun);
  }
  const before = now().getTime();
  const asked = await host.exec(siteScript);
  const after = now().getTime();
  if (!asked.ok) {
    tell({ grade: 'problem', reason: 'unanswered', what: 'the machine', cause: asked.error });
    return false;
  }
  const site = parseSite(asked.value.stdout);
  if (site === undefined) {
    const words = `${asked.value.stdout}\n${asked.value.stderr}`.trim();
    tell({ grade: 'problem', reason: 'odd-answer', what: 'the machine', words });
    return false;
  }
  if (host.kind === 'local') tell({ grade: 'ok', reason: 'this-machine', system: site.system });
  else {
    const { name, kind, login } = host;
    const connection = { host: name, kind, user: site.user, milliseconds: fastest };
    tell({ grade: 'ok', reason: 'connection', ...connection, ...(login === undefined ? {} : { login }) });
    const skew = site.now + 0.5 - (before + after) / 2000;
    // The way there and back is not known more exactly than that.
    const seconds = Math.abs(skew) <= 0.5 + (after - before) / 2000 ? 0 : Math.round(skew);
    tell({ grade: Math.abs(seconds) > mostSkew ? 'warning' : 'ok', reason: 'clock', seconds });
    tell({ grade: 'ok', reason: 'shell', shell: site.shell, system: site.system });
  }
  const hashes = site.tools.includes('openssl') || site.tools.includes('sha256sum');
  const missing = [
    ...(hashes ? [] : ['sha256sum or openssl']),
    ...siteTools.slice(2).filter((tool) => !site.tools.includes(tool)),
  ];
  tell({ grade: missing.length === 0 ? 'ok' : 'problem', reason: 'tools', missing });
  return true;
}

/** The folder that everything is kept in. Gives its path where it can be used. */
export async function examineFolder(
  host: Host,
  written: string,
  group: string | undefined,
  tell: Tell,
): Promise<string | undefined> {
  const expanded = await expandWorkdir(host, written, group === undefined ? {} : { group });
  if (!expanded.ok) {
    tell({ grade: 'problem', reason: 'workdir-failed', host: host.name, cause: expanded.error, written });
    return undefined;
  }
  const path = expanded.value;
  const asked = await host.exec(folderScript(path));
  if (!asked.ok) {
    tell({ grade: 'problem', reason: 'unanswered', what: 'the work folder', cause: asked.error });
    return undefined;
  }
  const facts = parseFolder(asked.value.stdout);
  const { type, free, freeFiles } = facts;
  const volatile = type !== undefined && /^(?:tmpfs|ramfs)$/.test(type);
  tell({
    grade: volatile ? 'warning' : 'ok',
    reason: 'workdir',
    path,
    volatile,
    ...(type === undefined ? {} : { type }),
  });
  tell({
    grade: spaceGrade(facts),
    reason: 'space',
    path,
    ...(free === undefined ? {} : { free }),
    ...(freeFiles === undefined ? {} : { freeFiles }),
  });
  for (const quota of facts.quotas) tell({ grade: quotaGrade(quota), reason: 'quota', quota });
  if (facts.quotaWords !== undefined) tell({ grade: 'warning', reason: 'quota-failed', words: facts.quotaWords });
  tell({ grade: facts.hardLinks ? 'ok' : 'warning', reason: 'hard-links', there: facts.hardLinks });
  return path;
}

/** An environment takes some gigabytes and 50,000 files. */
function spaceGrade({ free = Number.POSITIVE_INFINITY, freeFiles = Number.POSITIVE_INFINITY }: FolderFacts) {
  if (free < gibibyte / 4 || freeFiles < 1000) return 'problem';
  return free < 10 * gibibyte || freeFiles < 100_000 ? 'warning' : 'ok';
}

function quotaGrade({ bytes, byteLimit, files, fileLimit }: Quota) {
  const used = Math.max(
    byteLimit === undefined ? 0 : bytes / byteLimit,
    fileLimit === undefined ? 0 : files / fileLimit,
  );
  return used >= 1 ? 'problem' : used > 0.9 ? 'warning' : 'ok';
}
