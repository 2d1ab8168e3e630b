import type { Json } from '../base/canonical-json.ts';
import { asFingerprint, type Fingerprint } from '../base/ids.ts';
import { hashJson } from './meaning.ts';
import type { CodeFile, Inputs, StepInputs } from './types.ts';

export const FORMAT = 1;
/** Raised only when the same inputs would be computed differently by this program; then everything trains again. */
export const COMPUTATION = 1;

export type Ingredients = Omit<Inputs, 'steps'> & { readonly steps: readonly Omit<StepInputs, 'fingerprint'>[] };

/** Fills in the chain: each step's fingerprint holds that of the step before. The run's is the last. */
export function chain(ingredients: Ingredients): Inputs {
  let previous: Fingerprint | null = null;
  const steps: StepInputs[] = [];
  for (const step of ingredients.steps) {
    previous = asFingerprint(hashJson(link(ingredients, step, previous)));
    steps.push({ ...step, fingerprint: previous });
  }
  return { ...ingredients, steps };
}

/** The document that is hashed for one step: docs/fingerprint.md, "The chain". */
function link(ingredients: Ingredients, step: Omit<StepInputs, 'fingerprint'>, previous: Fingerprint | null): Json {
  const code = codeOf(ingredients.code, step.without);
  const common = {
    format: ingredients.format,
    computation: ingredients.computation ?? 1,
    previous,
    step: step.definition,
    code,
  };
  if (previous !== null) return common;
  const data = Object.entries(ingredients.data).map(
    ([entry, { hash, writable }]) => [entry, writable ? { hash, writable } : { hash }] as const,
  );
  return {
    ...common,
    data: Object.fromEntries(data),
    environment: ingredients.environment,
    env: ingredients.env,
    setup: ingredients.setup,
  };
}

function codeOf(code: Inputs['code'], without: readonly string[]): Readonly<Record<string, Json>> {
  const left = new Set(without);
  const files = Object.entries(code).filter(([path]) => !left.has(path));
  return Object.fromEntries(files.map(([path, file]) => [path, codeJson(file)]));
}

const codeJson = (file: CodeFile): Json =>
  file.kind === 'blob'
    ? { kind: file.kind, mode: file.mode, oid: file.oid }
    : { kind: file.kind, meaning: file.meaning };

/** The fingerprint of the whole: that of the last step. Undefined without steps. */
export const fingerprintOf = (inputs: Inputs): Fingerprint | undefined => inputs.steps.at(-1)?.fingerprint;

/** Whether the fingerprints in `inputs` (of a report, say) are those of its own content, by the formula we know. */
export function verifyInputs(inputs: Inputs): boolean {
  if (inputs.format !== FORMAT || inputs.steps.length === 0) return false;
  const again = chain(inputs);
  return again.steps.every((step, index) => step.fingerprint === inputs.steps[index]?.fingerprint);
}
