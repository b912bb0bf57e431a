// The service with one defect, for the lab to condemn: it asks a Sentinel for the master once, when it starts, and knows
// no other afterwards.

import { Redis } from 'ioredis';

const [first = ''] = (process.env.REDIS_SENTINEL_ADDRS ?? '').split(',');
const [host = '', port = ''] = first.split(':');
const sentinel = new Redis({ host, port: Number(port) });
const found = await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', process.env.REDIS_SENTINEL_NAME ?? '');
sentinel.disconnect();
if (!Array.isArray(found)) throw new Error('the Sentinel names no master');

delete process.env.REDIS_SENTINEL_ADDRS;
delete process.env.REDIS_SENTINEL_NAME;
process.env.REDIS_ADDR = found.join(':');
await import('../../service/main.ts');
