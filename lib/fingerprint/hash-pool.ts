import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ReadFile, syncHasher } from './hash-sync.ts';

/** Where there is less to read, threads cost more than they bring. */
const worthFiles = 3000;
const worthBytes = 256 << 20;
const most = 8;

/** Reads files in threads beside this one. A list is answered whole, in its order. */
export interface HashPool {
  readonly size: number;
  read(paths: readonly string[]): Promise<readonly ReadFile[]>;
  close(): Promise<void>;
}

/** Undefined: it is not worth it, or this machine has one processor. */
export function hashPool(files: number, bytes: number, processors = availableParallelism()): HashPool | undefined {
  const isWorth = files >= worthFiles || (files > 1 && bytes >= worthBytes);
  return isWorth && processors > 1 ? openPool(Math.min(processors, most, files)) : undefined;
}

const script = `'use strict';
const { parentPort } = require('node:worker_threads');
const read = (${syncHasher.toString()})(require);
parentPort.on('message', (paths) => parentPort.postMessage(paths.map((path) => read(path, Infinity))));`;

interface Task {
  readonly paths: readonly string[];
  readonly resolve: (read: readonly ReadFile[]) => void;
  readonly reject: (error: Error) => void;
}

function openPool(size: number): HashPool {
  const queue: Task[] = [];
  const idle: Worker[] = [];
  const busy = new Map<Worker, Task>();
  let broken: Error | undefined;
  const next = () => {
    for (let worker = idle.at(-1); worker !== undefined && queue.length > 0; worker = idle.at(-1)) {
      const task = queue.shift();
      if (task === undefined) break;
      idle.pop();
      busy.set(worker, task);
      worker.postMessage(task.paths);
    }
  };
  const workers = Array.from({ length: size }, () => {
    const worker = new Worker(script, { eval: true, execArgv: [] });
    worker.on('message', (read: readonly ReadFile[]) => {
      const task = busy.get(worker);
      busy.delete(worker);
      idle.push(worker);
      task?.resolve(read);
      next();
    });
    worker.on('error', (error) => {
      broken ??= error;
      for (const task of [...busy.values(), ...queue.splice(0)]) task.reject(error);
      busy.clear();
    });
    idle.push(worker);
    return worker;
  });
  return {
    size,
    read: (paths) =>
      new Promise((resolve, reject) => {
        if (broken !== undefined) return reject(broken);
        queue.push({ paths, resolve, reject });
        next();
      }),
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
