import { err, ok, type Result } from '../base/result.ts';
import type { StepResult } from '../verdict/types.ts';

export type Tests = NonNullable<StepResult['tests']>;

/** Counts the cases themselves: the totals of suites are written differently by every tool. */
export async function readJunit(text: string): Promise<Result<Tests, string>> {
  const { XMLParser, XMLValidator } = await import('fast-xml-parser');
  const valid = XMLValidator.validate(text);
  if (valid !== true) return err(`line ${valid.err.line}: ${valid.err.msg}`);
  // Entities of a document type are not expanded: a small file must not become a large one.
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    processEntities: true,
    isArray: () => true,
    parseAttributeValue: false,
    parseTagValue: false,
  });
  let failed = 0;
  let skipped = 0;
  let passed = 0;
  const failures: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const child of node) visit(child);
      return;
    }
    if (!isElement(node)) return;
    for (const [name, children] of Object.entries(node)) {
      if (name !== 'testcase' || !Array.isArray(children)) visit(children);
      else children.forEach(count);
    }
  };
  const count = (testcase: unknown) => {
    const element = isElement(testcase) ? testcase : {};
    if ('failure' in element || 'error' in element) {
      failed += 1;
      failures.push([element['@classname'], element['@name']].map(attribute).filter(Boolean).join('.'));
    } else if ('skipped' in element) skipped += 1;
    else passed += 1;
  };
  try {
    visit(parser.parse(text));
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  return ok({ passed, failed, skipped, failures: failures.slice(0, 50) });
}

const isElement = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const attribute = (value: unknown): string =>
  String(Array.isArray(value) ? (value[0] ?? '') : (value ?? '')).slice(0, 300);
