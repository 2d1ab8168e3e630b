// A file of its own, to be loaded when it is needed: of a CommonJS package a bundle gives names to a static import only.
import { parseDocument } from 'yaml';
import { err, ok, type Result } from '../base/result.ts';

export function parseYaml(text: string): Result<unknown, string> {
  const document = parseDocument(text);
  const [problem] = document.errors;
  return problem === undefined ? ok(document.toJS()) : err(problem.message);
}
