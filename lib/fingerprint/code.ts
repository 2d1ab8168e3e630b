import type { Oid } from '../base/ids.ts';
import type { Result } from '../base/result.ts';
import { ok } from '../base/result.ts';
import type { Config } from '../config/types.ts';
import { type BlobError, blobSizes, readBlobs } from '../git/blobs.ts';
import type { GitPlace } from '../git/spawn.ts';
import type { TreeEntry } from '../git/tree.ts';
import { type MeaningFact, meaningFacts, mentionFacts } from './blob-cache.ts';
import { isCode, isInDocs, isNotebook, isReader } from './file-kinds.ts';
import { hashJson, meaningfulCells, meaningHash } from './meaning.ts';
import {
  importsDocs,
  mentionsExtension,
  mentionsFolder,
  mentionsName,
  mentionsQuoted,
  mentionsStem,
} from './mentions.ts';
import { parseNotebook } from './notebook.ts';
import { withoutByStep } from './own-files.ts';
import { selectCode } from './select-code.ts';
import { namedFiles, textOf } from './steps.ts';
import type { CodeFile } from './types.ts';

export interface CodePart {
  readonly code: Readonly<Record<string, CodeFile>>;
  readonly without: readonly (readonly string[])[];
}
export interface CodeContext {
  readonly place: GitPlace;
  readonly stateDir: string;
  readonly config: Config;
  readonly tree: readonly TreeEntry[];
  /** Counted as data or as the environment. */
  readonly isElsewhere: (path: string) => boolean;
  readonly onBlobRead: () => void;
  readonly onDamaged: (path: string) => void;
}

/** A question to a text: does it speak of this file? The rule depends on what depends on the answer. */
interface Question {
  readonly rule: 'documentation' | 'readme' | 'own';
  readonly path: string;
}

const maxSettings = 1 << 20;
const maxProgram = 16 << 20;
/** A string of this many bytes still fits into V8's. */
const maxNotebook = 256 << 20;

/** The part of the fingerprint that comes from the commit's tree: which files count, as what, and for which steps. */
export async function codePart(context: CodeContext): Promise<Result<CodePart, BlobError>> {
  const { config, tree } = context;
  const selected = selectCode(config, tree, context.isElsewhere);
  const isFile = (path: string) => selected.all.has(path);
  const laterOwn = [...new Set(config.steps.slice(1).flatMap((step) => namedFiles(step, isFile)))];
  const questions: readonly Question[] = [
    ...selected.documentation.map((entry) => ({ rule: 'documentation' as const, path: entry.path })),
    ...selected.readmes.map((entry) => ({ rule: 'readme' as const, path: entry.path })),
    ...laterOwn.map((path) => ({ rule: 'own' as const, path })),
  ].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const readers = [...selected.counted, ...selected.documentation.filter((entry) => isCode(entry.path))];
  const read = await readTexts(context, readers, questions);
  if (!read.ok) return read;
  const { meanings, answers } = read.value;

  const fromConfig = answer(
    [config.setup ?? '', ...config.steps.map(textOf), ...Object.values(config.env)].join('\n'),
    questions,
  );
  const mentioned = new Set(fromConfig.flatMap((index) => asked(questions[index])));
  for (const entry of selected.counted) {
    for (const index of answers.get(entry.path) ?? []) for (const path of asked(questions[index])) mentioned.add(path);
  }
  const counted = [
    ...selected.counted,
    ...[...selected.documentation, ...selected.readmes].filter((entry) => mentioned.has(entry.path)),
  ];
  const code = counted.map((entry) => [entry.path, codeFile(entry, meanings.get(entry.oid))] as const);
  const own = new Map(counted.map((entry) => [entry.path, ownMentions(questions, answers.get(entry.path) ?? [])]));
  return ok({
    code: Object.fromEntries(code.sort()),
    without: withoutByStep(config.steps, isFile, own, config.setup ?? ''),
  });
}

const asked = (question: Question | undefined): readonly string[] =>
  question === undefined || question.rule === 'own' ? [] : [question.path];
const ownMentions = (questions: readonly Question[], indices: readonly number[]): ReadonlySet<string> =>
  new Set(indices.flatMap((index) => (questions[index]?.rule === 'own' ? [questions[index].path] : [])));

function codeFile(entry: TreeEntry, meaning: MeaningFact | undefined): CodeFile {
  const isMeaning = isRegular(entry) && isNotebook(entry.path) && meaning !== undefined && meaning !== 'none';
  return isMeaning ? { kind: 'notebook', meaning } : { kind: 'blob', oid: entry.oid, mode: entry.mode };
}

const isRegular = (entry: TreeEntry) => entry.mode === '100644' || entry.mode === '100755';

interface Texts {
  readonly meanings: ReadonlyMap<Oid, MeaningFact>;
  /** By path: indices of the questions answered with yes. */
  readonly answers: ReadonlyMap<string, readonly number[]>;
}

/** Meanings of notebooks and answers to the questions; only blobs that no cache knows are read, in one go. */
async function readTexts(
  context: CodeContext,
  entries: readonly TreeEntry[],
  questions: readonly Question[],
): Promise<Result<Texts, BlobError>> {
  const meaningCache = meaningFacts(context.stateDir);
  const key = hashJson(questions.map(({ rule, path }) => [rule, path])).slice(0, 16);
  const mentionCache = mentionFacts(context.stateDir, key);
  for (const path of [meaningCache.damaged, mentionCache.damaged]) if (path !== undefined) context.onDamaged(path);

  const notebooks = entries.filter((entry) => isRegular(entry) && isNotebook(entry.path));
  const readers = questions.length === 0 ? [] : entries.filter((entry) => isRegular(entry) && isReader(entry.path));
  const isNotebookOid = new Set(notebooks.map((entry) => entry.oid));
  const isProgram = new Set(readers.filter((entry) => isCode(entry.path)).map((entry) => entry.oid));
  const missing = [
    ...notebooks.filter((entry) => !meaningCache.has(entry.oid)),
    ...readers.filter((entry) => !mentionCache.has(entry.oid)),
  ].map((entry) => entry.oid);
  const sizes = await blobSizes(context.place, [...new Set(missing)]);
  if (!sizes.ok) return sizes;
  const fits = (oid: Oid, size: number) =>
    size <= (isNotebookOid.has(oid) ? maxNotebook : isProgram.has(oid) ? maxProgram : maxSettings);
  const wanted: Oid[] = [];
  for (const [oid, size] of sizes.value) {
    if (fits(oid, size)) {
      wanted.push(oid);
      continue;
    }
    if (isNotebookOid.has(oid)) meaningCache.set(oid, 'none');
    mentionCache.set(oid, '');
  }
  const done = await readBlobs(context.place, wanted, (oid, content) => {
    context.onBlobRead();
    const text = content.toString('utf8');
    const notebook = isNotebookOid.has(oid) ? parseNotebook(text) : undefined;
    if (notebook !== undefined) meaningCache.set(oid, notebook.ok ? meaningHash(notebook.value) : 'none');
    if (questions.length === 0) return;
    const searched = notebook?.ok
      ? meaningfulCells(notebook.value)
          .map((cell) => cell.source)
          .join('\n')
      : text;
    mentionCache.set(oid, answer(searched, questions).join(' '));
  });
  if (!done.ok) return done;
  meaningCache.save();
  mentionCache.save();
  return ok({
    meanings: new Map(notebooks.map((entry) => [entry.oid, meaningCache.get(entry.oid) ?? 'none'])),
    answers: new Map(readers.map((entry) => [entry.path, indices(mentionCache.get(entry.oid))])),
  });
}

const indices = (fact: string | undefined): readonly number[] =>
  fact === undefined || fact === '' ? [] : fact.split(' ').map(Number);

function answer(text: string, questions: readonly Question[]): readonly number[] {
  return questions.flatMap((question, index) => (says(text, question) ? [index] : []));
}

function says(text: string, { rule, path }: Question): boolean {
  if (rule === 'own') return mentionsStem(text, path) || mentionsExtension(text, path);
  if (rule === 'readme') return mentionsQuoted(text, path) || mentionsExtension(text, path);
  if (mentionsName(text, path) || mentionsFolder(text, path)) return true;
  // In docs/ every extension is documentation: a wildcard for `.py` says nothing of those.
  if (isInDocs(path))
    return (isCode(path) && importsDocs(text)) || (/\.(?:md|rst)$/i.test(path) && mentionsExtension(text, path));
  return mentionsExtension(text, path);
}
