import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { jsonSchema } from '../../lib/config/schema.ts';

const file = new URL('../../schema/config.schema.json', import.meta.url);

test('the JSON schema for editors is up to date (npm run schema)', () => {
  if (process.env.UPDATE_SCHEMA === '1') writeFileSync(file, jsonSchema());
  expect(readFileSync(file, 'utf8')).toBe(jsonSchema());
});
