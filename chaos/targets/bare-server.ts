// The program of the target `bare`: lets every request through.

import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end('Request successful!'));
server.listen(Number(process.env.PORT), process.env.HOST);
