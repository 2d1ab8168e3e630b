import { z } from 'zod';
import { metricPattern } from './expression.ts';

/** What schema.ts and the schemas of its parts are made of. Each `error` completes the sentence "`key` …". */
export const is = (expected: string) => ({ error: expected });
export const text = (expected: string) => z.string(is(expected)).refine((value) => value.trim() !== '', is(expected));
export const oneLine = (expected: string) => text(expected).refine((value) => !/[\n\r\0]/.test(value), is(expected));
export const count = (least: number, expected: string) =>
  z.int(is(expected)).min(least, is(expected)).max(1_000_000, is(expected));
export const listOf = <Item extends z.ZodType>(item: Item, expected: string) => z.array(item, is(expected));
export const mapOf = <Value extends z.ZodType>(key: z.ZodString, value: Value, expected: string) =>
  z.record(key, value, is(expected));

/** A path of the repository; which of its mistakes it is, rules.ts says. */
export const path = (expected: string) => text(expected);
export const name = z
  .string()
  .regex(/^[A-Za-z_]\w*$/, is('is not a name: letters, digits and _, not beginning with a digit'));
export const metricName = z.string().regex(metricPattern, is('is not a name of a metric'));
export const scalar = z.union(
  [z.string(), z.number(), z.boolean(), z.null()],
  is('is a text, a number, true, false or null'),
);
export const envValue = z.union([z.string(), z.number(), z.boolean()], is('is a text or a number'));
