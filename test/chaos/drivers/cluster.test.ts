import { describe, expect, it } from 'vitest';
import { parseNodes } from '../../../chaos/drivers/cluster.ts';

describe('what a cluster says of its nodes', () => {
  it('is read line by line: who is master of what, who follows whom, and who is dead', () => {
    const text = [
      'aa 127.0.0.1:7001@17001 master,fail - 1795513000000 1795513000001 1 disconnected',
      'bb 127.0.0.1:7002@17002 myself,master - 0 1795513000001 2 connected 5462-10922 [93->-cc]',
      'cc 127.0.0.1:7004@17004 slave bb 0 1795513000001 4 connected',
      'dd 127.0.0.1:7005@17005,host master,fail? - 0 1795513000001 7 connected 0-5461',
      '',
    ].join('\n');
    expect(parseNodes(text)).toEqual([
      { address: '127.0.0.1:7001', isMaster: true, failed: true, masterId: '-', slots: [] },
      { address: '127.0.0.1:7002', isMaster: true, failed: false, masterId: '-', slots: ['5462-10922'] },
      { address: '127.0.0.1:7004', isMaster: false, failed: false, masterId: 'bb', slots: [] },
      { address: '127.0.0.1:7005', isMaster: true, failed: true, masterId: '-', slots: ['0-5461'] },
    ]);
  });
});
