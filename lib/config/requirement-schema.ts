import { z } from 'zod';
import { is, oneLine } from './schema-words.ts';
import { percentPattern } from './units.ts';

const margin = (what: string) => {
  const expected = is(`is ${what}: a percentage such as 1% or an amount such as 0.01`);
  return z.union([z.number().min(0, expected), z.string().regex(percentPattern, expected)], expected).optional();
};
/** A text only of what the run took: `8G`, "01:00:00"; quantity-rules.ts knows which. */
const limit = z.union([z.number(), z.string()], is('is a number'));
const maxDrop = margin('how far the metric may drop below the baseline');
const maxRise = margin('how far the metric may rise above the baseline');
/** Limits beside the hard ones, by their keys. */
export const softKeys = { warn: ['min', 'max', 'max_drop', 'max_rise'], goal: ['min', 'max'] } as const;
export const requirement = z
  .strictObject(
    {
      min: limit.meta({ description: 'The metric must be at least this.' }),
      max: limit.meta({ description: 'The metric must be at most this.' }),
      equals: limit.meta({ description: 'The metric must be this, for each seed.' }),
      baseline: oneLine('is a branch, a tag or a commit').refine(
        (value) => !value.startsWith('-'),
        is('is a branch, a tag or a commit'),
      ),
      max_drop: maxDrop,
      max_rise: maxRise,
      warn: z
        .strictObject(
          { min: limit, max: limit, max_drop: maxDrop, max_rise: maxRise },
          is('is a map of limits such as { min: 0.3 }'),
        )
        .partial()
        .meta({ description: 'Limits that warn where they are missed, and never block.' }),
      goal: z
        .strictObject({ min: limit, max: limit }, is('is a map that says the direction, such as { min: 0.5 }'))
        .partial()
        .meta({ description: 'Where one wants to get to: shown in the table, and asked of nobody.' }),
      without_baseline: z.enum(['fail', 'warn', 'ignore'], is('is fail, warn or ignore')),
      undecided: z.enum(['fail', 'warn', 'more'], is('is fail, warn or more')),
    },
    is('is a map of bounds such as { min: 0.25 }'),
  )
  .partial();
export const requirementKeys: readonly string[] = Object.keys(requirement.shape);
