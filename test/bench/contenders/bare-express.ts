// What every contender is measured against: the same route with no limiter before it.

import express from 'express';
import { listen, successful } from './common.ts';

const app = express();
app.disable('x-powered-by').disable('etag');
app.get('/', successful);
listen(app);
