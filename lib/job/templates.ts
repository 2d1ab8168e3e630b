import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const TEMPLATE_NAMES = [
  'job.sh.hbs',
  'steps.sh.hbs',
  'task-files.sh.hbs',
  'env-python.sh.hbs',
  'env-lock.sh.hbs',
  'env-packed.sh.hbs',
  'env-conda.sh.hbs',
  'env-venv.sh.hbs',
  'env-container.sh.hbs',
  'env-given.sh.hbs',
  'notebook.py',
] as const;
export type TemplateName = (typeof TEMPLATE_NAMES)[number];
export type Templates = Readonly<Record<TemplateName, string>>;

/** Ours, from the package's folder, and in their place those that a repository has in .mlops/templates/. */
export async function readTemplates(folder: string, own: ReadonlyMap<string, string> = new Map()): Promise<Templates> {
  const texts = TEMPLATE_NAMES.map(async (name) => [
    name,
    own.get(name) ?? (await readFile(join(folder, name), 'utf8')),
  ]);
  return Object.fromEntries(await Promise.all(texts)) as Templates;
}
