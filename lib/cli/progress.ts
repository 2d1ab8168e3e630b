import type { EventSink } from '../gate/events.ts';
import type { App } from './app.ts';
import { PlainProgress } from './screens/gate-events.ts';
import type { Setting } from './screens/setting.ts';

/** What is shown while something goes on: a block that is rewritten on a terminal, plain lines without one. */
export interface Progress {
  readonly emit: EventSink;
  /** Lines that stay. */
  readonly say: (...lines: readonly string[]) => void;
  readonly end: () => void;
}

const tickSeconds = 5;

export function openProgress(app: App, setting: Setting): Progress {
  const plain = new PlainProgress(setting);
  const now = () => Math.floor(app.now().getTime() / 1000);
  const ticking = setInterval(() => app.say(...plain.tick(now())), tickSeconds * 1000);
  // Progress alone keeps nobody waiting.
  ticking.unref();
  return {
    emit: (event) => app.say(...plain.lines(event, now())),
    say: app.say,
    end: () => clearInterval(ticking),
  };
}
