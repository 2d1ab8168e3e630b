import type { HostError } from '../cluster/host.ts';
import type { GateError } from './outcome.ts';

/** What broke off on a connection that was there: coming back to the place and looking again may help. */
export function lostConnection(error: GateError): HostError | undefined {
  switch (error.reason) {
    case 'runs':
    case 'query':
    case 'submit':
    case 'store':
    case 'place': {
      const { cause } = error;
      return cause.reason === 'host' && cause.cause.reason === 'lost' ? cause.cause : undefined;
    }
    default:
      return undefined;
  }
}
