import { asJobId } from '../base/ids.ts';
import { silentMinutes } from './environment-scripts.ts';
import type { EnvironmentEntry, EnvironmentFiles, EnvironmentSurvey, EnvironmentUser } from './environment-types.ts';

/** What environment-scripts.ts prints, read back. Undefined: the script did not come to its end. */
export function parseSurvey(text: string): EnvironmentSurvey | undefined {
  const lines = text.split('\n').map(splitLine);
  if (!lines.some(({ word }) => word === 'done')) return undefined;
  const groups: { readonly key: string; readonly facts: Map<string, string> }[] = [];
  for (const { word, rest } of lines) {
    if (word === 'environment') groups.push({ key: rest, facts: new Map() });
    const facts = groups.at(-1)?.facts;
    if (word === 'complete') {
      const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(rest) ?? [];
      facts?.set(name, value);
    } else if (word !== 'open') facts?.set(word, rest);
  }
  const now = Number(lines.find(({ word }) => word === 'now')?.rest);
  return {
    now,
    environments: groups.flatMap(({ key, facts }) =>
      /^[0-9a-f]{24}(?:\.\w+)?$/.test(key) ? [entry(key, facts, now)] : [],
    ),
    users: parseUsers(text),
  };
}

const splitLine = (line: string): { readonly word: string; readonly rest: string } => {
  const blank = line.indexOf(' ');
  return blank < 0 ? { word: line, rest: '' } : { word: line.slice(0, blank), rest: line.slice(blank + 1) };
};

function entry(key: string, facts: ReadonlyMap<string, string>, now: number): EnvironmentEntry {
  const number = (text: string | undefined) =>
    text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : undefined;
  const [bytes, count] = (facts.get('size') ?? '').split(' ');
  const [beat, ...owner] = (facts.get('lock') ?? '').split(' ');
  const builder = facts.has('lock') ? defined({ owner: owner.join(' '), beatAt: number(beat) }) : undefined;
  const silent = builder !== undefined && now - (builder.beatAt ?? 0) > silentMinutes * 60;
  const state = facts.has('version')
    ? 'ready'
    : builder !== undefined && !silent
      ? 'building'
      : facts.has('failed')
        ? 'failed'
        : 'interrupted';
  return defined({
    key,
    state,
    kind: facts.get('kind'),
    platform: facts.get('platform'),
    manager: facts.get('manager'),
    managerVersion: facts.get('manager_version'),
    buildSeconds: number(facts.get('seconds')),
    builtAt: number(facts.get('at')),
    usedAt: number(facts.get('used')),
    changedAt: number(facts.get('failed')) ?? number(facts.get('changed')),
    bytes: number(bytes),
    files: number(count) ?? number(facts.get('listed')),
    builder,
    progress: facts.get('progress'),
    specification: facts.get('specification'),
  });
}

/** Without the members that are not known. */
function defined<T extends object>(members: { readonly [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}

export function parseUsers(text: string): readonly EnvironmentUser[] {
  return text.split('\n').flatMap((line) => {
    const [, path, key, owner, quiet, id = '', at = '', name = ''] =
      /^open (runs\/[0-9a-f]{64}\/[\w.-]+) ([0-9a-f]{24}) (own|other) (quiet|recent) (\S*) (\d*) ?(.*)$/.exec(line) ??
      [];
    if (path === undefined || key === undefined) return [];
    const job = id === '' ? {} : { job: { id: asJobId(id), submittedAt: Number(at), name } };
    return [{ path, key, own: owner === 'own', quiet: quiet === 'quiet', ...job }];
  });
}

/** Each file after a line with its name and length in bytes; the log, whose bytes may be anything, is the rest. */
export function parseFiles(output: Buffer): EnvironmentFiles {
  const files = new Map<string, string>();
  for (let at = 0; at < output.length; ) {
    const begin = output.indexOf(0x0a, at) + 1;
    const [, name, length] = /^file (\S+) (\d+)\n$/.exec(output.toString('utf8', at, begin)) ?? [];
    if (name === undefined) break;
    const end = name === 'failed.log' ? output.length : begin + Number(length);
    files.set(name, output.toString('utf8', begin, end));
    at = end;
  }
  return files;
}
