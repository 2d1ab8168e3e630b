// `npm install` in a checkout switches on the hooks of this folder. Not where there is nothing to switch on or nobody to commit:
// CI, an installation without the development packages, a folder that is no checkout.
import { existsSync } from 'node:fs';

const wanted = process.env.CI === undefined && process.env.NODE_ENV !== 'production' && existsSync('.git');
const found = wanted ? await import('husky').catch((error) => missing(error)) : undefined;
const said = found?.default();
if (said) process.stdout.write(`${said}\n`);

function missing(error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
}
