import type { EventSink } from '../gate/events.ts';
import type { App } from './app.ts';
import { PlainProgress, remarkLines } from './screens/gate-events.ts';
import { Live } from './screens/live.ts';
import type { Setting } from './screens/setting.ts';

/** What is shown while something goes on: a block that is rewritten on a terminal, plain lines without one. */
export interface Progress {
  readonly emit: EventSink;
  /** What has come of it; it stays. */
  readonly say: (...lines: readonly string[]) => void;
  /** The terminal is needed for a question. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly end: () => void;
}

export const openProgress = (app: App, setting: Setting): Progress =>
  app.err.isTTY === true && app.env.TERM !== 'dumb' ? liveProgress(app, setting) : plainProgress(app, setting);

/** For scripts: only what has come of it. */
export const noProgress = (app: App): Progress => ({ ...silent, emit: () => undefined, say: app.say });

/** For a screen that something else fills: only what a person has to know. */
export const remarksAlone = (app: App, setting: Setting): Progress => ({
  ...silent,
  emit: (event) => app.say(...remarkLines(event, setting)),
  say: app.say,
});

const silent = { pause: () => undefined, resume: () => undefined, end: () => undefined };

function liveProgress(app: App, setting: Setting): Progress {
  const live = new Live(app.err, setting, () => app.now().getTime());
  live.start();
  app.signal.addEventListener('abort', () => live.release(), { once: true });
  return {
    emit: (event) => live.event(event),
    say: (...lines) => live.conclude(lines),
    pause: () => live.pause(),
    resume: () => live.resume(),
    end: () => live.end(),
  };
}

const tickSeconds = 5;

function plainProgress(app: App, setting: Setting): Progress {
  const plain = new PlainProgress(setting);
  const now = () => Math.floor(app.now().getTime() / 1000);
  // Progress alone keeps nobody waiting.
  const ticking = setInterval(() => app.say(...plain.tick(now())), tickSeconds * 1000).unref();
  return {
    emit: (event) => app.say(...plain.lines(event, now())),
    say: app.say,
    pause: () => undefined,
    resume: () => undefined,
    end: () => clearInterval(ticking),
  };
}
