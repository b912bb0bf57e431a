// The service with one defect, for the lab to condemn: as long as the breaker of one Redis is not closed it asks none of
// the others either, as if it had one breaker for all.

import { Breaker, type BreakerState } from '../../service/core/breaker.ts';

const { prototype } = Breaker;
const own = Object.getOwnPropertyDescriptor(prototype, 'state')?.get;
if (!own) throw new Error('a breaker tells its state');
const close = prototype.close;
const inUse = new Set<Breaker>();
Object.defineProperty(prototype, 'state', {
  get(this: Breaker): BreakerState {
    inUse.add(this);
    for (const breaker of inUse) if (own.call(breaker) !== 'closed') return 'open';
    return 'closed';
  },
});
prototype.close = function closeForGood() {
  inUse.delete(this);
  close.call(this);
};

await import('../../service/main.ts');
