import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GateContext } from '../gate/context.ts';
import type { EventSink } from '../gate/events.ts';
import type { Repository } from '../git/repository.ts';
import type { App } from './app.ts';
import { placeFor } from './places.ts';

/** The program's name and version, for reports. */
export function toolOf({ home }: Pick<App, 'home'>): string {
  const { name, version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Record<string, string>;
  return `${name} ${version}`;
}

/** What the gate works with, made of real parts. */
export const gateContext = (app: App, repo: Repository, emit: EventSink): GateContext => ({
  repo,
  placeFor: placeFor(app),
  templates: join(app.home, 'templates'),
  env: app.env,
  now: app.now,
  emit,
  signal: app.signal,
  tool: toolOf(app),
});
