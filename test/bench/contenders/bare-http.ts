// What the service's ways in are measured against: node:http by itself, with the same headers and no decision.

import { createServer } from 'node:http';

const body = 'Request successful!';
const headers = [
  ['RateLimit-Policy', '"default";q=1000;w=10'],
  ['X-RateLimit-Limit', '1000'],
  ['X-RateLimit-Remaining', '999'],
  ['X-RateLimit-Reset', String(Math.ceil(Date.now() / 1000))],
  ['RateLimit', '"default";r=999;t=1'],
  ['X-RateLimit-Mechanism', 'redis'],
  ['Content-Type', 'text/plain; charset=utf-8'],
  ['Content-Length', String(body.length)],
].flat();

createServer((_request, response) => {
  response.writeHead(200, [...headers]).end(body, 'latin1');
}).listen(Number(process.env.PORT), '127.0.0.1');
