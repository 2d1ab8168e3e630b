import { canonicalJson } from '../base/canonical-json.ts';
import { shellQuote } from '../base/shell-quote.ts';
import type { Scalar, Step } from '../config/types.ts';
import { floatPaths } from '../config/whole-numbers.ts';
import type { PlanError, PlannedTask } from './types.ts';

/** Every combination of the matrix with every seed, the seeds of one combination beside each other. Empty: the step is run once. */
export function tasksOf(step: Step): readonly PlannedTask[] {
  const { seeds, matrix = {} } = step;
  if (seeds === undefined && Object.keys(matrix).length === 0) return [];
  const places = floatPaths(step, 'matrix').map(([name, position]) => `${name} ${position}`);
  const combinations = Object.entries(matrix).reduce<readonly Combination[]>(
    (before, [name, values]) =>
      before.flatMap(({ parameters, floats }) =>
        values.map((value, position) => ({
          parameters: { ...parameters, [name]: value },
          floats: places.includes(`${name} ${position}`) ? [...floats, name] : floats,
        })),
      ),
    [{ parameters: {}, floats: [] }],
  );
  return combinations
    .flatMap((one): readonly Omit<PlannedTask, 'index'>[] => {
      const common = { combination: titleOf(one), ...(one.floats.length === 0 ? {} : { floats: one.floats }) };
      if (seeds === undefined) return [{ parameters: one.parameters, ...common, title: titleOf(one) }];
      return seeds.values.map((seed) => {
        const parameters = { ...one.parameters, [seeds.parameter]: seed };
        return { parameters, seed, ...common, title: titleOf({ ...one, parameters }) };
      });
    })
    .map((task, position) => ({ index: position + 1, ...task }));
}

type Combination = Required<Pick<PlannedTask, 'parameters' | 'floats'>>;

/** `lr=0.1, seed=3`. */
const titleOf = ({ parameters, floats }: Combination): string =>
  Object.entries(parameters)
    .map(
      ([name, value]) =>
        `${name}=${typeof value === 'string' && !/^[\w.+-]+$/.test(value) ? JSON.stringify(value) : written(value, floats.includes(name))}`,
    )
    .join(', ');

const written = (value: Scalar, isFloat: boolean): string =>
  isFloat && /^-?\d+$/.test(String(value)) ? `${value}.0` : String(value);

/** Names in capitals are the system's and ours (PATH, MLOPS_OUT). */
const isVariable = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && /[a-z]/.test(name);

/** A run step finds its parameters as variables of the shell: `python train.py --seed $seed`. */
export function exportLines({ parameters, floats = [] }: PlannedTask): string {
  return Object.entries(parameters)
    .filter(([name]) => isVariable(name))
    .map(
      ([name, value]) => `export ${name}=${shellQuote(value === null ? '' : written(value, floats.includes(name)))}\n`,
    )
    .join('');
}

/** What the keys of a task's step archive are made of. */
export const taskKey = ({ parameters, floats }: PlannedTask): string =>
  canonicalJson(floats === undefined ? parameters : { parameters, floats });

/** One step may be repeated; the values must fit where they go. */
export function taskErrors(steps: readonly Step[], unsupported: (key: string) => PlanError): readonly PlanError[] {
  const repeated = steps.flatMap((step, index) => (tasksOf(step).length > 0 ? [{ step, index }] : []));
  return repeated.flatMap(({ step, index }, position): readonly PlanError[] => {
    const key = `steps[${index}].${step.seeds === undefined ? 'matrix' : 'seeds'}`;
    if (position > 0) return [unsupported(key)];
    const [first] = tasksOf(step);
    const odd = Object.keys(first?.parameters ?? {}).filter((name) => step.kind === 'run' && !isVariable(name));
    const holdsNul = Object.values(step.matrix ?? {}).some((values) =>
      values.some((value) => String(value).includes('\0')),
    );
    return [
      ...odd.map(
        (name): PlanError => ({
          reason: 'unsafe-value',
          key: `${key}, ${name}`,
          detail: 'is no name of a variable with a small letter, which a run step needs',
        }),
      ),
      ...(holdsNul ? [{ reason: 'unsafe-value' as const, key, detail: 'holds NUL' }] : []),
    ];
  });
}
